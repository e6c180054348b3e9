// The registry over a real store, as its callers see it; what it asks of revocation and of tasks is noted.
import type { Test } from "tap";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import type { Init } from "../../proto/codec.ts";
import type { ClientOf } from "../../proto/rpc/client.ts";
import { pairInProcess } from "../../proto/rpc/in-process.ts";
import { createRpcServer } from "../../proto/rpc/server.ts";
import { EntryService, RegistryService, type signet, type spire } from "../../proto/schema.gen.ts";
import { silentLogger } from "../../runtime/log.ts";
import type { Caller } from "../../server/api/authorize.ts";
import { entryApi } from "../../server/api/entry.ts";
import { registryHandlers } from "../../server/api/registry.ts";
import { AuthorizedEntries } from "../../server/entries/authorized.ts";
import { EntryIndex } from "../../server/entries/index.ts";
import { AiAgents } from "../../server/registry/ai-agents.ts";
import { Apply } from "../../server/registry/apply.ts";
import { AiAgentEnds } from "../../server/registry/ends.ts";
import { SHIPPED_CLASSES } from "../../server/registry/shipped-classes.ts";
import { TaskClasses } from "../../server/registry/task-classes.ts";
import type { RevokeRequest } from "../../server/revocation/revoke.ts";
import { AiAgentStore } from "../../server/store/ai-agents.ts";
import { EntryStore } from "../../server/store/entries.ts";
import { EntryOwnerStore } from "../../server/store/entry-owners.ts";
import type { OrderedLog } from "../../server/store/log.ts";
import { TaskClassStore } from "../../server/store/task-classes.ts";
import { TestClock } from "./clock.ts";
import { openTestLog } from "./test-store.ts";

export const RESEARCHER = "spiffe://north.test/agent/researcher";
type Wire = Init<signet.registry.v1.AiAgent>;

/** The registry, and what was asked of others. */
export interface TestRegistry {
  readonly client: ClientOf<typeof RegistryService>;
  readonly entryClient: ClientOf<typeof EntryService>;
  readonly log: OrderedLog;
  readonly clock: TestClock;
  readonly agents: AiAgentStore;
  readonly entries: EntryStore;
  readonly owners: EntryOwnerStore;
  readonly ends: AiAgentEnds;
  /** "revoke ID reason", "end ID STATE reason" and "note TYPE ID", in their order. */
  readonly asked: string[];
  /** When set, revoking or ending fails so. */
  failure: Error | undefined;
  /** Runs until the test ends: expiry, and ends that were not concluded. */
  run(): void;
  /** As a process that ends: memory is gone, the store stays. */
  stop(): Promise<void>;
}

/** Starts it, over a new store or over one that another left behind. */
export async function startRegistry(
  t: Test,
  parts: { readonly log?: OrderedLog; readonly clock?: TestClock } = {},
): Promise<TestRegistry> {
  const log = parts.log ?? (await openTestLog(t));
  const clock = parts.clock ?? new TestClock("2030-01-01T00:00:00Z");
  const trustDomain = TrustDomain.parse("north.test");
  const now = (): Date => clock.now();
  const entries = await EntryStore.start({ log, now });
  const index = new EntryIndex({ source: entries, trustDomain });
  const agents = await AiAgentStore.start(log);
  const taskClasses = await TaskClassStore.start(log, SHIPPED_CLASSES);
  const owners = await EntryOwnerStore.start(log);
  const asked: string[] = [];
  const ask = async (what: string): Promise<void> => {
    if (registry.failure !== undefined) throw registry.failure;
    asked.push(what);
  };
  const tasks = {
    endAllOf: async (id: string, state: string, reason: string) => {
      await ask(`end ${id} ${state} ${reason}`);
      return 1;
    },
    endHostedBy: async (id: string, state: string, reason: string) => {
      await ask(`end hosted by ${id} ${state} ${reason}`);
      return 1;
    },
    countOf: () => 3,
    countHostedBy: () => 2,
  };
  const revoker = {
    revoke: async ({ target, reason, replace }: RevokeRequest) => {
      await ask(`revoke ${target.value} ${reason}${replace ? "" : " and hold"}`);
      return {} as never;
    },
  };
  const audit = {
    append: async ({
      type,
      agent,
    }: {
      readonly type: string;
      readonly agent?: string | undefined;
    }) => {
      await ask(`note ${type} ${agent}`);
      return {} as never;
    },
  };
  const ends = new AiAgentEnds({ agents, revoker, tasks, audit, clock, log: silentLogger });
  const rules = { trustDomain, isFederated: () => false };
  const held = { store: log, agents, classes: taskClasses, entries, index, ends, clock };
  const registered = new AiAgents(held);
  const apply = new Apply({ ...held, trustDomain, owners, registry: registered, rules });
  const classes = new TaskClasses({ classes: taskClasses, agents });
  const handlers = registryHandlers({
    ...{ trustDomain, aiAgents: agents, taskClasses, entryOwners: owners, index, rules },
    ...{ registry: registered, classes, tasks, apply },
  });
  const server = createRpcServer({ onInternalError: (error) => t.error(error) });
  server.add(RegistryService, handlers);
  const authorized = new AuthorizedEntries({ index, nodes: new Map(), now });
  server.add(EntryService, entryApi({ entries, index, authorized, rules, agentOf: () => "" }));
  const pair = await pairInProcess(server);
  const channel = await pair.connect({ kind: "local", uid: 7 } satisfies Caller);
  const ending = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let isStopped = false;
  const registry: TestRegistry = {
    client: channel.client(RegistryService),
    entryClient: channel.client(EntryService),
    ...{ log, clock, agents, entries, owners, ends, asked, failure: undefined },
    run() {
      running = ends.run(ending.signal);
    },
    async stop() {
      if (isStopped) return;
      isStopped = true;
      ending.abort();
      await running;
      await pair.close();
      index.stop();
      await Promise.all([owners, taskClasses, agents, entries].map((one) => one.stop()));
    },
  };
  t.teardown(() => registry.stop());
  return registry;
}

/** A valid AI agent, with what a test changes about it. */
export function aiAgent(changes: Wire = {}): Wire {
  return {
    spiffeId: RESEARCHER,
    owner: "team:support",
    purpose: "answers tickets",
    environment: "production",
    validUntil: seconds("2030-03-01T00:00:00Z"),
    ceiling: {
      locations: { values: ["https://mcp.north.test/tickets"] },
      actions: { values: ["tools/read/**"] },
    },
    taskClasses: ["read-only"],
    ...changes,
  };
}

/** An entry that processes of a user have, for a path such as "/agent/researcher". */
export function entryOf(
  path: string,
  changes: Init<spire.api.types.Entry> = {},
): Init<spire.api.types.Entry> {
  return {
    spiffeId: { trustDomain: "north.test", path },
    parentId: { trustDomain: "north.test", path: "/node" },
    selectors: [{ type: "unix", value: "uid:1000" }],
    ...changes,
  };
}

export function seconds(moment: string): number {
  return new Date(moment).getTime() / 1000;
}

/** What a call is refused with. */
export function refused(reason: string): { readonly reason: string; readonly message: RegExp } {
  return { reason, message: /./ };
}
