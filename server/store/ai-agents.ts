// The AI agents: who owns each, what its tasks may get at most, until when. In memory, fed by the
// store's changes. An AI agent is keyed by its SPIFFE ID; which processes it is say ordinary registration
// entries. What makes one valid: server/registry/ai-agent-draft.ts.

import type { Mandate } from "../../policy/mandate.ts";
import { serverError } from "../errors.ts";
import type { OrderedLog } from "./log.ts";
import { type MandateJson, mandateFromJson, mandateToJson } from "./mandate-json.ts";
import { Replica, type ReplicaHandler } from "./replica.ts";
import { type Transaction, transact } from "./transaction.ts";

/** Why an AI agent gets nothing any more. */
export interface AiAgentEnd {
  readonly cause: "disabled" | "expired" | "deleted";
  readonly reason: string;
  readonly by: string;
  readonly atUnixSeconds: number;
  /** False until what it was issued is revoked and its tasks have ended: a restart goes on with that. */
  readonly isSettled: boolean;
}

export interface AiAgentRecord {
  readonly spiffeId: string;
  readonly owner: string;
  readonly purpose: string;
  readonly environment: string;
  readonly validUntilUnixSeconds: number;
  /** The most that any of its tasks may get. */
  readonly ceiling: Mandate;
  /** Names of the classes its tasks may have. */
  readonly taskClasses: readonly string[];
  /** "" when there is none, as the model. */
  readonly manifestHash: string;
  readonly modelId: string;
  readonly labels: Readonly<Record<string, string>>;
  /** 0 is the server's default. */
  readonly maxOpenTasks: number;
  /** AI agents that its processes may open tasks for: SPIFFE IDs, or path prefixes that end in "/*". */
  readonly mayHost: readonly string[];
  readonly end: AiAgentEnd | undefined;
  readonly createdAtUnixSeconds: number;
  readonly updatedAtUnixSeconds: number;
  /** The set that declared it, "" when it was made by hand. */
  readonly managedBy: string;
  /** Grows with every change. */
  readonly version: number;
}

/** Where they are kept: this, then the SPIFFE ID. */
export const AI_AGENT_PREFIX = "ai-agent/";

type Row = Omit<AiAgentRecord, "ceiling" | "end"> & {
  readonly ceiling: MandateJson;
  readonly end?: AiAgentEnd;
};

/**
 * One decision over AI agents, with whatever else `transaction` reads and writes in the same commit. Who
 * reads an AI agent here commits only if it is still the same: a task that is opened while its AI agent
 * is disabled is refused, or is there to be ended.
 */
export class AiAgentTransaction {
  readonly transaction: Transaction;

  constructor(transaction: Transaction) {
    this.transaction = transaction;
  }

  async get(spiffeId: string): Promise<AiAgentRecord | undefined> {
    await this.load([spiffeId]);
    return this.peek(spiffeId);
  }

  /** Reads many in one step, so that `peek` answers for them. */
  load(spiffeIds: readonly string[]): Promise<void> {
    return this.transaction.load(spiffeIds.map(keyOf));
  }

  /** One that was loaded before. */
  peek(spiffeId: string): AiAgentRecord | undefined {
    const key = keyOf(spiffeId);
    const value = this.transaction.peek(key);
    return value && decode(key, value);
  }

  put(record: AiAgentRecord): void {
    this.transaction.put(keyOf(record.spiffeId), encode(record));
  }

  delete(spiffeId: string): void {
    this.transaction.delete(keyOf(spiffeId));
  }
}

/** The AI agents, in memory, and the way to change them. */
export class AiAgentStore {
  readonly #log: OrderedLog;
  readonly #replica: Replica<AiAgentRecord>;
  /** SPIFFE IDs of those that may host others: few. */
  readonly #hosts = new Set<string>();

  private constructor(log: OrderedLog, replica: Replica<AiAgentRecord>) {
    this.#log = log;
    this.#replica = replica;
    for (const one of replica.values()) this.#noteHost(one.spiffeId, one);
    replica.onChange((changes) => {
      for (const { id, after } of changes) this.#noteHost(id, after);
    });
  }

  /** Reads every AI agent into memory and follows the log. */
  static async start(log: OrderedLog): Promise<AiAgentStore> {
    const replica = await Replica.start<AiAgentRecord>({
      log,
      prefix: AI_AGENT_PREFIX,
      decode: ({ key, value }) => decode(key, value),
      idOf: ({ spiffeId }) => spiffeId,
    });
    return new AiAgentStore(log, replica);
  }

  get size(): number {
    return this.#replica.size;
  }

  get revision(): number {
    return this.#replica.revision;
  }

  /** Why those in memory no longer follow the store, if they do not. */
  get failure(): unknown {
    return this.#replica.failure;
  }

  get(spiffeId: string): AiAgentRecord | undefined {
    return this.#replica.get(spiffeId);
  }

  /** The AI agent as the commit of `transaction` will find it: as memory has it, if that is so. */
  async getIn(transaction: Transaction, spiffeId: string): Promise<AiAgentRecord | undefined> {
    const held = this.#replica.get(spiffeId);
    const revision = this.#replica.revisionOf(spiffeId);
    if (held !== undefined && transaction.assume(keyOf(spiffeId), revision)) return held;
    return new AiAgentTransaction(transaction).get(spiffeId);
  }

  values(): Iterable<AiAgentRecord> {
    return this.#replica.values();
  }

  /** The AI agents that may host this one. */
  hostsOf(spiffeId: string): readonly AiAgentRecord[] {
    const hosts = [...this.#hosts].map((id) => this.#replica.get(id));
    return hosts.filter((one) => one !== undefined).filter((one) => mayHost(one, spiffeId));
  }

  /** Resolves once those in memory include the commit `revision`. */
  reached(revision: number): Promise<void> {
    return this.#replica.reached(revision);
  }

  /** Calls `handler` after each commit that changed AI agents, in order, none left out; returns its end. */
  onChange(handler: ReplicaHandler<AiAgentRecord>): () => void {
    return this.#replica.onChange(handler);
  }

  /**
   * Decides and commits; `get` shows the outcome before this resolves. Answers the revision too, for
   * others that hold what the same commit changed. `decide` may run several times.
   */
  async change<T>(
    decide: (agents: AiAgentTransaction) => Promise<T>,
  ): Promise<{ readonly result: T; readonly revision: number }> {
    const done = await transact(this.#log, (transaction) =>
      decide(new AiAgentTransaction(transaction)),
    );
    await this.#replica.reached(done.revision);
    return done;
  }

  async stop(): Promise<void> {
    await this.#replica.stop();
  }

  #noteHost(id: string, record: AiAgentRecord | undefined): void {
    if (record === undefined || record.mayHost.length === 0) this.#hosts.delete(id);
    else this.#hosts.add(id);
  }
}

/** Why an AI agent gets nothing now, if so: it was ended, or its time has come and nobody noticed yet. */
export function endOf(agent: AiAgentRecord, now: Date): AiAgentEnd["cause"] | undefined {
  if (agent.end !== undefined) return agent.end.cause;
  return agent.validUntilUnixSeconds * 1000 <= now.getTime() ? "expired" : undefined;
}

/** Whether processes of an AI agent may open tasks for another one. */
export function mayHost(
  { mayHost: all }: Pick<AiAgentRecord, "mayHost">,
  spiffeId: string,
): boolean {
  return all.some((one) =>
    one.endsWith("/*") ? spiffeId.startsWith(one.slice(0, -1)) : one === spiffeId,
  );
}

function keyOf(spiffeId: string): string {
  return AI_AGENT_PREFIX + spiffeId;
}

function encode(record: AiAgentRecord): Uint8Array {
  const { ceiling, end, ...rest } = record;
  const row: Row = { ...rest, ceiling: mandateToJson(ceiling), ...(end !== undefined && { end }) };
  return Buffer.from(JSON.stringify(row));
}

function decode(key: string, value: Uint8Array): AiAgentRecord {
  try {
    const row = JSON.parse(Buffer.from(value).toString("utf8")) as Row;
    return { ...row, ceiling: mandateFromJson(row.ceiling), end: row.end };
  } catch (cause) {
    throw serverError("STORE_CORRUPT", `the record ${key} is no AI agent`, {
      hint: "restore the store from a backup",
      cause,
    });
  }
}
