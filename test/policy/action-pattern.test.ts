// Patterns of actions: every pair of them up to a size, against lists of what each stands for.
import fc from "fast-check";
import t from "tap";
import {
  covers,
  encodeSegment,
  isAction,
  MAX_PATTERN_LENGTH,
  MAX_PATTERN_SEGMENTS,
  meetPatterns,
  parseActionPattern,
} from "../../policy/action-pattern.ts";
import { actionsUpTo, language } from "./concrete.ts";

/** One word more than any pattern below: what is open shows that it is. */
const LENGTH = 5;
const SYMBOLS = ["a", "b", "*"];

function closedPatterns(length: number): string[] {
  if (length === 1) return SYMBOLS;
  return closedPatterns(length - 1).flatMap((one) => SYMBOLS.map((symbol) => `${one}/${symbol}`));
}

/** All patterns of at most four segments over "a", "b" and "*", open and closed. */
const closed = [1, 2, 3].flatMap(closedPatterns);
const PATTERNS = [...closed, "**", ...closed.map((one) => `${one}/**`)];
const languages = new Map(PATTERNS.map((pattern) => [pattern, language(pattern, LENGTH)]));
const languageOf = (pattern: string): Set<string> => languages.get(pattern) ?? new Set();

/** Ends the test at the first finding: of thousands, one is enough. */
function fail(what: string): never {
  throw new Error(what);
}

function isSubset(one: Set<string>, other: Set<string>): boolean {
  return [...one].every((action) => other.has(action));
}

const invalid = { reason: "ACTION_INVALID", code: 3 };

t.test(
  "one pattern covers another exactly when every action of it is one of its own",
  async (t) => {
    let covered = 0;
    for (const parent of PATTERNS) {
      for (const child of PATTERNS) {
        const isWithin = isSubset(languageOf(child), languageOf(parent));
        if (isWithin) covered++;
        if (covers(parent, child) !== isWithin) fail(`${parent} and ${child}: ${isWithin}`);
      }
    }
    t.ok(covered > PATTERNS.length);
    t.comment(`${PATTERNS.length ** 2} pairs, ${covered} covered`);
  },
);

t.test("what two patterns have in common is one pattern, or nothing", async (t) => {
  for (const a of PATTERNS) {
    for (const b of PATTERNS) {
      const both = meetPatterns(a, b);
      const common = new Set([...languageOf(a)].filter((one) => languageOf(b).has(one)));
      const found = both === undefined ? new Set<string>() : language(both, LENGTH);
      if (found.size !== common.size || !isSubset(found, common)) fail(`${a} and ${b}: ${both}`);
      if (both !== meetPatterns(b, a)) fail(`${a} and ${b} the other way round`);
    }
  }
  t.pass();
});

t.test("a concrete action is covered by what it stands in", async (t) => {
  for (const action of actionsUpTo(4)) {
    for (const pattern of PATTERNS) {
      const stands = languageOf(pattern).has(action);
      if (covers(pattern, action) !== stands) fail(`${pattern} and ${action}: ${stands}`);
    }
  }
  t.pass();
});

const PATTERN_FAULTS: readonly (readonly [name: string, pattern: string])[] = [
  ["nothing", ""],
  ["a slash alone", "/"],
  ["a slash at the start", "/tools"],
  ["a slash at the end", "tools/"],
  ["an empty segment", "tools//read"],
  ["** in the middle", "tools/**/read"],
  ["** at the start", "**/read"],
  ["** twice", "tools/**/**"],
  ["***", "tools/***"],
  ["a star within a segment", "tools/read*"],
  ["two stars within a segment", "tools/re**"],
  ["a dot segment", "tools/."],
  ["two dots", "tools/../admin"],
  ["an encoded letter", "tools/%72ead"],
  ["encoded dots that are not alone", "tools/%2E%2Ex"],
  ["lower case in an encoding", "tools/%2f"],
  ["half an encoding", "tools/%2"],
  ["a stray percent", "tools/100%"],
  ["what is no UTF-8", "tools/%FF"],
  ["an overlong slash", "tools/%C0%AF"],
  ["an encoded surrogate", "tools/%ED%A0%80"],
  ["a space", "tools/read file"],
  ["a backslash", "tools\\read"],
  ["a NUL", "tools/\0"],
  ["a line end", "tools/read\n"],
  ["Unicode as it is", "tools/größe"],
  ["a full-width slash", "tools\uff0fread"],
  ["a full-width star", "tools/\uff0a"],
  ["a question mark", "tools/rea?"],
  ["a class of characters", "tools/[a-z]"],
  ["alternatives", "tools/{read,write}"],
  ["too many characters", "a".repeat(MAX_PATTERN_LENGTH + 1)],
  [
    "too many segments",
    Array(MAX_PATTERN_SEGMENTS + 1)
      .fill("a")
      .join("/"),
  ],
];

t.test("refuses what is no pattern", async (t) => {
  for (const [name, pattern] of PATTERN_FAULTS) {
    t.throws(() => parseActionPattern(pattern), invalid, name);
  }
  for (const pattern of [
    "**",
    "*",
    "tools/**",
    "a.b/~c/-_",
    "x/%2F",
    "x/%2A",
    "x/%2E",
    "x/%2E%2E",
  ]) {
    t.equal(parseActionPattern(pattern), pattern);
  }
  t.equal(parseActionPattern("a".repeat(MAX_PATTERN_LENGTH)).length, MAX_PATTERN_LENGTH);
});

t.test("takes exactly the unreserved characters as they are", async (t) => {
  for (let byte = 0; byte < 256; byte++) {
    const character = String.fromCharCode(byte);
    const isPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~".includes(
      character,
    );
    t.equal(isAction(character), isPlain, `byte ${byte}`);
    t.ok(isAction(encodeSegment(character)), `byte ${byte} encoded`);
  }
});

t.test("a concrete action has no stars, and no second spelling", async (t) => {
  for (const text of [
    "*",
    "**",
    "tools/*",
    "tools/**",
    ...PATTERN_FAULTS.map(([, fault]) => fault),
  ]) {
    // What is too long for a pattern may be an action.
    if (text.length > MAX_PATTERN_LENGTH || text.split("/").length > MAX_PATTERN_SEGMENTS) continue;
    t.notOk(isAction(text), JSON.stringify(text));
  }
  t.notOk(isAction("a".repeat(5000)));
  t.notOk(isAction(Array(300).fill("a").join("/")));
});

t.test("any name is one segment, and different names are different ones", async (t) => {
  const names = fc.string({ unit: "grapheme", minLength: 1 });
  fc.assert(
    fc.property(names, names, (one, other) => {
      const encoded = encodeSegment(one);
      const isOne = isAction(encoded) && !encoded.includes("/") && !encoded.includes("*");
      return (
        isOne &&
        decodeURIComponent(encoded) === one &&
        (one === other) === (encoded === encodeSegment(other))
      );
    }),
    { numRuns: 2000 },
  );
  for (const name of [
    "..",
    ".",
    "a/b",
    "*",
    "**",
    "../../etc",
    "%2F",
    "%2e%2e",
    "\0",
    "é",
    "e\u0301",
  ]) {
    const action = `tools/read/${encodeSegment(name)}`;
    t.ok(isAction(action), action);
    t.ok(covers("tools/read/*", action));
    t.notOk(covers("tools/read/a", action), action);
    t.notOk(covers("tools/read/a/b", action), action);
  }
  t.not(encodeSegment("é"), encodeSegment("e\u0301"), "looks alike, and is another name");
  t.not(encodeSegment("a/b"), "a/b");
  for (const name of ["", "\ud800", "a\udfff"]) {
    t.throws(() => encodeSegment(name), invalid);
  }
});

t.test("letters differ by case", async (t) => {
  t.notOk(covers("tools/read/Ticket", "tools/read/ticket"));
  t.notOk(covers("TOOLS/**", "tools/read"));
});

t.test("the longest patterns are compared in a moment", async (t) => {
  const stars = Array(MAX_PATTERN_SEGMENTS - 1).fill("*");
  const begun = performance.now();
  for (let i = 0; i < 10_000; i++) covers([...stars, "**"].join("/"), [...stars, "a"].join("/"));
  t.ok(performance.now() - begun < 2000, "no backtracking");
});
