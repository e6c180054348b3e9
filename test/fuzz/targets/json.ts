// The strict JSON reader, compared with JSON.parse: it may refuse more, and must never accept more or
// read anything else.
import { type JsonValue, parseJson } from "../../../pki/json.ts";
import { bytesOf, type FuzzTarget, holds, parsedOrRefused, textOf } from "../target.ts";

export const json: FuzzTarget = {
  name: "json",
  reads: "every JSON document from outside",
  maxBytes: 8192,
  seeds: () =>
    [
      '{"a":[1,-2.5e3,true,null,"\\u00e9\\n"],"b":{"c":9007199254740993}}',
      '"\\ud83d\\ude00"',
      '{"__proto__":{"x":1},"":0}',
    ].map(bytesOf),
  run(data) {
    const ours = parsedOrRefused(() => parseJson(data));
    if (ours === undefined) return;
    const theirs = JSON.parse(textOf(data)) as unknown;
    holds(same(ours, theirs), "JSON.parse reads something else");
  },
};

function same(ours: JsonValue | undefined, theirs: unknown): boolean {
  if (typeof ours === "bigint") return Number(ours) === theirs;
  if (typeof ours !== "object" || ours === null) return Object.is(ours, theirs);
  if (typeof theirs !== "object" || theirs === null) return false;
  const names = Object.keys(ours);
  if (Array.isArray(ours) !== Array.isArray(theirs)) return false;
  if (names.length !== Object.keys(theirs).length) return false;
  return names.every((name) =>
    same(
      (ours as Record<string, JsonValue>)[name],
      Object.getOwnPropertyDescriptor(theirs, name)?.value,
    ),
  );
}
