// The order of a workload's identities, from registration on a running server to the messages of a running
// node agent: entries that are made within one second, with IDs and over restarts that would shuffle them.
import t from "tap";
import { first, idsOf, StreamReader } from "../support/test-agent.ts";
import { eventually, TestTrustDomain } from "../support/trust-domain.ts";

const domain = new TestTrustDomain(t);
await domain.start();
const ids = (...paths: string[]) => paths.map((path) => `spiffe://north.test${path}`);

t.test(
  "WL-52 entries of one second keep the order of their making, over restarts and changes",
  async (t) => {
    const oldest = await domain.createEntry({ path: "/z", more: { id: "zzz" } });
    const stream = new StreamReader(domain.workload().fetchX509SVID({}));
    const next = () => eventually(async () => idsOf(await stream.next()));
    t.strictSame(await next(), ids("/z"));
    // Its ID sorts first, and it is made while the first one is hardly there.
    await domain.createEntry({ path: "/a", more: { id: "aaa" } });
    t.strictSame(await next(), ids("/z", "/a"), "one that is added does not come first");
    await domain.createEntry({ path: "/m", more: { id: "000" } });
    t.strictSame(await next(), ids("/z", "/a", "/m"));
    const { results } = await domain.entries.batchUpdateEntry({
      entries: [{ id: oldest.id, hint: "first" }],
      inputMask: { hint: true },
    });
    t.equal(results[0]?.status.code, 0);
    t.strictSame(await next(), ids("/z", "/a", "/m"), "after a change of the oldest");
    await stream.close();

    await domain.agent?.stop();
    await domain.server?.stop();
    await domain.startServer();
    await domain.createEntry({ path: "/b", more: { id: "0000" } });
    await (await domain.startAgent({ joinToken: undefined })).ready;
    const after = await eventually(() => first(domain.workload().fetchX509SVID({})));
    t.strictSame(idsOf(after), ids("/z", "/a", "/m", "/b"), "in a snapshot too");
    await domain.deleteEntry(oldest.id);
    await domain.createEntry({ path: "/z", more: { id: "zzz" } });
    await eventually(async () => {
      const found = idsOf(await first(domain.workload().fetchX509SVID({})));
      if (found.join() !== ids("/a", "/m", "/b", "/z").join()) throw new Error(found.join());
    });
  },
);
