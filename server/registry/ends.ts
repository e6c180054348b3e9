// The end of an AI agent, whatever the cause: it is in the store first, by which nothing is issued and
// opened any more; then what it was issued is revoked and its tasks end; then the record says that this
// is done, or goes. Killed in between, a restart goes on from the record. Here too is who notices that
// the time of an AI agent is over: a timer for the next moment, no polling.

import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { AuditLog } from "../audit/log.ts";
import type { Revoker } from "../revocation/revoke.ts";
import type { AiAgentEnd, AiAgentRecord, AiAgentStore } from "../store/ai-agents.ts";

/** Ends and counts the tasks of an AI agent. */
export interface AiAgentTasks {
  endAllOf(
    aiAgentId: string,
    state: "REVOKED" | "EXPIRED",
    reason: string,
    by: string,
  ): Promise<number>;
  /** Ends the tasks of others that it hosts. */
  endHostedBy(
    aiAgentId: string,
    state: "REVOKED" | "EXPIRED",
    reason: string,
    by: string,
  ): Promise<number>;
  countOf(aiAgentId: string): number;
  countHostedBy(aiAgentId: string): number;
}

export interface AiAgentEndsOptions {
  readonly agents: AiAgentStore;
  readonly revoker: Pick<Revoker, "revoke">;
  readonly tasks: AiAgentTasks;
  readonly audit: Pick<AuditLog, "append">;
  readonly clock: Clock;
  readonly log: Logger;
}

const RETRY_MS = 5000;
/** Expired AI agents that are noted in one commit. */
const EXPIRE_AT_ONCE = 500;
const SETTLE_AT_ONCE = 16;

export class AiAgentEnds {
  readonly #options: AiAgentEndsOptions;
  /** By SPIFFE ID: those that are being brought to their end now. */
  readonly #settling = new Map<string, Promise<void>>();

  constructor(options: AiAgentEndsOptions) {
    this.#options = options;
  }

  /** Notices who expires, and brings every end that was begun to its conclusion, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { agents, clock, log } = this.#options;
    let isWoken = false;
    let resolve = (): void => undefined;
    const wake = (): void => {
      isWoken = true;
      resolve();
    };
    const unsubscribe = agents.onChange(wake);
    signal.addEventListener("abort", wake, { once: true });
    while (!signal.aborted) {
      isWoken = false;
      let next: number | Date | undefined;
      try {
        await this.#expire();
        await this.settleAll([...agents.values()].filter(isUnsettled));
        next = this.#nextExpiry();
      } catch (error) {
        log.error({ error }, "could not bring an AI agent to its end; trying again");
        next = RETRY_MS;
      }
      const timer = next === undefined ? undefined : clock.setTimer(next, wake);
      await new Promise<void>((done) => {
        resolve = done;
        if (isWoken || signal.aborted) done();
      });
      timer?.cancel();
    }
    unsubscribe();
  }

  /** Concludes the ends of these, several at a time. @throws what stood in the way of one, once all were tried */
  async settleAll(records: Iterable<AiAgentRecord>): Promise<void> {
    const failures: unknown[] = [];
    const left = [...records].values();
    const work = async (): Promise<void> => {
      for (const { spiffeId } of left) {
        await this.settle(spiffeId).catch((error: unknown) => failures.push(error));
      }
    };
    await Promise.all(Array.from({ length: SETTLE_AT_ONCE }, work));
    if (failures.length > 0) throw failures[0];
  }

  /** Concludes the end of one, if it has one that is not concluded: when this resolves nothing of it is left. */
  settle(spiffeId: string): Promise<void> {
    const running = this.#settling.get(spiffeId);
    if (running !== undefined) return running;
    const begun = this.#settle(spiffeId).finally(() => this.#settling.delete(spiffeId));
    this.#settling.set(spiffeId, begun);
    return begun;
  }

  async #settle(spiffeId: string): Promise<void> {
    const { agents, revoker, tasks } = this.#options;
    const record = agents.get(spiffeId);
    if (record === undefined || !isUnsettled(record)) return;
    const { end } = record;
    await revoker.revoke({
      target: { kind: "spiffe-id", value: spiffeId },
      reason: end.cause === "disabled" ? "privilege-withdrawn" : "cessation-of-operation",
      // It is held back by its own record: a revocation's hold would have to be released besides.
      replace: true,
      force: true,
      by: end.by,
    });
    const state = end.cause === "expired" ? "EXPIRED" : "REVOKED";
    await tasks.endAllOf(spiffeId, state, sentenceOf("its AI agent", end), end.by);
    const host = "the AI agent that hosts it";
    await tasks.endHostedBy(spiffeId, state, sentenceOf(host, end), end.by);
    if (end.cause === "expired") await this.#noteExpiry(record);
    await agents.change(async (transaction) => {
      const now = await transaction.get(spiffeId);
      if (now === undefined || !isUnsettled(now)) return;
      if (now.end.cause === "deleted") transaction.delete(spiffeId);
      else transaction.put({ ...now, end: { ...now.end, isSettled: true } });
    });
  }

  /** Writes down that the time of some is over. */
  async #expire(): Promise<void> {
    const { agents, clock, log } = this.#options;
    const isDue = ({ end, validUntilUnixSeconds }: AiAgentRecord): boolean =>
      end === undefined && validUntilUnixSeconds * 1000 <= clock.now().getTime();
    const due = [...agents.values()].filter(isDue).map(({ spiffeId }) => spiffeId);
    for (let at = 0; at < due.length; at += EXPIRE_AT_ONCE) {
      const ids = due.slice(at, at + EXPIRE_AT_ONCE);
      const { result } = await agents.change(async (transaction) => {
        await transaction.load(ids);
        const expired: string[] = [];
        for (const id of ids) {
          const record = transaction.peek(id);
          if (record === undefined || !isDue(record)) continue;
          transaction.put({ ...record, end: this.#expiryOf(record) });
          expired.push(id);
        }
        return expired;
      });
      for (const object of result) {
        log.audit({ who: "server", method: "expire AI agent", object, outcome: "ok" });
      }
    }
  }

  /** Nobody called for it: other ends are in the audit log as the calls they are. */
  async #noteExpiry({ spiffeId, owner }: AiAgentRecord): Promise<void> {
    const event = { stream: "admin", type: "ai-agent.expired", outcome: "ok" } as const;
    const detail = { owner };
    await this.#options.audit.append(
      { ...event, agent: spiffeId, principal: "server", resource: spiffeId, detail },
      { durable: true },
    );
  }

  #expiryOf({ validUntilUnixSeconds }: AiAgentRecord): AiAgentEnd {
    const atUnixSeconds = validUntilUnixSeconds;
    return { cause: "expired", reason: "", by: "server", atUnixSeconds, isSettled: false };
  }

  #nextExpiry(): Date | undefined {
    let next = Number.POSITIVE_INFINITY;
    for (const { end, validUntilUnixSeconds } of this.#options.agents.values()) {
      if (end === undefined) next = Math.min(next, validUntilUnixSeconds);
    }
    return next === Number.POSITIVE_INFINITY ? undefined : new Date(next * 1000);
  }
}

type Unsettled = AiAgentRecord & { readonly end: AiAgentEnd };

function isUnsettled(record: AiAgentRecord): record is Unsettled {
  return record.end?.isSettled === false;
}

/** What its tasks say of why they ended. */
function sentenceOf(who: string, { cause, reason }: AiAgentEnd): string {
  if (cause === "expired") return `the time of ${who} is over`;
  const what = `${who} was ${cause}`;
  return reason === "" ? what : `${what}: ${reason}`;
}
