import { join } from "node:path";
import t from "tap";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import { openLevelLog } from "../../../server/store/engine-level.ts";
import { claimStore } from "../../../server/store/owner.ts";

const [north, south] = ["north.test", "south.test"].map((name) => TrustDomain.parse(name)) as [
  TrustDomain,
  TrustDomain,
];

t.test("a store belongs to the trust domain that used it first, over restarts", async (t) => {
  const folder = join(t.testdir({}), "store");
  const store = await openLevelLog({ folder });
  await claimStore(store, north);
  await claimStore(store, north);
  t.equal(store.revision, 1, "written once");
  await store.close();
  const again = await openLevelLog({ folder });
  t.teardown(() => again.close());
  await t.resolves(claimStore(again, north));
  await t.rejects(claimStore(again, south), {
    reason: "STORE_UNUSABLE",
    code: 9,
    message: 'the store belongs to the trust domain "north.test", not to "south.test"',
  });
  t.equal(again.revision, 1);
});
