// How AI agents come, change and go. Each decision is one commit, with preconditions on all that it read:
// the entries below its path for tasks, the classes it names, the record as it was. What follows from an
// end is ends.ts.

import type { IdentityError } from "../../pki/errors.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { EntryIndex } from "../entries/index.ts";
import { serverError } from "../errors.ts";
import {
  type AiAgentEnd,
  type AiAgentRecord,
  type AiAgentStore,
  type AiAgentTransaction,
  endOf,
} from "../store/ai-agents.ts";
import type { EntryDraft, EntryStore } from "../store/entries.ts";
import { createEntries, deleteEntries } from "../store/entry-changes.ts";
import { entryKey, peekEntry } from "../store/entry-records.ts";
import type { OrderedLog } from "../store/log.ts";
import type { TaskClassStore } from "../store/task-classes.ts";
import { watchTaskPaths } from "../store/task-paths.ts";
import type { AiAgentDraft } from "./ai-agent-draft.ts";
import type { AiAgentEnds } from "./ends.ts";
import { quote } from "./fields.ts";

export interface AiAgentsOptions {
  readonly store: OrderedLog;
  readonly agents: AiAgentStore;
  readonly classes: TaskClassStore;
  readonly entries: EntryStore;
  readonly index: EntryIndex;
  readonly ends: AiAgentEnds;
  readonly clock: Clock;
}

/** What an administrator says about ending one. */
export interface Ending {
  readonly reason: string;
  readonly by: string;
}

export class AiAgents {
  readonly #options: AiAgentsOptions;

  constructor(options: AiAgentsOptions) {
    this.#options = options;
  }

  /**
   * Makes one, with an entry that says which processes it is.
   * @throws AI_AGENT_EXISTS, AI_AGENT_INVALID, TASK_PATH_IN_USE, TASK_CLASS_NOT_FOUND, ENTRY_ALREADY_EXISTS
   */
  async create(draft: AiAgentDraft, entry: EntryDraft | undefined): Promise<AiAgentRecord> {
    const { entries } = this.#options;
    const { spiffeId } = draft;
    this.checkTerm(draft);
    const drawnUp = entry === undefined ? [] : entries.drawUp([entry]);
    const created = await this.#change(async (transaction) => {
      if ((await transaction.get(spiffeId)) !== undefined) throw exists(spiffeId);
      await this.checkPaths(transaction, [spiffeId]);
      await this.#checkClasses(transaction, draft.taskClasses);
      const record = this.recordOf(draft, "");
      transaction.put(record);
      const [outcome] = await createEntries(transaction.transaction, drawnUp);
      if (outcome?.conflict !== undefined) throw outcome.conflict;
      return record;
    });
    return created;
  }

  /**
   * Replaces what is declared of one. One whose time was over goes on when it gets more of it.
   * @throws AI_AGENT_NOT_FOUND, AI_AGENT_INVALID, RECORD_CHANGED, TASK_CLASS_NOT_FOUND
   */
  async update(draft: AiAgentDraft, expectedVersion: number): Promise<AiAgentRecord> {
    const { spiffeId } = draft;
    await this.#options.ends.settle(spiffeId);
    return await this.#change(async (transaction) => {
      const before = await this.#existing(transaction, spiffeId);
      if (expectedVersion !== 0 && expectedVersion !== before.version) throw changed(before);
      if (draft.validUntilUnixSeconds !== before.validUntilUnixSeconds) this.checkTerm(draft);
      await this.#checkClasses(transaction, draft.taskClasses);
      const after = this.recordOf(draft, before.managedBy, before);
      transaction.put(after);
      return after;
    });
  }

  /** Nothing more is issued to it, its tasks end, what it was issued is revoked. @throws AI_AGENT_NOT_FOUND */
  async disable(spiffeId: string, ending: Ending): Promise<AiAgentRecord> {
    const record = await this.#change(async (transaction) => {
      const before = await this.#existing(transaction, spiffeId);
      if (before.end?.cause === "disabled") return before;
      const end = this.#beginEnd("disabled", ending);
      const after = { ...this.#next(before), end };
      transaction.put(after);
      return after;
    });
    await this.#options.ends.settle(spiffeId);
    return this.#options.agents.get(spiffeId) ?? record;
  }

  /** It goes on; what was revoked and ended stays so. @throws AI_AGENT_NOT_FOUND, AI_AGENT_EXPIRED */
  async enable(spiffeId: string): Promise<AiAgentRecord> {
    await this.#options.ends.settle(spiffeId);
    return await this.#change(async (transaction) => {
      const before = await this.#existing(transaction, spiffeId);
      const now = this.#options.clock.now();
      if (before.end?.cause === "expired" || before.validUntilUnixSeconds * 1000 <= now.getTime()) {
        throw serverError("AI_AGENT_EXPIRED", `the time of the AI agent "${spiffeId}" is over`, {
          hint: "give it more with 'signet ai-agent update --until'",
        });
      }
      if (before.end === undefined) return before;
      const after = { ...this.#next(before), end: undefined };
      transaction.put(after);
      return after;
    });
  }

  /**
   * Ends it and deletes it, and its entries if asked to. @throws AI_AGENT_NOT_FOUND; AI_AGENT_HAS_ENTRIES
   * when it is disabled and its entries would be ordinary ones again
   */
  async delete(spiffeId: string, withEntries: boolean, ending: Ending): Promise<AiAgentRecord> {
    const { ends } = this.#options;
    await ends.settle(spiffeId);
    const record = await this.#change(async (transaction) => {
      const before = await this.#existing(transaction, spiffeId);
      const found = await this.entriesOf(transaction, spiffeId);
      if (withEntries) {
        await deleteEntries(
          transaction.transaction,
          found.map(({ id }) => id),
        );
      } else this.checkFreed(before, found);
      const after = this.ending(before, ending.reason, ending.by);
      transaction.put(after);
      return after;
    });
    await ends.settle(spiffeId);
    return record;
  }

  /** The record of a draft: new, or `before` as it is declared now. */
  recordOf(draft: AiAgentDraft, managedBy: string, before?: AiAgentRecord): AiAgentRecord {
    const now = this.#nowSeconds();
    const isBack = before?.end?.cause === "expired" && draft.validUntilUnixSeconds > now;
    return {
      ...draft,
      end: isBack ? undefined : before?.end,
      createdAtUnixSeconds: before?.createdAtUnixSeconds ?? now,
      updatedAtUnixSeconds: now,
      managedBy,
      version: (before?.version ?? 0) + 1,
    };
  }

  /** The record of one that is going to be deleted. */
  ending(before: AiAgentRecord, reason: string, by: string): AiAgentRecord {
    return { ...this.#next(before), end: this.#beginEnd("deleted", { reason, by }) };
  }

  /** @throws AI_AGENT_INVALID when its time would be over at once */
  checkTerm({ spiffeId, validUntilUnixSeconds }: AiAgentDraft): void {
    if (validUntilUnixSeconds > this.#nowSeconds()) return;
    const until = new Date(validUntilUnixSeconds * 1000).toISOString();
    throw serverError(
      "AI_AGENT_INVALID",
      `the AI agent ${quote(spiffeId)}: valid_until ${until} has passed`,
      { hint: "name a moment that is to come" },
    );
  }

  /**
   * Looks for entries among what are to be the tasks of new AI agents, those in `going` left out.
   * @throws TASK_PATH_IN_USE
   */
  async checkPaths(
    { transaction }: AiAgentTransaction,
    spiffeIds: readonly string[],
    going: ReadonlySet<string> = new Set(),
  ): Promise<void> {
    const { store, entries, index } = this.#options;
    await watchTaskPaths(transaction, spiffeIds);
    // What was committed before that read is in the index now; what comes later is a conflict.
    await entries.reached(store.revision);
    for (const spiffeId of spiffeIds) {
      for (const entry of index.belowTaskOf(spiffeId)) {
        if (!going.has(entry.id)) throw pathInUse(spiffeId, entry);
      }
    }
  }

  /** The entries of a SPIFFE ID, as the transaction sees them. */
  async entriesOf(
    { transaction }: AiAgentTransaction,
    spiffeId: string,
  ): Promise<RegistrationEntry[]> {
    const { store, entries, index } = this.#options;
    await entries.reached(store.revision);
    const ids = [...index.withSpiffeId(spiffeId)].map(({ id }) => id);
    await transaction.load(ids.map(entryKey));
    return ids
      .map((id) => peekEntry(transaction, id))
      .filter((entry) => entry !== undefined)
      .filter((entry) => entry.spiffeId === spiffeId);
  }

  /**
   * An AI agent that gets nothing must not get something again by being deleted: its entries alone would
   * be those of an ordinary workload. @throws AI_AGENT_HAS_ENTRIES
   */
  checkFreed(record: AiAgentRecord, left: readonly RegistrationEntry[]): void {
    const [entry] = left;
    const cause = endOf(record, this.#options.clock.now());
    if (entry === undefined || cause === undefined || cause === "deleted") return;
    throw serverError(
      "AI_AGENT_HAS_ENTRIES",
      `the AI agent "${record.spiffeId}" is ${cause}: without it, its entry "${entry.id}" would give its processes SVIDs again`,
      { hint: "delete it with its entries: --with-entries" },
    );
  }

  async #checkClasses(
    { transaction }: AiAgentTransaction,
    names: readonly string[],
  ): Promise<void> {
    const classes = this.#options.classes.within(transaction);
    await classes.load(names);
    for (const name of names) if (classes.peek(name) === undefined) throw classNotFound(name);
  }

  async #existing(transaction: AiAgentTransaction, spiffeId: string): Promise<AiAgentRecord> {
    const record = await transaction.get(spiffeId);
    if (record !== undefined && record.end?.cause !== "deleted") return record;
    throw aiAgentNotFound(spiffeId);
  }

  #beginEnd(cause: "disabled" | "deleted", { reason, by }: Ending): AiAgentEnd {
    return { cause, reason, by, atUnixSeconds: this.#nowSeconds(), isSettled: false };
  }

  #next(record: AiAgentRecord): AiAgentRecord {
    return { ...record, updatedAtUnixSeconds: this.#nowSeconds(), version: record.version + 1 };
  }

  /** Commits, and waits for all who hold what such a commit changes. */
  async #change(
    decide: (transaction: AiAgentTransaction) => Promise<AiAgentRecord>,
  ): Promise<AiAgentRecord> {
    const { result, revision } = await this.#options.agents.change(decide);
    await this.#options.entries.reached(revision);
    return result;
  }

  #nowSeconds(): number {
    return Math.floor(this.#options.clock.now().getTime() / 1000);
  }
}

/** The answer to a SPIFFE ID of no AI agent. */
export function aiAgentNotFound(spiffeId: string): IdentityError {
  return serverError("AI_AGENT_NOT_FOUND", `no AI agent has the SPIFFE ID ${quote(spiffeId)}`, {
    hint: "list them with 'signet ai-agent list'",
  });
}

/** The answer to a name of no task class. */
export function classNotFound(name: string): IdentityError {
  return serverError("TASK_CLASS_NOT_FOUND", `there is no task class ${quote(name)}`, {
    hint: "list them with 'signet task-class list'",
  });
}

function exists(spiffeId: string): IdentityError {
  return serverError("AI_AGENT_EXISTS", `there is an AI agent "${spiffeId}" already`, {
    hint: "change it with 'signet ai-agent update'",
  });
}

function changed({ spiffeId, version }: AiAgentRecord): IdentityError {
  return serverError(
    "RECORD_CHANGED",
    `the AI agent "${spiffeId}" was changed meanwhile: it has version ${version} now`,
    { hint: "look at it again and repeat the change" },
  );
}

function pathInUse(spiffeId: string, entry: RegistrationEntry): IdentityError {
  return serverError(
    "TASK_PATH_IN_USE",
    `entry "${entry.id}" has the SPIFFE ID "${entry.spiffeId}", which is to be that of a task of the AI agent "${spiffeId}"`,
    { hint: "delete the entry or give it another SPIFFE ID first" },
  );
}
