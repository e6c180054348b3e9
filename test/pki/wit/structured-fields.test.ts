import t from "tap";
import {
  type BareItem,
  formatInnerList,
  type InnerList,
  type Item,
  isSfString,
  parseDictionary,
} from "../../../pki/wit/structured-fields.ts";

const item = (text: string): Item => parseDictionary(`a=${text}`).get("a") as Item;
const list = (text: string): InnerList => parseDictionary(`a=${text}`).get("a") as InnerList;

t.test("reads every type of the standard", async (t) => {
  const rows: readonly (readonly [string, BareItem])[] = [
    ["0", 0],
    ["-12", -12],
    ["999999999999999", 999_999_999_999_999],
    ["007", 7],
    ['""', ""],
    ['"a\\"b\\\\c"', 'a"b\\c'],
    ["?1", true],
    ["?0", false],
    ["1.50", { text: "1.5" }],
    ["-2.0", { text: "-2.0" }],
    ["tok/en:*", { text: "tok/en:*" }],
    ["*", { text: "*" }],
  ];
  for (const [text, value] of rows) t.strictSame(item(text).value, value, text);
  t.same(item(":AQID:").value, Buffer.from([1, 2, 3]));
  t.same(item("::").value, Buffer.alloc(0));
  t.equal(parseDictionary("").size, 0);
  t.equal(parseDictionary("  a=1 \t,\t b").size, 2);
  t.equal((parseDictionary("a;x").get("a") as Item).value, true);
  t.same(
    [...item("1; x;y=2;z=?0").parameters],
    [
      ["x", true],
      ["y", 2],
      ["z", false],
    ],
  );
  t.equal(list("()").items.length, 0);
  t.equal(list('( "a";b "c" );d').items.length, 2);
});

t.test("writes what it read in the one canonical way", async (t) => {
  for (const [text, canonical] of [
    [
      '( "a"   1 1.50 -0.0 ?0 tok :AQID: );b; c="\\\\";d=?1;e=007',
      '("a" 1 1.5 0.0 ?0 tok :AQID:);b;c="\\\\";d;e=7',
    ],
    ['("a\\"b";x="y")', '("a\\"b";x="y")'],
    ["()", "()"],
  ] as const) {
    t.equal(formatInnerList(list(text)), canonical);
    t.equal(formatInnerList(list(canonical)), canonical);
  }
});

t.test("refuses what the standard does, and names that come twice", async (t) => {
  for (const text of [
    ...["A=1", "1=1", "a=", "a =1", "a= 1", "a=1,", "a=1,,b=1", "a=1 b=2", "a=1, a=2", ",a=1"],
    ...[
      'a="',
      'a="\\n"',
      'a="\u00e9"',
      'a="\t"',
      "a=:A:",
      "a=:AQ:",
      "a=:AQ=x:",
      "a=:====:",
      "a=?2",
    ],
    ...[
      "a=1.",
      "a=.5",
      "a=1.2345",
      "a=1234567890123.1",
      "a=1234567890123456",
      "a=-",
      "a=+1",
      "a=1a",
    ],
    ...["a=(", "a=(1", "a=(1,2)", "a=(1\t2)", 'a=("a""b")', "a=()x", "a=((1))", "a=);"],
    ...["a;", "a;=1", "a;X", "a;b=1;b=2", "a; ", "a;b= 1", "a\n", "\ta=1"],
    `a=(${"1 ".repeat(129)})`,
    Array.from({ length: 129 }, (_, i) => `k${i}`).join(","),
    `a${Array.from({ length: 129 }, (_, i) => `;k${i}`).join("")}`,
    " ".repeat(16_385),
  ]) {
    t.throws(() => parseDictionary(text), SyntaxError, text.slice(0, 30));
  }
});

t.test("every byte: strings hold visible ASCII and spaces", async (t) => {
  for (let code = 0; code < 256; code++) {
    const character = String.fromCharCode(code);
    const isGood = code >= 0x20 && code <= 0x7e;
    t.equal(isSfString(`a${character}b`), isGood, String(code));
    if (character === '"' || character === "\\") continue;
    if (isGood) t.equal(item(`"${character}"`).value, character);
    else t.throws(() => item(`"${character}"`), SyntaxError, String(code));
  }
});
