import t from "tap";
import { codecOf } from "../../../proto/schema.gen.ts";
import { structFromJson, structToJson } from "../../../proto/types/struct.ts";

const codec = codecOf("google.protobuf.Struct");
const through = (json: Record<string, unknown>): unknown =>
  structToJson(codec.decode(codec.encode(structFromJson(json))));

t.test("JSON goes through a Struct unchanged", async (t) => {
  const json = {
    sub: "spiffe://a.test/x",
    exp: 1_900_000_000,
    zero: 0,
    no: false,
    none: null,
    empty: "",
    aud: ["a", ["b", null], {}],
    deep: { er: { est: [1.5] } },
  };
  t.strictSame(JSON.parse(JSON.stringify(through(json))), json);
});

t.test("a member named __proto__ is a member", async (t) => {
  const json = JSON.parse('{"__proto__": {"x": 1}}') as Record<string, unknown>;
  t.equal(JSON.stringify(through(json)), '{"__proto__":{"x":1}}');
});

t.test("refuses JSON that is nested too deep", async (t) => {
  let json: unknown = 1;
  for (let i = 0; i < 100; i++) json = [json];
  t.throws(() => structFromJson({ json }), { reason: "MESSAGE_MALFORMED", code: 3 });
});
