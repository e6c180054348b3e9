// Certificate revocation lists as values (RFC 5280 s5): parsed once, strictly, all of it. Full lists of
// one authority, and lists of one distribution point of it, which say so: in place of the full list one
// would make revoked certificates good again. Delta lists and lists that speak for other issuers are refused. Making
// lists: crl-issue.ts. Which list counts for a certificate: crl-set.ts.
import type { KeyObject } from "node:crypto";
import { type IdentityError, pkiError } from "../errors.ts";
import { equalBytes } from "./certificate.ts";
import { type RevocationReason, revocationReasonOf } from "./crl-reason.ts";
import { contextTag, DerReader, Tag } from "./der.ts";
import { readIssuingPoint } from "./distribution-point.ts";
import { type Extension, readAuthorityKeyId, readExtension, readExtensions } from "./extensions.ts";
import { ExtensionOid } from "./oid.ts";
import { MAX_SERIAL_BYTES, SerialTable } from "./serial-table.ts";
import { isSignedBy, parseSignatureAlgorithm, type SignatureAlgorithm } from "./signature.ts";
import { readTime } from "./time.ts";

/** As much as one message of the Workload API holds. */
export const MAX_CRL_BYTES: number = 4 * 1024 * 1024;
export const MAX_CRL_ENTRIES = 100_000;
const MAX_NUMBER_BYTES = 20;
const VERSION_2 = 1;

/** One list. Immutable; byte fields are DER, slices of `der`. */
export interface Crl {
  readonly der: Uint8Array;
  /** Name of the authority whose certificates it speaks of. */
  readonly issuerDer: Uint8Array;
  readonly authorityKeyId: Uint8Array | undefined;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
  /** Grows from list to list; undefined in version 1, and where an issuer leaves it out. */
  readonly number: bigint | undefined;
  /** The addresses of the distribution point it is of: it speaks of certificates that name one. Undefined: of all. */
  readonly scope: readonly string[] | undefined;
  /** How many certificates it lists. */
  readonly size: number;
  /** Why a certificate is revoked, by its serial number in hexadecimal; undefined when it is not listed. */
  reasonOf(serialHex: string): RevocationReason | undefined;
  /** Whether the private half of `issuerKey` signed this list. Checks nothing else. */
  isSignedBy(issuerKey: KeyObject): boolean;
}

/** The fields that parsing finds, beside the list itself. */
type CrlFields = Omit<Crl, "size" | "reasonOf" | "isSignedBy"> & {
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: SignatureAlgorithm | undefined;
  readonly signature: Uint8Array;
  readonly entries: SerialTable;
};

/**
 * Parses one list of at most 4 MiB and 100,000 entries, version 1 or 2. The bytes are copied.
 * @throws CRL_INVALID
 */
export function parseCrl(bytes: Uint8Array): Crl {
  if (bytes.length > MAX_CRL_BYTES) {
    throw failure(`it has ${bytes.length} bytes, over ${MAX_CRL_BYTES}`);
  }
  const der = new Uint8Array(bytes);
  const outer = new DerReader(der, failure);
  const parts = outer.enter(Tag.sequence);
  outer.finish();
  const tbs = parts.element(Tag.sequence);
  const outerAlgorithm = parts.element(Tag.sequence);
  const signature = parts.octetsOfBitString();
  parts.finish();

  const body = new DerReader(tbs, failure).enter(Tag.sequence);
  const isVersion2 = body.isNext(Tag.integer);
  if (isVersion2 && body.smallInteger() !== VERSION_2) throw failure("it is not version 1 or 2");
  // As in certificates: the unsigned copy must not be able to pick another algorithm.
  if (!equalBytes(body.element(Tag.sequence), outerAlgorithm)) {
    throw failure("its two signature algorithms differ");
  }
  const issuerDer = body.element(Tag.sequence);
  const thisUpdate = readTime(body);
  const hasNext = body.isNext(Tag.utcTime) || body.isNext(Tag.generalizedTime);
  const nextUpdate = hasNext ? readTime(body) : undefined;
  const entries = new SerialTable(der);
  if (body.isNext(Tag.sequence)) readEntries(body.enter(Tag.sequence), entries, isVersion2);
  const extensions = readCrlExtensions(body, isVersion2);
  body.finish();

  return new ParsedCrl({
    der,
    tbs,
    issuerDer,
    thisUpdate,
    nextUpdate,
    ...extensions,
    entries,
    signatureAlgorithm: parseSignatureAlgorithm(outerAlgorithm, failure),
    signature,
  });
}

class ParsedCrl implements Crl {
  readonly der: Uint8Array;
  readonly issuerDer: Uint8Array;
  readonly authorityKeyId: Uint8Array | undefined;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
  readonly number: bigint | undefined;
  readonly scope: readonly string[] | undefined;
  readonly #fields: CrlFields;

  constructor(fields: CrlFields) {
    this.der = fields.der;
    this.issuerDer = fields.issuerDer;
    this.authorityKeyId = fields.authorityKeyId;
    this.thisUpdate = fields.thisUpdate;
    this.nextUpdate = fields.nextUpdate;
    this.number = fields.number;
    this.scope = fields.scope;
    this.#fields = fields;
  }

  get size(): number {
    return this.#fields.entries.size;
  }

  reasonOf(serialHex: string): RevocationReason | undefined {
    const code = this.#fields.entries.get(serialHex);
    return code === undefined ? undefined : revocationReasonOf(code);
  }

  isSignedBy(issuerKey: KeyObject): boolean {
    const { signatureAlgorithm: algorithm, tbs, signature } = this.#fields;
    return algorithm !== undefined && isSignedBy(issuerKey, algorithm, tbs, signature);
  }
}

function readEntries(list: DerReader, entries: SerialTable, isVersion2: boolean): void {
  while (!list.isAtEnd) {
    if (entries.size === MAX_CRL_ENTRIES) {
      throw failure(`it has more than ${MAX_CRL_ENTRIES} entries`);
    }
    const entry = list.enter(Tag.sequence);
    const serial = entry.integer();
    if ((serial[0] ?? 0) >= 0x80) throw failure("a serial number is negative");
    if (serial.length > MAX_SERIAL_BYTES) throw failure("a serial number is too long");
    readTime(entry);
    if (!isVersion2 && !entry.isAtEnd) throw failure("an entry of version 1 has extensions");
    const code = entry.isAtEnd ? 0 : readReasonCode(entry);
    entry.finish();
    entries.add(serial, code);
  }
}

/** The extensions of an entry that have nothing but a reason: all but their last byte. */
const REASON_ALONE = Uint8Array.from(Buffer.from("300c300a0603551d1504030a01", "hex"));

function readReasonCode(entry: DerReader): number {
  const whole = entry.element(Tag.sequence);
  const last = whole[whole.length - 1] ?? 0;
  const isUsual = whole.length === REASON_ALONE.length + 1;
  // Nearly every entry there is looks like this: no map has to be made for it.
  const code =
    isUsual && equalBytes(whole.subarray(0, -1), REASON_ALONE) ? last : readAnyReasonCode(whole);
  if (revocationReasonOf(code) !== undefined) return code;
  throw failure(`an entry has the reason ${code}, which does not exist in full lists`);
}

function readAnyReasonCode(entryExtensions: Uint8Array): number {
  const list = new DerReader(entryExtensions, failure).enter(Tag.sequence);
  const extensions = readExtensions(list);
  // Speaks for certificates of other issuers from this entry on; must be critical, in our eyes always is.
  if (extensions.has(ExtensionOid.certificateIssuer)) throw failure("an entry names its issuer");
  refuseCritical(extensions, [ExtensionOid.crlReason]);
  const reason = extensions.get(ExtensionOid.crlReason);
  if (reason === undefined) return 0;
  const reader = new DerReader(reason.value, failure);
  const code = reader.smallInteger(Tag.enumerated);
  reader.finish();
  return code;
}

function readCrlExtensions(
  body: DerReader,
  isVersion2: boolean,
): Pick<Crl, "authorityKeyId" | "number" | "scope"> {
  const tag = contextTag(0, true);
  if (!body.isNext(tag)) return { authorityKeyId: undefined, number: undefined, scope: undefined };
  if (!isVersion2) throw failure("it has extensions and is version 1");
  const field = body.enter(tag);
  const extensions = readExtensions(field.enter(Tag.sequence));
  field.finish();
  if (extensions.has(ExtensionOid.deltaCrlIndicator)) throw failure("it is a delta list");
  // s5.2.5: critical, so that nobody takes it for a full list.
  if (extensions.get(ExtensionOid.issuingDistributionPoint)?.critical === false) {
    throw failure(
      "it is a list of one distribution point, and not marked so that all readers notice",
    );
  }
  refuseCritical(extensions, [
    ExtensionOid.authorityKeyIdentifier,
    ExtensionOid.crlNumber,
    ExtensionOid.issuingDistributionPoint,
  ]);
  return {
    authorityKeyId: readExtension(
      extensions,
      ExtensionOid.authorityKeyIdentifier,
      readAuthorityKeyId,
      failure,
    ),
    number: readExtension(extensions, ExtensionOid.crlNumber, readNumber, failure),
    scope: readExtension(
      extensions,
      ExtensionOid.issuingDistributionPoint,
      readIssuingPoint,
      failure,
    ),
  };
}

/** s5.2 and s5.3: a list with a critical extension that is not processed must not be used. */
function refuseCritical(
  extensions: ReadonlyMap<string, Extension>,
  processed: readonly string[],
): void {
  for (const [oid, { critical }] of extensions) {
    if (critical && !processed.includes(oid)) {
      throw failure(`it has the critical extension ${oid}, which is not understood`);
    }
  }
}

function readNumber(reader: DerReader): bigint {
  const value = reader.integer();
  if ((value[0] ?? 0) >= 0x80) throw failure("its number is negative");
  if (value.length > MAX_NUMBER_BYTES) throw failure("its number is too long");
  return BigInt(`0x${Buffer.from(value).toString("hex")}`);
}

function failure(problem: string): IdentityError {
  return pkiError("CRL_INVALID", `the revocation list cannot be read: ${problem}`);
}
