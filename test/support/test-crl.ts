// Revocation lists of any content, right or wrong: what a test needs to see refused, no authority
// would make. Good ones come from pki/x509/crl-issue.ts.
import { sign } from "node:crypto";
import type { Certificate } from "../../pki/x509/certificate.ts";
import { contextTag, Tag } from "../../pki/x509/der.ts";
import {
  derBitString,
  derElement,
  derSequence,
  derUnsignedInteger,
} from "../../pki/x509/der-writer.ts";
import { derAuthorityKeyId, derExtension } from "../../pki/x509/extensions-writer.ts";
import { derName } from "../../pki/x509/name.ts";
import { ExtensionOid } from "../../pki/x509/oid.ts";
import { derTime } from "../../pki/x509/time.ts";
import type { LaxAuthority } from "./lax-authority.ts";
import { signingAlgorithmOf, type TestExtension } from "./test-certificate.ts";

export interface TestCrlEntry {
  /** Content octets of the INTEGER; those of a certificate when one is given. */
  readonly serial: Uint8Array | Certificate;
  readonly revokedAt?: Date;
  readonly extensions?: readonly TestExtension[];
}

export interface TestCrlOptions {
  readonly entries?: readonly TestCrlEntry[];
  /** 1 leaves the version out; others are written as they are. Default 2. */
  readonly version?: number;
  /** Content octets of the CRL number; null leaves it out. */
  readonly number?: Uint8Array | null;
  readonly thisUpdate?: Date;
  readonly nextUpdate?: Date | null;
  readonly withoutKeyId?: boolean;
  readonly extra?: readonly TestExtension[];
  /** Replaces all extensions, even by none at all. */
  readonly extensions?: readonly TestExtension[] | null;
  readonly issuerNameDer?: Uint8Array;
  /** Signs with the key of another authority: a forgery. */
  readonly signWith?: LaxAuthority;
  /** The algorithm inside the signed part, when it is to differ from the one outside. */
  readonly innerAlgorithmDer?: Uint8Array;
}

const THIS_UPDATE = new Date("2026-06-01T00:00:00Z");
const NEXT_UPDATE = new Date("2026-06-02T00:00:00Z");

/** Signs a list of `issuer`, DER. */
export function signTestCrl(issuer: LaxAuthority, options: TestCrlOptions = {}): Uint8Array {
  const { privateKey } = (options.signWith ?? issuer).keyPair;
  const { algorithmDer, hash } = signingAlgorithmOf(privateKey);
  const { version = 2, nextUpdate = NEXT_UPDATE, entries } = options;
  const extensions = extensionsOf(issuer, options);
  const tbs = derSequence(
    ...(version === 1 ? [] : [derUnsignedInteger(Uint8Array.of(version - 1))]),
    options.innerAlgorithmDer ?? algorithmDer,
    options.issuerNameDer ?? derName(issuer.name),
    derTime(options.thisUpdate ?? THIS_UPDATE),
    ...(nextUpdate === null ? [] : [derTime(nextUpdate)]),
    ...(entries === undefined
      ? []
      : [derElement(Tag.sequence, Buffer.concat(entries.map(derEntry)))]),
    ...(extensions === null ? [] : [derElement(contextTag(0, true), derSequence(...extensions))]),
  );
  return derSequence(tbs, algorithmDer, derBitString(sign(hash, tbs, privateKey)));
}

function derEntry({ serial, revokedAt, extensions }: TestCrlEntry): Uint8Array {
  const octets = serial instanceof Uint8Array ? serial : serial.serial;
  const list = extensions?.map(({ oid, critical, value }) => derExtension(oid, critical, value));
  return derSequence(
    derElement(Tag.integer, octets),
    derTime(revokedAt ?? THIS_UPDATE),
    ...(list === undefined ? [] : [derSequence(...list)]),
  );
}

function extensionsOf(issuer: LaxAuthority, options: TestCrlOptions): Uint8Array[] | null {
  if (options.version === 1 && options.extensions === undefined) return null;
  if (options.extensions === null) return null;
  const written = options.extensions?.map((e) => derExtension(e.oid, e.critical, e.value));
  if (written !== undefined) return written;
  const { number = Uint8Array.of(1), extra = [] } = options;
  const keyId = issuer.certificate.subjectKeyId;
  return [
    ...(keyId && !options.withoutKeyId ? [derAuthorityKeyId(keyId)] : []),
    ...(number === null
      ? []
      : [derExtension(ExtensionOid.crlNumber, false, derElement(Tag.integer, number))]),
    ...extra.map((e) => derExtension(e.oid, e.critical, e.value)),
  ];
}
