// TestAuthority: a trust domain that a test runs. Issues X509-SVIDs through the product's own path, with
// moments of the test's choosing, and CA certificates below it (made by @peculiar/x509).

import "reflect-metadata";
import { KeyObject, type webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import {
  exportPkcs8,
  exportSpki,
  generateKeyPair,
  generateP256KeyPair,
  type KeyPair,
  type KeyType,
  signerOf,
} from "../../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { createCaCertificate } from "../../pki/x509/ca.ts";
import { type Certificate, parseCertificate } from "../../pki/x509/certificate.ts";
import { issueX509Svid, type X509Issuer } from "../../pki/x509/issue.ts";
import { parseX509Svid, type X509Svid } from "../../pki/x509/svid.ts";

const HOUR_MS = 3_600_000;

export interface IssueOptions {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly dnsNames?: readonly string[];
  readonly keyType?: KeyType;
}

export class TestAuthority {
  readonly trustDomain: TrustDomain;
  readonly root: Certificate;
  readonly keyPair: KeyPair;
  private readonly issuer: X509Issuer;

  private constructor(
    trustDomain: TrustDomain,
    root: Certificate,
    issuer: X509Issuer,
    keyPair: KeyPair,
  ) {
    this.trustDomain = trustDomain;
    this.root = root;
    this.issuer = issuer;
    this.keyPair = keyPair;
  }

  /** A self-signed authority, valid for a day around now. */
  static async create(name = "north.test", keyType: KeyType = "ec-p256"): Promise<TestAuthority> {
    const trustDomain = TrustDomain.parse(name);
    const keyPair = await generateKeyPair(keyType);
    const signer = signerOf("root", keyPair);
    const der = await createCaCertificate({
      signer,
      trustDomain,
      subject: { country: "US", organization: "Test" },
      notBefore: new Date(Date.now() - 24 * HOUR_MS),
      notAfter: new Date(Date.now() + 24 * HOUR_MS),
    });
    const root = parseCertificate(der);
    return new TestAuthority(
      trustDomain,
      root,
      { certificate: root, upstreamChain: [], signer },
      keyPair,
    );
  }

  /** What signs certificates and revocation lists in its name. */
  asIssuer(): X509Issuer {
    return this.issuer;
  }

  /** An authority whose certificate this one signs: its SVIDs come with that certificate. */
  async createBelow(): Promise<TestAuthority> {
    const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
    const usages: KeyUsage[] = ["sign", "verify"];
    const { subtle } = globalThis.crypto;
    const keys = (await subtle.generateKey(algorithm, true, usages)) as CryptoKeyPair;
    const signingKey = await subtle.importKey(
      "pkcs8",
      Uint8Array.from(exportPkcs8(this.keyPair.privateKey)),
      algorithm,
      false,
      ["sign"],
    );
    const made = await x509.X509CertificateGenerator.create({
      serialNumber: "0102030405",
      subject: "CN=below",
      issuer: new x509.X509Certificate(Uint8Array.from(this.root.der)).subjectName,
      notBefore: this.root.notBefore,
      notAfter: this.root.notAfter,
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
          true,
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        new x509.SubjectAlternativeNameExtension([{ type: "url", value: this.trustDomain.id }]),
      ],
    });
    const der = new Uint8Array(made.rawData);
    const privateKey = KeyObject.from(keys.privateKey as webcrypto.CryptoKey);
    const publicKey = KeyObject.from(keys.publicKey as webcrypto.CryptoKey);
    const keyPair = { privateKey, publicKey, spki: exportSpki(publicKey) };
    const certificate = parseCertificate(der);
    const issuer = { certificate, upstreamChain: [der], signer: signerOf("below", keyPair) };
    return new TestAuthority(this.trustDomain, this.root, issuer, keyPair);
  }

  /** An SVID for a path such as "/db", ready to be shown to peers. */
  async issue(path: string, options: IssueOptions = {}): Promise<X509Svid> {
    return this.issueId(SpiffeId.of(this.trustDomain, path), options);
  }

  /** As `issue`, for an ID that may be of another trust domain. */
  async issueId(spiffeId: SpiffeId, options: IssueOptions = {}): Promise<X509Svid> {
    const { dnsNames, keyType } = options;
    const keyPair = keyType === undefined ? generateP256KeyPair() : await generateKeyPair(keyType);
    const leaf = await issueX509Svid(this.issuer, {
      spki: keyPair.spki,
      spiffeId,
      ...(dnsNames && { dnsNames }),
      notBefore: options.notBefore ?? new Date(Date.now() - 10_000),
      notAfter: options.notAfter ?? new Date(Date.now() + HOUR_MS),
    });
    const chain = [leaf, ...this.issuer.upstreamChain];
    return parseX509Svid(chain, exportPkcs8(keyPair.privateKey));
  }

  /** The anchors of these authorities, each for its own trust domain. */
  static anchorsOf(
    ...authorities: readonly TestAuthority[]
  ): (td: TrustDomain) => Certificate[] | undefined {
    return (trustDomain) => {
      const anchors = authorities
        .filter((authority) => authority.trustDomain.equals(trustDomain))
        .map(({ root }) => root);
      return anchors.length === 0 ? undefined : anchors;
    };
  }
}
