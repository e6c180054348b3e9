// SPIFFE IDs from one end of a running trust domain to the other: registered at the server, kept, sent to
// the node agent, issued in both kinds of SVID, and read by the client library.
import t from "tap";
import { fetchX509Svid } from "../../client/fetch.ts";
import { WorkloadApi } from "../../client/workload-api.ts";
import type { Init } from "../../proto/codec.ts";
import { createChannel } from "../../proto/rpc/client.ts";
import { BundleService, EntryService, type spire } from "../../proto/schema.gen.ts";
import { entryToWire } from "../../proto/types/entry.ts";
import { parseSelector } from "../../proto/types/selector.ts";
import { entryOf } from "../support/test-agent.ts";
import { eventually, OWN_UID, TestTrustDomain } from "../support/trust-domain.ts";

type Entry = Init<spire.api.types.Entry>;

const domain = new TestTrustDomain(t);
await domain.start();
const endpoint = `unix://${domain.folder}/agent.sock`;
const admin = createChannel({ address: { unix: domain.server?.adminSocket ?? "" } });
t.teardown(() => admin.close());
const parentId = await domain.agentId();
const [trustDomain = "", parentPath = ""] = [
  domain.name,
  parentId.slice("spiffe://north.test".length),
];

/** Registers an entry as written, unchecked by our own side; answers the status code. */
async function register(change: Entry): Promise<number | undefined> {
  const entry: Entry = {
    ...entryToWire(entryOf("x", { id: "", selectors: [parseSelector(OWN_UID)] })),
    parentId: { trustDomain, path: parentPath },
    ...change,
  };
  const { results } = await admin.client(EntryService).batchCreateEntry({ entries: [entry] });
  return results[0]?.status?.code;
}

const pathOf = (idLength: number) => `/${"x".repeat(idLength - "spiffe://north.test/".length)}`;

t.test("ID-18, ID-19 an ID of 2048 bytes goes all the way, and no longer one starts", async (t) => {
  const path = pathOf(2048);
  const id = `spiffe://north.test${path}`;
  t.equal(Buffer.byteLength(id), 2048);
  t.equal(await register({ spiffeId: { trustDomain, path: pathOf(2049) } }), 3);
  t.equal(await register({ spiffeId: { trustDomain, path } }), 0);
  const svid = await eventually(() => fetchX509Svid({ endpoint }));
  t.equal(svid.id.toString(), id);
  t.strictSame(svid.leaf.uris, [id]);
  const api = new WorkloadApi({ endpoint });
  t.teardown(() => api.close());
  const jwt = await api.fetchJwtSvid({ audience: "ledger", spiffeId: id });
  t.equal(jwt.id.toString(), id);
  t.equal((await api.validateJwtSvid(jwt.token, "ledger")).id.toString(), id);
});

t.test("ID-24 no relationship with a trust domain of the own name", async (t) => {
  const bundles = admin.client(BundleService);
  const own = await bundles.getBundle({});
  const set = async (name: string) => {
    const bundle = [{ ...own, trustDomain: name }];
    const { results } = await bundles.batchSetFederatedBundle({ bundle });
    return results[0]?.status?.code;
  };
  t.equal(await set("south.test"), 0);
  t.equal(await set("north.test"), 3);
  const spiffeId = { trustDomain, path: "/federated" };
  t.equal(await register({ spiffeId, federatesWith: ["south.test"] }), 0);
  t.equal(
    await register({ spiffeId: { trustDomain, path: "/y" }, federatesWith: [trustDomain] }),
    3,
  );
});

t.test("WL-25 a hint of 1024 bytes is registered, a longer one refused", async (t) => {
  const spiffeId = { trustDomain, path: "/hinted" };
  t.equal(await register({ spiffeId, hint: "é".repeat(513) }), 3, "bytes, not characters");
  t.equal(await register({ spiffeId, hint: "h".repeat(1025) }), 3);
  t.equal(await register({ spiffeId, hint: "h".repeat(1024) }), 0);
});

t.test(
  "ID-03, ID-07, ID-12, ID-13, ID-14, ID-15 registration asks the same of an ID",
  async (t) => {
    const bad = [
      "/a?b",
      "/a#b",
      "/%61",
      "//a",
      "/a//b",
      "/a/../b",
      "/.",
      "/a/",
      "/",
      "a",
      "/é",
      "/a\0",
    ];
    for (const path of bad) {
      t.equal(await register({ spiffeId: { trustDomain, path } }), 3, JSON.stringify(path));
    }
    for (const name of ["North.test", "", "north.test:1", "u@north.test", "north.test/x"]) {
      t.equal(await register({ spiffeId: { trustDomain: name, path: "/a" } }), 3, name);
    }
    t.equal(await register({ spiffeId: { trustDomain, path: "/Zz9.-_/.../..x" } }), 0);
  },
);
