// Canonical JSON, which digests of arguments are taken of: two values have one text exactly when they are equal,
// and a second writer, which builds it another way, writes the same.
import { isDeepStrictEqual } from "node:util";
import { canonicalJson } from "../../../pki/canonical-json.ts";
import { bytesOf, type FuzzTarget, holds, parsedOrRefused, textOf } from "../target.ts";

export const canonical: FuzzTarget = {
  name: "canonical-json",
  reads: "arguments of tool calls, whose digest is written down",
  maxBytes: 4096,
  seeds: () =>
    [
      '{"b":[1,-0,2.5e-7,1e21,null],"a":{"\\u00e9":true,"\\ud83d\\ude00":"\\u0007"},"__proto__":{"x":1}}',
      '[{"10":1,"9":2,"a":"\\ud800"}]',
      `${"[".repeat(140)}${"]".repeat(140)}`,
    ].map(bytesOf),
  run(data) {
    let value: unknown;
    try {
      value = JSON.parse(textOf(data));
    } catch {
      return;
    }
    const text = parsedOrRefused(() => canonicalJson(value));
    const isRefused = depthOf(value) > 128;
    holds((text === undefined) === isRefused, "a value is refused, or one that is too deep is not");
    if (text === undefined) return;
    const again = JSON.parse(text) as unknown;
    holds(isDeepStrictEqual(withoutMinus(again), withoutMinus(value)), "another value");
    holds(canonicalJson(again) === text, "the text of a value is not the only one");
    holds(text === written(value), "a second writer writes something else");
  },
};

/** How deep the deepest value lies; what is no number of JSON (1e999) lies too deep. */
function depthOf(value: unknown): number {
  if (typeof value === "number" && !Number.isFinite(value)) return Number.POSITIVE_INFINITY;
  if (typeof value !== "object" || value === null) return 0;
  return Math.max(0, ...Object.values(value).map((member) => 1 + depthOf(member)));
}

/** -0 is written as 0 (RFC 8785 s3.2.2.3). */
function withoutMinus(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutMinus);
  return new Map(Object.entries(value).map(([name, member]) => [name, withoutMinus(member)]));
}

/** Names sorted by the bytes of their UTF-16 (RFC 8785 s3.2.3). */
function written(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(written).join(",")}]`;
  const members = new Map(Object.entries(value));
  const utf16 = (name: string): Buffer => Buffer.from(name, "utf16le").swap16();
  const names = [...members.keys()].sort((a, b) => Buffer.compare(utf16(a), utf16(b)));
  return `{${names.map((name) => `${JSON.stringify(name)}:${written(members.get(name))}`).join(",")}}`;
}
