// Which audiences of proofs mean this service. Only configuration says so: what a request says of its host
// is the sender's word, and a proof for another service would pass by it.

import type { VerifyWitOptions } from "./verify.ts";

/** Whether an audience means this service and, where it is a URI, this path of it. */
export type AudienceTest = (audience: string, path: string) => boolean;

/** @throws TypeError when nothing is configured, or an origin is none */
export function audienceTest({
  origin,
  audience,
}: Pick<VerifyWitOptions, "origin" | "audience">): AudienceTest {
  const origins = listOf(origin).flatMap(spellingsOf);
  const names = new Set(listOf(audience));
  if (origins.length + names.size === 0 || names.has("")) {
    throw new TypeError("verifying proofs needs an origin or an audience that is this service's");
  }
  return (value, path) =>
    names.has(value) ||
    origins.some((one) => value === one + path || (path === "/" && value === one));
}

/** An origin without and with its default port, which mean the same (RFC 3986 s6.2.3). */
function spellingsOf(origin: string): string[] {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  const isOrigin = url?.protocol === "https:" || url?.protocol === "http:";
  if (url === undefined || !isOrigin || !/^[a-z]+:\/\/[^/?#@]+\/?$/i.test(origin)) {
    throw new TypeError(`${JSON.stringify(origin)} is no origin such as https://ledger.internal`);
  }
  if (url.port !== "") return [url.origin];
  return [url.origin, `${url.origin}:${url.protocol === "https:" ? 443 : 80}`];
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}
