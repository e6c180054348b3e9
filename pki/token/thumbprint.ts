// Names of keys and certificates by their hashes: what `cnf` of a token holds (RFC 7800). `jkt` is the
// thumbprint of a JWK (RFC 7638, RFC 9449 s6.1), `x5t#S256` the hash of a certificate (RFC 8705 s3.1).

import { createHash } from "node:crypto";
import { spkiToJwk } from "../bundle/jwk.ts";

/** The one key or certificate that a token is of use with. */
export type Confirmation = { readonly jkt: string } | { readonly "x5t#S256": string };

/** The RFC 7638 thumbprint (SHA-256, base64url) of a public key, SubjectPublicKeyInfo DER. */
export function jwkThumbprint(spki: Uint8Array): string {
  const jwk = spkiToJwk(spki);
  // The members in the order of the alphabet, those that make the key and no others (RFC 7638 s3.2).
  const members =
    jwk.kty === "RSA"
      ? { e: jwk.e, kty: jwk.kty, n: jwk.n }
      : jwk.kty === "EC"
        ? { crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }
        : { crv: jwk.crv, kty: jwk.kty, x: jwk.x };
  return createHash("sha256").update(JSON.stringify(members)).digest("base64url");
}

/** The SHA-256 of a certificate (DER), base64url. */
export function certificateThumbprint(der: Uint8Array): string {
  return createHash("sha256").update(der).digest("base64url");
}

/** Whether a text can be a thumbprint: 32 bytes in their one spelling. */
export function isThumbprint(text: unknown): text is string {
  if (typeof text !== "string" || text.length !== 43) return false;
  return Buffer.from(text, "base64url").toString("base64url") === text;
}

/** Whether a token may be used by who showed this key (thumbprint) or certificate (DER). */
export function isConfirmedBy(
  confirmation: Confirmation,
  shown: { readonly jkt?: string | undefined; readonly certificate?: Uint8Array | undefined },
): boolean {
  if ("jkt" in confirmation) {
    return confirmation.jkt === shown.jkt;
  }
  const { certificate } = shown;
  return (
    certificate !== undefined && confirmation["x5t#S256"] === certificateThumbprint(certificate)
  );
}
