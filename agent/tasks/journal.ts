// What must outlive this process: which tasks it holds, with what they are bound to, and which it has ended
// without the server knowing yet. One file of JSON lines, appended to, written anew when most of it is
// history. No private key and no token is in it.
// What is written survives a kill of the agent; an end that the server cannot be told now is also brought
// to the disk, for a loss of power. (What is lost of tasks that go on needs no more: with the power their
// processes are gone too, and the server ends what nobody shows a sign of life of.)

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { readFileBounded, writeFileAtomic } from "../../runtime/files.ts";
import type { Logger } from "../../runtime/log.ts";
import { agentError } from "../errors.ts";
import type { Binding } from "./processes.ts";

/** A task that this node agent holds. */
export interface HeldRecord {
  readonly taskId: string;
  readonly spiffeId: string;
  readonly aiAgent: string;
  /** SPIFFE ID that its process was attested with, when that is another one: that of its host. */
  readonly host?: string;
  readonly taskClass: string;
  /** Of the task's public key, DER, base64. */
  readonly spki: string;
  /** Of who opened it. */
  readonly uid: number;
  readonly expiresAtMs: number;
  readonly federatesWith: readonly string[];
  /** The process it ends with; absent where its class binds it to none. */
  readonly binding?: Binding;
  /** Of a task that a command was launched for. */
  readonly launch?: LaunchRecord;
}

export interface LaunchRecord {
  readonly socketPath: string;
  readonly launcher: Binding;
  /** What it launches under: "" for no name. */
  readonly name: string;
  /** Absent until it was reported. */
  readonly root?: Binding;
}

/** An end that the server must hear of. */
export interface SpooledEnd {
  readonly taskId: string;
  readonly state: "COMPLETED" | "FAILED" | "ABANDONED";
  readonly reason: string;
  readonly summaryDigest: string;
  readonly spiffeId: string;
  /** By then each of its credentials has expired. */
  readonly forgetAtMs: number;
}

type Line =
  | { readonly hold: HeldRecord }
  | { readonly end: SpooledEnd }
  | { readonly drop: string };

interface Waiting {
  readonly text: string;
  readonly done: (error?: unknown) => void;
}

const LIMIT_BYTES = 256 * 1024 * 1024;
/** History beyond what is held, before the file is written anew. */
const MAX_HISTORY_LINES = 10_000;

/** The file, and what it says. */
export class TaskJournal {
  readonly #path: string;
  readonly #held = new Map<string, HeldRecord>();
  readonly #ends = new Map<string, SpooledEnd>();
  #file: FileHandle | undefined;
  #queue: Waiting[] = [];
  #running: Promise<void> | undefined;
  #lines = 0;
  #isTorn = false;
  /** Whether memory knows more than the file. */
  #isBehind = false;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Reads the file, which need not exist, and writes it anew. On a full disk that waits for the first line that
   * is to be written: who asks for no tasks is served meanwhile. @throws FILE_UNREADABLE
   */
  static async open(path: string, log: Logger): Promise<TaskJournal> {
    const bytes = await readFileBounded(path, { limitBytes: LIMIT_BYTES });
    const lines = bytes === undefined ? [] : Buffer.from(bytes).toString("utf8").split("\n");
    const journal = new TaskJournal(path);
    for (const [i, text] of lines.entries()) {
      if (text === "") continue;
      const line = parseLine(text);
      if (line !== undefined) journal.#fold(line);
      // The last line of an agent that was killed while it wrote.
      else if (i < lines.length - 1) log.warn({ path, line: i + 1 }, "left out an unreadable line");
    }
    await journal.#rewrite().catch((error: unknown) => {
      journal.#isBehind = true;
      log.error({ error }, "tasks of this node cannot be written down: none opens until they can");
    });
    return journal;
  }

  /** The tasks that are held. */
  get held(): ReadonlyMap<string, HeldRecord> {
    return this.#held;
  }

  /** The ends that the server has not confirmed. */
  get ends(): ReadonlyMap<string, SpooledEnd> {
    return this.#ends;
  }

  /** A task is held, or held otherwise than before. @throws TASKS_UNSAVED */
  hold(record: HeldRecord): Promise<void> {
    return this.#append({ hold: record });
  }

  /** A task was ended here. @throws TASKS_UNSAVED */
  end(end: SpooledEnd): Promise<void> {
    return this.#append({ end });
  }

  /** There is nothing more to be done for a task. @throws TASKS_UNSAVED */
  drop(taskId: string): Promise<void> {
    if (!this.#held.has(taskId) && !this.#ends.has(taskId)) return Promise.resolve();
    return this.#append({ drop: taskId });
  }

  /** Brings what was written to the disk. @throws TASKS_UNSAVED */
  async sync(): Promise<void> {
    await this.#running;
    await this.#file?.datasync().catch((cause: unknown) => {
      throw unsaved(this.#path, cause);
    });
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#file?.close();
  }

  #append(line: Line): Promise<void> {
    this.#fold(line);
    return new Promise((resolve, reject) => {
      const done = (error?: unknown): void =>
        error === undefined ? resolve() : reject(unsaved(this.#path, error));
      this.#queue.push({ text: JSON.stringify(line), done });
      this.#running ??= this.#drain();
    });
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      try {
        await this.#renew();
        // Half a line of a write that failed must not spoil the next.
        const start = this.#isTorn ? "\n" : "";
        this.#isTorn = true;
        await this.#file?.appendFile(`${start}${batch.map(({ text }) => text).join("\n")}\n`);
        this.#isTorn = false;
        this.#lines += batch.length;
        for (const { done } of batch) done();
      } catch (error) {
        this.#isBehind = true;
        for (const { done } of batch) done(error);
      }
    }
    // In the turn that found nothing left: what is appended from now on starts anew.
    this.#running = undefined;
  }

  /** Writes the file anew where it has got long, or lacks what a full disk did not take. */
  async #renew(): Promise<void> {
    const isLong = this.#lines > MAX_HISTORY_LINES + 2 * this.#held.size;
    if (!isLong && !this.#isBehind) return;
    await this.#rewrite().catch((error: unknown) => {
      // A line may find room where the whole does not.
      if (this.#file === undefined) throw error;
    });
  }

  async #rewrite(): Promise<void> {
    const lines: Line[] = [
      ...[...this.#held.values()].map((hold) => ({ hold })),
      ...[...this.#ends.values()].map((end) => ({ end })),
    ];
    await writeFileAtomic(this.#path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const file = await open(this.#path, constants.O_WRONLY | constants.O_APPEND);
    await this.#file?.close();
    this.#file = file;
    this.#lines = lines.length;
    this.#isTorn = false;
    this.#isBehind = false;
  }

  #fold(line: Line): void {
    if ("hold" in line) {
      this.#held.set(line.hold.taskId, line.hold);
    } else if ("end" in line) {
      this.#held.delete(line.end.taskId);
      this.#ends.set(line.end.taskId, line.end);
    } else {
      this.#held.delete(line.drop);
      this.#ends.delete(line.drop);
    }
  }
}

/** The file is this agent's own, in a folder that nobody else can enter: its shape is trusted. */
function parseLine(text: string): Line | undefined {
  try {
    const line = JSON.parse(text) as Partial<Record<string, unknown>> | null;
    const isLine = line !== null && typeof line === "object";
    return isLine && ("hold" in line || "end" in line || "drop" in line)
      ? (line as unknown as Line)
      : undefined;
  } catch {
    return undefined;
  }
}

function unsaved(path: string, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  return agentError("TASKS_UNSAVED", `cannot write "${path}": ${why}`, {
    hint: "check that the disk of the agent's data_dir has space",
    cause,
  });
}
