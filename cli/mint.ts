// What the three commands that mint SVIDs have in common: an SVID made by the server for an administrator,
// without an entry, for tests and emergencies. Keys are made here and never printed.

import { KEY_TYPES, type KeyType } from "../pki/keys.ts";
import type { SpiffeId } from "../pki/spiffe-id.ts";
import type { Flag, Input } from "./command.ts";
import { misuse, parseId, parseSeconds, parseWord, required } from "./flags.ts";

export const SPIFFE_ID: Flag = {
  name: "spiffe-id",
  value: "<id>",
  description: "whose SVID: a workload of this trust domain",
};

export const TTL: Flag = {
  name: "ttl",
  value: "<duration>",
  description: "how long it is valid; by default as long as the server has it",
};

export const KEY_TYPE: Flag = {
  name: "key-type",
  value: "<type>",
  description: `the key that is made: ${KEY_TYPES.join(", ")}`,
  defaultValue: "ec-p256",
};

/** SPIRE's names of them are taken too. */
const TYPES: Readonly<Record<string, KeyType>> = {
  ...Object.fromEntries(KEY_TYPES.map((type) => [type, type])),
  "ec-256": "ec-p256",
  "ec-384": "ec-p384",
};

/** The values of the flags above. `ttl` is 0 without one. */
export function readMintFlags(input: Input): { readonly id: SpiffeId; readonly ttl: number } {
  const ttl = input.text("ttl");
  return {
    id: parseId(required(input, "spiffeId", "--spiffe-id"), "--spiffe-id"),
    ttl: ttl === undefined ? 0 : parseSeconds(ttl, "--ttl"),
  };
}

/** Where the key goes. @throws USAGE_INVALID */
export function requireFolder(input: Input): string {
  const folder = input.text("write");
  if (folder !== undefined) return folder;
  throw misuse("--write is missing", {
    hint: "name a folder: keys go into files, and are not printed",
  });
}

export function readKeyType(input: Input): KeyType {
  return parseWord(input.text("keyType") ?? "ec-p256", TYPES, "--key-type");
}
