// Making certificate revocation lists (RFC 5280 s5): lists of one authority, version 2, signed by
// its Signer and read again before they leave. When lists are made, and what stands in them:
// server/ca. Reading lists: crl.ts.
import { pkiError } from "../errors.ts";
import { KeyUsage } from "./certificate.ts";
import { type Crl, MAX_CRL_BYTES, MAX_CRL_ENTRIES, parseCrl } from "./crl.ts";
import { REVOCATION_REASON_CODES, type RevocationReason } from "./crl-reason.ts";
import { contextTag, Tag } from "./der.ts";
import { derBitString, derElement, derSequence, derUnsignedInteger } from "./der-writer.ts";
import { derAuthorityKeyId, derExtension, derIssuingPoint } from "./extensions-writer.ts";
import type { X509Issuer } from "./issue.ts";
import { keyIdentifier } from "./key-identifier.ts";
import { ExtensionOid } from "./oid.ts";
import { MAX_SERIAL_BYTES } from "./serial-table.ts";
import { SIGNING_SCHEMES } from "./signature.ts";
import { derTime } from "./time.ts";

/** One certificate that is good no more. */
export interface RevokedCertificate {
  /** Its serial number in hexadecimal, with or without leading zeros. */
  readonly serial: string;
  readonly revokedAt: Date;
  /** Default: unspecified, which is not written (s5.3.1). */
  readonly reason?: RevocationReason;
}

export interface CrlRequest {
  readonly issuer: Pick<X509Issuer, "certificate" | "signer">;
  /** Greater than in every list that this authority made before. */
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** A serial number that is there twice is listed once, as it came first. */
  readonly revoked: readonly RevokedCertificate[];
  /** The address of the list, when it is of the certificates that name this one alone (s5.2.5). Default: of all. */
  readonly scope?: string | undefined;
}

const VERSION_2 = derUnsignedInteger(Uint8Array.of(1));
const NOTHING = new Uint8Array(0);
/** Extensions { Extension { crlReason, OCTET STRING { ENUMERATED ..: all but the reason's number. */
const REASON_HEAD: Uint8Array = Uint8Array.from(Buffer.from("300c300a0603551d1504030a01", "hex"));
/** Serial number, GeneralizedTime, reason, and the headers of these. */
const MAX_ENTRY_BYTES = 2 + (2 + 1 + MAX_SERIAL_BYTES) + 17 + REASON_HEAD.length + 1;

/**
 * Makes and signs a list, DER: at once when the signer can sign at once.
 * @throws CRL_NOT_ALLOWED when the authority's key usage does not let it sign lists, CRL_TOO_LARGE
 */
export function issueCrl(request: CrlRequest): Uint8Array | Promise<Uint8Array> {
  const { signer } = request.issuer;
  checkRequest(request);
  const { algorithmDer, hash } = SIGNING_SCHEMES[signer.keyType];
  const tbs = derSequence(
    VERSION_2,
    algorithmDer,
    request.issuer.certificate.subjectDer,
    derTime(request.thisUpdate),
    derTime(request.nextUpdate),
    derRevoked(request.revoked),
    derElement(contextTag(0, true), derSequence(...derListExtensions(request))),
  );
  const finish = (signature: Uint8Array): Uint8Array => {
    const der = derSequence(tbs, algorithmDer, derBitString(signature));
    if (der.length > MAX_CRL_BYTES) throw tooLarge(request.revoked.length);
    checkCrl(parseCrl(der), request);
    return der;
  };
  return signer.signSync ? finish(signer.signSync(tbs, hash)) : signer.sign(tbs, hash).then(finish);
}

function checkRequest({ issuer, number, thisUpdate, nextUpdate, revoked }: CrlRequest): void {
  const { certificate } = issuer;
  const mayUse = certificate.keyUsage ?? KeyUsage.cRLSign;
  if (!certificate.isCa || (mayUse & KeyUsage.cRLSign) === 0) {
    throw pkiError(
      "CRL_NOT_ALLOWED",
      `the authority with serial number ${certificate.serialHex} may not sign revocation lists`,
      { hint: "have its certificate made with key usage cRLSign" },
    );
  }
  if (revoked.length > MAX_CRL_ENTRIES) throw tooLarge(revoked.length);
  if (number < 0n || number >= 1n << 159n) throw new TypeError("a list has a number of 159 bits");
  if (!(thisUpdate < nextUpdate)) throw new TypeError("the lifetime of a list is not positive");
}

/** Written into one buffer, field by field: a list can have a hundred thousand entries. */
function derRevoked(revoked: readonly RevokedCertificate[]): Uint8Array {
  // s5.1.2.6: without entries the field is absent.
  if (revoked.length === 0) return NOTHING;
  const bytes = Buffer.alloc(revoked.length * MAX_ENTRY_BYTES);
  const listed = new Set<string>();
  let timeMs = Number.NaN;
  let time: Uint8Array = NOTHING;
  let end = 0;
  for (const { serial, revokedAt, reason = "unspecified" } of revoked) {
    const hex = serialDigits(serial);
    if (listed.has(hex)) continue;
    listed.add(hex);
    if (revokedAt.getTime() !== timeMs) {
      timeMs = revokedAt.getTime();
      time = derTime(revokedAt);
    }
    const start = end;
    end = writeInteger(bytes, start + 2, hex);
    bytes.set(time, end);
    end += time.length;
    const code = REVOCATION_REASON_CODES[reason];
    if (code !== 0) {
      bytes.set(REASON_HEAD, end);
      bytes[end + REASON_HEAD.length] = code;
      end += REASON_HEAD.length + 1;
    }
    bytes[start] = Tag.sequence;
    bytes[start + 1] = end - start - 2;
  }
  return derElement(Tag.sequence, bytes.subarray(0, end));
}

/** An even number of hexadecimal digits in lower case, no more zeros before them than that takes. */
function serialDigits(serial: string): string {
  const digits = serial.startsWith("0") ? serial.replace(/^0+/, "") : serial;
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return (even === "" ? "00" : even).toLowerCase();
}

/** Writes a positive INTEGER at `at` and returns where it ends. */
function writeInteger(bytes: Buffer, at: number, hex: string): number {
  const length = hex.length / 2;
  const needsZero = hex >= "8" ? 1 : 0;
  // Buffers stop writing at the first pair that is not hexadecimal; this one has been zeroed.
  const isWritten =
    length <= MAX_SERIAL_BYTES && bytes.write(hex, at + 2 + needsZero, "hex") === length;
  if (!isWritten) throw new TypeError(`"${hex.slice(0, 60)}" is no serial number in hexadecimal`);
  bytes[at] = Tag.integer;
  bytes[at + 1] = length + needsZero;
  return at + 2 + needsZero + length;
}

function derListExtensions({ issuer, number, scope }: CrlRequest): Uint8Array[] {
  const { certificate } = issuer;
  const keyId = certificate.subjectKeyId ?? keyIdentifier(certificate.spki);
  const hex = number.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return [
    derAuthorityKeyId(keyId),
    derExtension(ExtensionOid.crlNumber, false, derUnsignedInteger(bytes)),
    ...(scope === undefined
      ? []
      : [derExtension(ExtensionOid.issuingDistributionPoint, true, derIssuingPoint(scope))]),
  ];
}

/** Reads the finished list again, as a validator would: everyone will believe it. */
function checkCrl(crl: Crl, { issuer, number, revoked, scope }: CrlRequest): void {
  const holds =
    crl.number === number &&
    crl.scope?.[0] === scope &&
    crl.isSignedBy(issuer.certificate.publicKey) &&
    revoked.every(({ serial }) => crl.reasonOf(serial) !== undefined);
  if (!holds) throw pkiError("SVID_PROFILE", "the revocation list just made is wrong");
}

function tooLarge(entries: number): Error {
  return pkiError(
    "CRL_TOO_LARGE",
    `a revocation list of ${entries} certificates is larger than any that is read`,
    { hint: "revoke the authority instead, so that all it issued is replaced" },
  );
}
