// Key identifiers (RFC 5280 s4.2.1.2, method 1): SHA-1 of the public key's bits. They only help to
// find an issuer; nothing is trusted because of one, so that SHA-1's collisions do no harm.
import { hash } from "node:crypto";
import { pkiError } from "../errors.ts";
import { isP256Spki } from "../keys.ts";
import { DerReader, Tag } from "./der.ts";

const P256_POINT_BYTES = 65;

/**
 * The 20 bytes that identify a public key (SubjectPublicKeyInfo, DER).
 * @throws KEY_INVALID
 */
export function keyIdentifier(spki: Uint8Array): Uint8Array {
  const bits = isP256Spki(spki) ? spki.subarray(-P256_POINT_BYTES) : publicKeyBits(spki);
  return new Uint8Array(hash("sha1", bits, "buffer"));
}

function publicKeyBits(spki: Uint8Array): Uint8Array {
  const reader = new DerReader(spki, (problem) =>
    pkiError("KEY_INVALID", `the public key cannot be read: ${problem}`),
  );
  const fields = reader.enter(Tag.sequence);
  fields.element(Tag.sequence);
  return fields.octetsOfBitString();
}
