// The private Workload API socket of one task: admits the launched command and its descendants (launch/), and
// serves them the task's SVIDs from caches that no other socket sees. While the task is refused there is no
// identity to be had on it; once the task has ended there is no socket.

import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { Selector } from "../../proto/types/selector.ts";
import { Launch, type LaunchOptions } from "../launch/launch.ts";
import type { HeldRecord } from "./journal.ts";
import type { BoundProcess } from "./processes.ts";

/** The caches behind the sockets of tasks, as far as a socket changes them. */
export interface TaskIdentities {
  /** Callers with the task's selector have its identity from now on. */
  add(entry: RegistrationEntry): void;
  /** And no longer. */
  remove(taskId: string): void;
}

export interface TaskSocketOptions
  extends Omit<LaunchOptions, "name" | "selectors" | "uid" | "socketPath"> {
  readonly record: HeldRecord;
  readonly identities: TaskIdentities;
  readonly launcher: BoundProcess;
}

const LAST_WORD_TURNS = 4;

export class TaskSocket {
  readonly launch: Launch;
  /** Who launched, and reports how the command ended. */
  readonly launcher: BoundProcess;
  /** Grows with each lease: of two that have it, the later one counts. */
  lease = 0;
  readonly #options: TaskSocketOptions;

  constructor(options: TaskSocketOptions) {
    const { record, launcher } = options;
    this.#options = options;
    this.launcher = launcher;
    this.launch = new Launch({
      ...options,
      name: `task ${record.taskId}`,
      selectors: [selectorOf(record.taskId)],
      uid: record.uid,
      socketPath: record.launch?.socketPath ?? "",
    });
  }

  /** The task goes on. */
  serve(): void {
    this.#options.identities.add(entryOf(this.#options.record));
  }

  /** The task is refused. */
  lapse(): void {
    this.#options.identities.remove(this.#options.record.taskId);
  }

  /** Closes the socket: it is opened again by the agent that comes next. */
  async leave(): Promise<void> {
    await this.launch.close();
    this.launcher.close();
  }

  /** Closes the socket and every connection over it; callers that are being served are told first. */
  async close(): Promise<void> {
    this.lapse();
    // Streams that were woken send their last word in the turns of the event loop before this one.
    for (let turn = 0; turn < LAST_WORD_TURNS; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.leave();
  }
}

/** What only callers of the task's own socket have. */
function selectorOf(taskId: string): Selector {
  return { type: "task", value: `id:${taskId}` };
}

/** The task's identity, in the form in which the caches hold identities. */
function entryOf(record: HeldRecord): RegistrationEntry {
  return {
    id: record.taskId,
    spiffeId: record.spiffeId,
    parentId: record.aiAgent,
    selectors: [selectorOf(record.taskId)],
    x509SvidTtlSeconds: 0,
    jwtSvidTtlSeconds: 0,
    federatesWith: record.federatesWith,
    admin: false,
    downstream: false,
    expiresAtUnixSeconds: Math.ceil(record.expiresAtMs / 1000),
    dnsNames: [],
    revisionNumber: 0,
    storeSvid: false,
    hint: "",
    createdAtUnixSeconds: 0,
    disableX509SvidPrefetch: true,
    jwtSvidIncludeJti: false,
  };
}
