// Which node agents have asked about which tasks for their guards: whom a narrowing concerns beside the one that
// holds the task. In memory: after a restart of the server they ask again within a second, as they do anyway.

const MAX_TASKS = 100_000;
/** A task that more nodes than these ask about is one that guards ask about every second by themselves. */
const MAX_NODES = 64;

export class Describers {
  /** By task; the one that was asked about last stands last. */
  readonly #nodes = new Map<string, Set<string>>();

  /** How many tasks somebody has asked about. */
  get size(): number {
    return this.#nodes.size;
  }

  /** A node agent was told how these tasks are. */
  note(nodeAgent: string, taskIds: Iterable<string>): void {
    for (const taskId of taskIds) {
      const nodes = this.#nodes.get(taskId) ?? new Set();
      this.#nodes.delete(taskId);
      this.#nodes.set(taskId, nodes);
      if (nodes.size < MAX_NODES) nodes.add(nodeAgent);
      const [oldest] = this.#nodes.keys();
      if (this.#nodes.size > MAX_TASKS && oldest !== undefined) this.#nodes.delete(oldest);
    }
  }

  has(nodeAgent: string, taskId: string): boolean {
    return this.#nodes.get(taskId)?.has(nodeAgent) === true;
  }

  /** The task has ended: everybody is told. */
  forget(taskId: string): void {
    this.#nodes.delete(taskId);
  }
}
