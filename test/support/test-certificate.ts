// Certificates with any content, right or wrong: what a test needs to see refused, no real issuer
// would make. Authorities that issue them: lax-authority.ts.
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { exportSpki, type HashName, type KeyPair } from "../../pki/keys.ts";
import { contextTag, Tag } from "../../pki/x509/der.ts";
import {
  derBitString,
  derBoolean,
  derElement,
  derNamedBits,
  derObjectIdentifier,
  derSequence,
  derUnsignedInteger,
} from "../../pki/x509/der-writer.ts";
import { KeyUsage } from "../../pki/x509/extensions.ts";
import { derExtension } from "../../pki/x509/extensions-writer.ts";
import { keyIdentifier } from "../../pki/x509/key-identifier.ts";
import { derName, type NameAttributes } from "../../pki/x509/name.ts";
import { ExtensionOid, PurposeOid, SignatureOid } from "../../pki/x509/oid.ts";
import { newSerial } from "../../pki/x509/serial.ts";
import { derTime } from "../../pki/x509/time.ts";

/** Keys that can be met, more kinds than Signet makes. */
export type TestKeyKind = "ec-p256" | "ec-p384" | "ec-p521" | "rsa-2048" | "rsa-1024" | "ed25519";

export interface TestExtension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** What a certificate says. `null` leaves an extension out; absent means the default of the kind. */
export interface TestCertificateOptions {
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  /** Each of 4 or 16 bytes. */
  readonly ipAddresses?: readonly Uint8Array[];
  readonly sanCritical?: boolean;
  /** Bits of KeyUsage. */
  readonly keyUsage?: number | null;
  readonly keyUsageCritical?: boolean;
  readonly extKeyUsage?: readonly string[] | null;
  readonly extKeyUsageCritical?: boolean;
  /** Basic constraints; null leaves the extension out. */
  readonly isCa?: boolean | null;
  readonly pathLen?: number;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly subject?: NameAttributes;
  /** Big-endian; empty and negative ones too. */
  readonly serial?: Uint8Array;
  readonly withoutKeyIds?: boolean;
  readonly extra?: readonly TestExtension[];
  /** Signs with this key instead of the issuer's: a forgery. */
  readonly signWith?: KeyObject;
  /** Names this issuer instead of the one that signs. */
  readonly issuerName?: NameAttributes;
}

export const TEST_NOT_BEFORE = new Date("2025-01-01T00:00:00Z");
export const TEST_NOT_AFTER = new Date("2045-01-01T00:00:00Z");

export const BOTH_PURPOSES: readonly string[] = [PurposeOid.serverAuth, PurposeOid.clientAuth];

export function testKeyPair(kind: TestKeyKind = "ec-p256"): KeyPair {
  const pair = generate(kind);
  return { ...pair, spki: exportSpki(pair.publicKey) };
}

function generate(kind: TestKeyKind): { privateKey: KeyObject; publicKey: KeyObject } {
  if (kind === "ed25519") return generateKeyPairSync("ed25519");
  const [family, size = ""] = kind.split("-");
  if (family === "rsa") return generateKeyPairSync("rsa", { modulusLength: Number(size) });
  return generateKeyPairSync("ec", { namedCurve: `P-${size.slice(1)}` });
}

/** Signs a certificate. `issuer` is its name and key; `defaults` differ for leaves and authorities. */
export function signTestCertificate(
  options: TestCertificateOptions,
  spki: Uint8Array,
  issuer: { readonly nameDer: Uint8Array; readonly keyPair: KeyPair },
): Uint8Array {
  const signingKey = options.signWith ?? issuer.keyPair.privateKey;
  const { algorithmDer, hash } = signingAlgorithmOf(signingKey);
  const keyIds = options.withoutKeyIds
    ? []
    : [
        derExtension(
          ExtensionOid.subjectKeyIdentifier,
          false,
          derElement(Tag.octetString, keyIdentifier(spki)),
        ),
        derExtension(
          ExtensionOid.authorityKeyIdentifier,
          false,
          derSequence(derElement(contextTag(0, false), keyIdentifier(issuer.keyPair.spki))),
        ),
      ];
  const extensions = [...keyIds, ...profileExtensions(options)];
  const tbs = derSequence(
    derElement(contextTag(0, true), derUnsignedInteger(Uint8Array.of(2))),
    options.serial ? derElement(Tag.integer, options.serial) : derUnsignedInteger(newSerial()),
    algorithmDer,
    options.issuerName ? derName(options.issuerName) : issuer.nameDer,
    derSequence(
      derTime(options.notBefore ?? TEST_NOT_BEFORE),
      derTime(options.notAfter ?? TEST_NOT_AFTER),
    ),
    derName(options.subject ?? {}),
    spki,
    ...(extensions.length === 0
      ? []
      : [derElement(contextTag(3, true), derSequence(...extensions))]),
  );
  return derSequence(tbs, algorithmDer, derBitString(sign(hash, tbs, signingKey)));
}

function profileExtensions(options: TestCertificateOptions): Uint8Array[] {
  const { uris = [], dnsNames = [], ipAddresses = [], keyUsage, extKeyUsage, isCa } = options;
  const names = [
    ...uris.map((uri) => derElement(contextTag(6, false), Buffer.from(uri, "latin1"))),
    ...dnsNames.map((name) => derElement(contextTag(2, false), Buffer.from(name, "latin1"))),
    ...ipAddresses.map((address) => derElement(contextTag(7, false), address)),
  ];
  const list: Uint8Array[] = [];
  if (names.length > 0) {
    const value = derSequence(...names);
    list.push(derExtension(ExtensionOid.subjectAltName, options.sanCritical ?? false, value));
  }
  if (typeof keyUsage === "number") {
    const critical = options.keyUsageCritical ?? true;
    list.push(derExtension(ExtensionOid.keyUsage, critical, derNamedBits(keyUsage)));
  }
  if (extKeyUsage) {
    const value = derSequence(...extKeyUsage.map(derObjectIdentifier));
    const critical = options.extKeyUsageCritical ?? false;
    list.push(derExtension(ExtensionOid.extKeyUsage, critical, value));
  }
  if (typeof isCa === "boolean") {
    const limit = options.pathLen === undefined ? [] : [smallInteger(options.pathLen)];
    const value = derSequence(...(isCa ? [derBoolean(true)] : []), ...limit);
    list.push(derExtension(ExtensionOid.basicConstraints, true, value));
  }
  for (const { oid, critical, value } of options.extra ?? []) {
    list.push(derExtension(oid, critical, value));
  }
  return list;
}

function smallInteger(value: number): Uint8Array {
  return derUnsignedInteger(Uint8Array.of(value));
}

/** Defaults of a leaf that every check accepts. */
export const LEAF_DEFAULTS: TestCertificateOptions = {
  keyUsage: KeyUsage.digitalSignature,
  extKeyUsage: BOTH_PURPOSES,
  isCa: false,
  subject: { country: "US", organization: "SPIRE" },
};

/** Defaults of an authority that every check accepts. */
export const CA_DEFAULTS: TestCertificateOptions = {
  keyUsage: KeyUsage.keyCertSign | KeyUsage.cRLSign,
  isCa: true,
};

/** How a key of a test signs. */
export function signingAlgorithmOf(key: KeyObject): {
  algorithmDer: Uint8Array;
  hash: HashName | undefined;
} {
  if (key.asymmetricKeyType === "ed25519") {
    return {
      algorithmDer: derSequence(derObjectIdentifier(SignatureOid.ed25519)),
      hash: undefined,
    };
  }
  if (key.asymmetricKeyType === "rsa") {
    const oid = derObjectIdentifier(SignatureOid.rsaSha256);
    return { algorithmDer: derSequence(oid, derElement(Tag.null)), hash: "sha256" };
  }
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const hash = curve === "secp384r1" ? "sha384" : curve === "secp521r1" ? "sha512" : "sha256";
  const oids = {
    sha256: SignatureOid.ecdsaSha256,
    sha384: SignatureOid.ecdsaSha384,
    sha512: SignatureOid.ecdsaSha512,
  };
  return { algorithmDer: derSequence(derObjectIdentifier(oids[hash])), hash };
}
