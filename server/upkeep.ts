// What the server does on its own: it tidies away what has expired, and watches whether it still
// follows its store. A server that does not would miss bans and revocations, so it is rather down than wrong.
import type { HealthStatuses } from "../proto/rpc/health.ts";
import { WHOLE_SERVER } from "../proto/rpc/health.ts";
import type { Clock } from "../runtime/clock.ts";
import { type ReadinessCheck, readiness } from "../runtime/health.ts";
import type { Logger } from "../runtime/log.ts";
import type { AuditLog } from "./audit/log.ts";
import type { Authorities } from "./ca/authority.ts";
import type { ServerIdentity } from "./identity.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { AiAgentStore } from "./store/ai-agents.ts";
import type { BundleStore } from "./store/bundles.ts";
import type { CrlStore } from "./store/crls.ts";
import type { EntryStore } from "./store/entries.ts";
import type { EntryOwnerStore } from "./store/entry-owners.ts";
import type { OrderedLog } from "./store/log.ts";
import type { NodeStore } from "./store/nodes.ts";
import type { RevocationStore } from "./store/revocations.ts";
import type { TaskClassStore } from "./store/task-classes.ts";
import type { TaskStore } from "./store/tasks.ts";
import type { TokenStore } from "./store/tokens.ts";

const PRUNE_EVERY_MS = 5 * 60_000;
const LOOK_EVERY_MS = 2000;

export interface UpkeepOptions {
  readonly store: OrderedLog;
  readonly entries: EntryStore;
  readonly nodes: NodeStore;
  readonly tokens: TokenStore;
  readonly bundles: Pick<BundleStore, "failure">;
  readonly crls: Pick<CrlStore, "failure">;
  readonly revocations: Pick<RevocationStore, "failure">;
  readonly aiAgents: Pick<AiAgentStore, "failure">;
  readonly taskClasses: Pick<TaskClassStore, "failure">;
  readonly entryOwners: Pick<EntryOwnerStore, "failure">;
  readonly tasks: Pick<TaskStore, "failure">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Deletes expired entries and join tokens, until the signal aborts. Issuing does not rely on it. */
export async function prune(options: UpkeepOptions, signal: AbortSignal): Promise<void> {
  const { entries, tokens, clock, log } = options;
  while (!signal.aborted) {
    try {
      for (const { id, spiffeId } of await entries.pruneExpired()) {
        log.audit({
          who: "server",
          method: "prune",
          object: id,
          outcome: "ok",
          spiffe_id: spiffeId,
        });
      }
      const count = await tokens.pruneExpired();
      if (count > 0) log.info({ count }, "expired join tokens deleted");
    } catch (error) {
      log.error({ error }, "could not delete what has expired; trying again");
    }
    await clock.sleep(PRUNE_EVERY_MS, signal).catch(() => undefined);
  }
}

/** Keeps grpc.health.v1 in step with the readiness checks, until the signal aborts. */
export async function reportHealth(
  checks: Readonly<Record<string, ReadinessCheck>>,
  statuses: HealthStatuses,
  { clock }: Pick<UpkeepOptions, "clock">,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    statuses.set(WHOLE_SERVER, (await readiness(checks)).ready);
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
  statuses.set(WHOLE_SERVER, false);
}

/** Ends with the store's failure, if it fails: what is in memory is then no longer the truth. */
export async function watchStore(options: UpkeepOptions, signal: AbortSignal): Promise<void> {
  const { store, entries, nodes, bundles, crls, revocations, clock } = options;
  const { aiAgents, taskClasses, entryOwners, tasks } = options;
  const issued = [entries, nodes, bundles, crls, revocations];
  const followers = [store, ...issued, aiAgents, taskClasses, entryOwners, tasks];
  while (!signal.aborted) {
    const failed = followers.find(({ failure }) => failure !== undefined);
    if (failed !== undefined) throw failed.failure;
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
}

/** What has to hold for the server to do its work. */
export function readinessChecks(parts: {
  readonly store: OrderedLog;
  readonly entries: EntryStore;
  readonly nodes: NodeStore;
  readonly authorities: Authorities;
  readonly identity: ServerIdentity;
  readonly ledger: Pick<Ledger, "failure">;
  readonly audit: Pick<AuditLog, "failure">;
}): Readonly<Record<string, ReadinessCheck>> {
  const { store, entries, nodes, authorities, identity, ledger, audit } = parts;
  return {
    store: () =>
      (store.failure ?? entries.failure ?? nodes.failure) === undefined ||
      "the store has failed, restart the server",
    authorities: () => {
      authorities.x509();
      authorities.jwt();
      if (authorities.makes("wit")) authorities.wit();
      return true;
    },
    ledger: () =>
      ledger.failure === undefined || "the ledger cannot be written, free or repair the disk",
    audit: () =>
      audit.failure === undefined || "the audit log cannot be written, free or repair the disk",
    identity: () => identity.isValid || "the server's own SVID has expired, or is not valid yet",
  };
}
