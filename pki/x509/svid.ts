// X509-SVIDs as SPIFFE defines them (X509-SVID s2 to s5): validating a peer's against the authorities
// of its own trust domain, and loading one's own. The general rules of X.509 paths: path.ts.

import type { KeyObject } from "node:crypto";
import { pkiError } from "../errors.ts";
import { exportSpki, importPkcs8, keyPairOf } from "../keys.ts";
import { SpiffeId, type TrustDomain } from "../spiffe-id.ts";
import { type Certificate, equalBytes, KeyUsage, parseCertificate } from "./certificate.ts";
import type { CrlSet } from "./crl-set.ts";
import { PurposeOid } from "./oid.ts";
import { MAX_CHAIN_CERTIFICATES, validatePath } from "./path.ts";
import { parsePem } from "./pem.ts";

/** A peer whose SVID was validated. */
export interface ValidatedX509Svid {
  readonly id: SpiffeId;
  readonly leaf: Certificate;
  /** What of the chain vouches for it: leaf first, without the anchor. Peers may send more, as much as they like. */
  readonly path: readonly Certificate[];
}

/** One's own SVID, ready to be presented. */
export interface X509Svid {
  readonly id: SpiffeId;
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  readonly leaf: Certificate;
  readonly privateKey: KeyObject;
}

/** The role in which a peer presents its SVID: decides which purpose it must be fit for. */
export type PeerRole = "server" | "client";

/** The authorities of a trust domain, undefined when there is no bundle for it. */
export type AnchorsOf = (trustDomain: TrustDomain) => readonly Certificate[] | undefined;

/**
 * Validates an X509-SVID against the authorities of the trust domain in its own SPIFFE ID, and of no
 * other. `chain` is DER, leaf first, without the root (X509-SVID s5). When the leaf lists purposes,
 * the one of `role` must be among them; without a role, either. Neither the leaf nor an intermediate may
 * be revoked by `crls`.
 * @throws SVID_CHAIN_EMPTY, CERTIFICATE_INVALID, SVID_LEAF_IS_CA, SVID_KEY_USAGE,
 *   SVID_EXTENDED_KEY_USAGE, SVID_URI_SAN_COUNT, SVID_SPIFFE_ID_INVALID, SVID_PATH_MISSING,
 *   SVID_TRUST_DOMAIN_UNKNOWN, and what validatePath throws
 */
export function validateX509Svid(
  chain: readonly Uint8Array[],
  anchorsOf: AnchorsOf,
  now: Date,
  role?: PeerRole,
  crls?: CrlSet,
): ValidatedX509Svid {
  const certificates = parseChain(chain);
  const { leaf, id } = checkLeafShape(certificates);
  checkPurposes(leaf, role);
  const anchors = anchorsOf(id.trustDomain);
  if (anchors === undefined) {
    throw pkiError(
      "SVID_TRUST_DOMAIN_UNKNOWN",
      `there is no bundle for the trust domain "${id.trustDomain}"`,
      { hint: "federate with it, or correct the ID of the peer" },
    );
  }
  const path = validatePath(certificates, anchors, now, crls);
  return { id, leaf, path };
}

/**
 * Loads one's own SVID and checks that it is one: its shape, that its intermediates are authorities,
 * and that the key is the leaf's. Trust and time are not checked. `chain` is DER, leaf first;
 * `privateKey` is PKCS #8 DER.
 * @throws SVID_CHAIN_EMPTY, CERTIFICATE_INVALID, KEY_INVALID, KEY_UNSUPPORTED, SVID_KEY_MISMATCH,
 *   SVID_LEAF_IS_CA, SVID_KEY_USAGE, SVID_URI_SAN_COUNT, SVID_SPIFFE_ID_INVALID,
 *   SVID_PATH_MISSING, SVID_INTERMEDIATE_NOT_CA
 */
export function parseX509Svid(chain: readonly Uint8Array[], privateKey: Uint8Array): X509Svid {
  const certificates = parseChain(chain);
  const { leaf, id } = checkLeafShape(certificates);
  if (!hasUsage(leaf, KeyUsage.digitalSignature)) {
    throw pkiError("SVID_KEY_USAGE", `the SVID of "${id}" lacks key usage digitalSignature`);
  }
  for (const intermediate of certificates.slice(1)) {
    if (intermediate.isCa && hasUsage(intermediate, KeyUsage.keyCertSign)) continue;
    throw pkiError(
      "SVID_INTERMEDIATE_NOT_CA",
      `the chain of "${id}" has a certificate after the leaf that is no authority`,
    );
  }
  const key = importPkcs8(privateKey);
  if (!equalBytes(exportSpki(keyPairOf(key).publicKey), exportSpki(leaf.publicKey))) {
    throw pkiError("SVID_KEY_MISMATCH", `the private key is not the one of the SVID of "${id}"`);
  }
  return { id, chain: certificates.map(({ der }) => der), leaf, privateKey: key };
}

/**
 * As {@link parseX509Svid}, from one PEM text with the chain and the key, in either order.
 * @throws PEM_INVALID, and what parseX509Svid throws
 */
export function parseX509SvidPem(pem: string): X509Svid {
  const blocks = parsePem(pem);
  const chain = blocks.filter(({ label }) => label === "CERTIFICATE").map(({ der }) => der);
  const keys = blocks.filter(({ label }) => label === "PRIVATE KEY").map(({ der }) => der);
  const [key] = keys;
  if (key === undefined || keys.length > 1) {
    throw pkiError("PEM_INVALID", `there are ${keys.length} PKCS #8 private keys instead of one`);
  }
  return parseX509Svid(chain, key);
}

function parseChain(chain: readonly Uint8Array[]): Certificate[] {
  if (chain.length > MAX_CHAIN_CERTIFICATES) {
    throw pkiError(
      "SVID_CHAIN_TOO_LONG",
      `there are ${chain.length} certificates, over ${MAX_CHAIN_CERTIFICATES}`,
    );
  }
  return chain.map((der) => parseCertificate(der));
}

/** The rules for a leaf that need no bundle (s5.2), and the SPIFFE ID it names. */
function checkLeafShape(chain: readonly Certificate[]): { leaf: Certificate; id: SpiffeId } {
  const [leaf] = chain;
  if (leaf === undefined) throw pkiError("SVID_CHAIN_EMPTY", "there is no certificate");
  if (leaf.isCa) {
    throw pkiError("SVID_LEAF_IS_CA", "an authority's certificate is no identity of a workload");
  }
  if (hasUsage(leaf, KeyUsage.keyCertSign | KeyUsage.cRLSign)) {
    throw pkiError("SVID_KEY_USAGE", "the leaf may sign certificates or revocation lists");
  }
  return { leaf, id: spiffeIdOf(leaf) };
}

/**
 * The SPIFFE ID of a leaf: its only URI name. Says nothing about trust.
 * @throws SVID_URI_SAN_COUNT, SVID_SPIFFE_ID_INVALID, SVID_PATH_MISSING
 */
function spiffeIdOf(leaf: Certificate): SpiffeId {
  const [uri] = leaf.uris;
  if (uri === undefined || leaf.uris.length > 1) {
    throw pkiError(
      "SVID_URI_SAN_COUNT",
      `the certificate has ${leaf.uris.length} URI names instead of one`,
    );
  }
  let id: SpiffeId;
  try {
    id = SpiffeId.parse(uri);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw pkiError("SVID_SPIFFE_ID_INVALID", `the URI name of the certificate: ${why}`, { cause });
  }
  if (id.path === "") {
    throw pkiError("SVID_PATH_MISSING", `"${id}" names a trust domain and not a workload`);
  }
  return id;
}

function checkPurposes(leaf: Certificate, role: PeerRole | undefined): void {
  const purposes = leaf.extKeyUsage;
  if (purposes === undefined || purposes.includes(PurposeOid.any)) return;
  const { serverAuth, clientAuth } = PurposeOid;
  const wanted: readonly string[] =
    role === undefined ? [serverAuth, clientAuth] : [role === "server" ? serverAuth : clientAuth];
  if (wanted.some((purpose) => purposes.includes(purpose))) return;
  throw pkiError(
    "SVID_EXTENDED_KEY_USAGE",
    `the certificate is not made for a TLS ${role ?? "peer"}`,
    { hint: "issue it with both serverAuth and clientAuth" },
  );
}

function hasUsage(certificate: Certificate, bits: number): boolean {
  return ((certificate.keyUsage ?? 0) & bits) !== 0;
}
