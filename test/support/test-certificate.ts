// Certificates with any content, right or wrong: what a test needs to see refused, no real issuer
// would make. Authorities that issue them: lax-authority.ts.
import { constants, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
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
import { ExtensionOid, HashOid, MGF1_OID, PurposeOid, SignatureOid } from "../../pki/x509/oid.ts";
import { newSerial } from "../../pki/x509/serial.ts";
import { derTime } from "../../pki/x509/time.ts";

/** Keys that can be met, more kinds than Signet makes. */
export type TestKeyKind =
  | "ec-p224"
  | "ec-p256"
  | "ec-p384"
  | "ec-p521"
  | "rsa-2048"
  | "rsa-1024"
  | "rsa-pss-2048"
  | "ed25519";

export interface TestExtension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** Parameters of RSASSA-PSS; by default those that fit SHA-256. */
export interface PssOptions {
  readonly hash?: HashName | "sha1";
  readonly maskHash?: HashName | "sha1";
  readonly saltBytes?: number;
  /** Parameters to write instead, DER; empty for none. */
  readonly parametersDer?: Uint8Array;
}

/** What a certificate says. `null` leaves an extension out; absent means the default of the kind. */
export interface TestCertificateOptions {
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  /** Each of 4 or 16 bytes. */
  readonly ipAddresses?: readonly Uint8Array[];
  /** More alternative names, each a GeneralName, DER. */
  readonly names?: readonly Uint8Array[];
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
  /** A Name, DER, instead of `subject`. */
  readonly subjectDer?: Uint8Array;
  /** Big-endian; empty and negative ones too. */
  readonly serial?: Uint8Array;
  readonly withoutKeyIds?: boolean;
  readonly extra?: readonly TestExtension[];
  /** Signs with this key instead of the issuer's: a forgery. */
  readonly signWith?: KeyObject;
  /** Signs with an RSA key by RSASSA-PSS instead of PKCS #1 v1.5. */
  readonly pss?: PssOptions;
  /** Signs with an RSA key on SHA-1. */
  readonly sha1?: boolean;
  /** The algorithm inside the signed part, when it is to differ from the one outside. */
  readonly innerAlgorithmDer?: Uint8Array;
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
  if (kind === "rsa-pss-2048") return generateKeyPairSync("rsa-pss", { modulusLength: 2048 });
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
  const { algorithmDer, hash } = options.pss
    ? pssAlgorithm(options.pss)
    : options.sha1
      ? { algorithmDer: RSA_SHA1, hash: "sha1" }
      : signingAlgorithmOf(signingKey);
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
    options.innerAlgorithmDer ?? algorithmDer,
    options.issuerName ? derName(options.issuerName) : issuer.nameDer,
    derSequence(
      derTime(options.notBefore ?? TEST_NOT_BEFORE),
      derTime(options.notAfter ?? TEST_NOT_AFTER),
    ),
    options.subjectDer ?? derName(options.subject ?? {}),
    spki,
    ...(extensions.length === 0
      ? []
      : [derElement(contextTag(3, true), derSequence(...extensions))]),
  );
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const saltLength = options.pss?.saltBytes ?? 32;
  const signer = options.pss ? { key: signingKey, padding, saltLength } : signingKey;
  return derSequence(tbs, algorithmDer, derBitString(sign(hash, tbs, signer)));
}

function profileExtensions(options: TestCertificateOptions): Uint8Array[] {
  const { uris = [], dnsNames = [], ipAddresses = [], keyUsage, extKeyUsage, isCa } = options;
  const names = [
    ...uris.map((uri) => derElement(contextTag(6, false), Buffer.from(uri, "latin1"))),
    ...dnsNames.map((name) => derElement(contextTag(2, false), Buffer.from(name, "latin1"))),
    ...ipAddresses.map((address) => derElement(contextTag(7, false), address)),
    ...(options.names ?? []),
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

const RSA_SHA1 = derSequence(derObjectIdentifier("1.2.840.113549.1.1.5"), derElement(Tag.null));
const SHA1_OID = "1.3.14.3.2.26";

function pssAlgorithm(options: PssOptions): { algorithmDer: Uint8Array; hash: string } {
  const { hash = "sha256", maskHash = hash, saltBytes = 32, parametersDer } = options;
  const hashDer = (name: HashName | "sha1") =>
    derSequence(
      derObjectIdentifier(name === "sha1" ? SHA1_OID : HashOid[name]),
      derElement(Tag.null),
    );
  const parameters = derSequence(
    derElement(contextTag(0, true), hashDer(hash)),
    derElement(contextTag(1, true), derSequence(derObjectIdentifier(MGF1_OID), hashDer(maskHash))),
    derElement(contextTag(2, true), smallInteger(saltBytes)),
  );
  const algorithmDer = derSequence(
    derObjectIdentifier(SignatureOid.rsaPss),
    parametersDer ?? parameters,
  );
  return { algorithmDer, hash };
}
