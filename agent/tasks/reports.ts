// What this node agent sees of misuse and tells the server (kinds of server/tasks/escalations.ts): a key, a
// process or an AI agent that is not a task's own, and use after its end. The server decides what is done.

import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { TaskServer } from "./server.ts";

export type ReportKind = "key-mismatch" | "process-mismatch" | "not-owner" | "used-after-end";

export interface ReportsOptions {
  readonly server: Pick<TaskServer, "report">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onReport: (kind: ReportKind) => void;
}

/** One of a kind in this time for each task: who calls in a loop must not fill the server's log. */
const EVERY_MS = 10_000;
const MAX_REMEMBERED = 10_000;

export class Reports {
  readonly #options: ReportsOptions;
  readonly #reportedMs = new Map<string, number>();

  constructor(options: ReportsOptions) {
    this.#options = options;
  }

  /** Never throws: the call that it is about is refused anyway. */
  report(taskId: string, kind: ReportKind, detail: string): void {
    const { server, clock, log, onReport } = this.#options;
    onReport(kind);
    const key = `${kind} ${taskId}`;
    const nowMs = clock.now().getTime();
    if (Math.abs(nowMs - (this.#reportedMs.get(key) ?? Number.NEGATIVE_INFINITY)) < EVERY_MS)
      return;
    this.#reportedMs.delete(key);
    this.#reportedMs.set(key, nowMs);
    for (const oldest of this.#reportedMs.keys()) {
      if (this.#reportedMs.size <= MAX_REMEMBERED) break;
      this.#reportedMs.delete(oldest);
    }
    log.warn({ task_id: taskId, kind, detail }, "refused a call for a task");
    server.report({ taskId, kind, detail, observer: "" }).catch((error: unknown) => {
      log.warn({ task_id: taskId, kind, error }, "could not tell the server of a refused call");
    });
  }
}
