// Canonical JSON (RFC 8785): its own examples, and values that are one and the same.

import fc from "fast-check";
import t from "tap";
import { canonicalJson } from "../../pki/canonical-json.ts";
import { Status } from "../../pki/errors.ts";

t.test("the examples of RFC 8785", async (t) => {
  const example = {
    numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
    literals: [null, true, false],
  };
  t.equal(
    canonicalJson(example),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
  const names = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, ö: 7 };
  t.equal(
    canonicalJson(names),
    '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}',
    "sorted by UTF-16 units, not by code points",
  );
});

t.test("members that are undefined are left out, in lists they are null", async (t) => {
  t.equal(canonicalJson({ a: undefined, b: [undefined] }), '{"b":[null]}');
});

t.test("what is no JSON, and what is too deep, is refused", async (t) => {
  let deep: unknown = 1;
  for (let i = 0; i < 10_000; i++) deep = [deep];
  const values = [Number.NaN, Number.POSITIVE_INFINITY, 1n, undefined, () => 1, Symbol("x"), deep];
  for (const value of values) {
    t.throws(() => canonicalJson(value), { reason: "JSON_INVALID", code: Status.invalidArgument });
  }
});

t.test("says the same of a value in whichever order its members come", async (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const text = canonicalJson(value);
      const turned = JSON.parse(JSON.stringify(value), (_name, member: unknown) =>
        typeof member === "object" && member !== null && !Array.isArray(member)
          ? Object.fromEntries(Object.entries(member).reverse())
          : member,
      );
      return canonicalJson(turned) === text && canonicalJson(JSON.parse(text)) === text;
    }),
  );
  t.pass();
});
