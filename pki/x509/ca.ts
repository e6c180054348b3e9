// Certificates of X.509 authorities (X509-SVID s3.2, s4): self-signed, built by the certificate
// library through ca-crypto.ts. Made a few times a day, so that its cost does not matter. When an
// authority is made and used: server/ca. What it then issues: issue.ts.

import "reflect-metadata"; // the certificate library wants it loaded first

import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { pkiError } from "../errors.ts";
import type { Signer } from "../keys.ts";
import type { TrustDomain } from "../spiffe-id.ts";
import { signingCryptoOf } from "./ca-crypto.ts";
import { type Certificate, equalBytes, KeyUsage, parseCertificate } from "./certificate.ts";
import { keyIdentifier } from "./key-identifier.ts";
import { derName } from "./name.ts";
import { ExtensionOid } from "./oid.ts";
import { newSerial } from "./serial.ts";

/** The name that an authority's certificates bear; its serial number is added. */
export interface CaSubject {
  readonly country?: string;
  readonly organization?: string;
  readonly commonName?: string;
}

export interface CaRequest {
  readonly signer: Signer;
  readonly trustDomain: TrustDomain;
  readonly subject: CaSubject;
  /** The caller backdates. Whole seconds count. */
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const CA_KEY_USAGE = KeyUsage.keyCertSign | KeyUsage.cRLSign;

/**
 * Makes the self-signed certificate of an authority, DER: URI name = the trust domain's ID,
 * keyCertSign and cRLSign alone, no path length limit, no extended key usage. The subject ends with
 * a serialNumber attribute, so that two authorities of one trust domain never have the same name.
 * @throws SVID_PROFILE when the result is not what was asked for
 */
export async function createCaCertificate(request: CaRequest): Promise<Uint8Array> {
  const { signer, trustDomain, subject } = request;
  const { crypto, signingKey } = signingCryptoOf(signer);
  const serial = newSerial();
  const serialHex = Buffer.from(serial).toString("hex");
  const nameDer = derName({ ...subject, serialNumber: BigInt(`0x${serialHex}`).toString() });
  const keyId = keyIdentifier(signer.spki);
  const name = new Name(copyOf(nameDer));
  const made = await X509CertificateGenerator.create(
    {
      serialNumber: serialHex,
      subject: name,
      issuer: name,
      notBefore: wholeSecond(request.notBefore),
      notAfter: wholeSecond(request.notAfter),
      publicKey: copyOf(signer.spki),
      signingKey,
      signingAlgorithm: signingKey.algorithm,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        new SubjectKeyIdentifierExtension(Buffer.from(keyId).toString("hex"), false),
        new SubjectAlternativeNameExtension([{ type: "url", value: trustDomain.id }], false),
      ],
    },
    crypto,
  );
  const certificate = parseCertificate(new Uint8Array(made.rawData));
  checkCa(certificate, request, nameDer, serialHex);
  return certificate.der;
}

/** Reads the finished certificate again: what goes into a bundle is trusted by everyone. */
function checkCa(
  certificate: Certificate,
  request: CaRequest,
  nameDer: Uint8Array,
  serialHex: string,
): void {
  const { signer, trustDomain } = request;
  const isCritical = (oid: string) => certificate.extensions.get(oid)?.critical === true;
  const checks: readonly (readonly [boolean, string])[] = [
    [certificate.isSignedBy(signer.publicKey), "signature"],
    [equalBytes(certificate.spki, signer.spki), "public key"],
    [equalBytes(certificate.subjectDer, nameDer), "subject"],
    [equalBytes(certificate.issuerDer, nameDer), "issuer"],
    [certificate.serialHex === serialHex, "serial number"],
    [sameSecond(certificate.notBefore, request.notBefore), "start of validity"],
    [sameSecond(certificate.notAfter, request.notAfter), "end of validity"],
    [certificate.notBefore < certificate.notAfter, "lifetime"],
    [certificate.isCa && isCritical(ExtensionOid.basicConstraints), "basic constraints"],
    [certificate.keyUsage === CA_KEY_USAGE && isCritical(ExtensionOid.keyUsage), "key usage"],
    [certificate.uris.length === 1 && certificate.uris[0] === trustDomain.id, "SPIFFE ID"],
    [certificate.extensions.size === 4, "extensions"],
  ];
  const wrong = checks.filter(([holds]) => !holds).map(([, what]) => what);
  if (wrong.length === 0) return;
  throw pkiError(
    "SVID_PROFILE",
    `the authority certificate made for "${trustDomain}" is wrong: ${wrong.join(", ")}`,
  );
}

function wholeSecond(moment: Date): Date {
  return new Date(Math.floor(moment.getTime() / 1000) * 1000);
}

function sameSecond(a: Date, b: Date): boolean {
  return Math.floor(a.getTime() / 1000) === Math.floor(b.getTime() / 1000);
}

function copyOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}
