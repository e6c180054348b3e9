// The entry service over a real store, as its callers see it.
import type { Test } from "tap";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import type { Init } from "../../proto/codec.ts";
import type { ClientOf } from "../../proto/rpc/client.ts";
import { pairInProcess } from "../../proto/rpc/in-process.ts";
import { createRpcServer } from "../../proto/rpc/server.ts";
import { EntryService, type spire } from "../../proto/schema.gen.ts";
import type { Selector } from "../../proto/types/selector.ts";
import { entryApi } from "../../server/api/entry.ts";
import { AuthorizedEntries } from "../../server/entries/authorized.ts";
import { EntryIndex } from "../../server/entries/index.ts";
import { EntryStore } from "../../server/store/entries.ts";
import type { OrderedLog } from "../../server/store/log.ts";
import { openTestLog } from "./test-store.ts";

export type Wire = Init<spire.api.types.Entry>;
export type Client = ClientOf<typeof EntryService>;

export const AGENT = "spiffe://north.test/spire/agent/join_token/one";
export const id = (
  path: string,
  trustDomain = "north.test",
): { trustDomain: string; path: string } => ({
  trustDomain,
  path,
});
export const agentId = id("/spire/agent/join_token/one");

export async function serveEntries(
  t: Test,
): Promise<{ client: Client; store: EntryStore; log: OrderedLog }> {
  const log = await openTestLog(t);
  const now = (): Date => new Date("2026-01-01T00:00:00Z");
  const store = await EntryStore.start({ log, now });
  const trustDomain = TrustDomain.parse("north.test");
  const index = new EntryIndex({ source: store, trustDomain });
  const nodes = new Map<string, { selectors: Selector[] }>([[AGENT, { selectors: [] }]]);
  const server = createRpcServer({ onInternalError: (error) => t.error(error) });
  const api = entryApi({
    entries: store,
    index,
    authorized: new AuthorizedEntries({ index, nodes, now }),
    rules: { trustDomain, isFederated: (name) => name === "south.test" },
    agentOf: ({ peer }) => String(peer),
  });
  server.add(EntryService, api);
  const pair = await pairInProcess(server);
  t.teardown(async () => {
    await pair.close();
    await store.stop();
  });
  return { client: (await pair.connect(AGENT)).client(EntryService), store, log };
}

export function wire(changes: Wire = {}): Wire {
  return {
    spiffeId: id("/workload"),
    parentId: agentId,
    selectors: [{ type: "unix", value: "uid:1000" }],
    ...changes,
  };
}

export const numbered = (i: number): Wire =>
  wire({ id: `e${String(i).padStart(5, "0")}`, spiffeId: id(`/w/${i}`) });
