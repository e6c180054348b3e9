// How task classes are set and deleted. A class that is changed holds for tasks that are opened from then
// on; those that are open keep what they were granted.

import { serverError } from "../errors.ts";
import type { AiAgentStore } from "../store/ai-agents.ts";
import type { TaskClassRecord, TaskClassStore } from "../store/task-classes.ts";
import { classNotFound } from "./ai-agents.ts";
import type { TaskClassDraft } from "./task-class-draft.ts";

export interface TaskClassesOptions {
  readonly classes: TaskClassStore;
  readonly agents: Pick<AiAgentStore, "values">;
}

export class TaskClasses {
  readonly #options: TaskClassesOptions;

  constructor(options: TaskClassesOptions) {
    this.#options = options;
  }

  /** Makes or replaces a class. @throws RECORD_CHANGED */
  set(draft: TaskClassDraft, expectedVersion: number): Promise<TaskClassRecord> {
    return this.#options.classes.change(async (transaction) => {
      const before = await transaction.get(draft.name);
      if (expectedVersion !== 0 && expectedVersion !== (before?.version ?? 0)) {
        throw serverError(
          "RECORD_CHANGED",
          `the task class "${draft.name}" was changed meanwhile: it has version ${before?.version ?? 0} now`,
          { hint: "look at it again and repeat the change" },
        );
      }
      const after = classOf(draft, before?.managedBy ?? "", before);
      transaction.put(after);
      return after;
    });
  }

  /**
   * Deletes a class; a shipped one is then as it was, and the answer. One that is gone while an AI agent
   * takes it up meanwhile does no harm: tasks of it cannot be opened.
   * @throws TASK_CLASS_NOT_FOUND, TASK_CLASS_IN_USE
   */
  delete(name: string): Promise<TaskClassRecord> {
    return this.#options.classes.change(async (transaction) => {
      const before = await transaction.get(name);
      if (before === undefined) throw classNotFound(name);
      if (before.isShipped && before.version === 0) return before;
      if (!before.isShipped) checkUnused(name, this.#options.agents.values());
      transaction.delete(name);
      return (await transaction.get(name)) ?? before;
    });
  }
}

/** The record of a draft: new, or `before` as it is declared now. */
export function classOf(
  draft: TaskClassDraft,
  managedBy: string,
  before: TaskClassRecord | undefined,
): TaskClassRecord {
  return {
    ...draft,
    managedBy,
    isShipped: before?.isShipped ?? false,
    version: (before?.version ?? 0) + 1,
  };
}

/** @throws TASK_CLASS_IN_USE when one of these AI agents names the class */
export function checkUnused(
  name: string,
  agents: Iterable<{ readonly spiffeId: string; readonly taskClasses: readonly string[] }>,
): void {
  for (const { spiffeId, taskClasses } of agents) {
    if (!taskClasses.includes(name)) continue;
    throw serverError(
      "TASK_CLASS_IN_USE",
      `the task class "${name}" is one of those of the AI agent "${spiffeId}"`,
      { hint: "take it away from its AI agents first" },
    );
  }
}
