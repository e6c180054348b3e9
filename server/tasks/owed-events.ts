// Events of tasks that could not be written when they happened, because the audit log took no lines: they
// are owed. A task that has ended has ended all the same; its event is written once the log takes lines
// again, with the time at which it happened. A process that is killed meanwhile owes nothing less: which
// ends are not in the log, the next start finds by comparing the two.
import { IdentityError } from "../../pki/errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { AuditEvent } from "../audit/event.ts";
import { positionIn } from "../audit/last-position.ts";
import type { AppendOptions, AuditLog, AuditSink } from "../audit/log.ts";
import { parseLine, QueryReader, tailsOf } from "../audit/query.ts";
import type { StorePosition } from "../store/epoch.ts";
import { isEnded } from "../store/task-record.ts";
import type { TaskStore } from "../store/tasks.ts";
import { endedEvent } from "./events.ts";

/** More are not held: the ends among them are found again at the next start. */
const MAX_OWED = 100_000;
/** How much of the log is compared with the tasks: many times what is written while it recovers. */
const COMPARED_BYTES = 8 * 1024 * 1024;

export interface OwedEventsOptions {
  readonly audit: Pick<AuditLog, "append" | "sync" | "onWritten" | "folder">;
  readonly clock: Clock;
  readonly log: Logger;
}

export class OwedEvents implements AuditSink {
  readonly #options: OwedEventsOptions;
  readonly #owed: AuditEvent[] = [];
  /** SPIFFE IDs of tasks. */
  readonly #tasks = new Map<string, number>();
  readonly #unlisten: () => void;
  #paying: Promise<void> | undefined;

  constructor(options: OwedEventsOptions) {
    this.#options = options;
    this.#unlisten = options.audit.onWritten(() => void this.pay());
  }

  /** How many there are. */
  get size(): number {
    return this.#owed.length;
  }

  /** Whether an event of this task, by its SPIFFE ID, is not in the log so far. */
  isOwed(task: string): boolean {
    return this.#tasks.has(task);
  }

  /** Writes an event; what cannot be written is owed. @throws AUDIT_UNWRITABLE, AUDIT_EVENT_INVALID */
  async append(event: AuditEvent, { durable = false }: AppendOptions = {}): Promise<void> {
    const { audit, clock } = this.#options;
    try {
      await audit.append(event);
    } catch (error) {
      if (error instanceof IdentityError && error.reason === "AUDIT_UNWRITABLE") {
        this.#owe({ ...event, time: event.time ?? clock.now() });
      }
      throw error;
    }
    // A line that the disk does not take at once is held, and written before any other.
    if (durable) await audit.sync();
  }

  /**
   * Finds the ends of tasks that are in the store and not in the log. Of those before the part of the log
   * that is read, every one was written long ago.
   */
  async load(
    store: TaskStore,
    epoch: { readonly epoch: number; readonly fromRevision: number },
  ): Promise<void> {
    const { audit, log } = this.#options;
    const written = new Set<string>();
    let first: StorePosition | undefined;
    let after = 0;
    const starts = await tailsOf(audit.folder, COMPARED_BYTES);
    const reader = new QueryReader(audit.folder, { streams: ["task"] }, starts);
    try {
      for await (const line of reader.read()) {
        const event = parseLine(line);
        const position = positionIn(event);
        first ??= position;
        if (position?.epoch === epoch.epoch && after === 0) {
          // Before a line that is not the first of all there may be others of the same commit.
          after = line.seq === 1 ? position.revision - 1 : position.revision;
        }
        if (event.type === "task.ended" && event.task !== undefined) written.add(event.task);
      }
    } finally {
      await reader.close();
    }
    // A new log: what ended before it began is in another one.
    if (first === undefined) return;
    for (const known of store.changedAfter(Math.max(after, epoch.fromRevision))) {
      if (!isEnded(known) || written.has(`${known.agentId}/task/${known.id}`)) continue;
      const task = await store.find(known.id);
      if (task !== undefined) this.#owe(endedEvent(task, "unknown"));
    }
    if (this.size > 0) {
      log.warn({ count: this.size }, "ends of tasks are not in the audit log; writing them now");
      await this.pay();
    }
  }

  /** Writes what is owed, as long as the log takes it. Never rejects. */
  pay(): Promise<void> {
    if (this.#owed.length === 0) return Promise.resolve();
    this.#paying ??= this.#pay().finally(() => {
      this.#paying = undefined;
    });
    return this.#paying;
  }

  close(): void {
    this.#unlisten();
  }

  async #pay(): Promise<void> {
    const { audit, log } = this.#options;
    for (let event = this.#owed[0]; event !== undefined; event = this.#owed[0]) {
      try {
        await audit.append(event);
      } catch (error) {
        const isLater = error instanceof IdentityError && error.reason === "AUDIT_UNWRITABLE";
        if (isLater) return;
        log.error({ error, task: event.task }, "an event of a task cannot be written at all");
      }
      this.#owed.shift();
      this.#forget(event);
    }
    await audit.sync().catch(() => undefined);
  }

  #owe(event: AuditEvent): void {
    if (this.#owed.length >= MAX_OWED) {
      const [first] = this.#owed.splice(0, 1);
      if (first !== undefined) this.#forget(first);
    }
    this.#owed.push(event);
    const { task = "" } = event;
    this.#tasks.set(task, (this.#tasks.get(task) ?? 0) + 1);
  }

  #forget({ task = "" }: AuditEvent): void {
    const left = (this.#tasks.get(task) ?? 1) - 1;
    if (left === 0) this.#tasks.delete(task);
    else this.#tasks.set(task, left);
  }
}
