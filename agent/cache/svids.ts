// The SVIDs of one kind that this node agent holds, one per entry: X509-SVIDs, and WIT-SVIDs. What is wanted within one turn of the event loop
// is asked of the server in one batch; an old SVID is served until its successor is there; a server that
// is away is asked again with growing delays.
// How one is made: mint.ts and mint-wit.ts. When it is renewed: rotation.ts. Which ones stay: holdings.ts.

import { IdentityError, Status } from "../../pki/errors.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { type Backoff, backoff } from "../../runtime/backoff.ts";
import type { Clock, Timer } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import { type HeldDocument, Holdings, type Usage } from "./holdings.ts";
import type { HeldSvid } from "./mint.ts";

export interface SvidCacheOptions<T extends HeldDocument> {
  /** In messages: "X509-SVID". */
  readonly kind: string;
  /** Has an SVID made for each entry; in its place the reason when the server refuses one. */
  readonly mint: (entries: readonly RegistrationEntry[]) => Promise<readonly (T | IdentityError)[]>;
  /** What of an entry goes into its SVID. The rest can change without a new one. */
  readonly inputsOf: (entry: RegistrationEntry) => string;
  /** What a revoked SVID is named by in the log. */
  readonly nameOf: (svid: T) => Readonly<Record<string, unknown>>;
  readonly now: () => Date;
  /** Answers 0..1, to spread what would otherwise happen at once everywhere. */
  readonly random: () => number;
  readonly clock: Clock;
  readonly log: Logger;
  /** The entry as it is now; undefined when it is gone. */
  readonly entryOf: (id: string) => RegistrationEntry | undefined;
  /** How many SVIDs are held, unless more than that are in use. */
  readonly limit: number;
  /** What is in use; asked when the limit is passed. */
  readonly usage: () => Usage;
  readonly isRevoked: (svid: T) => boolean;
  /** SVIDs have come, gone or been refused, by entry ID: one call per batch. */
  readonly onChange: (entryIds: ReadonlySet<string>) => void;
}

interface Refusal {
  readonly error: IdentityError;
  readonly inputs: string;
  readonly retryAt: Date;
}

/** Half the 500 the server takes at once, so that one call does not use up its whole rate limit. */
const BATCH_SIZE = 250;
const BATCHES_IN_FLIGHT = 4;
/** Answers in a row that were revoked before they came, until the next one is asked for with a delay. */
const OVERTAKEN_TIMES = 3;
const REFUSED_FOR_MS = 30_000;
const REFUSED_AT_MOST_FOR_MS = 30 * 60_000;

/** Answers that the same question will get again; anything else may pass. */
const FINAL: ReadonlySet<Status> = new Set([
  Status.invalidArgument,
  Status.notFound,
  Status.permissionDenied,
  Status.failedPrecondition,
  Status.unimplemented,
]);

/** SVIDs of one kind by entry ID. */
export class SvidCache<T extends HeldDocument = HeldSvid> {
  readonly #options: SvidCacheOptions<T>;
  readonly #held: Holdings<T>;
  readonly #queue = new Set<string>();
  readonly #inFlight = new Set<string>();
  /** Of those in flight: to be asked for again, because an authority was withdrawn meanwhile. */
  readonly #again = new Set<string>();
  readonly #failed = new Set<string>();
  readonly #refused = new Map<string, Refusal>();
  /** How often the server has refused an entry in a row. */
  readonly #refusals = new Map<string, number>();
  /** Entries whose SVID was revoked, until there is another or the server refuses one. */
  readonly #revoked = new Set<string>();
  /** How often in a row the answer of an entry was revoked before it came. */
  readonly #overtaken = new Map<string, number>();
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #backoff: Backoff;
  #batches = 0;
  #flushing = false;
  #retry: Timer | undefined;
  #closed = false;

  constructor(options: SvidCacheOptions<T>) {
    this.#options = options;
    this.#held = new Holdings(options.limit, options.usage);
    this.#backoff = backoff({ initialMs: 500, maxMs: 60_000 }, options.random);
  }

  /** In messages: "X509-SVID". */
  get kind(): string {
    return this.#options.kind;
  }

  get size(): number {
    return this.#held.size;
  }

  get(entryId: string): T | undefined {
    return this.#held.get(entryId);
  }

  held(): IterableIterator<T> {
    return this.#held.values();
  }

  /** Why the server does not issue for an entry as it is now; undefined when it does or was not asked. */
  refusalOf(entry: RegistrationEntry): IdentityError | undefined {
    const refusal = this.#refused.get(entry.id);
    return refusal?.inputs === this.#options.inputsOf(entry) ? refusal.error : undefined;
  }

  /** When an entry comes up for renewal or another try; undefined while one is under way. */
  dueAt(entryId: string): Date | undefined {
    if (this.#isBusy(entryId)) return undefined;
    return this.#refused.get(entryId)?.retryAt ?? this.#held.get(entryId)?.renewAt;
  }

  refused(): IterableIterator<string> {
    return this.#refused.keys();
  }

  /** Whether the SVID of an entry was revoked and neither replaced nor refused since. */
  isReplacing(entryId: string): boolean {
    return this.#revoked.has(entryId);
  }

  /** Somebody has stopped to listen: lets go of what is over the limit. */
  trim(): void {
    const evicted = this.#held.evict();
    if (evicted.length > 0) this.#options.onChange(new Set(evicted));
  }

  /** Asks for SVIDs that are not there, or were made from an earlier version of their entry. */
  want(entries: Iterable<RegistrationEntry>): void {
    for (const entry of entries) {
      const inputs = this.#options.inputsOf(entry);
      if (this.#held.get(entry.id)?.inputs === inputs) continue;
      if (this.#refused.get(entry.id)?.inputs === inputs) continue;
      this.#enqueue(entry.id);
    }
  }

  /** Gets SVIDs ahead of their first use, as far as there is room and the entry does not forbid it. */
  prefetch(entries: Iterable<RegistrationEntry>): void {
    let room = this.#options.limit - this.#held.size - this.#queue.size - this.#inFlight.size;
    for (const entry of entries) {
      if (room <= 0) return;
      if (entry.disableX509SvidPrefetch || entry.storeSvid || this.#isBusy(entry.id)) continue;
      if (this.#held.get(entry.id) !== undefined) continue;
      this.want([entry]);
      room -= 1;
    }
  }

  /** Replaces SVIDs, due or not. The old ones are served until the new ones are there. */
  renew(entryIds: Iterable<string>): void {
    for (const id of entryIds) this.#enqueue(id);
  }

  /** As {@link renew}, and what is being signed at this moment is asked for once more after that. */
  replace(entryIds: Iterable<string>): void {
    for (const id of this.#inFlight) this.#again.add(id);
    this.renew(entryIds);
  }

  /**
   * Something has been revoked: what is held of it is not served again, and asked for anew. The server
   * refuses what it holds back. Answers of which entries; subscribers are the caller's to tell.
   */
  dropRevoked(): ReadonlySet<string> {
    const dropped = [...this.#held.values()].filter((svid) => this.#options.isRevoked(svid));
    for (const svid of dropped) {
      const { entryId, spiffeId } = svid;
      this.#held.drop(entryId);
      this.#revoked.add(entryId);
      const fields = { entry_id: entryId, spiffe_id: spiffeId, ...this.#options.nameOf(svid) };
      this.#options.log.info(fields, `the ${this.kind} of an entry was revoked`);
    }
    const entryIds = new Set(dropped.map((svid) => svid.entryId));
    this.renew(entryIds);
    return entryIds;
  }

  /** Resolves when nothing is under way for any of these entries: it came, was refused, or failed. */
  settled(entryIds: readonly string[], signal: AbortSignal): Promise<void> {
    const awaited = entryIds.filter((id) => this.#queue.has(id) || this.#inFlight.has(id));
    if (awaited.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      let left = awaited.length;
      const end = (): void => {
        signal.removeEventListener("abort", abort);
        for (const id of awaited) this.#waiting.get(id)?.delete(settle);
      };
      const abort = (): void => {
        end();
        reject(signal.reason);
      };
      const settle = (): void => {
        left -= 1;
        if (left > 0) return;
        end();
        resolve();
      };
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      signal.addEventListener("abort", abort, { once: true });
      for (const id of awaited) {
        const waiting = this.#waiting.get(id) ?? new Set();
        this.#waiting.set(id, waiting.add(settle));
      }
    });
  }

  /** Follows changes of entries: SVIDs of removed ones go, of changed ones are replaced. */
  entriesChanged(current: readonly RegistrationEntry[], removedIds: Iterable<string>): void {
    for (const id of removedIds) this.#drop(id);
    for (const entry of current) {
      const held = this.#held.get(entry.id);
      this.#refused.delete(entry.id);
      this.#refusals.delete(entry.id);
      if (held === undefined || held.inputs === this.#options.inputsOf(entry)) continue;
      // Another SPIFFE ID is another identity: the old one is no longer anybody's.
      if (held.spiffeId !== entry.spiffeId) this.#drop(entry.id);
      this.#enqueue(entry.id);
    }
  }

  /** The server can be reached again: what failed or was refused is asked for now. */
  resume(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#backoff.reset();
    for (const id of [...this.#failed, ...this.#refused.keys()]) this.#enqueue(id);
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#queue.clear();
    for (const id of [...this.#waiting.keys()]) this.#settle(id);
    this.#held.clear();
  }

  #isBusy(id: string): boolean {
    return this.#queue.has(id) || this.#inFlight.has(id) || this.#failed.has(id);
  }

  #enqueue(id: string): void {
    if (this.#closed || this.#inFlight.has(id)) return;
    this.#failed.delete(id);
    this.#refused.delete(id);
    this.#queue.add(id);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    while (!this.#closed && this.#queue.size > 0 && this.#batches < BATCHES_IN_FLIGHT) {
      const entries: RegistrationEntry[] = [];
      for (const id of this.#queue) {
        const entry = this.#options.entryOf(id);
        this.#queue.delete(id);
        if (entry === undefined) this.#settle(id);
        else entries.push(entry);
        if (entries.length === BATCH_SIZE) break;
      }
      if (entries.length > 0) void this.#batch(entries);
    }
  }

  /** Owned by the counter of batches; never rejects. */
  async #batch(entries: readonly RegistrationEntry[]): Promise<void> {
    this.#batches += 1;
    for (const entry of entries) this.#inFlight.add(entry.id);
    const changed = new Set<string>();
    try {
      const answers = await this.#options.mint(entries);
      entries.forEach((entry, i) => {
        this.#inFlight.delete(entry.id);
        const answer = answers[i];
        if (answer !== undefined) this.#take(entry, answer, changed);
      });
      this.#backoff.reset();
    } catch (error) {
      this.#options.log.debug({ error, entries: entries.length }, `could not get ${this.kind}s`);
      for (const { id } of entries) {
        this.#inFlight.delete(id);
        this.#failed.add(id);
      }
      this.#retryLater();
    }
    this.#batches -= 1;
    if (this.#closed) return;
    for (const { id } of entries) if (this.#again.delete(id)) this.#enqueue(id);
    for (const id of this.#held.evict()) changed.add(id);
    if (changed.size > 0) this.#options.onChange(changed);
    for (const { id } of entries) this.#settle(id);
    this.#flush();
  }

  #take(entry: RegistrationEntry, answer: T | IdentityError, changed: Set<string>): void {
    const current = this.#options.entryOf(entry.id);
    if (current === undefined || this.#closed) return; // removed while the server signed
    if (this.#options.inputsOf(current) !== this.#options.inputsOf(entry)) {
      this.#enqueue(entry.id);
      if (current.spiffeId !== entry.spiffeId) return;
    }
    if (answer instanceof IdentityError) {
      if (!FINAL.has(answer.code)) {
        this.#failed.add(entry.id);
        this.#retryLater();
        return;
      }
      this.#refuse(entry, answer);
    } else if (this.#options.isRevoked(answer)) {
      // Its revocation has overtaken it. Not for ever at once: a server may be a second behind itself.
      const times = this.#overtaken.get(entry.id) ?? 0;
      this.#overtaken.set(entry.id, times + 1);
      if (times < OVERTAKEN_TIMES) this.#again.add(entry.id);
      else {
        this.#failed.add(entry.id);
        this.#retryLater();
      }
      this.#revoked.add(entry.id);
    } else {
      this.#held.put(answer);
      this.#refusals.delete(entry.id);
      this.#revoked.delete(entry.id);
      this.#overtaken.delete(entry.id);
    }
    changed.add(entry.id);
  }

  #refuse(entry: RegistrationEntry, error: IdentityError): void {
    const times = this.#refusals.get(entry.id) ?? 0;
    this.#refusals.set(entry.id, times + 1);
    const waitMs = Math.min(REFUSED_FOR_MS * 2 ** times, REFUSED_AT_MOST_FOR_MS);
    const retryAt = new Date(this.#options.now().getTime() + waitMs);
    this.#refused.set(entry.id, { error, inputs: this.#options.inputsOf(entry), retryAt });
    this.#revoked.delete(entry.id);
    this.#overtaken.delete(entry.id);
    this.#options.log.warn(
      { entry_id: entry.id, spiffe_id: entry.spiffeId, reason: error.reason, error },
      `the server issues no ${this.kind} for an entry`,
    );
  }

  #retryLater(): void {
    if (this.#retry !== undefined || this.#closed) return;
    this.#retry = this.#options.clock.setTimer(this.#backoff.next(), () => {
      this.#retry = undefined;
      for (const id of [...this.#failed]) this.#enqueue(id);
    });
  }

  #drop(id: string): void {
    this.#held.drop(id);
    this.#queue.delete(id);
    this.#failed.delete(id);
    this.#refused.delete(id);
    this.#refusals.delete(id);
    this.#revoked.delete(id);
    this.#overtaken.delete(id);
    if (!this.#inFlight.has(id)) this.#settle(id);
  }

  #settle(id: string): void {
    if (this.#queue.has(id)) return; // changed while it was signed: the next answer counts
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    for (const settle of waiting ?? []) settle();
  }
}
