// Certificate policies through the validation of a path (RFC 5280 s6.1): pki/x509/policies.ts.
import t from "tap";
import { type Certificate, parseCertificate } from "../../../pki/x509/certificate.ts";
import { contextTag, Tag } from "../../../pki/x509/der.ts";
import { derElement, derObjectIdentifier, derSequence } from "../../../pki/x509/der-writer.ts";
import { ExtensionOid } from "../../../pki/x509/oid.ts";
import { validatePath } from "../../../pki/x509/path.ts";
import { LaxAuthority } from "../../support/lax-authority.ts";
import type { TestExtension } from "../../support/test-certificate.ts";

const now = new Date("2026-06-01T12:00:00Z");
const unmet = { reason: "SVID_POLICY", code: 3, hint: /compare/ };
const ANY = "2.5.29.32.0";
const [GOLD, SILVER, BRONZE] = [
  "1.3.6.1.4.1.65980.1",
  "1.3.6.1.4.1.65980.2",
  "1.3.6.1.4.1.65980.3",
];

const small = (tag: number, value: number) => derElement(tag, Uint8Array.of(value));
const extension = (oid: string, value: Uint8Array, critical = true): TestExtension => ({
  oid,
  critical,
  value,
});
const policies = (...oids: string[]): TestExtension =>
  extension(
    ExtensionOid.certificatePolicies,
    derSequence(...oids.map((oid) => derSequence(derObjectIdentifier(oid)))),
    false,
  );
const maps = (...pairs: readonly (readonly [string, string])[]): TestExtension =>
  extension(
    ExtensionOid.policyMappings,
    derSequence(...pairs.map((pair) => derSequence(...pair.map(derObjectIdentifier)))),
  );
const requires = (skip = 0): TestExtension =>
  extension(ExtensionOid.policyConstraints, derSequence(small(contextTag(0, false), skip)));
const noMapping = (skip = 0): TestExtension =>
  extension(ExtensionOid.policyConstraints, derSequence(small(contextTag(1, false), skip)));
const noAny = (skip = 0): TestExtension =>
  extension(ExtensionOid.inhibitAnyPolicy, small(Tag.integer, skip));

type Extras = readonly TestExtension[];

/** Validates a path whose certificates have these extensions, anchor first, leaf last. */
function check(rows: readonly Extras[], selfIssued: readonly number[] = []): true {
  const [anchorExtra = [], ...rest] = rows;
  const anchor = LaxAuthority.create({ extra: anchorExtra });
  let authority = anchor;
  for (const [i, extra] of rest.slice(0, -1).entries()) {
    const subject = selfIssued.includes(i + 1) ? { subject: authority.name } : {};
    authority = authority.intermediate({ extra, ...subject });
  }
  return accepts(authority.issue("/db", { extra: rest.at(-1) ?? [] }).chain, anchor.certificate);
}

function accepts(chain: readonly Uint8Array[], anchor: Certificate): true {
  const certificates = chain.map((der) => parseCertificate(der));
  validatePath(certificates, [anchor], now);
  return true;
}

const gold = policies(GOLD);
const silver = policies(SILVER);
const any = policies(ANY);

/** Anchor, intermediates, leaf; whether that is accepted; which intermediates are self-issued. */
const ROWS: readonly (readonly [string, readonly Extras[], boolean, (readonly number[])?])[] = [
  ["policies that nobody requires", [[], [gold], [silver]], true],
  ["no policies, nothing required", [[], [], []], true],
  ["a required policy down to the leaf", [[], [gold, requires()], [gold]], true],
  ["a required policy that the leaf lacks", [[], [gold, requires()], []], false],
  ["a required policy that the leaf has another of", [[], [gold, requires()], [silver]], false],
  ["a required policy that the middle lacks", [[], [gold, requires()], [], [gold]], false],
  ["one of several policies", [[], [policies(GOLD, SILVER), requires()], [silver]], true],
  ["any-policy above a policy", [[], [any, requires()], [gold]], true],
  ["a policy above any-policy", [[], [gold, requires()], [any]], true],
  ["any-policy everywhere", [[], [any, requires()], [any], [any]], true],
  ["an authority without policies that requires some", [[], [requires()], [gold]], false],
  ["a requirement of the anchor", [[requires()], [gold], [gold]], true],
  ["a requirement of the anchor, unmet", [[requires()], [], []], false],
  ["an anchor's own policies limit nothing", [[gold, requires()], [silver], [silver]], true],
  ["a requirement later", [[], [requires(3)], [], []], true],
  ["a requirement at the leaf", [[], [requires(2)], [], []], false],
  ["a requirement in time", [[], [requires(1)], [], []], false],
  ["the least requirement", [[], [requires(3)], [requires(1)], [], []], false],
  ["a requirement that no later one lifts", [[], [requires(1)], [requires(9)], [], []], false],
  ["self-issued authorities do not count", [[], [requires(2)], [], [], []], true, [2, 3]],
  ["self-issued authorities counted would fail", [[], [requires(2)], [], [], []], false],
  ["a leaf that requires what it has not", [[], [], [requires()]], false],
  ["a leaf that requires what it has", [[], [gold], [gold, requires()]], true],
  ["a leaf whose requirement is for others", [[], [], [requires(1)]], true],
  ["any-policy inhibited", [[], [gold, requires(), noAny()], [any]], false],
  ["any-policy inhibited, the policy itself", [[], [gold, requires(), noAny()], [gold]], true],
  ["any-policy inhibited later", [[], [gold, requires(), noAny(1)], [any], [gold]], true],
  ["any-policy inhibited in time", [[], [gold, requires(), noAny(1)], [any], [any]], false],
  [
    "any-policy inhibited, self-issued",
    [[], [gold, requires(), noAny()], [any], [gold]],
    true,
    [2],
  ],
  ["any-policy inhibited by the anchor", [[noAny(), requires()], [any], [gold]], false],
  ["any-policy inhibited, nothing required", [[], [noAny()], [any]], true],
  ["a mapping", [[], [gold, requires(), maps([GOLD, SILVER])], [silver]], true],
  ["a mapping replaces the policy", [[], [gold, requires(), maps([GOLD, SILVER])], [gold]], false],
  [
    "a mapping to several",
    [[], [gold, requires(), maps([GOLD, SILVER], [GOLD, BRONZE])], [policies(BRONZE)]],
    true,
  ],
  [
    "a mapping of another policy",
    [[], [gold, requires(), maps([SILVER, BRONZE])], [policies(BRONZE)]],
    false,
  ],
  ["a mapping under any-policy", [[], [any, requires(), maps([GOLD, SILVER])], [silver]], true],
  [
    "a mapping twice",
    [
      [],
      [gold, requires(), maps([GOLD, SILVER])],
      [silver, maps([SILVER, BRONZE])],
      [policies(BRONZE)],
    ],
    true,
  ],
  [
    "a mapping inhibited",
    [[noMapping()], [gold, requires(), maps([GOLD, SILVER])], [silver]],
    false,
  ],
  [
    "a mapping inhibited, nothing required",
    [[noMapping()], [gold, maps([GOLD, SILVER])], [silver]],
    true,
  ],
  [
    "a mapping inhibited later",
    [[noMapping(1)], [gold, requires(), maps([GOLD, SILVER])], [silver]],
    true,
  ],
  [
    "a mapping inhibited in time",
    [[noMapping(1)], [gold], [gold, requires(), maps([GOLD, SILVER])], [silver]],
    false,
  ],
];

for (const [title, rows, isAccepted, selfIssued] of ROWS) {
  t.test(`${isAccepted ? "accepts" : "refuses"} ${title}`, async (t) => {
    if (isAccepted) t.ok(check(rows, selfIssued));
    else t.throws(() => check(rows, selfIssued), unmet);
  });
}

t.test("refuses policies that it cannot read", async (t) => {
  const unreadable = { reason: "CERTIFICATE_INVALID", code: 3 };
  const { certificatePolicies, policyConstraints, policyMappings, inhibitAnyPolicy } = ExtensionOid;
  const policy = derObjectIdentifier(GOLD);
  const rows: [string, TestExtension][] = [
    ["no policy", extension(certificatePolicies, derSequence())],
    ["a policy twice", policies(GOLD, GOLD)],
    [
      "a policy with two lists",
      extension(
        certificatePolicies,
        derSequence(derSequence(policy, derSequence(), derSequence())),
      ),
    ],
    ["no mapping", extension(policyMappings, derSequence())],
    ["a mapping from any-policy", maps([ANY, GOLD])],
    ["a mapping to any-policy", maps([GOLD, ANY])],
    ["half a mapping", extension(policyMappings, derSequence(derSequence(policy)))],
    ["no constraint", extension(policyConstraints, derSequence())],
    [
      "a negative constraint",
      extension(policyConstraints, derSequence(small(contextTag(0, false), 0xff))),
    ],
    [
      "a constraint too many",
      extension(policyConstraints, derSequence(small(contextTag(2, false), 0))),
    ],
    ["a negative number", noAny(0xff)],
    ["no number", extension(inhibitAnyPolicy, derSequence())],
  ];
  for (const [title, extra] of rows) {
    for (const critical of [true, false]) {
      const bad = { ...extra, critical };
      const { oid } = extra;
      t.throws(() => check([[], [bad], []]), unreadable, title);
      const isLimit = oid === policyConstraints || oid === inhibitAnyPolicy;
      if (isLimit) t.throws(() => check([[bad], [], []]), unreadable, `${title} in an anchor`);
    }
  }
});

t.test("skips qualifiers of policies", async (t) => {
  const cps = derSequence(derSequence(derObjectIdentifier("1.3.6.1.5.5.7.2.1")));
  const value = derSequence(derSequence(derObjectIdentifier(GOLD), cps));
  const qualified = extension(ExtensionOid.certificatePolicies, value);
  t.ok(check([[], [gold, requires()], [qualified]]));
  t.throws(() => check([[], [silver, requires()], [qualified]]), unmet);
});

t.test("refuses what only authorities may say, critical in a leaf", async (t) => {
  const critical = { reason: "SVID_CRITICAL_EXTENSION", code: 3 };
  t.throws(() => check([[], [], [maps([GOLD, SILVER])]]), critical);
  t.throws(() => check([[], [], [noAny()]]), critical);
  t.ok(check([[], [], [{ ...noAny(), critical: false }]]));
});

t.test("does not grow a tree of policies beyond the certificates", async (t) => {
  // Each of 40 policies maps to all 40: a tree would have 40 ** 5 leaves.
  const oids = Array.from({ length: 40 }, (_, i) => `1.3.6.1.4.1.65980.9.${i}`);
  const pairs = oids.flatMap((from) => oids.map((to) => [from, to] as const));
  const level = [policies(...oids), maps(...pairs)];
  const rows = [[requires()], level, level, level, level, level, [policies(...oids.slice(0, 1))]];
  const chain = check(rows);
  t.ok(chain);
  const start = performance.now();
  t.throws(() => check([...rows.slice(0, -1), [silver]]), unmet);
  t.ok(performance.now() - start < 3000, `${performance.now() - start} ms`);
});
