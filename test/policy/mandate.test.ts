// The comparison of mandates against the independent judge of concrete.ts, never against itself.
import fc from "fast-check";
import t from "tap";
import {
  allows,
  excess,
  hasAny,
  isNothing,
  leq,
  type Mandate,
  meet,
  normalize,
  validateMandate,
} from "../../policy/mandate.ts";
import { allowedBits, isWithin, judgeOf, REQUESTS } from "./concrete.ts";

const seed = Number(process.env["FC_SEED"] ?? Date.now() % 2 ** 31);
fc.configureGlobal({ seed });
t.comment(`seed ${seed}: FC_SEED=${seed} runs the same again`);

/** Mandates that are compared with each other, all with all. */
const POOL = 640;

const word = fc.constantFrom("a", "b", "*");
const pattern = fc
  .tuple(fc.array(word, { minLength: 0, maxLength: 3 }), fc.boolean())
  .filter(([words, isOpen]) => isOpen || words.length > 0)
  .map(([words, isOpen]) => [...words, ...(isOpen ? ["**"] : [])].join("/"));

function setOf(values: fc.Arbitrary<string>): fc.Arbitrary<"any" | readonly string[]> {
  const some = fc.array(values, { maxLength: 4 });
  return fc.oneof(
    { weight: 1, arbitrary: fc.constant("any" as const) },
    { weight: 4, arbitrary: some },
  );
}

const mandates: fc.Arbitrary<Mandate> = fc.record({
  locations: setOf(fc.constantFrom("https://one.test", "https://two.test/x")),
  actions: setOf(pattern),
  datatypes: setOf(fc.constantFrom("public", "personal")),
  uses: fc.constantFrom(undefined, 0, 1, 3),
  depth: fc.constantFrom(0, 2),
  maxSensitivity: fc.constantFrom(0, 2, 5),
  untilUnixSeconds: fc.constantFrom(undefined, 1500, 2500),
  environment: fc.constantFrom("prod", "prod", "lab", "*"),
});

/** The same mandate with one field of another: often less or more than the first, unlike two at random. */
const related = fc
  .tuple(
    mandates,
    mandates,
    fc.subarray(Object.keys(SAMPLE()) as (keyof Mandate)[], { maxLength: 3 }),
  )
  .map(([one, other, fields]) => {
    const changed = Object.fromEntries(fields.map((field) => [field, other[field]]));
    return [one, { ...one, ...changed } as Mandate] as const;
  });

function SAMPLE(): Mandate {
  return {
    locations: ["https://one.test"],
    actions: ["a/*"],
    datatypes: ["public"],
    uses: 3,
    depth: 2,
    maxSensitivity: 2,
    untilUnixSeconds: 2500,
    environment: "prod",
  };
}

const pool: readonly { mandate: Mandate; bits: Uint32Array }[] = fc
  .sample(related, { numRuns: POOL / 2, seed })
  .flat()
  .map((mandate) => ({ mandate, bits: allowedBits(mandate) }));

/** Ends the test at the first finding: of thousands, one is enough. */
function fail(what: string, found: object): never {
  throw new Error(`${what}: ${JSON.stringify(found)}`);
}

t.test("no concrete request is allowed by a child and not by its parent", async (t) => {
  let accepted = 0;
  for (const child of pool) {
    for (const parent of pool) {
      if (!leq(child.mandate, parent.mandate)) continue;
      accepted++;
      if (isWithin(child.bits, parent.bits)) continue;
      fail("a widening", { child: child.mandate, parent: parent.mandate });
    }
  }
  t.ok(accepted > 2 * POOL, "enough pairs are accepted for this to say something");
  t.comment(
    `${POOL * POOL} pairs, ${accepted} accepted, each compared on ${REQUESTS.length} requests`,
  );
});

t.test(
  "is a partial order: reflexive, transitive, and antisymmetric up to normal form",
  async (t) => {
    const below = pool.map(({ mandate }) => pool.map((other) => leq(mandate, other.mandate)));
    let chains = 0;
    for (const [i, row] of below.entries()) {
      if (row[i] !== true) fail("not reflexive", { mandate: pool[i]?.mandate });
      for (const [j, isBelow] of row.entries()) {
        if (!isBelow) continue;
        for (const [k, isNext] of (below[j] ?? []).entries()) {
          if (!isNext) continue;
          chains++;
          if (row[k] !== true)
            fail("not transitive", { of: [i, j, k].map((n) => pool[n]?.mandate) });
        }
        const [one, other] = [pool[i]?.mandate, pool[j]?.mandate];
        if (below[j]?.[i] !== true || one === undefined || other === undefined) continue;
        const same = JSON.stringify(normalize(one)) === JSON.stringify(normalize(other));
        if (!same) fail("equal mandates of two normal forms", { one, other });
      }
    }
    t.ok(chains > 10_000);
    t.comment(`${chains} chains of three`);
  },
);

t.test("the meet allows exactly what both allow, and is the greatest below both", async (t) => {
  let met = 0;
  for (let n = 0; n < 20_000; n++) {
    const [a, b, c] = [pool[(n * 7) % POOL], pool[(n * 31 + 5) % POOL], pool[(n * 101 + 9) % POOL]];
    if (a === undefined || b === undefined || c === undefined) continue;
    const both = meet(a.mandate, b.mandate);
    const of = [a.mandate, b.mandate, c.mandate];
    const common = a.bits.map((bits, i) => bits & (b.bits[i] ?? 0));
    if (both === undefined) {
      if (common.some((bits) => bits !== 0))
        fail("no meet of what has something in common", { of });
      continue;
    }
    met++;
    if (!leq(both, a.mandate) || !leq(both, b.mandate)) fail("a meet above", { of, both });
    if (leq(c.mandate, a.mandate) && leq(c.mandate, b.mandate) && !leq(c.mandate, both)) {
      fail("something between the meet and both", { of, both });
    }
    if (n % 40 === 0) t.same(allowedBits(both), common, "allows what both allow");
    const form = normalize(both);
    if (JSON.stringify(both) !== JSON.stringify(form)) fail("not in normal form", { both, form });
  }
  t.comment(`${met} meets`);
});

t.test("the greatest lower bound is found below mandates that are related", async (t) => {
  fc.assert(
    fc.property(related, mandates, ([a, b], c) => {
      const below = meet(c, a);
      const both = meet(a, b);
      // What is below a by making is below the meet with b exactly when it is below b.
      if (below === undefined || !leq(below, b)) return true;
      return both !== undefined && leq(below, both);
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

t.test("a request is judged as the independent judge judges it", async (t) => {
  let judged = 0;
  for (const { mandate } of pool.slice(0, 100)) {
    const isAllowed = judgeOf({ ...mandate, depth: 9 });
    for (const request of REQUESTS) {
      if (request.hops !== 0 || request.use !== 1) continue;
      judged++;
      const verdict = allows(mandate, request);
      if (verdict !== isAllowed(request)) fail("another verdict", { mandate, request, verdict });
    }
  }
  t.comment(`${judged} requests`);
  t.pass();
});

t.test("the normal form means the same, and is its own normal form", async (t) => {
  fc.assert(
    fc.property(mandates, (mandate) => {
      const form = normalize(mandate);
      return (
        leq(form, mandate) &&
        leq(mandate, form) &&
        JSON.stringify(normalize(form)) === JSON.stringify(form) &&
        JSON.stringify(validateMandate(mandate)) === JSON.stringify(form)
      );
    }),
    { numRuns: 3000 },
  );
  t.same(
    normalize({
      ...SAMPLE(),
      locations: ["HTTPS://Two.test:443/x/./", "https://one.test/", "https://one.test"],
      actions: ["b/c", "a/*", "a/b", "b/**", "a/*"],
      datatypes: ["public", "personal", "public"],
    }),
    {
      ...SAMPLE(),
      locations: ["https://one.test", "https://two.test/x/"],
      actions: ["a/*", "b/**"],
      datatypes: ["personal", "public"],
    },
  );
});

t.test("what is empty means nothing", async (t) => {
  for (const empty of [{ locations: [] }, { actions: [] }, { uses: 0 }]) {
    const mandate = { ...SAMPLE(), ...empty };
    t.ok(isNothing(mandate));
    t.notOk(allowedBits(mandate).some((bits) => bits !== 0));
    t.notOk(REQUESTS.some((request) => allows(mandate, request)));
  }
  const labelled = { ...SAMPLE(), datatypes: [] };
  t.notOk(isNothing(labelled), "data without a label can be touched");
  t.notOk(REQUESTS.some((request) => request.datatypes.length > 0 && allows(labelled, request)));
  t.notOk(isNothing(SAMPLE()));
  t.notOk(isNothing({ ...SAMPLE(), locations: "any", actions: "any" }));
});

t.test("each limit holds by itself, and says what is beyond it", async (t) => {
  const parent = SAMPLE();
  const rows: readonly [Partial<Mandate>, RegExp][] = [
    [{ locations: "any" }, /^any location$/],
    [{ locations: ["https://two.test/x"] }, /^location "https:\/\/two\.test\/x"$/],
    [{ actions: "any" }, /^any action$/],
    [{ actions: ["a/**"] }, /^action "a\/\*\*"$/],
    [{ actions: ["a/*", "b"] }, /^action "b"$/],
    [{ datatypes: "any" }, /^any datatype$/],
    [{ datatypes: ["personal"] }, /^datatype "personal"$/],
    [{ uses: 4 }, /^uses 4, at most 3$/],
    [{ uses: undefined }, /^uses without limit, at most 3$/],
    [{ depth: 3 }, /^depth 3, at most 2$/],
    [{ maxSensitivity: 3 }, /^max_sensitivity 3, at most 2$/],
    [{ untilUnixSeconds: 2501 }, /^until 2501, at most 2500$/],
    [{ untilUnixSeconds: undefined }, /^until without limit, at most 2500$/],
    [{ environment: "lab" }, /^environment "lab" in place of "prod"$/],
    [{ environment: "*" }, /^environment "\*" in place of "prod"$/],
    [{ environment: "PROD" }, /^environment "PROD" in place of "prod"$/],
  ];
  for (const [change, finding] of rows) {
    const child = { ...parent, ...change };
    t.notOk(leq(child, parent), finding.source);
    const found = excess(child, parent);
    t.equal(found.length, 1);
    t.match(found[0], finding);
  }
  t.ok(leq(parent, parent));
  t.same(excess(parent, parent), []);
  const wide = { ...parent, uses: undefined, untilUnixSeconds: undefined, environment: "*" };
  t.ok(leq(parent, wide), "a limit is less than none");
});

t.test("two patterns that cover a third together do not cover it", async (t) => {
  // Decided so: each child pattern must be covered by one parent pattern. Never wider, at times stricter.
  const parent = { ...SAMPLE(), actions: ["a", "*/**"] };
  t.notOk(leq({ ...SAMPLE(), actions: ["**"] }, parent));
});

t.test("what is no action and no location is allowed by nothing, not even by any", async (t) => {
  const any: Mandate = { ...SAMPLE(), locations: "any", actions: "any" };
  const request = { location: "https://one.test", action: "a/b", at: new Date(1000) };
  t.ok(allows(any, request));
  for (const action of ["", "a/*", "**", "a//b", "a/../b", "a/%62", "a\\b", "a/b/", "A%2fb"]) {
    t.notOk(allows(any, { ...request, action }), action);
    t.notOk(allows({ ...any, actions: ["**"] }, { ...request, action }), action);
  }
  for (const location of ["", "any", "*", "one.test", "https://u@one.test", "https://one.test#a"]) {
    t.notOk(allows(any, { ...request, location }), location);
  }
  for (const location of ["HTTPS://ONE.test:443/", "https://one.test/a/.."]) {
    t.ok(allows(SAMPLE(), { ...request, location }), location);
  }
});

t.test("NaN and other numbers that are none are no way through", async (t) => {
  const request = { location: "https://one.test", action: "a/b", at: new Date(1000) };
  t.ok(allows(SAMPLE(), request));
  t.notOk(allows(SAMPLE(), { ...request, at: new Date(Number.NaN) }));
  t.notOk(allows(SAMPLE(), { ...request, sensitivity: Number.NaN }));
  t.notOk(leq({ ...SAMPLE(), uses: Number.NaN }, SAMPLE()));
  t.notOk(leq(SAMPLE(), { ...SAMPLE(), depth: Number.NaN }));
});

t.test("refuses mandates that make no sense", async (t) => {
  const many = Array.from({ length: 65 }, (_, i) => `n${i}`);
  const rows: readonly [string, Partial<Mandate>, string][] = [
    ["too many actions", { actions: many }, "MANDATE_INVALID"],
    ["too many locations", { locations: many.map((n) => `urn:${n}`) }, "MANDATE_INVALID"],
    ["too many datatypes", { datatypes: many }, "MANDATE_INVALID"],
    ["an empty datatype", { datatypes: [""] }, "MANDATE_INVALID"],
    ["a long datatype", { datatypes: ["a".repeat(129)] }, "MANDATE_INVALID"],
    ["a pattern that is none", { actions: ["a//b"] }, "ACTION_INVALID"],
    ["a location that is none", { locations: ["one.test"] }, "LOCATION_INVALID"],
    ["no environment", { environment: "" }, "MANDATE_INVALID"],
    ["a pattern of environments", { environment: "prod*" }, "MANDATE_INVALID"],
    ["negative uses", { uses: -1 }, "MANDATE_INVALID"],
    ["half a use", { uses: 0.5 }, "MANDATE_INVALID"],
    ["more uses than numbers count", { uses: 2 ** 53 }, "MANDATE_INVALID"],
    ["depth beyond all", { depth: 33 }, "MANDATE_INVALID"],
    ["no number", { maxSensitivity: Number.NaN }, "MANDATE_INVALID"],
    ["an end before all time", { untilUnixSeconds: 0 }, "MANDATE_INVALID"],
    ["an end after all time", { untilUnixSeconds: 1e12 }, "MANDATE_INVALID"],
  ];
  for (const [name, change, reason] of rows) {
    const expected = { reason, code: 3 };
    t.throws(() => validateMandate({ ...SAMPLE(), ...change }), expected, name);
  }
  t.doesNotThrow(() => validateMandate({ ...SAMPLE(), actions: many.slice(1) }));
});

t.test("a meet that cannot be written in a mandate is refused, not cut", async (t) => {
  const a = Array.from({ length: 9 }, (_, i) => `a${i}/*`);
  const b = Array.from({ length: 9 }, (_, i) => `*/b${i}`);
  const one = { ...SAMPLE(), actions: a };
  const invalid = { reason: "MANDATE_INVALID", code: 3, hint: /fewer/ };
  t.throws(() => meet(one, { ...SAMPLE(), actions: b }), invalid);
  t.equal(meet(one, { ...SAMPLE(), actions: b.slice(0, 7) })?.actions.length, 63);
});

t.test("knows what only administrators may write", async (t) => {
  t.notOk(hasAny(SAMPLE()));
  for (const any of [{ locations: "any" }, { actions: "any" }, { datatypes: "any" }] as const) {
    t.ok(hasAny({ ...SAMPLE(), ...any }));
  }
  t.ok(hasAny({ ...SAMPLE(), environment: "*" }));
});
