// Revoking a SPIFFE ID ends the tasks that are of it: those of an AI agent, those that it hosts, those on a node
// agent, or the one task that has the ID. Nobody who takes an identity back means its work to go on. A revocation
// of one document ends nothing. Looked at when the server starts too: it may have been killed in between; and with
// every task that is opened while its identity is held back.
import { IdentityError } from "../../pki/errors.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { parseTaskId } from "../../pki/task-id.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { ReplicaHandler } from "../store/replica.ts";
import type { RevocationRecord } from "../store/revocation-record.ts";
import { isOpen } from "../store/task-record.ts";
import type { Tasks } from "./tasks.ts";

export interface RevokedTasksOptions {
  readonly tasks: Pick<Tasks, "get" | "end" | "endAllOf" | "endHostedBy" | "endAllOn" | "onChange">;
  readonly revocations: {
    values(): Iterable<RevocationRecord>;
    onChange(handler: ReplicaHandler<RevocationRecord>): () => void;
  };
  readonly clock: Clock;
  readonly log: Logger;
}

const RETRY_MS = 5000;

export class RevokedTasks {
  readonly #options: RevokedTasksOptions;
  /** Revocations of whole SPIFFE IDs that hold them back, by SPIFFE ID, and how many tasks each has ended. */
  readonly #holding = new Map<string, { record: RevocationRecord; ended: Promise<number> }>();
  readonly #stopping = new AbortController();
  readonly #pending = new Set<Promise<unknown>>();
  readonly #stops: readonly (() => void)[];

  /** Ends what was left open, and follows from now on. */
  constructor(options: RevokedTasksOptions) {
    this.#options = options;
    const { tasks, revocations } = options;
    for (const record of revocations.values()) this.#take(record);
    this.#stops = [
      revocations.onChange((changes) => {
        for (const { before, after } of changes) {
          const gone = before?.target.value ?? "";
          if (this.#holding.get(gone)?.record.id === before?.id) this.#holding.delete(gone);
          if (after !== undefined) this.#take(after);
        }
      }),
      tasks.onChange((changes) => {
        if (this.#holding.size === 0) return;
        for (const { before, after } of changes) {
          if (after === undefined || !isOpen(after)) continue;
          // A task is opened, or claimed.
          if (before !== undefined && before.nodeAgent === after.nodeAgent) continue;
          for (const id of [after.agentId, after.nodeAgent, after.host]) {
            const holding = this.#holding.get(id);
            if (holding !== undefined) void this.#endAll(holding.record); // stop() waits for it
          }
        }
      }),
    ];
  }

  /** How many tasks a revocation has ended, once it has. */
  async endedBy({ id, target }: RevocationRecord): Promise<number> {
    const holding = this.#holding.get(target.value);
    return holding?.record.id === id ? holding.ended : 0;
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#stopping.abort();
    await Promise.all(this.#pending);
  }

  #take(record: RevocationRecord): void {
    const { target, hold } = record;
    // Without a hold it is the end of an AI agent, which ends its tasks in its own words: registry/ends.ts.
    if (target.kind !== "spiffe-id" || hold === undefined) return;
    if (hold.releasedAtUnixSeconds !== undefined) return;
    this.#holding.set(target.value, { record, ended: this.#endAll(record) });
  }

  /** Never rejects. */
  #endAll(record: RevocationRecord): Promise<number> {
    const ending = this.#tryUntilEnded(record).finally(() => this.#pending.delete(ending));
    this.#pending.add(ending);
    return ending;
  }

  async #tryUntilEnded(record: RevocationRecord): Promise<number> {
    const { clock, log } = this.#options;
    const about = { spiffe_id: record.target.value, revocation: record.id };
    while (!this.#stopping.signal.aborted) {
      try {
        const count = await this.#end(record);
        if (count > 0) log.info({ ...about, count }, "tasks of a revoked SPIFFE ID ended");
        return count;
      } catch (error) {
        log.error({ ...about, error }, "tasks of a revoked SPIFFE ID could not be ended");
        await clock.sleep(RETRY_MS, this.#stopping.signal).catch(() => undefined);
      }
    }
    return 0;
  }

  async #end({ target, reason, revokedBy }: RevocationRecord): Promise<number> {
    const { tasks } = this.#options;
    const { value } = target;
    const why = reason === "unspecified" ? "" : `: ${reason}`;
    const named = parseTaskId(SpiffeId.parse(value));
    if (named !== undefined) {
      const { ulid, agent } = named;
      // The same ULID below another AI agent is the name of nothing.
      if (tasks.get(ulid)?.agentId !== agent) return 0;
      const ending = { state: "REVOKED", reason: `its SPIFFE ID was revoked${why}` } as const;
      return tasks.end(ulid, { by: revokedBy }, ending).then(({ length }) => length, noneIfOver);
    }
    const of = (whose: string): string => `the SPIFFE ID of ${whose} was revoked${why}`;
    const counts = await Promise.all([
      tasks.endAllOf(value, "REVOKED", of("its AI agent"), revokedBy),
      tasks.endHostedBy(value, "REVOKED", of("its host"), revokedBy),
      tasks.endAllOn(value, "REVOKED", of("its node agent"), revokedBy),
    ]);
    return counts.reduce((sum, count) => sum + count, 0);
  }
}

/** It has ended by itself, or there never was one. */
function noneIfOver(error: unknown): number {
  const isOver =
    error instanceof IdentityError && ["TASK_ENDED", "TASK_NOT_FOUND"].includes(error.reason);
  if (isOver) return 0;
  throw error;
}
