// What is asked for and what is granted: never more than any of the bounds, whatever is asked for.
import fc from "fast-check";
import t from "tap";
import { IdentityError } from "../../pki/errors.ts";
import { isNothing, leq, type Mandate } from "../../policy/mandate.ts";
import { checkRequest, grant, type MandateRequest } from "../../policy/mandate-request.ts";

const CEILING: Mandate = {
  locations: ["https://mcp.north.test/tickets", "https://mcp.north.test/wiki"],
  actions: ["tools/**", "resources/read/**"],
  datatypes: ["internal", "public"],
  uses: 100,
  depth: 2,
  maxSensitivity: 4,
  untilUnixSeconds: undefined,
  environment: "production",
};
const CLASS: Mandate = {
  locations: "any",
  actions: ["tools/read/**", "prompts/get/**"],
  datatypes: "any",
  uses: undefined,
  depth: 3,
  maxSensitivity: 9,
  untilUnixSeconds: 1_900_000_000,
  environment: "*",
};
const BOUNDS = [
  { name: "the AI agent's ceiling", mandate: CEILING },
  { name: 'the task class "read-only"', mandate: CLASS },
];
const exceeded = { reason: "MANDATE_EXCEEDED", code: 7 };

t.test("who asks for nothing in particular gets what both bounds allow", async (t) => {
  t.same(grant({}, BOUNDS), {
    ...CEILING,
    actions: ["tools/read/**"],
    untilUnixSeconds: 1_900_000_000,
  });
});

t.test("what is asked for within the bounds is granted as it is", async (t) => {
  const granted = grant({ actions: ["tools/read/ticket"], uses: 5 }, BOUNDS);
  t.same(granted.actions, ["tools/read/ticket"]);
  t.equal(granted.uses, 5);
  t.same(granted.locations, CEILING.locations);
});

const TOO_WIDE: readonly (readonly [what: RegExp, request: MandateRequest])[] = [
  [
    /action "tools\/write\/close" \(the task class "read-only"\)/,
    { actions: ["tools/write/close"] },
  ],
  [/action "prompts\/get\/x" \(the AI agent's ceiling\)/, { actions: ["prompts/get/x"] }],
  [/location "https:\/\/evil\.test"/, { locations: ["https://evil.test"] }],
  [/datatype "secret"/, { datatypes: ["secret"] }],
  [/uses 101, at most 100/, { uses: 101 }],
  [/depth 3, at most 2/, { depth: 3 }],
  [/max_sensitivity 5, at most 4/, { maxSensitivity: 5 }],
  [/until 1900000001, at most 1900000000/, { untilUnixSeconds: 1_900_000_001 }],
  [/environment "lab" in place of "production"/, { environment: "lab" }],
];

t.test("what is asked for beyond a bound is refused, and says which", async (t) => {
  for (const [message, request] of TOO_WIDE) {
    const expected = { ...exceeded, message, hint: /ask for less/ };
    t.throws(() => grant(request, BOUNDS), expected, message.source);
  }
});

t.test("with clipping what is left is granted, and nothing is refused", async (t) => {
  const clip = { clip: true };
  const granted = grant({ actions: ["tools/**"], uses: 1000 }, BOUNDS, clip);
  t.same(granted.actions, ["tools/read/**"]);
  t.equal(granted.uses, 100);
  t.throws(() => grant({ actions: ["http/**"] }, BOUNDS, clip), exceeded);
  t.throws(() => grant({ environment: "lab" }, BOUNDS, clip), exceeded);
});

t.test("an empty set that is asked for is granted: nothing", async (t) => {
  t.ok(isNothing(grant({ actions: [] }, BOUNDS)));
  t.ok(isNothing(grant({ locations: [] }, BOUNDS, { clip: true })));
});

t.test("bounds for two environments leave none", async (t) => {
  const lab = { name: "the class", mandate: { ...CLASS, environment: "lab" } };
  t.throws(() => grant({}, [...BOUNDS.slice(0, 1), lab]), exceeded);
  t.throws(() => grant({}, []), TypeError, "without a bound there is no grant");
});

t.test("a message about much that is too wide stays short", async (t) => {
  const actions = Array.from({ length: 64 }, (_, i) => `x${i}/${"y".repeat(500)}`);
  try {
    grant({ actions }, BOUNDS);
    t.fail();
  } catch (error) {
    t.ok(error instanceof IdentityError && error.message.length < 2000);
    t.match((error as Error).message, /and 123 more/);
  }
});

const word = fc.constantFrom("tools", "read", "write", "a", "*");
const action = fc
  .tuple(fc.array(word, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([words, isOpen]) => [...words, ...(isOpen ? ["**"] : [])].join("/"));
const requests: fc.Arbitrary<MandateRequest> = fc.record(
  {
    locations: fc.subarray(["https://mcp.north.test/tickets", "https://evil.test"]),
    actions: fc.array(action, { maxLength: 4 }),
    datatypes: fc.subarray(["public", "secret"]),
    uses: fc.nat(200),
    depth: fc.nat(4),
    maxSensitivity: fc.nat(9),
    untilUnixSeconds: fc.integer({ min: 1_800_000_000, max: 2_000_000_000 }),
    environment: fc.constantFrom("production", "lab"),
  },
  { requiredKeys: [] },
);

t.test("nothing that is granted is above a bound or above what was asked for", async (t) => {
  let granted = 0;
  let refused = 0;
  fc.assert(
    fc.property(requests, fc.boolean(), (request, clip) => {
      try {
        const got = grant(request, BOUNDS, { clip });
        granted++;
        return (
          BOUNDS.every(({ mandate }) => leq(got, mandate)) &&
          leq(got, { ...got, ...definedOf(request) })
        );
      } catch (error) {
        refused++;
        return error instanceof IdentityError && error.reason === "MANDATE_EXCEEDED";
      }
    }),
    { numRuns: 5000 },
  );
  t.ok(granted > 50 && refused > 50, `${granted} granted, ${refused} refused`);
});

function definedOf(request: MandateRequest): Partial<Mandate> {
  const defined = Object.entries(request).filter(([, value]) => value !== undefined);
  return Object.fromEntries(defined) as Partial<Mandate>;
}

t.test("a request is checked as a mandate is", async (t) => {
  for (const [reason, request] of [
    ["MANDATE_ANY_REFUSED", { actions: "any" }],
    ["MANDATE_ANY_REFUSED", { environment: "*" }],
    ["ACTION_INVALID", { actions: ["a/../b"] }],
    ["LOCATION_INVALID", { locations: ["//x"] }],
    ["MANDATE_INVALID", { uses: -1 }],
    ["MANDATE_INVALID", { environment: "" }],
  ] as const) {
    const expected = { reason, code: reason === "MANDATE_ANY_REFUSED" ? 7 : 3 };
    t.throws(() => checkRequest(request, { mayAny: false }), expected);
  }
});
