// Presenting an access token of a task to a service over HTTP: the token, and with one that is bound to the
// task's key a DPoP proof (RFC 9449) for this one request.

import { bearerHeader } from "../bearer.ts";
import { clientError } from "../errors.ts";
import type { TaskKey } from "./task-key.ts";
import type { AccessTokenOptions, TaskAccessToken } from "./task-tokens.ts";

/** One HTTP request. */
export interface TaskHttpRequest extends Pick<AccessTokenOptions, "mandate"> {
  /** Default GET. */
  readonly method?: string;
  readonly url: string | URL;
  /** The service, by its canonical URI. Default: the URL without query and fragment. */
  readonly resource?: string;
  /** What the service has asked to put into the proof. */
  readonly nonce?: string;
  /** False: as a bearer token, which some task classes refuse. */
  readonly bound?: boolean;
}

/** The fields to add to the request. */
export interface TaskRequestHeaders {
  readonly authorization: string;
  readonly dpop?: string;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** The resource of a request that names none. */
export function resourceOf({ url, resource }: TaskHttpRequest): string {
  if (resource !== undefined) return resource;
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** @throws TRANSPORT_NOT_CONFIDENTIAL when the token would travel in plain text, other than on this machine */
export function headersOf(
  { token, tokenType }: TaskAccessToken,
  { method = "GET", url, nonce }: TaskHttpRequest,
  key: TaskKey,
): TaskRequestHeaders {
  if (tokenType !== "DPoP") return bearerHeader(token, url);
  const { protocol, hostname } = new URL(url);
  if (protocol !== "https:" && !(protocol === "http:" && LOOPBACK.test(hostname))) {
    throw clientError(
      "TRANSPORT_NOT_CONFIDENTIAL",
      `an access token is not sent over ${protocol} to another machine`,
      { hint: "use https" },
    );
  }
  const proof = key.dpopProof({
    method,
    url: String(url),
    accessToken: token,
    ...(nonce !== undefined && { nonce }),
  });
  return { authorization: `DPoP ${token}`, dpop: proof };
}
