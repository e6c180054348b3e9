// Mandates on the wire and in JSON: what is written is read again, and what is odd is refused.
import fc from "fast-check";
import t from "tap";
import { type JsonValue, parseJson } from "../../pki/json.ts";
import {
  formatAuthorizationDetails,
  mandateFromJson,
  mandateRequestFromJson,
  mandateToJson,
  parseAuthorizationDetails,
  parseRequestedDetails,
} from "../../policy/authorization-details.ts";
import { type Mandate, normalize } from "../../policy/mandate.ts";
import {
  mandateFromWire,
  mandateRequestFromWire,
  mandateRequestToWire,
  mandateToWire,
} from "../../policy/mandate-wire.ts";
import { codecOf, type signet } from "../../proto/schema.gen.ts";

const TASK = "spiffe://north.test/agent/task/01JQZX3V6TQ0WJ1N9PC1W9V8Y7";

const FULL: Mandate = {
  locations: ["https://mcp.north.test/tickets"],
  actions: ["tools/read/*", "tools/write/close"],
  datatypes: ["public"],
  uses: 20,
  depth: 1,
  maxSensitivity: 4,
  untilUnixSeconds: 1_900_000_000,
  environment: "production",
};

function setOf(...values: string[]): fc.Arbitrary<"any" | readonly string[]> {
  return fc.oneof(fc.constant("any" as const), fc.subarray(values));
}

const mandates: fc.Arbitrary<Mandate> = fc
  .record({
    locations: setOf("https://a.test", "urn:b"),
    actions: setOf("a/*", "b/**", "c"),
    datatypes: setOf("x", "y:z"),
    uses: fc.option(fc.maxSafeNat(), { nil: undefined }),
    depth: fc.integer({ min: 0, max: 32 }),
    maxSensitivity: fc.integer({ min: 0, max: 1000 }),
    untilUnixSeconds: fc.option(fc.integer({ min: 1, max: 4_000_000_000 }), { nil: undefined }),
    environment: fc.constantFrom("production", "*"),
  })
  .map(normalize);

const codec = codecOf("signet.mandate.v1.Mandate");

function overTheWire(message: Parameters<typeof codec.encode>[0]): signet.mandate.v1.Mandate {
  return codec.decode(codec.encode(message));
}

t.test("a mandate is the same after the wire, JSON and a token", async (t) => {
  fc.assert(
    fc.property(mandates, (mandate) => {
      const text = JSON.stringify(mandate);
      const json = parseJson(JSON.stringify(mandateToJson(mandate)));
      const claim = JSON.stringify(formatAuthorizationDetails({ mandate, task: TASK }));
      return (
        JSON.stringify(mandateFromWire(overTheWire(mandateToWire(mandate)))) === text &&
        JSON.stringify(mandateFromJson(json)) === text &&
        JSON.stringify(parseAuthorizationDetails(parseJson(claim))) ===
          JSON.stringify({ mandate, task: TASK })
      );
    }),
  );
  t.pass();
});

t.test("the claim is written as the documents say", async (t) => {
  t.same(formatAuthorizationDetails({ mandate: FULL, task: TASK }), [
    {
      type: "agent_task",
      locations: ["https://mcp.north.test/tickets"],
      actions: ["tools/read/*", "tools/write/close"],
      datatypes: ["public"],
      limits: { uses: 20, depth: 1, max_sensitivity: 4, until: 1_900_000_000 },
      environment: "production",
      task: TASK,
    },
  ]);
  const any: Mandate = { ...FULL, locations: "any", environment: "*", uses: undefined };
  const [element] = formatAuthorizationDetails({ mandate: any, task: TASK });
  t.same(element?.["locations"], { any: true });
  t.same(element?.["environment"], { any: true });
  t.notOk(Object.hasOwn(element?.["limits"] as object, "uses"));
});

t.test("what a request leaves out is left out, and what is empty is empty", async (t) => {
  const none = { mayAny: false };
  t.same(mandateRequestFromWire(undefined, none), {});
  t.same(mandateRequestFromWire(overTheWire({}), none), {});
  t.same(mandateRequestFromJson({}, none), {});
  const some = { actions: [], depth: 0, uses: 0, maxSensitivity: 0 };
  t.same(mandateRequestFromWire(overTheWire(mandateRequestToWire(some)), none), some);
  const json = { actions: [], limits: { uses: 0, depth: 0, max_sensitivity: 0 } };
  t.same(mandateRequestFromJson(json, none), some);
  t.same(mandateRequestFromWire(overTheWire(mandateRequestToWire(FULL)), none), FULL);
});

t.test("in a mandate an absent set is nothing, and its environment cannot be absent", async (t) => {
  const environment = { values: ["lab"] };
  const read = mandateFromWire(overTheWire({ environment }));
  t.same([read.locations, read.actions, read.datatypes], [[], [], []]);
  t.same([read.depth, read.maxSensitivity, read.uses], [0, 0, undefined]);
  t.same(mandateFromJson({ environment: "lab" }), read);
  const invalid = { reason: "MANDATE_INVALID", code: 3 };
  t.throws(() => mandateFromWire(overTheWire({})), invalid);
  t.throws(() => mandateFromWire(undefined), invalid);
  t.throws(() => mandateFromJson({}), invalid);
});

t.test("only administrators write any", async (t) => {
  const refused = { reason: "MANDATE_ANY_REFUSED", code: 7 };
  const any = { any: true };
  for (const message of [
    { locations: any },
    { actions: any },
    { datatypes: any },
    { environment: any },
  ]) {
    const wire = overTheWire(message);
    t.throws(() => mandateRequestFromWire(wire, { mayAny: false }), refused);
    t.ok(mandateRequestFromWire(wire, { mayAny: true }));
    t.throws(() => mandateRequestFromJson(message, { mayAny: false }), refused);
    t.ok(mandateRequestFromJson(message, { mayAny: true }));
  }
});

t.test("refuses what is two things at once on the wire", async (t) => {
  const invalid = { reason: "MANDATE_INVALID", code: 3 };
  for (const message of [
    { locations: { any: true, values: ["https://a.test"] } },
    { environment: { values: ["lab", "production"] } },
    { environment: { values: ["*"] } },
    { environment: { values: [] } },
    { environment: { values: [""] } },
    { uses: { value: 2n ** 63n } },
    { until: -1 },
  ]) {
    t.throws(() => mandateRequestFromWire(overTheWire(message), { mayAny: true }), invalid);
  }
});

const ELEMENT = { type: "agent_task", task: TASK, environment: "lab" };
const DETAILS_FAULTS: readonly (readonly [name: string, claim: JsonValue | undefined])[] = [
  ["nothing", undefined],
  ["null", null],
  ["a text", "agent_task"],
  ["one object, in no array", ELEMENT],
  ["no element", []],
  ["two elements", [ELEMENT, ELEMENT]],
  ["an array within", [[ELEMENT]]],
  ["no type", [{ task: TASK, environment: "lab" }]],
  ["another type", [{ ...ELEMENT, type: "payment_initiation" }]],
  ["another case", [{ ...ELEMENT, type: "Agent_Task" }]],
  ["a type that is a list", [{ ...ELEMENT, type: ["agent_task"] }]],
  ["a field that is not known", [{ ...ELEMENT, privileges: ["admin"] }]],
  [
    "a field of the prototype",
    [parseJson(JSON.stringify(ELEMENT).replace("{", '{"__proto__":{"a":1},'))],
  ],
  ["a limit that is not known", [{ ...ELEMENT, limits: { usess: 1 } }]],
  ["a limit of the prototype", [{ ...ELEMENT, limits: { toString: 1 } }]],
  ["limits that are a list", [{ ...ELEMENT, limits: [] }]],
  ["limits that are null", [{ ...ELEMENT, limits: null }]],
  ["uses that are a text", [{ ...ELEMENT, limits: { uses: "1" } }]],
  ["uses beyond numbers", [{ ...ELEMENT, limits: { uses: 2n ** 60n } }]],
  ["uses that are null", [{ ...ELEMENT, limits: { uses: null } }]],
  ["actions that are a text", [{ ...ELEMENT, actions: "tools/**" }]],
  ["actions that are null", [{ ...ELEMENT, actions: null }]],
  ["an action that is a number", [{ ...ELEMENT, actions: [1] }]],
  ["an action that is no pattern", [{ ...ELEMENT, actions: ["a//b"] }]],
  ["any as a text is a value", [{ ...ELEMENT, locations: "any" }]],
  ["any that is false", [{ ...ELEMENT, locations: { any: false } }]],
  ["any that is 1", [{ ...ELEMENT, locations: { any: 1 } }]],
  ["any and more", [{ ...ELEMENT, locations: { any: true, values: [] } }]],
  ["a star for an environment", [{ ...ELEMENT, environment: "*" }]],
  ["an environment that is a list", [{ ...ELEMENT, environment: ["lab"] }]],
  ["a location that is none", [{ ...ELEMENT, locations: ["tickets"] }]],
];

t.test("refuses authorization details that are not exactly ours", async (t) => {
  const invalid = { reason: "INVALID_AUTHORIZATION_DETAILS", code: 3 };
  for (const [name, claim] of DETAILS_FAULTS) {
    t.throws(() => parseAuthorizationDetails(claim), invalid, name);
    if (claim !== undefined) t.throws(() => parseRequestedDetails(claim), invalid, name);
  }
  t.ok(parseAuthorizationDetails([ELEMENT]));
  t.throws(() => parseAuthorizationDetails([{ type: "agent_task", environment: "lab" }]), invalid);
  t.throws(() => parseAuthorizationDetails([{ ...ELEMENT, task: 7 }]), invalid);
  t.throws(() => parseRequestedDetails([{ ...ELEMENT, task: 7 }]), invalid);
  t.throws(() => parseRequestedDetails([{ ...ELEMENT, actions: { any: true } }]), invalid);
});

t.test("a request for a token narrows, by what it names alone", async (t) => {
  t.same(parseRequestedDetails([{ type: "agent_task", actions: ["tools/read/*"] }]), {
    request: { actions: ["tools/read/*"] },
    task: undefined,
  });
  t.same(parseRequestedDetails([{ type: "agent_task", task: TASK }]), { request: {}, task: TASK });
});
