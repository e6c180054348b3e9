// Actions, patterns of them, and locations. The second reader of a pattern is a regular expression, of a location
// the URL of WHATWG; both read more than ours do.
import {
  covers,
  encodeSegment,
  isAction,
  meetPatterns,
  parseActionPattern,
} from "../../../policy/action-pattern.ts";
import { canonicalLocation } from "../../../policy/location.ts";
import { allowsAction, allowsLocation, type Mandate } from "../../../policy/mandate.ts";
import { bytesOf, type FuzzTarget, holds, parsedOrRefused, textOf } from "../target.ts";

const NAMED = { datatypes: [], uses: 1, depth: 0, maxSensitivity: 0, untilUnixSeconds: undefined };
const mandateOf = (sets: Pick<Mandate, "locations" | "actions">): Mandate => ({
  ...NAMED,
  ...sets,
  environment: "*",
});

export const action: FuzzTarget = {
  name: "action",
  reads: "actions and patterns of them in mandates: one pattern a line",
  maxBytes: 1024,
  seeds: () =>
    [
      `tools/read/*\ntools/read/${encodeSegment("größe/*")}`,
      "tools/**\ntools/write/a",
      "http/get/*/b/**\nhttp/get/a/*/c/d",
      "*\n**",
      "a/%2E/%2E%2E\na/*/*",
    ].map(bytesOf),
  run(data) {
    const [first = "", second = ""] = textOf(data).split("\n");
    const [parent, child] = [first, second].map((text) => {
      holds(isAction(text) === isSpelledOnce(text), `"${text}" is an action for one reader`);
      const pattern = parsedOrRefused(() => parseActionPattern(text));
      holds(pattern === undefined || pattern === text, "a pattern changes when it is read");
      return pattern;
    });
    const segment = parsedOrRefused(() => encodeSegment(first));
    if (segment !== undefined) {
      holds(isAction(segment) && !segment.includes("/"), "a name is not one segment");
      holds(decodeURIComponent(segment) === first, "two names with one segment");
    }
    if (parent !== undefined && child !== undefined) compare(parent, child);
  },
};

function compare(parent: string, child: string): void {
  // Words that stand in neither: what is covered with them is covered with all.
  let word = "new";
  while (parent.includes(word)) word += "er";
  const samples = child.endsWith("**")
    ? ["*", "*/*", "*/*/*/*"].map((rest) => child.slice(0, -2) + rest)
    : [child];
  const concrete = samples.map((text) => text.replaceAll("*", word));
  const isWithin = concrete.every((one) => expressionOf(parent).test(one));
  holds(covers(parent, child) === isWithin, `${parent} covers ${child} for one reader`);
  const mandate = mandateOf({ locations: "any", actions: [parent] });
  for (const one of concrete) {
    holds(!isWithin || allowsAction(mandate, one), "what is covered is not allowed");
  }
  const both = meetPatterns(parent, child);
  if (both === undefined) return;
  holds(covers(parent, both) && covers(child, both), "what both have is not of both");
  holds(parseActionPattern(both) === both, "what both have is no pattern");
}

/** Of all actions that a pattern stands for. */
function expressionOf(pattern: string): RegExp {
  const segments = pattern.split("/").map((segment) => {
    if (segment === "**") return "[^/]+(?:/[^/]+)*";
    return segment === "*" ? "[^/]+" : segment.replace(/[.~-]/g, "\\$&");
  });
  return new RegExp(`^${segments.join("/")}$`);
}

/** Segments of bytes, each byte written in the one way; no empty ones, and no dots alone. */
function isSpelledOnce(text: string): boolean {
  const segments = text.split("/");
  return text.length <= 4096 && segments.length <= 256 && segments.every(isSegment);
}

function isSegment(segment: string): boolean {
  const bytes: number[] = [];
  for (let i = 0; i < segment.length; i++) {
    const isEncoded = segment[i] === "%";
    const code = isEncoded ? Number(`0x${segment.slice(i + 1, i + 3)}`) : segment.charCodeAt(i);
    if (Number.isNaN(code) || code > 255) return false;
    if (isEncoded) i += 2;
    bytes.push(code);
  }
  const utf8 = Buffer.from(bytes);
  if (!Buffer.from(utf8.toString()).equals(utf8)) return false;
  const isDots = /^\.{1,2}$/.test(utf8.toString());
  const written = bytes.map((byte) => {
    const character = String.fromCharCode(byte);
    const isPlain = /[A-Za-z0-9._~-]/.test(character) && !isDots;
    return isPlain ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  });
  return segment !== "" && written.join("") === segment;
}

export const location: FuzzTarget = {
  name: "location",
  reads: "URIs of services in mandates, in requests and in configuration",
  maxBytes: 1024,
  seeds: () =>
    [
      "https://mcp.north.test/tickets",
      "HTTPS://Mcp.North.Test:443/a/../%7eb/%2E%2e/c%2fd?q=%41",
      "http://[2001:DB8::1]:8080",
      "urn:example:a%2fb",
      "ws://a.test:080/./",
    ].map(bytesOf),
  run(data) {
    const text = Buffer.from(data).toString("latin1");
    const canonical = parsedOrRefused(() => canonicalLocation(text));
    if (canonical === undefined) return;
    holds(canonicalLocation(canonical) === canonical, "its one spelling has another");
    const mandate = mandateOf({ locations: [canonical], actions: [] });
    holds(allowsLocation(mandate, text), "another spelling of the location is refused");
    const [, host = ""] = /^[^:]+:\/\/([^/?]*)/.exec(canonical) ?? [];
    holds(!/[\s#@\\]/.test(host), "a host with more in it");
    const [ours, theirs] = [URL.parse(canonical), URL.parse(text)];
    if (ours === null || theirs === null) return;
    // Of schemes that it does not know it leaves hosts as they are.
    const isSame = ours.host === theirs.host.toLowerCase();
    holds(isSame && ours.protocol === theirs.protocol, "another host");
    holds(ours.username === "" && ours.hash === "", "a user name, or a fragment");
    // Drives of DOS are to it what we take for names.
    if (ours.protocol === "file:") return;
    holds(plain(ours.pathname) === plain(theirs.pathname), "another path");
    holds(plain(ours.search) === plain(theirs.search), "another query");
  },
};

/** With letters and digits that were encoded decoded, and what stays encoded in upper case; "/" is nothing. */
function plain(text: string): string {
  return text.replace(/^\/$/, "").replace(/%[0-9A-Fa-f]{2}/g, (encoded) => {
    const character = decodeURIComponent(encoded.replace(/%[89A-Fa-f]./, "%25"));
    return /[A-Za-z0-9._~-]/.test(character) ? character : encoded.toUpperCase();
  });
}
