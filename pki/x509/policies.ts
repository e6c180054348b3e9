// Certificate policies along a path (RFC 5280 s6.1). No policy is asked for here (the initial set is
// any-policy), so that a path fails only when an authority in it requires that policies run through to
// the leaf and they do not. The policy tree of the RFC is kept as one level of distinct policies: nodes
// of one policy at one depth are alike, so that no mapping makes it grow beyond the certificates' size.
import { type IdentityError, pkiError } from "../errors.ts";
import { type Certificate, equalBytes } from "./certificate.ts";
import { contextTag, type DerReader, Tag } from "./der.ts";
import { readExtension } from "./extensions.ts";
import { ExtensionOid } from "./oid.ts";

const ANY_POLICY = "2.5.29.32.0";
const EXTENSIONS = [
  ExtensionOid.certificatePolicies,
  ExtensionOid.policyMappings,
  ExtensionOid.policyConstraints,
  ExtensionOid.inhibitAnyPolicy,
];

/** The policies at one depth, each with those that the next certificate may state in its place. */
type Level = ReadonlyMap<string, ReadonlySet<string>>;

/** Certificates that may follow before something is required or inhibited (s6.1.2 d to f). */
interface Counters {
  explicitPolicy: number;
  policyMapping: number;
  anyPolicy: number;
}

/**
 * Why the policies of a path, leaf first and anchor last, are not what an authority in it requires;
 * undefined when they are. An anchor requires and inhibits too, but its own policies limit nothing.
 * @throws CERTIFICATE_INVALID when an extension cannot be read
 */
export function policyProblem(path: readonly Certificate[]): IdentityError | undefined {
  const hasAny = path.some(({ extensions }) => EXTENSIONS.some((oid) => extensions.has(oid)));
  if (!hasAny) return undefined;
  const [anchor, ...others] = path.toReversed();
  const unlimited = path.length;
  const counters: Counters = {
    explicitPolicy: unlimited,
    policyMapping: unlimited,
    anyPolicy: unlimited,
  };
  if (anchor !== undefined) limit(counters, anchor);
  let level: Level = new Map([[ANY_POLICY, new Set([ANY_POLICY])]]);
  for (const [i, certificate] of others.entries()) {
    const isLeaf = i === others.length - 1;
    const isSelfIssued = equalBytes(certificate.subjectDer, certificate.issuerDer);
    const allowsAny = counters.anyPolicy > 0 || (!isLeaf && isSelfIssued);
    level = nextLevel(level, policiesOf(certificate), allowsAny);
    if (counters.explicitPolicy === 0 && level.size === 0) return unmet(certificate);
    const mappings = mappingsOf(certificate);
    if (!isLeaf) level = mapped(level, mappings, counters.policyMapping > 0);
    if (isLeaf || !isSelfIssued) countDown(counters);
    limit(counters, certificate);
    // s6.1.5 (b): of a leaf's own constraints, the one that takes effect at once.
    if (isLeaf && counters.explicitPolicy === 0 && level.size === 0) return unmet(certificate);
  }
  return undefined;
}

/** s6.1.3 (d) and (e). */
function nextLevel(
  level: Level,
  policies: ReadonlySet<string> | undefined,
  allowsAny: boolean,
): Level {
  const next = new Map<string, ReadonlySet<string>>();
  if (policies === undefined) return next;
  const expected = new Set<string>();
  for (const set of level.values()) for (const policy of set) expected.add(policy);
  for (const policy of policies) {
    if (policy === ANY_POLICY) continue;
    if (expected.has(policy) || level.has(ANY_POLICY)) next.set(policy, new Set([policy]));
  }
  if (policies.has(ANY_POLICY) && allowsAny) {
    for (const policy of expected) if (!next.has(policy)) next.set(policy, new Set([policy]));
  }
  return next;
}

/** s6.1.4 (b): what an authority's policies are called below it. */
function mapped(
  level: Level,
  mappings: ReadonlyMap<string, ReadonlySet<string>>,
  mayMap: boolean,
): Level {
  const result = new Map(level);
  for (const [policy, subjectPolicies] of mappings) {
    if (!mayMap) result.delete(policy);
    else if (level.has(policy) || level.has(ANY_POLICY)) result.set(policy, subjectPolicies);
  }
  return result;
}

/** s6.1.4 (h), s6.1.5 (a). */
function countDown(counters: Counters): void {
  counters.explicitPolicy = Math.max(0, counters.explicitPolicy - 1);
  counters.policyMapping = Math.max(0, counters.policyMapping - 1);
  counters.anyPolicy = Math.max(0, counters.anyPolicy - 1);
}

/** s6.1.4 (i) and (j). */
function limit(counters: Counters, certificate: Certificate): void {
  const constraints = read(certificate, ExtensionOid.policyConstraints, readConstraints);
  const inhibitAny = read(certificate, ExtensionOid.inhibitAnyPolicy, (r) => r.smallInteger());
  const { require, inhibitMapping } = constraints ?? {};
  const least = (a: number, b: number | undefined): number => Math.min(a, b ?? a);
  counters.explicitPolicy = least(counters.explicitPolicy, require);
  counters.policyMapping = least(counters.policyMapping, inhibitMapping);
  counters.anyPolicy = least(counters.anyPolicy, inhibitAny);
}

function readConstraints(reader: DerReader): {
  require: number | undefined;
  inhibitMapping: number | undefined;
} {
  const fields = reader.enter(Tag.sequence);
  if (fields.isAtEnd) throw reader.invalid("its policy constraints are empty");
  const optional = (tag: number) => (fields.isNext(tag) ? fields.smallInteger(tag) : undefined);
  const require = optional(contextTag(0, false));
  const inhibitMapping = optional(contextTag(1, false));
  fields.finish();
  return { require, inhibitMapping };
}

/** Undefined when a certificate has no policies at all, not even any-policy. Qualifiers are not used. */
function policiesOf(certificate: Certificate): ReadonlySet<string> | undefined {
  return read(certificate, ExtensionOid.certificatePolicies, (reader) => {
    const list = reader.enter(Tag.sequence);
    const policies = new Set<string>();
    if (list.isAtEnd) throw reader.invalid("its list of policies is empty");
    while (!list.isAtEnd) {
      const fields = list.enter(Tag.sequence);
      const policy = fields.objectIdentifier();
      if (!fields.isAtEnd) fields.element(Tag.sequence);
      fields.finish();
      if (policies.has(policy)) throw reader.invalid(`policy ${policy} is there twice`);
      policies.add(policy);
    }
    return policies;
  });
}

function mappingsOf(certificate: Certificate): ReadonlyMap<string, ReadonlySet<string>> {
  const mappings = read(certificate, ExtensionOid.policyMappings, (reader) => {
    const list = reader.enter(Tag.sequence);
    const found = new Map<string, Set<string>>();
    if (list.isAtEnd) throw reader.invalid("its list of policy mappings is empty");
    while (!list.isAtEnd) {
      const fields = list.enter(Tag.sequence);
      const issuerPolicy = fields.objectIdentifier();
      const subjectPolicy = fields.objectIdentifier();
      fields.finish();
      // s6.1.4 (a): every policy would become another one.
      if (issuerPolicy === ANY_POLICY || subjectPolicy === ANY_POLICY) {
        throw reader.invalid("it maps any-policy");
      }
      const known = found.get(issuerPolicy);
      if (known === undefined) found.set(issuerPolicy, new Set([subjectPolicy]));
      else known.add(subjectPolicy);
    }
    return found;
  });
  return mappings ?? new Map();
}

function read<T>(
  { extensions }: Certificate,
  oid: string,
  parse: (reader: DerReader) => T,
): T | undefined {
  return readExtension(extensions, oid, parse, failure);
}

function unmet({ serialHex }: Certificate): IdentityError {
  return pkiError(
    "SVID_POLICY",
    `an authority requires a certificate policy that does not reach serial number ${serialHex}`,
    { hint: "compare the certificate policies along the chain with that authority's constraints" },
  );
}

function failure(problem: string): IdentityError {
  return pkiError("CERTIFICATE_INVALID", `the policies of a certificate: ${problem}`);
}
