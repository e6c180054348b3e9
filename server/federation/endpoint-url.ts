// The URL of a bundle endpoint (SPIFFE Federation s5.2.1.1, s5.2.2.1): scheme https, no userinfo; host,
// port, path and query are free. Read by hand, because the URL class repairs what it is given (it drops
// tabs, resolves "..", folds cases), and two readers of one text must not see two hosts.

import { isIPv4, isIPv6 } from "node:net";
import type { IdentityError } from "../../pki/errors.ts";
import { serverError } from "../errors.ts";

/** Where a bundle is fetched, in the parts that a request needs. */
export interface EndpointUrl {
  /** As it was written. */
  readonly text: string;
  /** A DNS name or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Path and query, at least "/". */
  readonly target: string;
}

const SCHEME = "https://";
const DEFAULT_PORT = 443;
const MAX_LENGTH = 2048;
const MAX_HOST_LENGTH = 253;
const HOST_LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;
/** What RFC 3986 allows in path and query. */
const TARGET = /^(?:[/?](?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?$/;

/**
 * Parses the URL of a bundle endpoint.
 * @throws ENDPOINT_URL_INVALID
 */
export function parseEndpointUrl(text: string): EndpointUrl {
  if (text.length > MAX_LENGTH) throw invalid(text, `it is longer than ${MAX_LENGTH} characters`);
  if (!text.startsWith(SCHEME)) throw invalid(text, "its scheme is not https");
  const rest = text.slice(SCHEME.length);
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  const target = end < 0 ? "" : rest.slice(end);
  if (authority.includes("@")) throw invalid(text, "it has a user name or a password");
  if (target.includes("#")) throw invalid(text, "it has a fragment");
  if (!TARGET.test(target))
    throw invalid(text, "its path or query has characters that must be escaped");
  return {
    text,
    ...parseAuthority(text, authority),
    target: target.startsWith("/") ? target : `/${target}`,
  };
}

/**
 * Where a redirect leads: a whole URL, or a path on the same host. What else the header may hold by
 * the standard (a relative path, another host without scheme) no endpoint needs, and it is refused.
 * @throws ENDPOINT_URL_INVALID
 */
export function parseRedirectTarget(from: EndpointUrl, location: string): EndpointUrl {
  if (!location.startsWith("/")) return parseEndpointUrl(location);
  if (location.startsWith("//")) throw invalid(location, "its scheme is not https");
  const host = isIPv6(from.host) ? `[${from.host}]` : from.host;
  return parseEndpointUrl(`${SCHEME}${host}:${from.port}${location}`);
}

function parseAuthority(text: string, authority: string): { host: string; port: number } {
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(authority);
  if (parts === null) throw invalid(text, "its host or port cannot be read");
  const [, ipv6, name = "", digits] = parts;
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  if (port < 1 || port > 65_535) throw invalid(text, `there is no port ${port}`);
  if (ipv6 !== undefined) {
    if (!isIPv6(ipv6) || ipv6.includes("%")) throw invalid(text, "its host is no IPv6 address");
    return { host: ipv6, port };
  }
  if (!isHost(name)) throw invalid(text, "its host is neither a DNS name nor an IP address");
  return { host: name, port };
}

function isHost(name: string): boolean {
  // It ends in a number, and yet is no address: resolvers make addresses of such names, each its own.
  if (/(?:^|\.)(?:[0-9]+|0[xX][0-9A-Fa-f]*)$/.test(name)) return isIPv4(name);
  return name.length <= MAX_HOST_LENGTH && name.split(".").every((label) => HOST_LABEL.test(label));
}

function invalid(text: string, why: string): IdentityError {
  const shown = JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}...` : text);
  return serverError("ENDPOINT_URL_INVALID", `${shown} is no URL of a bundle endpoint: ${why}`, {
    hint: "write it as https://host/path or https://host:port/path",
  });
}
