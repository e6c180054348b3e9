// What makes a federation relationship sound, wherever it comes from (the API, the configuration): the
// name of the trust domain, the URL and the profile are all given, none is guessed from another
// (SPIFFE Federation s5.1), and https_spiffe names whom the endpoint must prove to be (s5.2.2.2).

import type { IdentityError } from "../../pki/errors.ts";
import { SpiffeId, type TrustDomain } from "../../pki/spiffe-id.ts";
import { serverError } from "../errors.ts";
import type { EndpointProfile, Relationship } from "../store/relationships.ts";
import { parseEndpointUrl } from "./endpoint-url.ts";

export const PROFILES: readonly [EndpointProfile, EndpointProfile] = ["https_web", "https_spiffe"];

/** Where and how a bundle is fetched, as somebody wrote it. */
export interface EndpointDraft {
  readonly url: string;
  readonly profile: EndpointProfile | undefined;
  readonly endpointSpiffeId?: string | undefined;
}

/** What of a relationship says where and how its bundle is fetched. */
export type Endpoint = Pick<Relationship, "url" | "profile" | "endpointId">;

/**
 * Checks where and how a bundle is to be fetched.
 * @throws ENDPOINT_URL_INVALID, FEDERATION_INVALID
 */
export function parseEndpoint({ url, profile, endpointSpiffeId = "" }: EndpointDraft): Endpoint {
  if (url === "") throw invalid("the URL of the bundle endpoint is missing");
  parseEndpointUrl(url);
  if (profile === undefined) {
    throw invalid("the profile of the bundle endpoint is missing", {
      hint: `choose one of ${PROFILES.join(" and ")}`,
    });
  }
  if (profile === "https_web") {
    if (endpointSpiffeId === "") return { url, profile, endpointId: undefined };
    throw invalid("an endpoint with profile https_web proves no SPIFFE ID", {
      hint: "leave the endpoint's SPIFFE ID out, or choose https_spiffe",
    });
  }
  if (endpointSpiffeId === "") {
    throw invalid("with profile https_spiffe the SPIFFE ID of the endpoint is missing", {
      hint: "ask who runs the endpoint; a server's own is spiffe://TRUST-DOMAIN/spire/server",
    });
  }
  const endpointId = parseEndpointId(endpointSpiffeId);
  return { url, profile, endpointId };
}

/**
 * A trust domain cannot federate with itself (SPIFFE ID s2.1.1).
 * @throws FEDERATION_INVALID
 */
export function refuseOwn(trustDomain: TrustDomain, own: TrustDomain): void {
  if (!trustDomain.equals(own)) return;
  throw invalid(`"${own}" is this server's own trust domain, which federates with others only`);
}

/** Tells endpoints apart: the same text is the same endpoint, which proves itself in the same way. */
export function endpointName({ url, profile, endpointId }: Endpoint): string {
  return endpointId === undefined ? `${profile} ${url}` : `${profile} ${url} ${endpointId}`;
}

/** Whether a bundle of the endpoint's trust domain is needed that another relationship must bring, or somebody by hand. */
export function isSelfServing({ trustDomain, endpointId }: Relationship): boolean {
  return endpointId?.isMemberOf(trustDomain) === true;
}

function parseEndpointId(text: string): SpiffeId {
  let id: SpiffeId;
  try {
    id = SpiffeId.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw invalid(`the endpoint's SPIFFE ID: ${why}`, { cause });
  }
  if (id.path !== "") return id;
  throw invalid(`the endpoint's SPIFFE ID "${id}" names a trust domain and no endpoint`);
}

function invalid(message: string, detail: { hint?: string; cause?: unknown } = {}): IdentityError {
  return serverError("FEDERATION_INVALID", message, detail);
}
