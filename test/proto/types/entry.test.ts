import t from "tap";
import type { Init } from "../../../proto/codec.ts";
import { codecOf, type spire } from "../../../proto/schema.gen.ts";
import { entryFromWire, entryToWire, updateEntry } from "../../../proto/types/entry.ts";

type Wire = spire.api.types.Entry;
const codec = codecOf("spire.api.types.Entry");
const wire = (entry: Init<Wire>): Wire => codec.decode(codec.encode(entry));

const FULL: Init<Wire> = {
  id: "e1",
  spiffeId: { trustDomain: "a.test", path: "/db" },
  parentId: { trustDomain: "a.test", path: "/node" },
  selectors: [{ type: "unix", value: "uid:1" }],
  x509SvidTtl: 60,
  jwtSvidTtl: 30,
  federatesWith: ["b.test"],
  admin: true,
  downstream: true,
  expiresAt: 4_000_000_000,
  dnsNames: ["db.a.test"],
  revisionNumber: 7,
  storeSvid: true,
  hint: "internal",
  createdAt: 1_700_000_000,
  additionalAttributes: { disableX509SvidPrefetch: true, jwtSvidIncludeJti: true },
};

t.test("an entry goes to the wire and back unchanged", async (t) => {
  const entry = entryFromWire(wire(FULL));
  t.equal(entry.spiffeId, "spiffe://a.test/db");
  t.strictSame(entryFromWire(wire(entryToWire(entry))), entry);
});

t.test("a mask keeps the ID and what it names", async (t) => {
  const entry = entryFromWire(wire(FULL));
  const { ...masked } = wire(entryToWire(entry, { hint: true, spiffeId: true }));
  const { ...expected } = wire({
    id: "e1",
    hint: "internal",
    spiffeId: { trustDomain: "a.test", path: "/db" },
  });
  t.same(masked, expected);
  t.same({ ...wire(entryToWire(entry, {})) }, { ...wire({ id: "e1" }) });
});

t.test("an update changes what its mask names, and never what is the server's", async (t) => {
  const entry = entryFromWire(wire(FULL));
  const update = wire({ id: "e1", hint: "new", x509SvidTtl: 9, revisionNumber: 99, createdAt: 5 });
  t.strictSame(updateEntry(entry, update, { hint: true }), { ...entry, hint: "new" });
  const attributes = updateEntry(entry, update, { additionalAttributes: true });
  t.strictSame(attributes, {
    ...entry,
    disableX509SvidPrefetch: false,
    jwtSvidIncludeJti: false,
  });
  const whole = updateEntry(entry, wire({ ...FULL, hint: "", revisionNumber: 99 }), undefined);
  t.strictSame(whole, { ...entry, hint: "" });
  t.throws(() => updateEntry(entry, update, { spiffeId: true }), {
    reason: "ENTRY_MALFORMED",
    code: 3,
  });
});

const BAD: { name: string; change: Init<Wire> }[] = [
  { name: "no SPIFFE ID", change: { spiffeId: undefined } },
  { name: "a parent that is no ID", change: { parentId: { trustDomain: "A", path: "" } } },
  { name: "a path without a slash", change: { spiffeId: { trustDomain: "a.test", path: "db" } } },
  { name: "a negative TTL", change: { x509SvidTtl: -1 } },
  { name: "a negative expiry", change: { expiresAt: -1 } },
  { name: "a selector without value", change: { selectors: [{ type: "unix" }] } },
  { name: "a bad federated domain", change: { federatesWith: ["B test"] } },
  { name: "a hint that is too long", change: { hint: "x".repeat(1025) } },
  { name: "an ID that is too long", change: { id: "x".repeat(256) } },
  { name: "a DNS name that is too long", change: { dnsNames: ["x".repeat(254)] } },
  { name: "too many DNS names", change: { dnsNames: Array(257).fill("x.test") } },
  {
    name: "10,000 selectors",
    change: { selectors: Array.from({ length: 10_000 }, (_, i) => ({ type: "a", value: `${i}` })) },
  },
];
for (const { name, change } of BAD) {
  t.test(`refuses ${name}`, async (t) => {
    t.throws(() => entryFromWire(wire({ ...FULL, ...change })), {
      reason: "ENTRY_MALFORMED",
      code: 3,
    });
  });
}
