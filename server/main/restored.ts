// A step of the start: is the store an older one than others have seen? A copy that was put back knows
// nothing of what ended since, so nothing that is open in it may go on. The audit log knows (each event
// names how far the store was), the last checkpoint of a log that was put back with it, node agents by
// their cursors, and an operator who says so. Another epoch begins then, in one commit: from it on a
// start goes on with what a start before it did not finish. Who ends the tasks: server/tasks/restored.ts.
import { join } from "node:path";
import type { Clock } from "../../runtime/clock.ts";
import type { ServerConfig } from "../config.ts";
import { serverError } from "../errors.ts";
import { openLevelLog } from "../store/engine-level.ts";
import { formatPosition, isLater, StoreEpoch, type StorePosition } from "../store/epoch.ts";
import { claimStore } from "../store/owner.ts";
import { TaskStore } from "../store/tasks.ts";
import type { Audit } from "./audit.ts";
import type { Base } from "./base.ts";
import type { Stores } from "./stores.ts";

/** Tells of a node agent that has seen more of the store than there is. */
export type OnAhead = (agentId: string, position: StorePosition) => void;

/** Compares the store with what the log knows of it. Before anything is issued or answered. */
export async function noticeRestored(
  { log, clock, metrics }: Base,
  { epoch }: Pick<Stores, "epoch">,
  { log: audit, seen }: Pick<Audit, "log" | "seen">,
): Promise<void> {
  metrics.gauge({
    name: "restored_at_seconds",
    help: "When this store was last noticed to be an older one that was put back (Unix time); 0: never",
    read: () => epoch.epoch,
  });
  const { openedAt } = epoch;
  const why = await whyOlder(seen, epoch, audit.gap);
  if (why !== undefined && (await epoch.begin(why, clock.now(), seen?.epoch))) {
    log.error(
      {
        store: formatPosition(openedAt),
        ...(seen !== undefined && { seen: formatPosition(seen) }),
        ...audit.gap,
        why,
      },
      "the store is older than it was: a backup was restored; every open task ends before anything is served",
    );
  }
}

async function whyOlder(
  seen: StorePosition | undefined,
  epoch: StoreEpoch,
  gap: Audit["log"]["gap"],
): Promise<string | undefined> {
  if (seen !== undefined && isLater(seen, epoch.openedAt)) {
    return "the audit log knows of later changes";
  }
  // A log that lost its end beside a store that remembers it is no reason to end anything.
  if (gap !== undefined && (await epoch.auditSize()) <= gap.found) {
    return "a checkpoint that was kept elsewhere knows of later events";
  }
  return undefined;
}

/**
 * What to do about a node agent that is ahead: the server ends with an error, and starts as one that was
 * restored. Nothing is ended while others are served.
 */
export function watchForAhead(
  { log, clock, lifecycle }: Pick<Base, "log" | "clock" | "lifecycle">,
  { epoch }: Pick<Stores, "epoch">,
): OnAhead {
  const noticed = Promise.withResolvers<never>();
  lifecycle.run("restored store", (signal) => {
    const stopped = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => stopped.resolve(), { once: true });
    return Promise.race([stopped.promise, noticed.promise]);
  });
  return (agentId, position) => {
    const details = {
      agent_id: agentId,
      store: formatPosition(epoch.position),
      seen: formatPosition(position),
    };
    log.error(details, "a node agent has seen a later store than this one: a backup was restored");
    epoch.begin("a node agent knows of later changes", clock.now(), position.epoch).then(
      () =>
        noticed.reject(
          serverError(
            "STORE_RESTORED",
            "the store is older than what a node agent has seen of it",
            {
              hint: "start the server again: it ends every open task before it serves",
            },
          ),
        ),
      (error: unknown) => noticed.reject(error),
    );
  };
}

/** What an operator's word has done. */
export interface Marked {
  /** It had been noticed or said before, and no start has come since. */
  readonly wasMarked: boolean;
  /** Tasks that the next start ends. */
  readonly openTasks: number;
}

/**
 * An operator says that the store was put back from a copy; the next start does the rest. One commit.
 * @throws STORE_LOCKED while a server runs, STORE_UNUSABLE and others
 */
export async function markRestored(config: ServerConfig, clock: Clock): Promise<Marked> {
  const store = await openLevelLog({ folder: join(config.dataDir, "store") });
  try {
    await claimStore(store, config.trustDomain);
    const tasks = await TaskStore.start(store);
    const epoch = await StoreEpoch.open(store);
    const isNew = await epoch.begin("an operator said so", clock.now());
    const openTasks = tasks.size;
    await tasks.stop();
    return { wasMarked: !isNew, openTasks };
  } finally {
    await store.close();
  }
}
