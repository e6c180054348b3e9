// Federation relationships in a JSON file: `--data FILE`, or "-" for standard input. Takes SPIRE's form
// ({"federationRelationships": [...]}), and what `signet federation list --output json` writes.

import { MAX_BUNDLE_FILE_BYTES, parseTrustDomain, readBundle } from "./bundle-input.ts";
import { profileOf, type RelationshipDraft } from "./federation-flags.ts";
import { misuse } from "./flags.ts";
import { readInput } from "./read-input.ts";

type Json = Readonly<Record<string, unknown>>;

/** Fields by their letters alone: SPIRE's and ours differ in capitals. */
const FIELDS: ReadonlySet<string> = new Set([
  "trustdomain",
  "bundleendpointurl",
  "bundleendpointprofile",
  "endpointspiffeid",
  "trustdomainbundle",
  "trustdomainbundleformat",
]);
/** How a relationship fares, in lists that are sent back: left out. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  "static",
  "createdat",
  "hasbundle",
  "sequence",
  "lastattempt",
  "lastsuccess",
  "lasterror",
  "nextpoll",
]);

/** @throws USAGE_INVALID with the place of what is wrong */
export async function readRelationships(
  path: string,
  note: (text: string) => void,
): Promise<RelationshipDraft[]> {
  const text = await readInput(path, "--data", MAX_BUNDLE_FILE_BYTES);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw misuse(`--data: ${path} is no JSON: ${cause instanceof Error ? cause.message : cause}`);
  }
  const list = isObject(json)
    ? (json["federationRelationships"] ?? json["federation_relationships"] ?? json["relationships"])
    : json;
  if (!Array.isArray(list)) throw misuse(`--data: ${path} has no list "federationRelationships"`);
  return list.map((one, i) => readRelationship(one, `--data: federationRelationships[${i}]`, note));
}

function readRelationship(
  json: unknown,
  where: string,
  note: (text: string) => void,
): RelationshipDraft {
  if (!isObject(json)) throw misuse(`${where} is no object`);
  const fields = new Map<string, unknown>();
  for (const [name, value] of Object.entries(json)) {
    const letters = name.replaceAll("_", "").toLowerCase();
    if (LEFT_OUT.has(letters)) continue;
    if (!FIELDS.has(letters)) throw misuse(`${where} has an unknown field ${JSON.stringify(name)}`);
    fields.set(letters, value);
  }
  const text = (name: string): string | undefined => {
    const value = fields.get(name);
    if (value === undefined || value === null || value === "") return undefined;
    if (typeof value === "string") return value;
    throw misuse(`${where}.${name} is no text`);
  };
  const trustDomain = parseTrustDomain(text("trustdomain") ?? "", `${where}.trustDomain`);
  const url = text("bundleendpointurl");
  const draft: RelationshipDraft = {
    trustDomain: trustDomain.name,
    ...(url !== undefined && { bundleEndpointUrl: url }),
    ...profileOf(
      text("bundleendpointprofile"),
      text("endpointspiffeid"),
      `${where}.bundleEndpointProfile`,
    ),
  };
  const bundle = fields.get("trustdomainbundle") ?? "";
  if (bundle !== "") {
    const document = typeof bundle === "string" ? bundle : JSON.stringify(bundle);
    const format =
      text("trustdomainbundleformat") ?? (typeof bundle === "string" ? "pem" : "spiffe");
    const spelled = `${where}.trustDomainBundle`;
    draft.trustDomainBundle = readBundle(trustDomain, document, format, spelled, note);
  }
  return draft;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
