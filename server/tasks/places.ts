// On how many node agents each AI agent has open tasks, kept in step with the tasks.
import type { ReplicaChange } from "../store/replica.ts";
import { isOpen, type KnownTask } from "../store/task-record.ts";

export class Places {
  readonly #tasks = new Map<string, Map<string, number>>();

  /** Node agents that hold open tasks of the AI agent. */
  of(agentId: string): number {
    return this.#tasks.get(agentId)?.size ?? 0;
  }

  /** Takes a change; returns the AI agent when it is now on one node agent more. */
  note({ before, after }: Pick<ReplicaChange<KnownTask>, "before" | "after">): string | undefined {
    // In this order, a task that stays where it is could free its place for a moment and take it anew.
    const isNew = after !== undefined && this.#add(after);
    if (before !== undefined) this.#remove(before);
    return isNew ? after.agentId : undefined;
  }

  #add(task: KnownTask): boolean {
    if (!isOpen(task) || task.nodeAgent === "") return false;
    const nodes = this.#tasks.get(task.agentId) ?? new Map<string, number>();
    this.#tasks.set(task.agentId, nodes);
    const count = nodes.get(task.nodeAgent) ?? 0;
    nodes.set(task.nodeAgent, count + 1);
    return count === 0;
  }

  #remove(task: KnownTask): void {
    if (!isOpen(task) || task.nodeAgent === "") return;
    const nodes = this.#tasks.get(task.agentId);
    const count = nodes?.get(task.nodeAgent) ?? 0;
    if (count > 1) nodes?.set(task.nodeAgent, count - 1);
    else if (nodes?.delete(task.nodeAgent) && nodes.size === 0) this.#tasks.delete(task.agentId);
  }
}
