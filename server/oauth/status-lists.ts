// The Token Status Lists: for each hour in which tasks were opened a list of a million places, and in it
// VALID, INVALID or SUSPENDED for each task of that hour. Only what is not VALID takes memory. A list is
// signed when somebody asks for it and it is no longer as it was, at most a few times a second: whoever
// asks within that time waits, so that every answer tells of all that happened before the question.
// Lists of an earlier epoch, from before the store was put back from a copy, are INVALID throughout: every
// task that has a place in them has ended, those too that the copy does not know.
import {
  type EncodedStatusList,
  encodeStatusList,
  StatusList,
} from "../../pki/token/status-list.ts";
import { issueStatusListToken } from "../../pki/token/status-list-token.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type Document, documentOf } from "../documents/document.ts";
import type { ReplicaHandler } from "../store/replica.ts";
import type { KnownTask } from "../store/task-record.ts";
import { parseStatusListName, STATUS_LIST_SIZE, statusBits } from "../tasks/status-index.ts";
import type { OAuthAddresses } from "./addresses.ts";
import type { OAuthKeys } from "./keys.ts";

const BITS = 2;
/** How long whoever has a list may go without asking again. */
export const STATUS_TTL_SECONDS = 15;
/** How long a list is good for at all: an old one must not be shown for long. */
const LIFETIME_MS = 120_000;
/** How long before it was put back a copy may have been made, and how long after its lists are asked for. */
const FORMER_MS = 31 * 24 * 3600 * 1000;
/** Lists of an earlier epoch that are kept signed. */
const MAX_FORMER = 1000;
/** One that has been asked for again after so long is signed anew. */
const STALE_MS = 30_000;
const SIGN_EVERY_MS = 250;

interface List {
  /** Of an earlier epoch: INVALID throughout. */
  readonly isFormer: boolean;
  /** Tasks that have a place in it. */
  tasks: number;
  /** What is not VALID, by place. */
  readonly marked: Map<number, number>;
  /** Grows with every change. */
  version: number;
  signed: Signed | undefined;
  signing: Promise<void> | undefined;
}

interface Signed {
  readonly version: number;
  readonly atMs: number;
  readonly document: Document;
}

export interface StatusListsOptions {
  readonly tasks: {
    values(): Iterable<KnownTask>;
    onChange(handler: ReplicaHandler<KnownTask>): () => void;
  };
  /** Of the store: server/store/epoch.ts. */
  readonly epoch?: number;
  readonly keys: Pick<OAuthKeys, "active">;
  readonly addresses: Pick<OAuthAddresses, "status">;
  readonly clock: Clock;
}

export class StatusLists {
  readonly #options: StatusListsOptions;
  readonly #lists = new Map<string, List>();
  /** Lists of an earlier epoch that were asked for. */
  readonly #former = new Map<string, List>();
  #allInvalid: EncodedStatusList | undefined;
  readonly #stopFollowing: () => void;
  readonly #ended = new AbortController();

  constructor(options: StatusListsOptions) {
    this.#options = options;
    for (const task of options.tasks.values()) this.#add(task);
    this.#stopFollowing = options.tasks.onChange((changes) => {
      for (const { before, after } of changes) {
        // First what comes: a list with one task must not go and come back.
        if (after !== undefined) this.#add(after);
        if (before !== undefined) this.#remove(before, after);
      }
    });
  }

  /** How many lists there are, and how many places in them are not VALID. */
  get size(): { readonly lists: number; readonly marked: number } {
    let marked = 0;
    for (const list of this.#lists.values()) marked += list.marked.size;
    return { lists: this.#lists.size, marked };
  }

  /** The signed list of a name, as it is now; undefined when there is none. @throws AUTHORITY_NOT_READY */
  async current(name: string): Promise<Document | undefined> {
    const list = this.#find(name);
    if (list === undefined) return undefined;
    const wanted = list.version;
    for (;;) {
      const { signed } = list;
      if (signed !== undefined && signed.version >= wanted && !this.#isStale(signed)) {
        return signed.document;
      }
      list.signing ??= this.#sign(name, list).finally(() => {
        list.signing = undefined;
      });
      await list.signing;
    }
  }

  #find(name: string): List | undefined {
    const { epoch = 0, clock } = this.#options;
    const named = parseStatusListName(name);
    if (named === undefined) return undefined;
    if (named.epoch >= epoch) return this.#lists.get(name);
    const restoredMs = epoch * 1000;
    const openedMs = named.hour.getTime();
    const isOfThen = openedMs <= restoredMs && openedMs >= restoredMs - FORMER_MS;
    const isOver = clock.now().getTime() > restoredMs + FORMER_MS;
    if (!this.#lists.has(name) && (!isOfThen || isOver)) return undefined;
    let list = this.#former.get(name);
    if (list === undefined) {
      if (this.#former.size >= MAX_FORMER) this.#former.clear();
      list = newList(true);
      this.#former.set(name, list);
    }
    return list;
  }

  #encoded(list: List): EncodedStatusList {
    if (!list.isFormer) return encodeStatusList(listOf(list));
    this.#allInvalid ??= encodeStatusList(allInvalid());
    return this.#allInvalid;
  }

  stop(): void {
    this.#stopFollowing();
    this.#ended.abort();
  }

  async #sign(name: string, list: List): Promise<void> {
    const { clock, keys, addresses } = this.#options;
    const waitMs = (list.signed?.atMs ?? -Infinity) + SIGN_EVERY_MS - clock.now().getTime();
    // Longer ahead than that: the clock was set back.
    if (waitMs > 0 && waitMs <= SIGN_EVERY_MS) await clock.sleep(waitMs, this.#ended.signal);
    const { version } = list;
    const encoded = this.#encoded(list);
    const { signer, keyId, expiresAt } = keys.active();
    const atMs = clock.now().getTime();
    const token = await issueStatusListToken({
      signer,
      keyId,
      uri: addresses.status.url + name,
      list: encoded,
      issuedAt: new Date(atMs),
      expiresAt: new Date(Math.min(atMs + LIFETIME_MS, expiresAt.getTime())),
      ttlSeconds: STATUS_TTL_SECONDS,
    });
    const document = documentOf(
      Buffer.from(token),
      "application/statuslist+jwt",
      `max-age=${STATUS_TTL_SECONDS}`,
    );
    list.signed = { version, atMs, document };
  }

  #isStale({ atMs }: Signed): boolean {
    return Math.abs(this.#options.clock.now().getTime() - atMs) >= STALE_MS;
  }

  #add(task: KnownTask): void {
    const { list: name, index } = task.status;
    let list = this.#lists.get(name);
    if (list === undefined) {
      list = newList(false);
      this.#lists.set(name, list);
    }
    list.tasks++;
    const bits = statusBits(task);
    if ((list.marked.get(index) ?? 0) === bits) return;
    if (bits === 0) list.marked.delete(index);
    else list.marked.set(index, bits);
    list.version++;
  }

  #remove({ status }: KnownTask, after: KnownTask | undefined): void {
    const list = this.#lists.get(status.list);
    if (list === undefined) return;
    list.tasks--;
    if (list.tasks === 0) {
      this.#lists.delete(status.list);
      return;
    }
    const isSamePlace = after?.status.list === status.list && after.status.index === status.index;
    if (!isSamePlace && list.marked.delete(status.index)) list.version++;
  }
}

function newList(isFormer: boolean): List {
  const marked = new Map<number, number>();
  return { isFormer, tasks: 0, marked, version: 0, signed: undefined, signing: undefined };
}

function allInvalid(): StatusList {
  const list = StatusList.ofSize(BITS, STATUS_LIST_SIZE);
  for (let index = 0; index < STATUS_LIST_SIZE; index++) list.set(index, 1);
  return list;
}

function listOf({ marked }: List): StatusList {
  const list = StatusList.ofSize(BITS, STATUS_LIST_SIZE);
  for (const [index, bits] of marked) list.set(index, bits);
  return list;
}
