// X.509 certificates as values (RFC 5280 s4.1): parsed once, strictly, all of it. Whether one can be
// trusted is asked elsewhere: path.ts (RFC 5280 s6), svid.ts (SPIFFE). PEM: pem.ts.
import type { KeyObject } from "node:crypto";
import { type IdentityError, pkiError } from "../errors.ts";
import { importSpki } from "../keys.ts";
import { contextTag, DerReader, Tag } from "./der.ts";
import {
  type Extension,
  type ExtensionValues,
  extensionValues,
  readExtensions,
} from "./extensions.ts";
import { isSignedBy, parseSignatureAlgorithm, type SignatureAlgorithm } from "./signature.ts";
import { readTime } from "./time.ts";

export { KeyUsage } from "./extensions.ts";

const MAX_CERTIFICATE_BYTES = 65_536;
const MAX_CERTIFICATES = 4096;
const MAX_SERIAL_BYTES = 20;
const VERSION_3 = 2;
const NO_EXTENSIONS: ReadonlyMap<string, Extension> = new Map();

/** The fields of a certificate; byte fields are DER, slices of `der`. */
interface CertificateFields extends ExtensionValues {
  readonly der: Uint8Array;
  /** TBSCertificate: the bytes that are signed. */
  readonly tbs: Uint8Array;
  /** The serial number's content octets, big-endian. */
  readonly serial: Uint8Array;
  readonly issuerDer: Uint8Array;
  readonly subjectDer: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** By OID in dotted form. */
  readonly extensions: ReadonlyMap<string, Extension>;
  /** Undefined when the algorithm is not known here: no signature check can then succeed. */
  readonly signatureAlgorithm: SignatureAlgorithm | undefined;
  readonly signature: Uint8Array;
}

/** One certificate. Immutable; the public key is imported when first asked for. */
export interface Certificate extends CertificateFields {
  /** @throws KEY_INVALID, KEY_UNSUPPORTED */
  readonly publicKey: KeyObject;
  /** Lowercase hexadecimal, two digits a byte. */
  readonly serialHex: string;
  readonly serialDecimal: string;
  /** Whether the subject is the empty name. */
  readonly hasEmptySubject: boolean;
  /** Whether the private half of `issuerKey` signed this certificate. Checks nothing else. */
  isSignedBy(issuerKey: KeyObject): boolean;
}

/**
 * Parses one certificate: v3, at most 64 KiB, nothing after it. The bytes are copied.
 * @throws CERTIFICATE_INVALID
 */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_CERTIFICATE_BYTES) {
    throw failure(`it has ${der.length} bytes, over ${MAX_CERTIFICATE_BYTES}`);
  }
  return parseOwnCertificate(new Uint8Array(der));
}

/**
 * As {@link parseCertificate}, for bytes that were just made here and that nobody else writes to: they
 * are not copied. @throws CERTIFICATE_INVALID
 */
export function parseOwnCertificate(der: Uint8Array): Certificate {
  const outer = new DerReader(der, failure);
  const parts = outer.enter(Tag.sequence);
  outer.finish();
  const tbs = parts.element(Tag.sequence);
  const outerAlgorithm = parts.element(Tag.sequence);
  const signature = parts.octetsOfBitString();
  parts.finish();

  const body = new DerReader(tbs, failure).enter(Tag.sequence);
  readVersion(body);
  const serial = readSerial(body);
  const innerAlgorithm = body.element(Tag.sequence);
  // RFC 5280 s4.1.1.2: the unsigned copy must not be able to pick another algorithm.
  if (!equalBytes(innerAlgorithm, outerAlgorithm)) {
    throw failure("its two signature algorithms differ");
  }
  const issuerDer = body.element(Tag.sequence);
  const validity = body.enter(Tag.sequence);
  const notBefore = readTime(validity);
  const notAfter = readTime(validity);
  validity.finish();
  const subjectDer = body.element(Tag.sequence);
  const spki = body.element(Tag.sequence);
  skipUniqueId(body, 1);
  skipUniqueId(body, 2);
  const extensions = readExtensionsField(body);
  body.finish();

  const values = extensionValues(extensions, failure);
  // Named one by one: spreading `values` would cost the issuing path microseconds.
  const fields: CertificateFields = {
    der,
    tbs,
    serial,
    issuerDer,
    subjectDer,
    notBefore,
    notAfter,
    spki,
    extensions,
    uris: values.uris,
    dnsNames: values.dnsNames,
    isCa: values.isCa,
    hasBasicConstraints: values.hasBasicConstraints,
    pathLen: values.pathLen,
    keyUsage: values.keyUsage,
    extKeyUsage: values.extKeyUsage,
    subjectKeyId: values.subjectKeyId,
    authorityKeyId: values.authorityKeyId,
    signatureAlgorithm: parseSignatureAlgorithm(outerAlgorithm, failure),
    signature,
  };
  return new DerivedFields(fields) as DerivedFields & CertificateFields;
}

/**
 * Parses certificates that follow each other without anything between, as the Workload API sends
 * them. No bytes give none; a repeated certificate is returned once.
 * @throws CERTIFICATE_INVALID
 */
export function parseCertificates(concatenatedDer: Uint8Array): Certificate[] {
  const reader = new DerReader(concatenatedDer, failure);
  const certificates = new Map<string, Certificate>();
  for (let count = 0; !reader.isAtEnd; count += 1) {
    if (count === MAX_CERTIFICATES) throw failure(`there are more than ${MAX_CERTIFICATES}`);
    const der = reader.element(Tag.sequence);
    const key = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("latin1");
    if (!certificates.has(key)) certificates.set(key, parseCertificate(der));
  }
  return [...certificates.values()];
}

/** What is worked out on demand, beside the fields themselves, which become properties. */
class DerivedFields {
  readonly #fields: CertificateFields;
  #publicKey: KeyObject | undefined;
  #serialDecimal: string | undefined;

  constructor(fields: CertificateFields) {
    this.#fields = fields;
    Object.assign(this, fields);
  }

  get publicKey(): KeyObject {
    this.#publicKey ??= importSpki(this.#fields.spki);
    return this.#publicKey;
  }

  get serialHex(): string {
    return Buffer.from(this.#fields.serial).toString("hex");
  }

  get serialDecimal(): string {
    // Kept: a server compares it on every call of an agent.
    this.#serialDecimal ??= BigInt(`0x${this.serialHex}`).toString();
    return this.#serialDecimal;
  }

  get hasEmptySubject(): boolean {
    return this.#fields.subjectDer.length === 2;
  }

  isSignedBy(issuerKey: KeyObject): boolean {
    const { signatureAlgorithm: algorithm, tbs, signature } = this.#fields;
    return algorithm !== undefined && isSignedBy(issuerKey, algorithm, tbs, signature);
  }
}

/** Whether two byte strings are the same. Not for secrets: it stops at the first difference. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

function readVersion(body: DerReader): void {
  const tag = contextTag(0, true);
  if (body.isNext(tag)) {
    const field = body.enter(tag);
    const version = field.smallInteger();
    field.finish();
    if (version === VERSION_3) return;
  }
  throw failure("it is not version 3");
}

function readSerial(body: DerReader): Uint8Array {
  const serial = body.integer();
  if ((serial[0] ?? 0) >= 0x80) throw failure("its serial number is negative");
  if (serial.length > MAX_SERIAL_BYTES) throw failure("its serial number is too long");
  return serial;
}

function skipUniqueId(body: DerReader, number: number): void {
  const tag = contextTag(number, false);
  if (body.isNext(tag)) body.content(tag);
}

function readExtensionsField(body: DerReader): ReadonlyMap<string, Extension> {
  const tag = contextTag(3, true);
  if (!body.isNext(tag)) return NO_EXTENSIONS;
  const field = body.enter(tag);
  const extensions = readExtensions(field.enter(Tag.sequence));
  field.finish();
  return extensions;
}

function failure(problem: string): IdentityError {
  return pkiError("CERTIFICATE_INVALID", `the certificate cannot be read: ${problem}`);
}
