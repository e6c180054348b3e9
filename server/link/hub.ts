// Every agent that is connected, and which of them each change of the store concerns. Changes of
// entries, bundles and agents come in from the store's replicas in the order of their revisions; the
// sessions they concern are woken once all replicas have reached that revision, so that a cursor
// stands for all of them at once. Also tells the CA when every agent has confirmed a bundle.
import type { IdentityError } from "../../pki/errors.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import { equalSelectors } from "../../proto/types/selector.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Publication } from "../ca/publication.ts";
import type { EntryChange, EntryIndex } from "../entries/index.ts";
import { serverError } from "../errors.ts";
import type { BundleStore } from "../store/bundles.ts";
import type { CrlRecord, CrlStore } from "../store/crls.ts";
import type { EntryStore } from "../store/entries.ts";
import type { NodeRecord } from "../store/node-record.ts";
import type { NodeStore } from "../store/nodes.ts";
import type { ReplicaChange } from "../store/replica.ts";
import type { RevocationRecord } from "../store/revocation-record.ts";
import type { RevocationStore } from "../store/revocations.ts";
import type { TaskClassRecord, TaskClassStore } from "../store/task-classes.ts";
import { isEnded, type KnownTask } from "../store/task-record.ts";
import type { TaskStore } from "../store/tasks.ts";
import { ChangeRing } from "./change-ring.ts";
import { Describers } from "./describers.ts";
import type { Reach } from "./reach.ts";
import { type LinkedAgent, Session } from "./session.ts";
import { Sessions } from "./sessions.ts";
import { audienceOf } from "./task-messages.ts";

/** Recent changes that a returning agent can be given instead of everything. */
const RING_CAPACITY = 10_000;
/** Changed entries a session may have waiting before it is given everything instead. */
const MAX_PENDING = 10_000;
/**
 * Streams one agent may have: it has two while it moves to a new certificate, and may leave some behind
 * when its host vanishes. An agent gone wrong must not make each change cost what thousands would.
 */
const MAX_SESSIONS_OF_AGENT = 8;
/** Sessions woken in one turn of the event loop: a change for thousands must not hold up everyone else. */
const WAKE_AT_ONCE = 64;

export interface LinkHubOptions {
  readonly trustDomain: TrustDomain;
  readonly entries: EntryStore;
  readonly index: EntryIndex;
  readonly bundles: BundleStore;
  readonly crls: CrlStore;
  readonly revocations: RevocationStore;
  readonly nodes: NodeStore;
  readonly tasks: TaskStore;
  readonly taskClasses: TaskClassStore;
  readonly reach: Reach;
  readonly log: Logger;
}

export class LinkHub implements Publication {
  readonly #options: LinkHubOptions;
  readonly #sessions = new Sessions();
  readonly #ring: ChangeRing;
  readonly #unsubscribe: (() => void)[];
  readonly #describers = new Describers();
  #waiting: { readonly sequence: bigint; readonly resolve: () => void }[] = [];
  /** Up to here all replicas agree: the revision of the cursors that are sent. */
  #revision: number;
  #pendingRevision: number;
  #bundleSequence: bigint;
  /** Names of bundles that changed after that revision. */
  readonly #pendingBundles = new Set<string>();
  /** When task classes changed, by name; those that did not since the start are not here. */
  readonly #taskClasses = new Map<string, number>();
  /** What else is for every session, and changed after that revision. */
  #pending: ((session: Session) => void)[] = [];
  /** There is something to tell: also of a revision that was settled before, when it was heard of late. */
  #isUnsettled = false;
  #isSettling = false;
  #stopping = false;

  constructor(options: LinkHubOptions) {
    this.#options = options;
    const { entries, index, bundles, crls, revocations, nodes, tasks, taskClasses } = options;
    // A replica may be ahead of another at this moment; the one behind them all is true for all.
    const replicas = [entries, bundles, crls, revocations, tasks, taskClasses];
    this.#revision = Math.min(...replicas.map(({ revision }) => revision));
    this.#pendingRevision = this.#revision;
    this.#bundleSequence = this.#currentSequence();
    this.#ring = new ChangeRing({ revision: this.#revision, capacity: RING_CAPACITY });
    this.#unsubscribe = [
      index.onChange((changes, revision) => this.#onEntries(changes, revision)),
      bundles.onChange((changes, revision) => this.#onBundles(changes, revision)),
      crls.onChange((changes, revision) => this.#onCrls(changes, revision)),
      revocations.onChange((changes, revision) => this.#onRevocations(changes, revision)),
      tasks.onChange((changes, revision) => this.#onTasks(changes, revision)),
      taskClasses.onChange((changes, revision) => this.#onTaskClasses(changes, revision)),
      nodes.onChange((changes, revision) => this.#onNodes(changes, revision)),
    ];
  }

  /** How many streams are open. */
  get size(): number {
    return this.#sessions.size;
  }

  /** The revision that the cursor of a message made now carries. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * The sequence number of the own bundle that the cursor of a message made now stands for. A message
   * may carry a later one already; what counts is what its confirmation proves.
   */
  get bundleSequence(): bigint {
    return this.#bundleSequence;
  }

  /** Node agents may have again what they were refused before the commit `revision`. */
  reask(revision: number): void {
    this.#pending.push((session) => session.reask());
    this.#settle(revision);
  }

  /** A node agent was told how these tasks are, for its guards: it hears when they change. */
  described(nodeAgent: string, taskIds: Iterable<string>): void {
    this.#describers.note(nodeAgent, taskIds);
  }

  /**
   * Opens the session of an agent that stopped at `revision` (undefined: it holds nothing). It is
   * given all bundles, and all that is revoked, in either case. Answers whether it resumes; if not,
   * everything is pending.
   */
  open(agent: LinkedAgent, revision: number | undefined): { session: Session; resumed: boolean } {
    if (this.#stopping) throw stopping();
    // Once more, and without a pause before the session is listed: a ban in between would miss it.
    const node = this.#options.nodes.get(agent.id);
    if (node === undefined) throw evicted(agent.id);
    if (node.banned) throw banned(agent.id);
    const roots = this.#options.reach.rootsOf(agent.id);
    const session = new Session({
      agent,
      roots,
      maxPending: MAX_PENDING,
      onProgress: () => this.#settleWaiting(),
    });
    const missed =
      revision === undefined || revision > this.#pendingRevision
        ? undefined
        : this.#ring.missed(agent.id, roots, revision);
    if (missed === undefined || revision === undefined) session.resend();
    else {
      session.startAt(revision);
      for (const id of missed) session.addEntry(id);
      for (const { trustDomain } of this.#options.bundles.list()) {
        session.addBundle(trustDomain.name);
      }
      this.#addRevoked(session);
      this.#addTasks(session, revision);
    }
    this.#sessions.add(session);
    const own = [...this.#sessions.ofAgent(agent.id)].filter(({ isEnded }) => !isEnded);
    if (own.length > MAX_SESSIONS_OF_AGENT) own[0]?.end();
    return { session, resumed: missed !== undefined };
  }

  /** To be called when a session's stream is over. */
  close(session: Session): void {
    session.end();
    this.#sessions.delete(session);
    this.#settleWaiting();
  }

  /** Ends the sessions of an agent, with an error for it. */
  endAgent(agentId: string, failure: IdentityError): void {
    for (const session of [...this.#sessions.ofAgent(agentId)]) session.end(failure);
  }

  acknowledged(bundleSequence: bigint): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ sequence: bundleSequence, resolve });
      this.#settleWaiting();
    });
  }

  /** Ends every session so that agents look for another server, or for this one when it is back. */
  stop(): void {
    this.#stopping = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    for (const session of [...this.#sessions.all()]) session.end(stopping());
  }

  #onEntries(changes: readonly EntryChange[], revision: number): void {
    for (const effect of this.#options.reach.effectsOf(changes)) {
      const { entryId, roots, structural, aliasOf } = effect;
      this.#ring.add({ ...effect, revision });
      if (aliasOf !== undefined) {
        for (const session of this.#sessions.all()) {
          if (!aliasOf(session.agent.id)) continue;
          this.#reroot(session);
          session.addEntry(entryId);
        }
      }
      for (const root of roots) {
        for (const session of this.#sessions.withRoot(root)) {
          if (structural) session.resend();
          else session.addEntry(entryId);
        }
      }
    }
    const staleBefore = this.#ring.takeStaleBefore() ?? 0;
    if (staleBefore > 0) {
      for (const session of this.#sessions.all()) {
        if (session.sentRevision < staleBefore) session.moveCursor();
      }
    }
    this.#settle(revision);
  }

  #onBundles(changes: readonly { readonly id: string }[], revision: number): void {
    // Not given to the sessions yet: one that is sending would send it under a cursor from before.
    for (const { id } of changes) this.#pendingBundles.add(id);
    this.#settle(revision);
  }

  #onCrls(changes: readonly ReplicaChange<CrlRecord>[], revision: number): void {
    for (const { id, before, after } of changes) {
      // A list with nothing on it is none for an agent.
      if ((before?.size ?? 0) === 0 && (after?.size ?? 0) === 0) continue;
      this.#pending.push((session) => session.addCrl(id));
    }
    this.#settle(revision);
  }

  #onRevocations(changes: readonly ReplicaChange<RevocationRecord>[], revision: number): void {
    for (const { id, before, after } of changes) {
      const isNew = before === undefined && after !== undefined;
      if (isNew && hasTokens(after)) this.#pending.push((session) => session.addRevocation(id));
      if (isHolding(before) && !isHolding(after)) this.#pending.push((session) => session.reask());
    }
    this.#settle(revision);
  }

  #onTasks(changes: readonly ReplicaChange<KnownTask>[], revision: number): void {
    let isTold = false;
    for (const change of changes) {
      const { id, after } = change;
      const audience = audienceOf(change);
      if (after === undefined || isEnded(after)) this.#describers.forget(id);
      if (audience === "nobody") continue;
      isTold = true;
      if (audience === "everyone") this.#pending.push((session) => session.addTask(id));
      else {
        this.#pending.push((session) => {
          const { id: agent } = session.agent;
          if (agent === after?.nodeAgent || this.#describers.has(agent, id)) session.addTask(id);
        });
      }
    }
    // What concerns nobody moves no cursor: openings make no message.
    if (isTold) this.#settle(revision);
  }

  #onTaskClasses(changes: readonly ReplicaChange<TaskClassRecord>[], revision: number): void {
    for (const { id } of changes) {
      this.#taskClasses.set(id, revision);
      this.#pending.push((session) => session.addTaskClass(id));
    }
    this.#settle(revision);
  }

  /** What an agent that stopped at `revision` missed of tasks and their classes. */
  #addTasks(session: Session, revision: number): void {
    for (const task of this.#options.tasks.changedAfter(revision)) {
      // A new task that goes on is news to nobody.
      if (task.version > 1) session.addTask(task.id);
    }
    for (const [name, changedAt] of this.#taskClasses) {
      if (changedAt > revision) session.addTaskClass(name);
    }
  }

  /** All that is revoked, for an agent that may have missed some of it; and what was released meanwhile. */
  #addRevoked(session: Session): void {
    const { crls, revocations } = this.#options;
    let isRevoking = false;
    for (const { authorityId } of crls.values()) {
      session.addCrl(authorityId);
      isRevoking = true;
    }
    for (const record of revocations.values()) {
      if (hasTokens(record)) session.addRevocation(record.id);
      isRevoking = true;
    }
    if (isRevoking) session.reask();
  }

  #onNodes(changes: readonly ReplicaChange<NodeRecord>[], revision: number): void {
    for (const { id, before, after } of changes) {
      if (after === undefined) this.endAgent(id, evicted(id));
      else if (after.banned && before?.banned !== true) this.endAgent(id, banned(id));
      else if (before !== undefined && !equalSelectors(before.selectors, after.selectors)) {
        this.#ring.addReselected(id, revision);
        for (const session of [...this.#sessions.ofAgent(id)]) this.#reroot(session);
        this.#settle(revision);
      }
    }
  }

  /** An agent's aliases may have changed: if they have, so may everything it serves. */
  #reroot(session: Session): void {
    const roots = this.#options.reach.rootsOf(session.agent.id);
    if (this.#sessions.reroot(session, roots)) session.resend();
  }

  /** Wakes the sessions with something to send once every replica has reached `revision`. */
  #settle(revision: number): void {
    this.#pendingRevision = Math.max(this.#pendingRevision, revision);
    this.#isUnsettled = true;
    if (this.#isSettling) return;
    this.#isSettling = true;
    void this.#catchUp(); // never rejects
  }

  async #catchUp(): Promise<void> {
    const { entries, bundles, crls, revocations, tasks, taskClasses, log } = this.#options;
    const replicas = [entries, bundles, crls, revocations, tasks, taskClasses];
    try {
      while (this.#isUnsettled && !this.#stopping) {
        this.#isUnsettled = false;
        const target = this.#pendingRevision;
        await Promise.all(replicas.map((replica) => replica.reached(target)));
        if (this.#pendingRevision !== target) continue;
        this.#revision = target;
        this.#bundleSequence = this.#currentSequence();
        for (const name of this.#pendingBundles) {
          for (const session of this.#sessions.all()) session.addBundle(name);
        }
        this.#pendingBundles.clear();
        for (const add of this.#pending) for (const session of this.#sessions.all()) add(session);
        this.#pending = [];
        await this.#wakeAll();
      }
    } catch (error) {
      // The store has failed: agents keep what they have, and readiness says what is wrong here.
      log.error({ error }, "node agents can no longer be told of changes");
    } finally {
      // In the turn in which it was seen that nothing is left: whatever comes after begins anew.
      this.#isSettling = false;
    }
  }

  #currentSequence(): bigint {
    return this.#options.bundles.get(this.#options.trustDomain.name)?.sequence ?? -1n;
  }

  async #wakeAll(): Promise<void> {
    let woken = 0;
    for (const session of [...this.#sessions.all()]) {
      if (!session.hasPending) continue;
      session.wake();
      if (++woken % WAKE_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #settleWaiting(): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter(({ sequence, resolve }) => {
      for (const session of this.#sessions.all()) {
        if (!session.isEnded && session.confirmedBundle < sequence) return true;
      }
      resolve();
      return false;
    });
  }
}

function hasTokens({ tokens, tokensOf }: RevocationRecord): boolean {
  return tokens.length > 0 || tokensOf !== undefined;
}

function isHolding(record: RevocationRecord | undefined): boolean {
  return record?.hold !== undefined && record.hold.releasedAtUnixSeconds === undefined;
}

function banned(id: string): IdentityError {
  return serverError("AGENT_BANNED", `agent "${id}" is banned`);
}

function evicted(id: string): IdentityError {
  return serverError("AGENT_NOT_ATTESTED", `agent "${id}" was evicted`, {
    hint: "attest the agent again, with a new join token",
  });
}

function stopping(): IdentityError {
  return serverError("SERVER_CLOSING", "the server is stopping", { hint: "connect again" });
}
