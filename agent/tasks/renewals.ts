// Keeps the X509-SVIDs of tasks fresh whose keys their holders have: at half their life the holder's request
// is signed anew, while somebody watches the task; each is a sign of life of the task. What falls due at
// one moment goes to the server in one batch. (SVIDs of task sockets are renewed by their own cache.)

import { IdentityError } from "../../pki/errors.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import { backoff } from "../../runtime/backoff.ts";
import type { Clock, Timer } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { HeldTask } from "./held-task.ts";
import { acceptChain, type TaskServer, type TaskSvid } from "./server.ts";

export interface RenewalsOptions {
  readonly server: TaskServer;
  /** Whether an authority above the SVID has been withdrawn. */
  readonly isWithdrawn: (svid: TaskSvid) => boolean;
  /** The server refuses: how does the task stand? */
  readonly refresh: (taskIds: Iterable<string>) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

interface Watched {
  watchers: number;
  timer: Timer | undefined;
  /** What failed, or was no better than before, is not asked for again before this moment. */
  notBefore: Date | undefined;
  isAsking: boolean;
  readonly delays: { next(): number; reset(): void };
}

interface Wanted {
  readonly held: HeldTask;
  readonly csr: Uint8Array;
  readonly resolve: (svid: TaskSvid) => void;
  readonly reject: (error: unknown) => void;
}

const BATCH_SIZE = 250;

export class Renewals {
  readonly #options: RenewalsOptions;
  readonly #watched = new Map<HeldTask, Watched>();
  #queue: Wanted[] = [];

  constructor(options: RenewalsOptions) {
    this.#options = options;
  }

  /** Keeps a task's SVID fresh until what is returned is called. */
  watch(held: HeldTask): () => void {
    const known = this.#watched.get(held);
    const watched = known ?? {
      watchers: 0,
      timer: undefined,
      notBefore: undefined,
      isAsking: false,
      delays: backoff({ initialMs: 1000, maxMs: 30_000 }, this.#options.random),
    };
    watched.watchers += 1;
    if (known === undefined) {
      this.#watched.set(held, watched);
      this.#plan(held, watched);
    }
    return () => {
      watched.watchers -= 1;
      if (watched.watchers > 0) return;
      watched.timer?.cancel();
      this.#watched.delete(held);
    };
  }

  /** Something has changed: it may go on again, or have a request to sign at last. */
  changed(held: HeldTask): void {
    const watched = this.#watched.get(held);
    if (watched !== undefined) this.#plan(held, watched);
  }

  /** The own bundle has changed: what hangs from a withdrawn authority is replaced at once. */
  bundleChanged(): void {
    for (const [held, watched] of this.#watched) {
      this.#plan(held, watched);
      held.touch();
    }
  }

  /** The link is back: what could not be signed is tried now. */
  resume(): void {
    for (const [held, watched] of this.#watched) {
      watched.delays.reset();
      watched.notBefore = undefined;
      this.#plan(held, watched);
    }
  }

  stop(): void {
    for (const { timer } of this.#watched.values()) timer?.cancel();
    this.#watched.clear();
  }

  /** Has a request signed. @throws what the server answers */
  sign(held: HeldTask, csr: Uint8Array): Promise<TaskSvid> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ held, csr, resolve, reject });
      if (this.#queue.length === 1) setImmediate(() => this.#flush());
    });
  }

  #plan(held: HeldTask, watched: Watched): void {
    watched.timer?.cancel();
    watched.timer = undefined;
    // What is on its way plans anew when it has come.
    if (!held.isGood || held.csr === undefined || watched.isAsking) return;
    const { svid } = held;
    const isDue = svid === undefined || this.#options.isWithdrawn(svid);
    // Not at once, so that a holder that begins to watch is answered first.
    const due = isDue ? 0 : svid.renewAt;
    const { notBefore } = watched;
    const isLater = notBefore !== undefined && (due === 0 || notBefore > due);
    const when = isLater ? notBefore : due;
    watched.timer = this.#options.clock.setTimer(when, () => void this.#renew(held, watched));
  }

  /** Never rejects. */
  async #renew(held: HeldTask, watched: Watched): Promise<void> {
    const { csr } = held;
    if (csr === undefined || !held.isGood) return;
    const { clock, log, isWithdrawn, refresh } = this.#options;
    watched.isAsking = true;
    const later = (): Date => new Date(clock.now().getTime() + watched.delays.next());
    try {
      const svid = await this.sign(held, csr);
      // By a clock that is ahead of the server's each new one is due at once.
      if (isWithdrawn(svid) || svid.renewAt <= clock.now()) {
        watched.notBefore = later();
      } else {
        watched.notBefore = undefined;
        watched.delays.reset();
      }
      if (held.isGood) {
        held.svid = svid;
        held.touch();
      }
    } catch (error) {
      log.debug({ error, task_id: held.id }, "could not renew the SVID of a task");
      watched.notBefore = later();
      if (error instanceof IdentityError) refresh([held.id]);
    }
    watched.isAsking = false;
    if (this.#watched.get(held) === watched) this.#plan(held, watched);
  }

  #flush(): void {
    const wanted = this.#queue;
    this.#queue = [];
    for (let at = 0; at < wanted.length; at += BATCH_SIZE) {
      void this.#batch(wanted.slice(at, at + BATCH_SIZE)); // never rejects
    }
  }

  async #batch(wanted: readonly Wanted[]): Promise<void> {
    const { server, clock, random } = this.#options;
    const now = clock.now();
    try {
      const answers = await server.signX509(
        wanted.map(({ held, csr }) => ({ taskId: held.id, csr })),
      );
      for (const [i, { held, resolve, reject }] of wanted.entries()) {
        const answer = answers[i];
        if (answer === undefined || answer instanceof IdentityError) reject(answer);
        else {
          try {
            resolve(acceptChain(answer.map(parseCertificate), held, { now, random }));
          } catch (error) {
            reject(error);
          }
        }
      }
    } catch (error) {
      for (const { reject } of wanted) reject(error);
    }
  }
}
