// Bundles and the CA's journal as records: what is written is what is read, and who sees which change when.
import { join } from "node:path";
import t, { type Test } from "tap";
import type { Bundle } from "../../../pki/bundle/bundle.ts";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import { decodeBundle, encodeBundle } from "../../../server/store/bundle-record.ts";
import { BundleStore } from "../../../server/store/bundles.ts";
import { openLevelLog } from "../../../server/store/engine-level.ts";
import {
  type AuthorityRecord,
  decodeJournal,
  encodeJournal,
  readJournals,
} from "../../../server/store/journal.ts";
import { settle } from "../../support/clock.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

const bundle: Bundle = {
  trustDomain: TrustDomain.parse("south.test"),
  x509Authorities: [
    { der: bytes(1, 2, 3), tainted: false },
    { der: bytes(4), tainted: true },
  ],
  jwtAuthorities: [
    { keyId: "a", spki: bytes(5, 6), expiresAt: new Date("2030-01-01T00:00:00Z"), tainted: false },
    { keyId: "b", spki: bytes(7), expiresAt: undefined, tainted: true },
  ],
  witAuthorities: [
    { keyId: "w", spki: bytes(8), expiresAt: new Date("2030-01-02T00:00:00Z"), tainted: true },
  ],
  sequence: 18_446_744_073_709_551_615n,
  refreshHintSeconds: 60,
};

const authority: AuthorityRecord = {
  kind: "x509",
  authorityId: "ab",
  keyId: "ca-x509-1",
  status: "active",
  tainted: false,
  notBefore: new Date("2030-01-01T00:00:00Z"),
  notAfter: new Date("2030-01-02T00:00:00Z"),
  publishedAt: new Date("2030-01-01T00:00:10.123Z"),
  publishedSequence: 9_007_199_254_740_993n,
  spki: bytes(1, 2),
  certificate: bytes(3, 4),
};

async function open(t: Test) {
  const log = await openLevelLog({ folder: join(t.testdir({}), "store") });
  t.teardown(() => log.close());
  const start = async () => {
    const store = await BundleStore.start(log);
    t.teardown(() => store.stop());
    return store;
  };
  return { log, start };
}

t.test(
  "reads the bundle that was written, taints, expiry and 64-bit sequence numbers too",
  async (t) => {
    t.strictSame(decodeBundle("k", encodeBundle(bundle)), bundle);
  },
);

t.test("a record from before there were WIT keys has none", async (t) => {
  const { wit, ...old } = JSON.parse(Buffer.from(encodeBundle(bundle)).toString());
  t.equal(wit.length, 1);
  const read = decodeBundle("k", Buffer.from(JSON.stringify(old)));
  t.strictSame(read, { ...bundle, witAuthorities: [] });
  t.notOk("wit" in JSON.parse(Buffer.from(encodeBundle(read)).toString()));
});

t.test("reads the journal that was written", async (t) => {
  const { certificate: _, ...jwt } = { ...authority, kind: "jwt" as const, tainted: true };
  t.strictSame(decodeJournal("k", encodeJournal([authority, jwt])), [authority, jwt]);
  t.strictSame(decodeJournal("k", encodeJournal([])), []);
});

t.test("says so when a record makes no sense", async (t) => {
  const expected = { name: "IdentityError", reason: "STORE_CORRUPT", message: /record k / };
  const rows = ["", "null", "{}", '{"trust_domain":"UP"}', "not JSON"];
  for (const text of rows) t.throws(() => decodeBundle("k", Buffer.from(text)), expected, text);
  const bad = {
    ...authority,
    notAfter: "never",
    publishedSequence: "1",
    spki: "",
    certificate: "",
  };
  for (const text of ["", "null", "{}", JSON.stringify({ authorities: [bad] })]) {
    t.throws(() => decodeJournal("k", Buffer.from(text)), expected, text);
  }
});

t.test("answers what was changed at once, to itself and soon to others", async (t) => {
  const { start } = await open(t);
  const [one, other] = [await start(), await start()];
  const seen: (bigint | undefined)[] = [];
  other.onChange((changes) => seen.push(...changes.map(({ after }) => after?.sequence)));
  await one.change(async (bundles) => bundles.put(bundle));
  t.strictSame(one.get("south.test"), bundle);
  await one.change(async (bundles) => bundles.delete(bundle.trustDomain));
  t.equal(one.get("south.test"), undefined);
  while (seen.length < 2) await settle(1);
  t.strictSame(seen, [bundle.sequence, undefined]);
  t.strictSame(other.list(), []);
});

t.test("loses no change when many decide at once", async (t) => {
  const { start } = await open(t);
  const stores = [await start(), await start()];
  const grow = (store: BundleStore | undefined, keyId: string) =>
    store?.change(async (bundles) => {
      const before = (await bundles.get(bundle.trustDomain)) ?? { ...bundle, jwtAuthorities: [] };
      const key = { keyId, spki: bytes(1), expiresAt: undefined, tainted: false };
      bundles.put({ ...before, jwtAuthorities: [...before.jwtAuthorities, key] });
    });
  await Promise.all(Array.from({ length: 20 }, (_, i) => grow(stores[i % 2], `k${i}`)));
  const latest = await start();
  t.equal(latest.get("south.test")?.jwtAuthorities.length, 20);
});

t.test("lists bundles by name, and has them after a restart", async (t) => {
  const { start } = await open(t);
  const store = await start();
  for (const name of ["c.test", "a.test", "b.test"]) {
    await store.change(async (bundles) =>
      bundles.put({ ...bundle, trustDomain: TrustDomain.parse(name) }),
    );
  }
  const names = (one: BundleStore) => one.list().map(({ trustDomain }) => trustDomain.name);
  t.strictSame(names(store), ["a.test", "b.test", "c.test"]);
  t.strictSame(names(await start()), ["a.test", "b.test", "c.test"]);
});

t.test("reads every journal of the store", async (t) => {
  const { log } = await open(t);
  const puts = ["one", "two"].map((id) => ({
    key: `ca-journal/${id}`,
    value: encodeJournal([{ ...authority, authorityId: id }]),
  }));
  await log.commit({ puts });
  t.strictSame(
    (await readJournals(log)).map(({ id, authorities }) => [id, authorities[0]?.authorityId]),
    [
      ["one", "one"],
      ["two", "two"],
    ],
  );
});
