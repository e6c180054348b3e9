// Registration entries in a JSON file: `--data FILE`, or "-" for standard input. Takes what
// `signet entry list --output json` writes, and the files of SPIRE's `-data` (snake_case, IDs as text).

import { parseSelector, selectorToWire } from "../proto/types/selector.ts";
import { spiffeIdToWire } from "../proto/types/spiffe-id.ts";
import type { EntryDraft } from "./entry-flags.ts";
import { asMisuse, MAX_SECONDS, misuse, parseId } from "./flags.ts";
import { readInput } from "./read-input.ts";

const MAX_BYTES = 64 * 1024 * 1024;

type Json = Readonly<Record<string, unknown>>;

/** @throws USAGE_INVALID with the place of what is wrong */
export async function readDrafts(path: string): Promise<EntryDraft[]> {
  const text = await readInput(path, "--data", MAX_BYTES);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw misuse(`--data: ${path} is no JSON: ${cause instanceof Error ? cause.message : cause}`);
  }
  const entries = Array.isArray(json) ? json : isObject(json) ? json["entries"] : undefined;
  if (!Array.isArray(entries)) throw misuse(`--data: ${path} has no list "entries"`);
  return entries.map((entry, i) => readDraft(entry, `--data: entries[${i}]`));
}

/** How each field is read; SPIRE's name, in letters only, leads to ours. */
const FIELDS: Readonly<Record<string, (value: unknown, where: string) => EntryDraft>> = {
  entryid: (value, where) => ({ id: readString(value, where) }),
  id: (value, where) => ({ id: readString(value, where) }),
  spiffeid: (value, where) => ({ spiffeId: readId(value, where) }),
  parentid: (value, where) => ({ parentId: readId(value, where) }),
  selectors: (value, where) => ({
    selectors: readList(value, where).map((v) => readSelector(v, where)),
  }),
  x509svidttl: (value, where) => ({ x509SvidTtl: readSeconds(value, where) }),
  jwtsvidttl: (value, where) => ({ jwtSvidTtl: readSeconds(value, where) }),
  federateswith: (value, where) => ({
    federatesWith: readList(value, where).map((v) => readString(v, where)),
  }),
  dnsnames: (value, where) => ({
    dnsNames: readList(value, where).map((v) => readString(v, where)),
  }),
  admin: (value, where) => ({ admin: readTruth(value, where) }),
  downstream: (value, where) => ({ downstream: readTruth(value, where) }),
  expiresat: (value, where) => ({ expiresAt: readInteger(value, where) }),
  entryexpiry: (value, where) => ({ expiresAt: readInteger(value, where) }),
  storesvid: (value, where) => ({ storeSvid: readTruth(value, where) }),
  hint: (value, where) => ({ hint: readString(value, where) }),
  additionalattributes: (value, where) => ({ additionalAttributes: readAttributes(value, where) }),
  // The server's to set: taken from lists that are sent back, and left out.
  revisionnumber: () => ({}),
  createdat: () => ({}),
};
/** A map, because a file may name a field "constructor" too. */
const READERS: ReadonlyMap<string, (typeof FIELDS)[string]> = new Map(Object.entries(FIELDS));

function readDraft(json: unknown, where: string): EntryDraft {
  if (!isObject(json)) throw misuse(`${where} is no object`);
  const draft: EntryDraft = {};
  for (const [name, value] of Object.entries(json)) {
    const read = READERS.get(lettersOf(name));
    if (read === undefined) throw misuse(`${where} has an unknown field ${JSON.stringify(name)}`);
    if (value !== null) Object.assign(draft, read(value, `${where}.${name}`));
  }
  return draft;
}

function readAttributes(json: unknown, where: string): EntryDraft["additionalAttributes"] {
  if (!isObject(json)) throw misuse(`${where} is no object`);
  const attributes: Record<string, boolean> = {};
  const names = ["disableX509SvidPrefetch", "jwtSvidIncludeJti"];
  for (const [name, value] of Object.entries(json)) {
    const known = names.find((candidate) => lettersOf(candidate) === lettersOf(name));
    if (known === undefined) throw misuse(`${where} has an unknown field ${JSON.stringify(name)}`);
    attributes[known] = readTruth(value, `${where}.${name}`);
  }
  return attributes;
}

function readId(value: unknown, where: string): EntryDraft["spiffeId"] {
  if (typeof value === "string") return spiffeIdToWire(parseId(value, where));
  if (!isObject(value)) throw misuse(`${where} is no SPIFFE ID`);
  const trustDomain = value["trustDomain"] ?? value["trust_domain"];
  return spiffeIdToWire(parseId(`spiffe://${trustDomain}${value["path"] ?? ""}`, where));
}

function readSelector(value: unknown, where: string) {
  const text = isObject(value) ? `${value["type"]}:${value["value"]}` : value;
  if (typeof text !== "string") throw misuse(`${where} has something that is no selector`);
  return asMisuse(where, () => selectorToWire(parseSelector(text)));
}

function readList(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw misuse(`${where} is no list`);
}

function readString(value: unknown, where: string): string {
  if (typeof value === "string") return value;
  throw misuse(`${where} is no text`);
}

/** Protobuf's JSON writes integers of 64 bits as strings. */
function readInteger(value: unknown, where: string): number {
  const number = typeof value === "string" && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number)) return number;
  throw misuse(`${where} is no whole number`);
}

function readSeconds(value: unknown, where: string): number {
  const seconds = readInteger(value, where);
  if (seconds >= 0 && seconds <= MAX_SECONDS) return seconds;
  throw misuse(`${where} is no lifetime of at most 68 years`);
}

function readTruth(value: unknown, where: string): boolean {
  if (typeof value === "boolean") return value;
  throw misuse(`${where} is neither true nor false`);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function lettersOf(name: string): string {
  return name.replaceAll("_", "").toLowerCase();
}
