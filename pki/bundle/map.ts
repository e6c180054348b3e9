// Bundle maps (SPIFFE Trust Domain and Bundle s5): the bundles of several trust domains in one JSON
// document, by name. A map is one state: read whole or refused. A single bundle: parse.ts, format.ts.

import { type IdentityError, pkiError } from "../errors.ts";
import { isJsonObject } from "../json.ts";
import { TrustDomain } from "../spiffe-id.ts";
import type { Bundle } from "./bundle.ts";
import { formatBundle } from "./format.ts";
import { type OnSkip, parseDocument, readBundle } from "./parse.ts";

/** Bundles by the bare name of their trust domain. */
export type BundleMap = ReadonlyMap<string, Bundle>;

/** Largest map that is read, in bytes (or in UTF-16 units of a string). */
export const MAX_BUNDLE_MAP_BYTES: number = 16 * 1024 * 1024;
const MAX_TRUST_DOMAINS = 10_000;

/**
 * Parses a bundle map. A name that appears twice is refused, whichever way it is spelt; a bundle that
 * cannot be read fails the whole map, so that nobody works with a part of it. Unknown members and
 * keys are skipped as in single bundles. Refresh hints inside say nothing (s5.1.1), not even wrong
 * ones: the bundles come without.
 * @throws BUNDLE_INVALID
 */
export function parseBundleMap(
  document: string | Uint8Array,
  onSkip: OnSkip = () => {},
): BundleMap {
  const root = parseDocument(document, "bundle map", MAX_BUNDLE_MAP_BYTES);
  const listed = root["trust_domains"];
  if (!isJsonObject(listed)) throw invalid('"trust_domains" is not an object');
  const names = Object.keys(listed);
  if (names.length > MAX_TRUST_DOMAINS) {
    throw invalid(`it has ${names.length} trust domains, over ${MAX_TRUST_DOMAINS}`);
  }
  const bundles = new Map<string, Bundle>();
  for (const name of names) {
    const of = `of trust domain ${JSON.stringify(name.slice(0, 255))}`;
    try {
      const trustDomain = TrustDomain.parse(name);
      if (trustDomain.name !== name) throw invalid("a name stands there without spiffe://");
      const bundle = listed[name];
      if (!isJsonObject(bundle)) throw invalid("its value is not an object");
      const unhinted = { ...bundle, spiffe_refresh_hint: undefined };
      bundles.set(
        name,
        readBundle(trustDomain, unhinted, (why) => onSkip(`${of}: ${why}`)),
      );
    } catch (cause) {
      throw invalid(`the bundle ${of} cannot be used: ${(cause as Error).message}`, cause);
    }
  }
  return bundles;
}

/**
 * Formats a bundle map: each trust domain once, in the order of their names, without refresh hints.
 * @throws BUNDLE_INVALID when two bundles are of one trust domain, or one cannot be written
 */
export function formatBundleMap(bundles: Iterable<Bundle>): string {
  const documents = new Map<string, string>();
  for (const bundle of bundles) {
    const { name } = bundle.trustDomain;
    if (documents.has(name)) {
      throw pkiError("BUNDLE_INVALID", `a bundle map has no place for two bundles of "${name}"`);
    }
    documents.set(name, formatBundle({ ...bundle, refreshHintSeconds: 0 }));
  }
  const members = [...documents]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, document]) => `${JSON.stringify(name)}:${document}`);
  return `{"trust_domains":{${members.join(",")}}}`;
}

function invalid(why: string, cause?: unknown): IdentityError {
  return pkiError("BUNDLE_INVALID", `this is not a bundle map: ${why}`, { cause });
}
