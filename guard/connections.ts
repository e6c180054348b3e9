// What a task has open at this server: connections, answers that are still being sent, sessions. Closed at
// once when the task ends or is suspended.

/** Something that can be closed. Closing it twice does nothing. */
export interface Open {
  readonly close: () => void;
  /** When the credential that it was opened with is good no more; undefined: it is no way out by itself. */
  readonly untilMs?: number;
}

interface Held {
  readonly all: Set<Open>;
  /** Closed too when nobody can say whether the task goes on. */
  isStrict: boolean;
}

/** What each task has open. */
export class TaskConnections {
  /** By ULID. */
  readonly #open = new Map<string, Held>();

  /** How many things are open. */
  get size(): number {
    let size = 0;
    for (const { all } of this.#open.values()) size += all.size;
    return size;
  }

  /** Remembers something of a task; returns how to forget it. */
  add(taskId: string, one: Open): () => void {
    const held = this.#open.get(taskId) ?? { all: new Set(), isStrict: false };
    this.#open.set(taskId, held);
    held.all.add(one);
    return () => {
      held.all.delete(one);
      if (held.all.size === 0 && this.#open.get(taskId) === held) this.#open.delete(taskId);
    };
  }

  /** The task's class closes what is open when nobody can say whether the task goes on. */
  markStrict(taskId: string): void {
    const held = this.#open.get(taskId);
    if (held !== undefined) held.isStrict = true;
  }

  /** Closes everything of a task. */
  close(taskId: string): void {
    const held = this.#open.get(taskId);
    if (held === undefined) return;
    this.#open.delete(taskId);
    for (const one of held.all) one.close();
  }

  /** Nobody can say whether their tasks go on, and what they were opened with has expired. */
  closeExpired(nowMs: number): void {
    for (const { all } of this.#open.values()) {
      for (const one of all) if (one.untilMs !== undefined && one.untilMs <= nowMs) one.close();
    }
  }

  /** Nobody can say any more which tasks go on. */
  closeStrict(): void {
    const strict = [...this.#open].filter(([, { isStrict }]) => isStrict);
    for (const [taskId] of strict) this.close(taskId);
  }
}
