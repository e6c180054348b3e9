// Declaring everything at once: what is declared is compared with what is there, and made so in one
// commit, or not at all. Nothing else than what the set declared is ever deleted, and that only when asked.

import { hash } from "node:crypto";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import type { EntryRules } from "../entries/validate.ts";
import { serverError } from "../errors.ts";
import type { AiAgentStore } from "../store/ai-agents.ts";
import type { EntryStore } from "../store/entries.ts";
import type { EntryOwnerStore } from "../store/entry-owners.ts";
import type { OrderedLog } from "../store/log.ts";
import type { TaskClassStore } from "../store/task-classes.ts";
import { type Transaction, transact } from "../store/transaction.ts";
import type { AiAgents } from "./ai-agents.ts";
import { Declaration, type Problem } from "./declared.ts";
import type { AiAgentEnds } from "./ends.ts";
import {
  type ApplyTerms,
  checkClasses,
  Plan,
  type PlannedChange,
  planAiAgents,
  planTaskClasses,
} from "./plan.ts";
import { checkAiAgentEntries, claimPaths, planChanged, planEntries } from "./plan-entries.ts";

export interface ApplyOptions {
  readonly trustDomain: TrustDomain;
  readonly store: OrderedLog;
  readonly agents: AiAgentStore;
  readonly classes: TaskClassStore;
  readonly entries: EntryStore;
  readonly owners: EntryOwnerStore;
  readonly registry: AiAgents;
  readonly ends: Pick<AiAgentEnds, "settleAll">;
  /** What entries are checked against. */
  readonly rules: EntryRules;
}

/** What was changed, or would be. */
export interface Applied {
  readonly changes: readonly Omit<PlannedChange, "write">[];
  readonly unchanged: number;
  /** Names these changes. */
  readonly plan: string;
  /** Of a dry run: why nothing of it can be done. */
  readonly problems: readonly Problem[];
}

const SET = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/;
const MAX_TOLD = 100;

export class Apply {
  readonly #options: ApplyOptions;

  constructor(options: ApplyOptions) {
    this.#options = options;
  }

  /** For what is going to be declared. */
  declare(): Declaration {
    const { trustDomain, rules } = this.#options;
    return new Declaration({ trustDomain, entries: rules });
  }

  /**
   * Makes it so; nothing is left to do when this resolves.
   * @throws APPLY_INVALID naming everything that is wrong; APPLY_PLAN_CHANGED
   */
  async run(terms: ApplyTerms, declared: Declaration): Promise<Applied> {
    if (!SET.test(terms.set)) {
      throw serverError("APPLY_INVALID", "the set has no name, or one that is none", {
        hint: "take letters, digits and ./_-, at most 63: such as team-a/agents",
      });
    }
    const { store, agents, classes, entries, owners, ends } = this.#options;
    const drawnUp = terms.dryRun
      ? entries.drawUp([])
      : entries.drawUp(declared.entries.map(({ draft }) => draft.entry));
    const { result, revision } = await transact(store, async (transaction) => {
      const plan = await this.#plan(terms, declared, transaction, drawnUp);
      const problems = [...declared.problems, ...plan.problems];
      const changes = [...plan.changes, ...plan.deletions];
      const applied = {
        changes: changes.map(({ write: _, ...change }) => change),
        unchanged: plan.unchanged,
        plan: nameOf(changes),
        problems,
      };
      if (terms.dryRun) return applied;
      if (problems.length > 0) throw refusal(problems);
      if (terms.expectedPlan !== "" && terms.expectedPlan !== applied.plan) throw planChanged();
      // What goes makes room for what comes.
      for (const { write } of plan.deletions) write();
      await claimPaths(plan);
      for (const { write } of plan.changes) write();
      return applied;
    });
    if (terms.dryRun) return result;
    for (const held of [agents, classes, entries, owners]) await held.reached(revision);
    await ends.settleAll([...agents.values()].filter(({ end }) => end?.isSettled === false));
    return result;
  }

  async #plan(
    terms: ApplyTerms,
    declared: Declaration,
    transaction: Transaction,
    drawnUp: ReturnType<EntryStore["drawUp"]>,
  ): Promise<Plan> {
    const { store, agents, classes, owners, registry } = this.#options;
    // What is looked for in memory is then no older than what is read from here on.
    for (const held of [agents, classes, owners]) await held.reached(store.revision);
    const plan = new Plan(terms, declared, transaction, classes);
    await planTaskClasses(plan, classes);
    await planAiAgents(plan, registry, agents);
    await checkClasses(plan, agents);
    const pruned = await planEntries(plan, drawnUp, owners);
    await checkAiAgentEntries(plan, registry, pruned);
    return plan;
  }
}

function nameOf(changes: readonly PlannedChange[]): string {
  const told = changes.map(({ kind, name, action, fields, entryId }) => {
    return [kind, name, action, entryId, fields.map((one) => Object.values(one))];
  });
  return hash("sha256", JSON.stringify(told), "hex").slice(0, 32);
}

const LISTS = { entry: "entries", "ai-agent": "ai_agents", "task-class": "task_classes" } as const;

function refusal(problems: readonly Problem[]): Error {
  const lines = problems.slice(0, MAX_TOLD).map(({ kind, index, message, reason }) => {
    const where = index < 0 ? kind : `${LISTS[kind]}[${index}]`;
    return `  ${where}: ${message} (${reason})`;
  });
  if (problems.length > MAX_TOLD) lines.push(`  and ${problems.length - MAX_TOLD} more`);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return serverError("APPLY_INVALID", `nothing is changed: ${count}\n${lines.join("\n")}`, {
    hint: "correct what is declared and apply it again",
  });
}
