// Opens tasks for callers: counts them, has the server open one, checks its answer, writes down what is held.

import { parseCertificates } from "../../pki/x509/certificate.ts";
import { parseCsr } from "../../pki/x509/csr.ts";
import type { signet } from "../../proto/schema.gen.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { Clock } from "../../runtime/clock.ts";
import { noIdentity } from "../cache/view.ts";
import { agentError } from "../errors.ts";
import { HeldTask } from "./held-task.ts";
import type { HeldRecord, LaunchRecord } from "./journal.ts";
import type { Orphans } from "./orphans.ts";
import type { BoundProcess } from "./processes.ts";
import { acceptChain, type Task, type TaskServer } from "./server.ts";
import type { Tasks } from "./tasks.ts";

export interface OpenerOptions {
  readonly server: TaskServer;
  readonly tasks: Tasks;
  readonly orphans: Pick<Orphans, "opening" | "failed">;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Who opens. */
export interface Opening {
  readonly request: signet.task.v1.OpenTaskRequest;
  /** Of the caller. */
  readonly entries: readonly RegistrationEntry[];
  /** The process that the task is to end with; the opening takes it over. */
  readonly process: BoundProcess;
  /** The command comes later, on a socket of its own: the process is the one that launches it. */
  readonly launch?: (taskId: string) => LaunchRecord;
}

/** More than any process matches, and as many as the server looks at. */
const MAX_ENTRIES = 500;

export class Opener {
  readonly #options: OpenerOptions;

  constructor(options: OpenerOptions) {
    this.#options = options;
  }

  /**
   * Opens or claims a task.
   * @throws TOO_MANY_TASKS, CSR_INVALID, NO_IDENTITY_ISSUED, SERVER_UNREACHABLE, SERVER_ANSWER_INVALID,
   * TASK_KEY_MISMATCH, TASKS_UNSAVED, and what the server answers, such as MANDATE_EXCEEDED
   */
  async open(opening: Opening): Promise<HeldTask> {
    const { request, process, launch } = opening;
    const { server, tasks, orphans, clock, random } = this.#options;
    let held: HeldTask | undefined;
    let isNew = false;
    const leave = this.#enter(process);
    const settled = orphans.opening();
    try {
      const { spki } = parseCsr(request.csr);
      const entries = entriesFor(opening.entries, request.aiAgent);
      const { pid, uid, startTime, bootId } = process;
      const { task, svid } = await server.open({
        entryIds: entries.map(({ id }) => id),
        task: request,
        binding: { pid, uid, startTime, bootId },
      });
      if (task === undefined) throw invalid("an opened task without the task");
      const known = tasks.get(task.id);
      if (known !== undefined) {
        // The same call again, with its idempotency key: answered with the task that it opened.
        assertKey(known, spki);
        process.close();
        leave();
        held = known;
      } else {
        // A class that binds to no process: the server says so by not taking the binding over.
        const isBound = launch === undefined && task.binding !== undefined;
        if (launch === undefined && !isBound) process.close();
        const record = recordOf(task, {
          spki,
          uid,
          entries,
          ...(isBound && { binding: { pid, uid, startTime, bootId } }),
          ...(launch && { launch: launch(task.id) }),
        });
        held = new HeldTask({ record, task, process: isBound ? process : undefined, leave });
        isNew = true;
        tasks.add(held);
        await tasks.save(held, record);
      }
      // A copy: the field is a view of the whole message, which it would keep in memory.
      held.csr = new Uint8Array(request.csr);
      const chain = parseCertificates(svid?.x509Svid ?? new Uint8Array());
      const of = { spiffeId: held.spiffeId, spki };
      held.svid = acceptChain(chain, of, { now: clock.now(), random });
      return held;
    } catch (error) {
      if (held === undefined) {
        process.close();
        leave();
        orphans.failed(error);
      } else if (isNew && held.endState === undefined) {
        // The caller never hears of it: nobody could end it. One that was held before goes on, as its holder does.
        await tasks.end(held, { state: "FAILED", reason: "it could not be handed over" });
      }
      throw error;
    } finally {
      settled();
    }
  }

  #enter(process: BoundProcess): () => void {
    try {
      return this.#options.tasks.enter(process.uid);
    } catch (error) {
      process.close();
      throw error;
    }
  }
}

/** @throws TASK_KEY_MISMATCH */
export function assertKey(held: HeldTask, spki: Uint8Array): void {
  if (Buffer.compare(held.spki, spki) === 0) return;
  throw agentError("TASK_KEY_MISMATCH", `the request is not made with the key of task ${held.id}`, {
    hint: "a task keeps the key that it was opened with",
  });
}

/**
 * The caller's entries; those of one AI agent, when it is named. All of them when it is none of these: whether
 * one of them may host it, the server knows. @throws NO_IDENTITY_ISSUED
 */
function entriesFor(entries: readonly RegistrationEntry[], aiAgent: string): RegistrationEntry[] {
  if (entries.length === 0) throw noIdentity();
  const wanted = entries.filter(({ spiffeId }) => aiAgent === "" || spiffeId === aiAgent);
  return (wanted.length === 0 ? [...entries] : wanted).slice(0, MAX_ENTRIES);
}

function recordOf(
  task: Task,
  more: {
    readonly spki: Uint8Array;
    readonly uid: number;
    readonly entries: readonly RegistrationEntry[];
    readonly binding?: HeldRecord["binding"];
    readonly launch?: LaunchRecord;
  },
): HeldRecord {
  const { spki, uid, entries, binding, launch } = more;
  const { aiAgent, host } = task;
  const holder = host === "" ? aiAgent : host;
  const own = entries.filter(({ spiffeId }) => spiffeId === holder);
  if (own.length === 0) throw invalid(`a task of "${holder}", which the caller is not`);
  return {
    taskId: task.id,
    spiffeId: task.spiffeId,
    aiAgent,
    ...(host !== "" && { host }),
    taskClass: task.taskClass,
    spki: Buffer.from(spki).toString("base64"),
    uid,
    expiresAtMs: task.expiresAtMs,
    federatesWith: [...new Set(own.flatMap(({ federatesWith }) => federatesWith))],
    ...(binding && { binding }),
    ...(launch && { launch }),
  };
}

function invalid(what: string): Error {
  return agentError("SERVER_ANSWER_INVALID", `the server answered with ${what}`);
}
