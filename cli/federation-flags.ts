// What describes a federation relationship on the command line: flags with SPIRE's names, or a file.

import type { Init } from "../proto/codec.ts";
import type { spire } from "../proto/schema.gen.ts";
import { MAX_BUNDLE_FILE_BYTES, parseTrustDomain, readBundle } from "./bundle-input.ts";
import type { Flag, Input } from "./command.ts";
import { misuse, parseId, parseWord, required } from "./flags.ts";
import { readInput } from "./read-input.ts";

/** Fields of a relationship on the wire, those that were given. */
export type RelationshipDraft = {
  -readonly [K in keyof Init<spire.api.types.FederationRelationship>]: Init<spire.api.types.FederationRelationship>[K];
};

export const RELATIONSHIP_FLAGS: readonly Flag[] = [
  { name: "trust-domain", value: "<name>", description: "the trust domain to federate with" },
  {
    name: "bundle-endpoint-url",
    value: "<url>",
    description: "where its bundle is fetched: https://host:port/path",
  },
  {
    name: "bundle-endpoint-profile",
    value: "<profile>",
    description:
      "https_web (the endpoint has a certificate for its host name) or https_spiffe (it has an X509-SVID)",
  },
  {
    name: "endpoint-spiffe-id",
    value: "<id>",
    description: "with https_spiffe: the SPIFFE ID that the endpoint must prove",
  },
  {
    name: "trust-domain-bundle-path",
    value: "<file>",
    description: "the trust domain's first bundle, to verify an endpoint of its own with",
  },
  {
    name: "trust-domain-bundle-format",
    value: "<format>",
    description: "pem or spiffe",
    defaultValue: "pem",
  },
  {
    name: "data",
    value: "<file>",
    description: 'relationships in JSON instead of flags; "-" is standard input',
  },
];

/** The name of a trust domain, as an argument or by one of SPIRE's flags. */
export function trustDomainFrom(input: Input, flag: "trustDomain" | "id", spelled: string): string {
  const given = [...input.args, ...(input.has(flag) ? [input.text(flag) ?? ""] : [])];
  const [name] = given;
  if (name === undefined || given.length > 1)
    throw misuse(`give one trust domain, with ${spelled}`);
  return parseTrustDomain(name, spelled).name;
}

/** The relationship that the flags describe; only what was given is in it. */
export async function draftFromFlags(
  input: Input,
  note: (text: string) => void,
): Promise<RelationshipDraft> {
  const name = required(input, "trustDomain", "--trust-domain");
  const trustDomain = parseTrustDomain(name, "--trust-domain");
  const draft: RelationshipDraft = { trustDomain: trustDomain.name };
  const url = input.text("bundleEndpointUrl");
  if (url !== undefined) draft.bundleEndpointUrl = url;
  const profile = input.text("bundleEndpointProfile");
  const endpointId = input.text("endpointSpiffeId");
  Object.assign(draft, profileOf(profile, endpointId, "--bundle-endpoint-profile"));
  const path = input.text("trustDomainBundlePath");
  if (path !== undefined) {
    const spelled = "--trust-domain-bundle-path";
    const text = await readInput(path, spelled, MAX_BUNDLE_FILE_BYTES);
    const format = input.text("trustDomainBundleFormat") ?? "pem";
    draft.trustDomainBundle = readBundle(trustDomain, text, format, spelled, note);
  }
  return draft;
}

/** The field of the wire that says how the endpoint proves itself. */
export function profileOf(
  profile: string | undefined,
  endpointId: string | undefined,
  spelled: string,
): Pick<RelationshipDraft, "httpsWeb" | "httpsSpiffe"> {
  if (profile === undefined) {
    if (endpointId === undefined) return {};
    throw misuse(`${spelled} is missing`, {
      hint: "an endpoint with a SPIFFE ID has https_spiffe",
    });
  }
  const fields = {
    https_web: () => {
      if (endpointId === undefined) return { httpsWeb: {} };
      throw misuse(`${spelled}: an endpoint with https_web proves no SPIFFE ID`, {
        hint: "leave the ID out, or choose https_spiffe",
      });
    },
    https_spiffe: () => {
      if (endpointId !== undefined)
        return { httpsSpiffe: { endpointSpiffeId: parseId(endpointId, spelled).toString() } };
      throw misuse(`${spelled}: with https_spiffe the SPIFFE ID of the endpoint is missing`, {
        hint: "give it with --endpoint-spiffe-id; a server's own is spiffe://TRUST-DOMAIN/spire/server",
      });
    },
  };
  return parseWord(profile, fields, spelled)();
}

/** @throws USAGE_INVALID when flags and a file both describe relationships */
export function refuseFlagsBesideData(input: Input): void {
  const camel = (name: string): string =>
    name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  const given = RELATIONSHIP_FLAGS.find(({ name }) => name !== "data" && input.has(camel(name)));
  if (given !== undefined) throw misuse(`--data and --${given.name} exclude each other`);
}
