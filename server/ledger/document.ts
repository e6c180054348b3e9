// What the ledger knows of a document: enough to revoke it, and nothing that would let anybody use it.
import { hash } from "node:crypto";

export type DocumentKind = "x509" | "jwt" | "wit";

/** Bytes of what names a document: our serial numbers, or the beginning of a token's digest. */
export const NAME_BYTES = 16;

/** A document that was issued. */
export interface IssuedDocument {
  readonly kind: DocumentKind;
  /** The serial number of an X509-SVID; of a token what {@link tokenDigest} says. 16 bytes. */
  readonly name: Uint8Array;
  /** What {@link jtiDigest} says of the token's `jti`, if it has one. */
  readonly jti?: Uint8Array | undefined;
  /** The `jti` itself, for who is told of the document; the ledger keeps its digest alone. */
  readonly tokenId?: string | undefined;
  /** The X.509 authority that signed; "" for tokens, whose own header names their key. */
  readonly authorityId: string;
  readonly spiffeId: string;
  /** The node agent it was given to, "" when an administrator asked for it. */
  readonly agentId: string;
  readonly issuedAtUnixSeconds: number;
  readonly expiresAtUnixSeconds: number;
}

/** Names a token: the first 16 bytes of the SHA-256 of what its signature covers. */
export function tokenDigest(token: string): Uint8Array {
  return hash("sha256", token.slice(0, token.lastIndexOf(".")), "buffer").subarray(0, NAME_BYTES);
}

/** Stands for a `jti` of any length: the first 16 bytes of its SHA-256. */
export function jtiDigest(jti: string): Uint8Array {
  return hash("sha256", jti, "buffer").subarray(0, NAME_BYTES);
}

/** Bytes as lowercase hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
