import t from "tap";
import {
  equalSelectors,
  formatSelector,
  MAX_SELECTORS,
  parseSelector,
  selectorsFromWire,
} from "../../../proto/types/selector.ts";

const GOOD = [
  { text: "unix:uid:1000", type: "unix", value: "uid:1000" },
  { text: "a:b", type: "a", value: "b" },
  { text: "docker:env:A=b c", type: "docker", value: "env:A=b c" },
];
for (const { text, type, value } of GOOD) {
  t.test(`reads ${text}`, async (t) => {
    t.strictSame(parseSelector(text), { type, value });
    t.equal(formatSelector(parseSelector(text)), text);
  });
}

const BAD = [
  { name: "no colon", text: "unix" },
  { name: "no type", text: ":uid" },
  { name: "no value", text: "unix:" },
  { name: "nothing", text: "" },
  { name: "a type that is too long", text: `${"x".repeat(129)}:y` },
  { name: "a value that is too long", text: `x:${"y".repeat(4201)}` },
];
for (const { name, text } of BAD) {
  t.test(`refuses a selector with ${name}`, async (t) => {
    t.throws(() => parseSelector(text), { reason: "SELECTOR_INVALID", code: 3 });
  });
}

t.test("refuses a colon in the type and too many selectors on the wire", async (t) => {
  t.throws(() => selectorsFromWire([{ type: "a:b", value: "c" }]), {
    reason: "SELECTOR_INVALID",
    code: 3,
  });
  const many = Array.from({ length: MAX_SELECTORS + 1 }, () => ({ type: "a", value: "b" }));
  t.throws(() => selectorsFromWire(many), { reason: "SELECTOR_INVALID", code: 3 });
  t.equal(selectorsFromWire(many.slice(1)).length, MAX_SELECTORS);
});

t.test("sets of selectors are equal in any order", async (t) => {
  const [a, b, c] = ["x:1", "x:2", "x:3"].map(parseSelector);
  if (!a || !b || !c) return;
  t.ok(equalSelectors([a, b], [b, a, a]));
  t.notOk(equalSelectors([a, b], [a, c]));
  t.notOk(equalSelectors([a], [a, b]));
});
