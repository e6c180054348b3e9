import t from "tap";
import { Status } from "../../pki/errors.ts";
import { isJsonObject, parseJson } from "../../pki/json.ts";

const invalid = { reason: "JSON_INVALID", code: Status.invalidArgument };

t.test("reads what JSON.parse reads", async (t) => {
  for (const text of [
    ...["null", "true", "false", "0", "-0", "-1.5", "1e3", "1E+2", "1e-2", '""', '"a"', "[]", "{}"],
    ...[' [ 1 , "x" , { } ]\n', '{"a":{"b":[null,{"c":"\\u00e9\\n\\""}]}}', '"\u00e9\u{1f511}"'],
  ]) {
    t.strictSame(JSON.parse(JSON.stringify(parseJson(text))), JSON.parse(text), text);
    t.strictSame(JSON.stringify(parseJson(Buffer.from(text))), JSON.stringify(JSON.parse(text)));
  }
});

t.test("refuses what JSON does not allow", async (t) => {
  for (const text of [
    ...["", " ", "nul", "tru", "+1", "01", "1.", ".5", "1e", "0x1", "NaN", "Infinity", "'a'"],
    ...['"a', '"\\x"', '"\t"', '"\\u12"', "[1,]", "[1", "[,]", '{"a"}', '{"a":}', '{"a":1,}', "{"],
    ...["{a:1}", "{} x", "// c\n1", '{"a" 1}', "[1 2]", "\ufeff1"],
  ]) {
    t.throws(() => parseJson(text), invalid, JSON.stringify(text));
  }
  t.throws(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22)), invalid, "invalid UTF-8");
  t.throws(() => parseJson(`${"[".repeat(17)}${"]".repeat(17)}`), invalid, "too deep");
  t.throws(() => parseJson("9".repeat(65)), invalid, "a number that is too long");
});

t.test("refuses duplicate names, however they are spelled", async (t) => {
  t.throws(() => parseJson('{"a":1,"a":1}'), invalid);
  t.throws(() => parseJson('{"a":1,"\\u0061":2}'), invalid);
  t.throws(() => parseJson('{"x":{"__proto__":1,"__proto__":2}}'), invalid);
  t.strictSame(Object.keys(parseJson('{"x":1,"X":2}') as object), ["x", "X"]);
});

t.test("keeps integers above 2^53 exact", async (t) => {
  t.equal(parseJson("9007199254740991"), 9007199254740991);
  t.equal(parseJson("9007199254740993"), 9007199254740993n);
  t.equal(parseJson("18446744073709551615"), 18446744073709551615n);
  t.equal(parseJson("-9007199254740993"), -9007199254740993n);
  t.equal(parseJson("1e20"), 1e20);
});

t.test('"__proto__" is a name like any other', async (t) => {
  const value = parseJson('{"__proto__":{"admin":true}}');
  t.ok(isJsonObject(value));
  t.equal((value as Record<string, unknown>)["admin"], undefined);
  t.equal(Object.getPrototypeOf(value), null);
  t.notOk(isJsonObject(parseJson("[]")));
  t.notOk(isJsonObject(parseJson("null")));
});
