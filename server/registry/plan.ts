// A plan: what has to change for everything to be as declared. Made within a transaction, so that all
// that it looked at is a precondition of its commit; each change knows how to write itself. What is
// planned of entries is plan-entries.ts; what then happens is apply.ts.

import { setImmediate as nextTurn } from "node:timers/promises";
import { serverError } from "../errors.ts";
import { type AiAgentRecord, type AiAgentStore, AiAgentTransaction } from "../store/ai-agents.ts";
import type { TaskClassStore, TaskClassTransaction } from "../store/task-classes.ts";
import type { Transaction } from "../store/transaction.ts";
import { type AiAgents, aiAgentNotFound, classNotFound } from "./ai-agents.ts";
import {
  aiAgentFields,
  changesOf,
  type FieldChange,
  type Fields,
  NO_FIELDS,
  taskClassFields,
} from "./apply-fields.ts";
import { admit, type Declaration, type Kind, type Problem } from "./declared.ts";
import { checkUnused, classOf } from "./task-classes.ts";

/** What is to be done with what is declared. */
export interface ApplyTerms {
  readonly set: string;
  readonly dryRun: boolean;
  readonly prune: boolean;
  readonly adopt: boolean;
  /** "" takes whatever plan there is. */
  readonly expectedPlan: string;
  readonly by: string;
}

/** One change. */
export interface PlannedChange {
  readonly kind: Kind;
  readonly name: string;
  readonly action: "create" | "update" | "delete";
  readonly fields: readonly FieldChange[];
  readonly entryId: string;
  readonly write: () => void;
}

/** The state of one attempt to plan. */
export class Plan {
  readonly terms: ApplyTerms;
  readonly declared: Declaration;
  readonly transaction: Transaction;
  readonly agents: AiAgentTransaction;
  readonly classes: TaskClassTransaction;
  readonly changes: PlannedChange[] = [];
  readonly deletions: PlannedChange[] = [];
  readonly problems: Problem[] = [];
  /** SPIFFE IDs of AI agents that come with this plan, and of those that go. */
  readonly coming: Set<string> = new Set();
  readonly going: Set<string> = new Set();
  /** The place of each new AI agent among those declared. */
  readonly places: Map<string, number> = new Map();
  unchanged = 0;
  #steps = 0;

  constructor(
    terms: ApplyTerms,
    declared: Declaration,
    transaction: Transaction,
    classes: TaskClassStore,
  ) {
    this.terms = terms;
    this.declared = declared;
    this.transaction = transaction;
    this.agents = new AiAgentTransaction(transaction);
    this.classes = classes.within(transaction);
  }

  /** Compares one object with what is there, `managedBy` whom. What is beside its own record may differ. */
  consider(object: {
    readonly kind: Kind;
    readonly index: number;
    readonly name: string;
    readonly entryId?: string;
    readonly before: Fields | undefined;
    readonly managedBy: string | undefined;
    readonly after: Fields;
    readonly beside: ReadonlySet<string>;
    readonly write: (changes: readonly FieldChange[]) => void;
  }): void {
    const { kind, index, name, before, after, write, managedBy, beside } = object;
    const fields = changesOf(before ?? NO_FIELDS, after);
    if (fields.length === 0) {
      this.unchanged++;
      return;
    }
    if (before !== undefined && managedBy !== undefined && managedBy !== this.terms.set) {
      const own = fields.map(({ field }) => field).filter((field) => !beside.has(field));
      if (!this.#mayTake(kind, index, managedBy, own)) return;
    }
    this.changes.push({
      ...{ kind, name, fields, entryId: object.entryId ?? "" },
      action: before === undefined ? "create" : "update",
      write: () => write(fields),
    });
  }

  #mayTake(kind: Kind, index: number, managedBy: string, differing: readonly string[]): boolean {
    if (this.terms.adopt || (managedBy === "" && differing.length === 0)) return true;
    const problem =
      managedBy === ""
        ? {
            message: `it was made by hand, and otherwise: ${differing.join(", ")}`,
            hint: "declare it as it is, or take it over with --adopt",
          }
        : {
            message: `it is declared by the set "${managedBy}"`,
            hint: "declare it once, or take it over with --adopt",
          };
    this.problems.push({ kind, index, reason: "APPLY_INVALID", ...problem });
    return false;
  }

  /** To be awaited between objects: others get their turn while many are planned. */
  async step(): Promise<void> {
    if (++this.#steps % 500 === 0) await nextTurn();
  }
}

const SET: ReadonlySet<string> = new Set(["set"]);

/** Plans the task classes. */
export async function planTaskClasses(plan: Plan, store: TaskClassStore): Promise<void> {
  const { terms, declared, classes } = plan;
  const names = new Set(declared.taskClasses.map(({ key }) => key));
  const managed = store.values().filter(({ managedBy }) => managedBy === terms.set);
  await classes.load([...names, ...managed.map(({ name }) => name)]);
  for (const { index, key, draft } of declared.taskClasses) {
    const before = classes.peek(key);
    // One that comes with the server is nobody's until it is changed.
    const isOurs = before === undefined || before.version === 0;
    plan.consider({
      ...{ kind: "task-class", index, name: key, beside: SET },
      before: before && taskClassFields(before, before.managedBy),
      managedBy: isOurs ? undefined : before.managedBy,
      after: taskClassFields(draft, terms.set),
      write: () => classes.put(classOf(draft, terms.set, before)),
    });
    await plan.step();
  }
  if (!terms.prune) return;
  for (const { name } of managed) {
    const before = classes.peek(name);
    if (names.has(name) || before === undefined || before.managedBy !== terms.set) continue;
    plan.deletions.push({
      ...{ kind: "task-class", name, action: "delete", fields: [], entryId: "" },
      write: () => classes.delete(name),
    });
  }
}

/** Plans the AI agents. */
export async function planAiAgents(
  plan: Plan,
  registry: AiAgents,
  store: AiAgentStore,
): Promise<void> {
  const { terms, declared, agents, problems } = plan;
  const ids = new Set(declared.aiAgents.map(({ key }) => key));
  const managed = [...store.values()].filter(({ managedBy }) => managedBy === terms.set);
  await agents.load([...ids, ...managed.map(({ spiffeId }) => spiffeId)]);
  for (const { index, key, draft } of declared.aiAgents) {
    const before = agents.peek(key);
    const isNew = before === undefined;
    const isFit = await admit(problems, "ai-agent", index, () => {
      if (before?.end?.cause === "deleted") throw beingDeleted(key);
      const isSame = before?.validUntilUnixSeconds === draft.validUntilUnixSeconds;
      if (!isSame) registry.checkTerm(draft);
    });
    if (!isFit) continue;
    if (isNew) {
      plan.coming.add(key);
      plan.places.set(key, index);
    }
    plan.consider({
      ...{ kind: "ai-agent", index, name: key, beside: SET },
      before: before && aiAgentFields(before, before.managedBy),
      managedBy: before?.managedBy,
      after: aiAgentFields(draft, terms.set),
      write: () => agents.put(registry.recordOf(draft, terms.set, before)),
    });
    await plan.step();
  }
  if (!terms.prune) return;
  for (const { spiffeId } of managed) {
    const before = agents.peek(spiffeId);
    if (ids.has(spiffeId) || before === undefined || before.managedBy !== terms.set) continue;
    if (before.end?.cause === "deleted") continue;
    plan.going.add(spiffeId);
    plan.deletions.push({
      ...{ kind: "ai-agent", name: spiffeId, action: "delete", fields: [], entryId: "" },
      write: () => agents.put(registry.ending(before, `it left the set "${terms.set}"`, terms.by)),
    });
  }
}

/** Checks that every class that an AI agent names is there once all is done. */
export async function checkClasses(plan: Plan, store: AiAgentStore): Promise<void> {
  const { declared, classes, problems } = plan;
  const pruned = new Set<string>();
  for (const { kind, name } of plan.deletions) {
    if (kind === "task-class" && classes.peek(name)?.isShipped !== true) pruned.add(name);
  }
  const coming = new Set(declared.taskClasses.map(({ key }) => key));
  const named = new Set(declared.aiAgents.flatMap(({ draft }) => draft.taskClasses));
  await classes.load([...named]);
  for (const { index, draft } of declared.aiAgents) {
    for (const name of draft.taskClasses) {
      const isThere = coming.has(name) || (classes.peek(name) !== undefined && !pruned.has(name));
      if (isThere || declared.hasRefused("task-class", name)) continue;
      await admit(problems, "ai-agent", index, () => Promise.reject(classNotFound(name)));
    }
  }
  if (pruned.size === 0) return;
  const left = agentsLeft(plan, store);
  for (const name of pruned) {
    await admit(problems, "task-class", -1, () => checkUnused(name, left));
  }
}

/** The AI agents that are not declared here and stay. */
function agentsLeft(plan: Plan, store: AiAgentStore): AiAgentRecord[] {
  const declared = new Set(plan.declared.aiAgents.map(({ key }) => key));
  return [...store.values()].filter(
    ({ spiffeId }) => !declared.has(spiffeId) && !plan.going.has(spiffeId),
  );
}

function beingDeleted(spiffeId: string): Error {
  const { message } = aiAgentNotFound(spiffeId);
  return serverError("AI_AGENT_NOT_FOUND", `${message}: it is just being deleted`, {
    hint: "try again in a moment",
  });
}
