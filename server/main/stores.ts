// First step of the start: the store and what is held of it in memory.
import { join } from "node:path";
import { ensureDir } from "../../runtime/files.ts";
import { AuthorizedEntries } from "../entries/authorized.ts";
import { EntryIndex } from "../entries/index.ts";
import { LinkHub } from "../link/hub.ts";
import { Reach } from "../link/reach.ts";
import { SHIPPED_CLASSES } from "../registry/shipped-classes.ts";
import { AiAgentStore } from "../store/ai-agents.ts";
import { BundleStore } from "../store/bundles.ts";
import { CrlStore } from "../store/crls.ts";
import { openLevelLog } from "../store/engine-level.ts";
import { EntryStore } from "../store/entries.ts";
import { EntryOwnerStore } from "../store/entry-owners.ts";
import { StoreEpoch } from "../store/epoch.ts";
import type { OrderedLog } from "../store/log.ts";
import { NodeStore } from "../store/nodes.ts";
import { claimStore } from "../store/owner.ts";
import { RevocationStore } from "../store/revocations.ts";
import { TaskClassStore } from "../store/task-classes.ts";
import { TaskStore } from "../store/tasks.ts";
import { TokenStore } from "../store/tokens.ts";
import type { Base } from "./base.ts";

/** The store, and every kind of record in memory. */
export interface Stores {
  readonly store: OrderedLog;
  readonly epoch: StoreEpoch;
  readonly entries: EntryStore;
  readonly nodes: NodeStore;
  readonly bundles: BundleStore;
  readonly tokens: TokenStore;
  readonly revocations: RevocationStore;
  readonly crls: CrlStore;
  readonly entryOwners: EntryOwnerStore;
  readonly aiAgents: AiAgentStore;
  readonly taskClasses: TaskClassStore;
  readonly tasks: TaskStore;
  readonly index: EntryIndex;
  readonly authorized: AuthorizedEntries;
  readonly hub: LinkHub;
}

/** The store and what is held of it in memory, and the hub that tells agents of its changes. */
export async function openStores({
  config,
  log,
  clock,
  lifecycle,
  metrics,
}: Base): Promise<Stores> {
  const { trustDomain, dataDir } = config;
  // Others may pass through to a socket in it; what is private lies in folders of mode 0700 below.
  await ensureDir(dataDir, 0o711);
  const store = await openLevelLog({ folder: join(dataDir, "store") });
  lifecycle.own("store", () => store.close());
  await claimStore(store, trustDomain);
  const epoch = await StoreEpoch.open(store);
  await epoch.beginRun();
  const now = (): Date => clock.now();
  const entries = await EntryStore.start({ log: store, now });
  lifecycle.own("entries", () => entries.stop());
  const nodes = await NodeStore.start({ log: store, now, entries });
  lifecycle.own("agents", () => nodes.stop());
  const bundles = await BundleStore.start(store);
  lifecycle.own("bundles", () => bundles.stop());
  const tokens = new TokenStore({ log: store, now });
  const index = new EntryIndex({ source: entries, trustDomain });
  const authorized = new AuthorizedEntries({ index, nodes, now });
  const revocations = await RevocationStore.start(store);
  lifecycle.own("revocations", () => revocations.stop());
  const crls = await CrlStore.start(store);
  lifecycle.own("revocation lists", () => crls.stop());
  const entryOwners = await EntryOwnerStore.start(store);
  lifecycle.own("entry owners", () => entryOwners.stop());
  const aiAgents = await AiAgentStore.start(store);
  lifecycle.own("AI agents", () => aiAgents.stop());
  const taskClasses = await TaskClassStore.start(store, SHIPPED_CLASSES);
  lifecycle.own("task classes", () => taskClasses.stop());
  const tasks = await TaskStore.start(store);
  lifecycle.own("tasks in memory", () => tasks.stop());
  const reach = new Reach({ index, nodes });
  const sources = { entries, index, bundles, crls, revocations, nodes, tasks, taskClasses };
  const hub = new LinkHub({ trustDomain, ...sources, reach, log });
  lifecycle.own("link", () => hub.stop());
  metrics.gauge({ name: "entries", help: "Registration entries", read: () => entries.size });
  metrics.gauge({ name: "agents", help: "Attested node agents", read: () => nodes.size });
  metrics.gauge({ name: "link_sessions", help: "Open agent links", read: () => hub.size });
  const registry = { entryOwners, aiAgents, taskClasses, tasks };
  const issued = { revocations, crls };
  return {
    store,
    epoch,
    entries,
    nodes,
    bundles,
    tokens,
    ...issued,
    ...registry,
    index,
    authorized,
    hub,
  };
}
