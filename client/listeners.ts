// Those who want to be told of something.

export class Listeners<Value> {
  readonly #listeners: Set<(value: Value) => void> = new Set();

  /** Returns how to stop listening. */
  add(listener: (value: Value) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(value: Value): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(value);
      } catch (error) {
        // As with event targets: a listener's fault is not ours, and must not end who tells it.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
