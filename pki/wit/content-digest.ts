// Content-Digest (RFC 9530): the hash of a body as a field, so that a message signature covers the body.

import { createHash } from "node:crypto";
import { unbound } from "./http-request.ts";
import { type Dictionary, formatBytes, parseDictionary } from "./structured-fields.ts";

/** The algorithms of the standard that are not broken, by their names there. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ["sha-256", "sha256"],
  ["sha-512", "sha512"],
]);

/** The value of the field for a body. */
export function formatContentDigest(body: Uint8Array): string {
  return `sha-256=${formatBytes(createHash("sha256").update(body).digest())}`;
}

/**
 * Checks that a body is the one of the field: by every algorithm known here, and at least one.
 * @throws WIT_PROOF_BINDING
 */
export function checkContentDigest(field: string, body: Uint8Array): void {
  let digests: Dictionary;
  try {
    digests = parseDictionary(field);
  } catch (cause) {
    throw unbound(`Content-Digest is malformed: ${(cause as Error).message}`);
  }
  let known = 0;
  for (const [name, member] of digests) {
    const hash = HASHES.get(name);
    if (hash === undefined) continue;
    const expected = "value" in member ? member.value : undefined;
    if (!(expected instanceof Uint8Array)) throw unbound(`Content-Digest has a wrong ${name}`);
    const actual = createHash(hash).update(body).digest();
    if (!actual.equals(expected)) throw unbound("its Content-Digest is not that of the body");
    known++;
  }
  if (known === 0) throw unbound("its Content-Digest has neither sha-256 nor sha-512");
}
