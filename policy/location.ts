// Canonical URIs of services (RFC 3986 s6.2.2 and s6.2.3): two spellings of one URI become one string, so
// that locations compare as strings. A reader of its own, since WHATWG's URL mends what it is given:
// backslashes, spaces and names in Unicode are refused here, never read as something else.

import { policyError } from "./errors.ts";

/** Longest URI, in characters. */
const MAX_LOCATION_LENGTH = 2048;

const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  http: "80",
  https: "443",
  ws: "80",
  wss: "443",
};

// Scheme, authority when there is one, path, query. Each part's characters are checked by the first
// pattern, all of RFC 3986 without "#" (no fragment) and, in an authority, "@" (no user information).
const CHARACTERS = /^(?:[A-Za-z0-9._~:/?[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+$/;
const PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/?]*))?([^?]*)(\?.*)?$/;
const AUTHORITY = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]*))?$/;
const UNRESERVED = /[A-Za-z0-9._~-]/;

/**
 * The one spelling of an absolute URI: scheme and host in lower case, no default port, no dot segments,
 * nothing percent-encoded that need not be, and no "/" for an empty path.
 * @throws LOCATION_INVALID for anything else, and for a fragment or user information
 */
export function canonicalLocation(text: string): string {
  const canonical = tryCanonicalLocation(text);
  if (canonical !== undefined) return canonical;
  throw policyError("LOCATION_INVALID", `"${shown(text)}" is not the URI of a service`, {
    hint: "give an absolute URI such as https://mcp.example.org/tickets, without fragment or user name",
  });
}

/** As canonicalLocation; undefined where that throws. */
export function tryCanonicalLocation(text: string): string | undefined {
  if (text.length > MAX_LOCATION_LENGTH || !CHARACTERS.test(text)) return undefined;
  const parts = PARTS.exec(text);
  if (parts === null) return undefined;
  const [, rawScheme = "", rawAuthority, rawPath = "", rawQuery = ""] = parts;
  const scheme = rawScheme.toLowerCase();
  const query = decodeUnreserved(rawQuery);
  const path = decodeUnreserved(rawPath);
  if (rawAuthority === undefined) {
    // A URN and the like: a name and no hierarchy. A special scheme without "//" is a slip.
    if (path === "" || path.startsWith("/") || scheme in DEFAULT_PORTS) return undefined;
    return path.includes("[") || path.includes("]") ? undefined : `${scheme}:${path}${query}`;
  }
  const authority = canonicalAuthority(scheme, rawAuthority);
  if (authority === undefined || /[[\]]/.test(path + query)) return undefined;
  const resolved = withoutDotSegments(path);
  return `${scheme}://${authority}${resolved === "/" ? "" : resolved}${query}`;
}

function canonicalAuthority(scheme: string, text: string): string | undefined {
  const match = AUTHORITY.exec(text);
  if (match === null) return undefined;
  const [, rawHost = "", port = ""] = match;
  const host = rawHost.startsWith("[") ? canonicalIpv6(rawHost) : rawHost.toLowerCase();
  if (host === undefined || port.length > 5 || Number(port) > 65535) return undefined;
  const number = port === "" ? "" : String(Number(port));
  return number === "" || number === DEFAULT_PORTS[scheme] ? host : `${host}:${number}`;
}

function canonicalIpv6(host: string): string | undefined {
  const url = URL.parse(`http://${host}/`);
  return url === null ? undefined : url.hostname;
}

/** Decodes what needs no encoding, and writes the rest in upper case: before dot segments are looked for. */
function decodeUnreserved(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}/g, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return UNRESERVED.test(character) ? character : encoded.toUpperCase();
  });
}

/** RFC 3986 s5.2.4, for a path that is empty or begins with "/". */
function withoutDotSegments(path: string): string {
  if (!path.includes("/.")) return path;
  const kept: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1;
    if (segment === "..") kept.pop();
    if (segment !== "." && segment !== "..") kept.push(segment);
    else if (isLast) kept.push("");
  }
  return `/${kept.join("/")}`;
}

function shown(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}
