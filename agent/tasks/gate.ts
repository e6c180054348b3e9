// Who may call for a task. Three things must hold: the caller is a process of the task's AI agent (attested as
// for any identity), it is the process that the task is bound to or descends from it, and it has the
// task's key, shown by a proof that is made for this method and comes once. What fails is reported to the
// server, named for what was wrong: a key that is not the task's is reported only of who is its process, so
// that nobody can have the task of another suspended by guessing at it.

import { importSpki } from "../../pki/keys.ts";
import { validateTaskProof } from "../../pki/task-proof.ts";
import type { CallContext } from "../../proto/rpc/service.ts";
import type { signet } from "../../proto/schema.gen.ts";
import type { Selector } from "../../proto/types/selector.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type SeenId, SeenIds } from "../../runtime/seen-ids.ts";
import { agentError } from "../errors.ts";
import { descendsFrom } from "../launch/descent.ts";
import { withName } from "../launch/index.ts";
import type { Peer, Callers as Pins } from "../peer/index.ts";
import type { Caller } from "../workload-api/callers.ts";
import type { HeldTask } from "./held-task.ts";
import type { ReportKind } from "./reports.ts";
import { ended, refused } from "./state.ts";
import { processesOf, type Tasks } from "./tasks.ts";

export interface GateOptions {
  readonly tasks: Tasks;
  /** Attests the caller. */
  readonly admit: (context: CallContext) => Promise<Caller>;
  readonly peerOf: (tag: unknown) => Peer;
  /** SPIFFE IDs of who has these selectors. */
  readonly identitiesOf: (selectors: readonly Selector[]) => readonly string[];
  readonly pins: Pick<Pins, "pin">;
  readonly report: (taskId: string, kind: ReportKind, detail: string) => void;
  /** How many proofs of one user are remembered, and of one task. */
  readonly proofs?: { readonly limit: number; readonly limitPerSender: number };
  readonly clock: Clock;
}

/** Proofs remembered, those of a minute or two: of each user by itself, so that none shuts the others out. */
const PROOFS = { limit: 50_000, limitPerSender: 5000 };

/** A caller that may. */
export interface Admitted {
  readonly held: HeldTask;
  readonly caller: Caller;
}

export class Gate {
  readonly #options: GateOptions;
  /** By the user who opened the task. */
  readonly #seen = new Map<number, SeenIds>();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /**
   * Lets a call in. `method` is the bare name that its proof must be for.
   * @throws TASK_NOT_HELD, TASK_ENDED, TASK_NOT_OWNER, TASK_PROCESS_MISMATCH, TASK_PROOF_...,
   * TASK_PROOF_REPLAYED, TASK_PROOFS_TOO_MANY, and what attestation throws
   */
  async admit(
    method: string,
    proof: signet.task.v1.TaskProof | undefined,
    context: CallContext,
  ): Promise<Admitted> {
    const { tasks, clock, report } = this.#options;
    const caller = await this.#options.admit(context);
    const taskId = proof?.taskId ?? "";
    const held = tasks.get(taskId);
    const over = held === undefined ? tasks.getEnded(taskId) : undefined;
    const known = held ?? over;
    if (known === undefined) throw notHeld(taskId);
    const holder = held?.holder ?? over?.holder ?? "";
    const uid = held?.record.uid ?? over?.uid ?? 0;
    const who = `process ${caller.pid} of user ${caller.uid}`;
    const prove = (): void => {
      const now = clock.now();
      const publicKey = importSpki(known.spki);
      const jws = proof?.jws ?? "";
      const { jti, until } = validateTaskProof(jws, { method, taskId, publicKey, now });
      this.#remember(uid, { sender: taskId, id: jti, until });
    };
    // Who launched under a name is asked for it no second time.
    const selectors = withName(caller.selectors, held?.record.launch?.name ?? "");
    if (!this.#options.identitiesOf(selectors).includes(holder)) {
      report(taskId, "not-owner", `${who} is none of ${holder}`);
      throw agentError("TASK_NOT_OWNER", `the caller is no process of ${holder}`, {
        hint: "a task is used by the AI agent that opened it",
      });
    }
    if (held === undefined) {
      // Of who has the key: others could only fill the log.
      prove();
      report(taskId, "used-after-end", `${who} called ${method}`);
      throw ended(taskId, over?.state ?? "ENDED", over?.reason);
    }
    if (!this.#isBound(held, context)) throw this.#foreignProcess(held, who, prove);
    try {
      prove();
    } catch (error) {
      if (reasonOf(error) === "TASK_PROOF_UNTRUSTED") {
        report(taskId, "key-mismatch", `${who} called ${method} with another key`);
      }
      throw error;
    }
    return { held, caller };
  }

  /** As {@link admit}, for calls that need a task that goes on. @throws TASK_SUSPENDED, TASK_PARKED too */
  async admitActive(
    method: string,
    proof: signet.task.v1.TaskProof | undefined,
    context: CallContext,
  ): Promise<Admitted> {
    const admitted = await this.admit(method, proof, context);
    const { held } = admitted;
    if (held.refusal !== undefined) throw refused(held.id, held.refusal.state);
    return admitted;
  }

  /**
   * Lets a caller have what its opening was answered with: asked for again, that is a task which its process has
   * already, and a key alone, wherever it was taken, gets no SVID of it. @throws TASK_PROCESS_MISMATCH
   */
  assertBound(held: HeldTask, { pid, uid }: Caller, context: CallContext): void {
    if (this.#isBound(held, context)) return;
    // Its request was signed with the task's key.
    throw this.#foreignProcess(held, `process ${pid} of user ${uid}`, () => undefined);
  }

  /** Whether the caller is the process of the task, or descends from it. True where the class binds it to none. */
  #isBound(held: HeldTask, context: CallContext): boolean {
    const processes = processesOf(held);
    const { binding, launch } = held.record;
    // Of a launch nobody is known until its socket is there.
    if (processes.size === 0) return binding === undefined && launch === undefined;
    return descendsFrom(this.#options.pins, this.#options.peerOf(context.peer), processes);
  }

  #foreignProcess(held: HeldTask, who: string, prove: () => void): Error {
    let hasKey = true;
    try {
      prove();
    } catch {
      hasKey = false; // refused all the same: it only says which attack this was
    }
    const kind = hasKey ? "process-mismatch" : "not-owner";
    this.#options.report(held.id, kind, `${who} is not the process of the task`);
    return agentError(
      "TASK_PROCESS_MISMATCH",
      `${who} is not the process that task ${held.id} is bound to`,
      { hint: "call from the process that opened the task, or a child of it" },
    );
  }

  #remember(uid: number, proof: SeenId): void {
    const { sender: taskId } = proof;
    switch (this.#seenOf(uid).remember(proof)) {
      case "new":
        return;
      case "known":
        throw agentError("TASK_PROOF_REPLAYED", `a proof for task ${taskId} came a second time`, {
          hint: "make a new proof for each call",
        });
      case "full":
        throw agentError("TASK_PROOFS_TOO_MANY", `too many proofs for task ${taskId} came`, {
          hint: "try again in a minute; keep tokens instead of fetching one for each use",
        });
    }
  }

  #seenOf(uid: number): SeenIds {
    const known = this.#seen.get(uid);
    if (known !== undefined) return known;
    const { clock, proofs } = this.#options;
    const seen = new SeenIds({ ...PROOFS, ...proofs, clock });
    this.#seen.set(uid, seen);
    return seen;
  }
}

function notHeld(taskId: string): Error {
  return agentError("TASK_NOT_HELD", `this node agent holds no task "${taskId.slice(0, 64)}"`, {
    hint: "open one; a task is used on the node where it was opened",
  });
}

function reasonOf(error: unknown): string | undefined {
  return error instanceof Error && "reason" in error ? String(error.reason) : undefined;
}
