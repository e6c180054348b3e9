// Name constraints (RFC 5280 s4.2.1.10, s6.1.3 b and c): which names an authority may vouch for, itself
// and through authorities below it. Constraints count whether critical or not, and an anchor's do too:
// whoever wrote them meant them. How a name is compared: name-forms.ts.
import { type IdentityError, pkiError } from "../errors.ts";
import { type Certificate, equalBytes } from "./certificate.ts";
import { contextTag, DerReader, Tag } from "./der.ts";
import { readDirectoryName } from "./directory-name.ts";
import { type GeneralName, type NameForm, readGeneralName } from "./general-names.ts";
import { FORM_RULES } from "./name-forms.ts";
import { ExtensionOid } from "./oid.ts";

/** Comparisons for one path: names times constraints would else keep a validator busy for minutes. */
const MAX_COMPARISONS = 100_000;
/** An otherName that is an email address in UTF-8 (RFC 9598), OBJECT IDENTIFIER, DER. */
const SMTP_UTF8_MAILBOX: Uint8Array = Uint8Array.from(Buffer.from("06082b06010505070809", "hex"));

interface Constraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/**
 * Why a path, leaf first and anchor last, breaks a name constraint; undefined when it breaks none.
 * @throws CERTIFICATE_INVALID when constraints, or names under them, cannot be read
 */
export function nameProblem(path: readonly Certificate[]): IdentityError | undefined {
  if (!path.some(({ extensions }) => extensions.has(ExtensionOid.nameConstraints)))
    return undefined;
  const names = path.map((certificate, i) => {
    // s6.1.3: a self-issued authority is a new key of the one above it; a leaf is bound in any case.
    const isSelfIssued = equalBytes(certificate.subjectDer, certificate.issuerDer);
    return i > 0 && isSelfIssued ? [] : namesOf(certificate);
  });
  let left = MAX_COMPARISONS;
  for (const [i, authority] of path.entries()) {
    const constraints = i === 0 ? undefined : constraintsOf(authority);
    if (constraints === undefined) continue;
    const below = names.slice(0, i).flat();
    left -= below.length * (constraints.permitted.length + constraints.excluded.length);
    const problem = left < 0 ? "too many names are constrained" : firstProblem(constraints, below);
    if (problem === undefined) continue;
    return pkiError(
      "SVID_NAME_CONSTRAINT",
      `the authority with serial number ${authority.serialHex} limits names below it: ${problem}`,
      { hint: "ask whoever runs that authority which names it may vouch for" },
    );
  }
  return undefined;
}

function firstProblem(
  { permitted, excluded }: Constraints,
  names: readonly GeneralName[],
): string | undefined {
  const bases = [prepare(permitted), prepare(excluded)] as const;
  for (const { form, value } of names) {
    const [permits, excludes] = bases.map((base) => base.get(form));
    if (permits === undefined && excludes === undefined) continue;
    const rules = FORM_RULES[form];
    const name = rules?.name(value, failure);
    const isJudged =
      name !== undefined && !permits?.includes(undefined) && !excludes?.includes(undefined);
    if (rules === undefined || !isJudged) return `a ${form} cannot be judged`;
    const isWithin = (base: string | undefined, isExcluding: boolean) =>
      base !== undefined && rules.isWithin(name, base, isExcluding);
    if (excludes?.some((base) => isWithin(base, true))) return `a ${form} is excluded`;
    if (permits && !permits.some((base) => isWithin(base, false))) {
      return `a ${form} is not permitted`;
    }
  }
  return undefined;
}

/** Constraints by form, ready to compare with; undefined stands for one that cannot be judged. */
function prepare(bases: readonly GeneralName[]): Map<NameForm, (string | undefined)[]> {
  const byForm = new Map<NameForm, (string | undefined)[]>();
  for (const { form, value } of bases) {
    const base = FORM_RULES[form]?.constraint(value, failure);
    const list = byForm.get(form);
    if (list === undefined) byForm.set(form, [base]);
    else list.push(base);
  }
  return byForm;
}

/** All names that a certificate states: its alternative names, its subject, the emails in that. */
function namesOf({ extensions, subjectDer, hasEmptySubject }: Certificate): GeneralName[] {
  const names: GeneralName[] = [];
  const altNames = extensions.get(ExtensionOid.subjectAltName);
  if (altNames !== undefined) {
    const reader = new DerReader(altNames.value, failure);
    const list = reader.enter(Tag.sequence);
    reader.finish();
    while (!list.isAtEnd) names.push(readGeneralName(list));
  }
  for (const { form, value } of [...names]) {
    if (form !== "other name") continue;
    // Constraints on email addresses bind these too (RFC 9598 s6); they are not judged, so refused.
    const isEmail = equalBytes(value.subarray(0, SMTP_UTF8_MAILBOX.length), SMTP_UTF8_MAILBOX);
    if (isEmail) names.push({ form: "email address", value: new Uint8Array(0) });
  }
  if (hasEmptySubject) return names;
  const { emails } = readDirectoryName(subjectDer, failure);
  names.push({ form: "directory name", value: subjectDer });
  for (const value of emails) names.push({ form: "email address", value });
  return names;
}

function constraintsOf({ extensions }: Certificate): Constraints | undefined {
  const extension = extensions.get(ExtensionOid.nameConstraints);
  if (extension === undefined) return undefined;
  const reader = new DerReader(extension.value, failure);
  const fields = reader.enter(Tag.sequence);
  reader.finish();
  if (fields.isAtEnd) throw failure("its name constraints are empty");
  const permitted = readSubtrees(fields, 0);
  const excluded = readSubtrees(fields, 1);
  fields.finish();
  return { permitted, excluded };
}

function readSubtrees(fields: DerReader, number: number): GeneralName[] {
  const tag = contextTag(number, true);
  if (!fields.isNext(tag)) return [];
  const list = fields.enter(tag);
  const bases: GeneralName[] = [];
  if (list.isAtEnd) throw failure("a list of its name constraints is empty");
  while (!list.isAtEnd) {
    const subtree = list.enter(Tag.sequence);
    bases.push(readGeneralName(subtree));
    // Minimum and maximum are not used with any form of name, and DER leaves the minimum 0 out.
    subtree.finish();
  }
  return bases;
}

function failure(problem: string): IdentityError {
  return pkiError("CERTIFICATE_INVALID", `a certificate under name constraints: ${problem}`);
}
