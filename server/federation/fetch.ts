// Fetches a bundle document from the endpoint of a relationship, by its profile and by no other (SPIFFE
// Federation s5.2): https_web checks the certificate of the URL's host against the authorities this
// host trusts; https_spiffe checks the X509-SVID against the newest bundle of the trust domain in the
// endpoint's ID, which must be the configured one, and host names mean nothing. A redirect is followed
// to an URL that would itself do, under the same checks, and is forgotten afterwards.

import { Agent } from "node:https";
import type { TLSSocket } from "node:tls";
import { peerOf } from "../../client/tls/admit.ts";
import { authorizeId } from "../../client/tls/authorize.ts";
import { httpsAgent } from "../../client/tls/https.ts";
import { IdentityError } from "../../pki/errors.ts";
import type { AnchorsOf } from "../../pki/x509/svid.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { serverError } from "../errors.ts";
import { type EndpointUrl, parseEndpointUrl, parseRedirectTarget } from "./endpoint-url.ts";
import type { Endpoint } from "./relationship.ts";
import { type Answer, get } from "./request.ts";
import { WebTrust } from "./web-trust.ts";

const MAX_REDIRECTS = 3;
/** For all requests of a fetch together. */
const TIMEOUT_MS = 30_000;
const MAX_HANDSHAKE_MS = 10_000;

/** A document, and who gave it. */
export interface Fetched {
  readonly document: Uint8Array;
  /** The URL that gave it, the last one of redirects. */
  readonly url: string;
  /** The endpoint's SPIFFE ID, or with https_web the host its certificate was checked for. */
  readonly peer: string;
}

/** Fetches from one endpoint. @throws BUNDLE_FETCH_FAILED */
export type Fetch = (endpoint: Endpoint, signal: AbortSignal) => Promise<Fetched>;

export interface FetcherOptions {
  /** The newest authorities of each trust domain, the own one too. */
  readonly anchorsOf: AnchorsOf;
  /** By which SVIDs are judged. */
  readonly clock: Clock;
  readonly followRedirects: boolean;
  readonly webCaFile: string | undefined;
  /** Default 30 s. */
  readonly timeoutMs?: number;
}

/** Makes the function that fetches. */
export function createFetcher(options: FetcherOptions): Fetch {
  const trust = new WebTrust(options.webCaFile);
  return async (endpoint, signal) => {
    const late = new AbortController();
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    using _timer = systemClock.setTimer(timeoutMs, () =>
      late.abort(new Error(`no whole answer in ${timeoutMs} ms`)),
    );
    const both = AbortSignal.any([signal, late.signal]);
    try {
      return await follow(endpoint, options, trust, both);
    } catch (error) {
      throw explain(endpoint, both.aborted ? both.reason : error);
    }
  };
}

async function follow(
  endpoint: Endpoint,
  options: FetcherOptions,
  trust: WebTrust,
  signal: AbortSignal,
): Promise<Fetched> {
  let url = parseEndpointUrl(endpoint.url);
  for (let hops = 0; ; hops++) {
    const { answer, peer } = await getOnce(url, endpoint, options, trust, signal);
    if (answer.kind === "document") return { document: answer.body, url: url.text, peer };
    if (!options.followRedirects) throw refused(url, "redirects, and these are not followed here");
    if (hops >= MAX_REDIRECTS)
      throw refused(url, `redirects once more, after ${MAX_REDIRECTS} redirects`);
    url = redirectFrom(url, answer.location);
  }
}

async function getOnce(
  url: EndpointUrl,
  endpoint: Endpoint,
  options: FetcherOptions,
  trust: WebTrust,
  signal: AbortSignal,
): Promise<{ answer: Answer; peer: string }> {
  let peer = url.host;
  const agent = await agentFor(endpoint, options, trust);
  try {
    const answer = await get(url, agent, signal, (socket) => {
      peer = checkedPeer(endpoint, url, socket);
    });
    return { answer, peer };
  } finally {
    agent.destroy();
  }
}

/** Connections for one request, under the checks of the profile. */
async function agentFor(
  { endpointId }: Endpoint,
  { anchorsOf, clock, timeoutMs = TIMEOUT_MS }: FetcherOptions,
  trust: WebTrust,
): Promise<Agent> {
  if (endpointId === undefined) {
    // All that decides is named here, so that no variable of the environment switches a check off.
    const context = { secureContext: await trust.context(), rejectUnauthorized: true };
    return new Agent({ ...context, keepAlive: false, maxCachedSessions: 0 });
  }
  return httpsAgent({
    source: { svid: () => undefined, anchorsOf, onChange: () => () => {} },
    authorize: authorizeId(endpointId),
    clock,
    handshakeTimeoutMs: Math.min(timeoutMs, MAX_HANDSHAKE_MS),
    http: { keepAlive: false },
  });
}

/** Who is there; the checks were made when it connected, and this makes sure that they were. */
function checkedPeer({ endpointId }: Endpoint, url: EndpointUrl, socket: TLSSocket): string {
  if (endpointId === undefined) {
    if (socket.authorized) return url.host;
    throw refused(url, "shows a certificate that was not verified");
  }
  const id = peerOf(socket)?.id.toString();
  if (id === endpointId.toString()) return id;
  throw refused(url, "is not who it should be");
}

function redirectFrom(from: EndpointUrl, location: string): EndpointUrl {
  try {
    return parseRedirectTarget(from, location);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refused(from, `redirects to where no bundle is fetched: ${why}`, cause);
  }
}

function refused({ text }: EndpointUrl, why: string, cause?: unknown): IdentityError {
  return serverError("BUNDLE_FETCH_FAILED", `${text} ${why}`, { cause });
}

const HINTS = {
  https_web:
    "its certificate must name the host of the URL and come from an authority this host trusts (federation.web_ca_file adds some); an endpoint that shows an X509-SVID needs the profile https_spiffe",
  https_spiffe:
    "check the endpoint's SPIFFE ID, and that the bundle of its trust domain is there and up to date: 'signet bundle list'",
} as const;

/** What the system says when nobody was reached: then certificates and bundles are not the matter. */
const UNREACHED = new Set(
  "ECONNREFUSED EHOSTUNREACH ENETUNREACH ETIMEDOUT ENOTFOUND EAI_AGAIN".split(" "),
);

/** Says of any failure which endpoint it was and what to look at. */
function explain({ url, profile }: Endpoint, error: unknown): IdentityError {
  if (error instanceof IdentityError && error.reason === "BUNDLE_FETCH_FAILED") return error;
  const why = error instanceof Error ? error.message : String(error);
  return serverError("BUNDLE_FETCH_FAILED", `nothing was fetched from ${url}: ${why}`, {
    hint: wasUnreached(error)
      ? "check host and port of the URL, that the endpoint runs, and that this host may connect to it"
      : HINTS[profile],
    cause: error,
  });
}

/** Also with a cause, as who secured the connection may have wrapped it. */
function wasUnreached(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return (typeof code === "string" && UNREACHED.has(code)) || wasUnreached(error.cause);
}
