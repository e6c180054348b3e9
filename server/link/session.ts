// One agent's stream: what it has yet to be told, and how far it has confirmed. A session queues no
// messages, only the IDs of entries that changed; a message is made when the connection can take it,
// from what is true then. So a slow agent costs little memory and, when it reads again, is told the
// outcome and not the history. Which sessions a change concerns: hub.ts.
import type { IdentityError } from "../../pki/errors.ts";

/** What a session sends next. */
export type Step =
  | { readonly kind: "snapshot" }
  | {
      readonly kind: "delta";
      readonly entryIds: ReadonlySet<string>;
      readonly trustDomains: ReadonlySet<string>;
      /** IDs of authorities whose list changed. */
      readonly crls: ReadonlySet<string>;
      /** IDs of revocations. */
      readonly revocations: ReadonlySet<string>;
      /** IDs of tasks. */
      readonly tasks: ReadonlySet<string>;
      /** Names of task classes. */
      readonly taskClasses: ReadonlySet<string>;
      /** Somebody is held back no more. */
      readonly reask: boolean;
    };

/** An agent's identity on the link. */
export interface LinkedAgent {
  readonly id: string;
  readonly version: string;
}

export interface SessionOptions {
  readonly agent: LinkedAgent;
  /** The agent's SPIFFE ID and those of its aliases: it may serve what stands below them. */
  readonly roots: ReadonlySet<string>;
  readonly maxPending: number;
  /** Told after each confirmation and at the end. */
  readonly onProgress: () => void;
}

interface Sent {
  readonly revision: number;
  readonly bundleSequence: bigint;
}

export class Session {
  readonly agent: LinkedAgent;
  roots: ReadonlySet<string>;
  readonly #options: SessionOptions;
  #pendingEntries = new Set<string>();
  #pendingBundles = new Set<string>();
  #pendingCrls = new Set<string>();
  #pendingRevocations = new Set<string>();
  #pendingTasks = new Set<string>();
  #pendingTaskClasses = new Set<string>();
  #reask = false;
  #needsSnapshot = false;
  #needsCursor = false;
  #failure: IdentityError | undefined;
  #ended = false;
  #wake: (() => void) | undefined;
  /** Sent and not confirmed, oldest first. */
  #unconfirmed: Sent[] = [];
  #sentRevision = 0;
  #confirmedBundle = -1n;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.agent = options.agent;
    this.roots = options.roots;
  }

  /** The sequence number of the newest own bundle that the agent has applied; -1 before the first. */
  get confirmedBundle(): bigint {
    return this.#confirmedBundle;
  }

  /** The revision of the newest cursor that was sent. */
  get sentRevision(): number {
    return this.#sentRevision;
  }

  /** The agent holds everything up to the cursor with this revision, from an earlier session. */
  startAt(revision: number): void {
    this.#sentRevision = revision;
  }

  /** Entries changed that the agent serves, or served. Takes effect with the next `wake`. */
  addEntry(id: string): void {
    if (this.#needsSnapshot) return;
    this.#pendingEntries.add(id);
    if (this.#pendingEntries.size > this.#options.maxPending) this.resend();
  }

  addBundle(trustDomain: string): void {
    if (!this.#needsSnapshot) this.#pendingBundles.add(trustDomain);
  }

  /** The list of an authority changed. */
  addCrl(authorityId: string): void {
    if (!this.#needsSnapshot) this.#pendingCrls.add(authorityId);
  }

  /** Tokens were revoked. */
  addRevocation(id: string): void {
    if (!this.#needsSnapshot) this.#pendingRevocations.add(id);
  }

  /** A task is to be refused, or not any more, or changed on the node that holds it. */
  addTask(id: string): void {
    if (this.#needsSnapshot) return;
    this.#pendingTasks.add(id);
    if (this.#pendingTasks.size > this.#options.maxPending) this.resend();
  }

  addTaskClass(name: string): void {
    if (!this.#needsSnapshot) this.#pendingTaskClasses.add(name);
  }

  /** What was refused may be had again: with the next delta, after a snapshot too. */
  reask(): void {
    this.#reask = true;
  }

  /** Everything is to be sent again. */
  resend(): void {
    this.#needsSnapshot = true;
    this.#forget();
  }

  /** A newer cursor is to be sent, though nothing changed for this agent. */
  moveCursor(): void {
    this.#needsCursor = true;
  }

  get hasPending(): boolean {
    return (
      this.#needsSnapshot ||
      this.#needsCursor ||
      this.#reask ||
      this.#pendingEntries.size > 0 ||
      this.#pendingBundles.size > 0 ||
      this.#pendingCrls.size > 0 ||
      this.#pendingRevocations.size > 0 ||
      this.#pendingTasks.size > 0 ||
      this.#pendingTaskClasses.size > 0
    );
  }

  /** Lets a waiting stream look again. */
  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /** Ends the stream: with an error for the agent, or silently. */
  end(failure?: IdentityError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.wake();
    this.#options.onProgress();
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  /** What to send next, as soon as there is something; undefined at the end. @throws what `end` was given */
  async next(): Promise<Step | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return undefined;
      if (this.hasPending) return this.#take();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take(): Step {
    this.#needsCursor = false;
    if (this.#needsSnapshot) {
      this.#needsSnapshot = false;
      return { kind: "snapshot" };
    }
    const step: Step = {
      kind: "delta",
      entryIds: this.#pendingEntries,
      trustDomains: this.#pendingBundles,
      crls: this.#pendingCrls,
      revocations: this.#pendingRevocations,
      tasks: this.#pendingTasks,
      taskClasses: this.#pendingTaskClasses,
      reask: this.#reask,
    };
    this.#reask = false;
    this.#forget();
    return step;
  }

  #forget(): void {
    this.#pendingEntries = new Set();
    this.#pendingBundles = new Set();
    this.#pendingCrls = new Set();
    this.#pendingRevocations = new Set();
    this.#pendingTasks = new Set();
    this.#pendingTaskClasses = new Set();
  }

  /** A message with this cursor is about to go out; the agent holds the own bundle of this sequence once it confirms. */
  sent(revision: number, bundleSequence: bigint): void {
    this.#sentRevision = revision;
    const last = this.#unconfirmed.at(-1);
    // One row a revision: of several messages with one cursor the last one says what it stands for.
    if (last?.revision === revision && last.bundleSequence === bundleSequence) return;
    this.#unconfirmed.push({ revision, bundleSequence });
    if (this.#unconfirmed.length > this.#options.maxPending) this.#unconfirmed.shift();
  }

  /** The agent has applied everything up to the cursor with this revision. */
  confirmed(revision: number): void {
    let count = 0;
    for (const sent of this.#unconfirmed) {
      if (sent.revision > revision) break;
      this.#confirmedBundle = sent.bundleSequence;
      count++;
    }
    if (count === 0) return;
    this.#unconfirmed = this.#unconfirmed.slice(count);
    this.#options.onProgress();
  }
}
