// An authority without scruples: makes good and bad certificates of any content, intermediates and
// cross-signed certificates, synchronously, valid from 2025 to 2045 unless a test says otherwise.
// test-authority.ts goes through the product's own issuing path instead, and so makes good ones only.
import { exportPkcs8, type KeyPair, signerOf } from "../../pki/keys.ts";
import { type Certificate, parseCertificate } from "../../pki/x509/certificate.ts";
import type { X509Issuer } from "../../pki/x509/issue.ts";
import { derName, type NameAttributes } from "../../pki/x509/name.ts";
import {
  CA_DEFAULTS,
  LEAF_DEFAULTS,
  signTestCertificate,
  type TestCertificateOptions,
  type TestKeyKind,
  testKeyPair,
} from "./test-certificate.ts";

/** A leaf with its key: what a workload holds. */
export interface LaxSvid {
  /** DER, leaf first, without the root. */
  readonly chain: readonly Uint8Array[];
  readonly leaf: Certificate;
  readonly keyPair: KeyPair;
  /** PKCS #8 DER. */
  readonly privateKey: Uint8Array;
}

export interface LaxLeafOptions extends TestCertificateOptions {
  readonly keyKind?: TestKeyKind;
  readonly keyPair?: KeyPair;
}

export interface LaxAuthorityOptions extends LaxLeafOptions {
  /** Bare name; the authority's URI name is its ID unless `uris` says otherwise. */
  readonly trustDomain?: string;
}

let count = 0;

export class LaxAuthority {
  readonly trustDomain: string;
  readonly keyPair: KeyPair;
  readonly name: NameAttributes;
  readonly certificate: Certificate;
  /** Intermediates (DER) between this authority's leaves and the root: [] for a root. */
  readonly chain: readonly Uint8Array[];

  private constructor(
    trustDomain: string,
    keyPair: KeyPair,
    name: NameAttributes,
    der: Uint8Array,
    chain: readonly Uint8Array[],
  ) {
    this.trustDomain = trustDomain;
    this.keyPair = keyPair;
    this.name = name;
    this.certificate = parseCertificate(der);
    this.chain = chain;
  }

  /** A self-signed root. Each has a name of its own unless `subject` is given. */
  static create(options: LaxAuthorityOptions = {}): LaxAuthority {
    const { trustDomain = "north.test" } = options;
    const keyPair = options.keyPair ?? testKeyPair(options.keyKind);
    const content = contentOf(trustDomain, options);
    const issuer = { nameDer: derName(content.subject), keyPair };
    const der = signTestCertificate(content, keyPair.spki, issuer);
    return new LaxAuthority(trustDomain, keyPair, content.subject, der, []);
  }

  /** An authority below this one. */
  intermediate(options: LaxAuthorityOptions = {}): LaxAuthority {
    const { trustDomain = this.trustDomain } = options;
    const keyPair = options.keyPair ?? testKeyPair(options.keyKind);
    const content = contentOf(trustDomain, options);
    const der = signTestCertificate(content, keyPair.spki, this.#issuer());
    return new LaxAuthority(trustDomain, keyPair, content.subject, der, [der, ...this.chain]);
  }

  /** Another authority's name and key, signed by this one: a cross-signed certificate. */
  crossSign(other: LaxAuthority, options: TestCertificateOptions = {}): Certificate {
    const content = { ...contentOf(other.trustDomain, options), subject: other.name };
    return parseCertificate(signTestCertificate(content, other.keyPair.spki, this.#issuer()));
  }

  /** A leaf; `path` with its slash. Anything can be overridden, `uris` included. */
  issue(path: string, options: LaxLeafOptions = {}): LaxSvid {
    const keyPair = options.keyPair ?? testKeyPair(options.keyKind);
    const der = this.issueDer(path, { ...options, keyPair });
    return {
      chain: [der, ...this.chain],
      leaf: parseCertificate(der),
      keyPair,
      privateKey: exportPkcs8(keyPair.privateKey),
    };
  }

  /** As `issue`, for a leaf (DER) that our own reader may refuse. */
  issueDer(path: string, options: LaxLeafOptions = {}): Uint8Array {
    const { spki } = options.keyPair ?? testKeyPair(options.keyKind);
    const uris = [`spiffe://${this.trustDomain}${path}`];
    return signTestCertificate({ ...LEAF_DEFAULTS, uris, ...options }, spki, this.#issuer());
  }

  /** What the product's issuing code signs with. P-256, P-384 and RSA authorities only. */
  issuer(): X509Issuer {
    const signer = signerOf(`test-${this.certificate.serialHex}`, this.keyPair);
    return { certificate: this.certificate, upstreamChain: this.chain, signer };
  }

  #issuer(): { nameDer: Uint8Array; keyPair: KeyPair } {
    return { nameDer: derName(this.name), keyPair: this.keyPair };
  }
}

function contentOf(
  trustDomain: string,
  options: TestCertificateOptions,
): TestCertificateOptions & { readonly subject: NameAttributes } {
  count += 1;
  const subject = { country: "US", organization: "SPIRE", serialNumber: String(count) };
  return { ...CA_DEFAULTS, uris: [`spiffe://${trustDomain}`], subject, ...options };
}
