// The revocation lists of the X509-SVIDs of tasks, which are on no other list: a list for each authority, of
// the one distribution point that these SVIDs name (RFC 5280 s5.2.5). A task's SVIDs are on it from its
// end, and while it is suspended or parked on hold, until they expire. Signed when somebody asks and it
// is no longer as it was, at most a few times a second: whoever asks within that time waits, so that
// every answer tells of all that happened before. Nothing of it is stored.
import { createHash } from "node:crypto";
import { issueCrl, type RevokedCertificate } from "../../pki/x509/crl-issue.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { ListSigner } from "../ca/authority.ts";
import { BACKDATE_MS } from "../ca/make.ts";
import { isOpen, type KnownTask } from "../store/task-record.ts";
import type { TaskSerial } from "./orders.ts";

/** SVIDs of tasks live for minutes, and so do the lists that speak of them. */
const LIFETIME_MS = 15 * 60_000;
const STALE_MS = 5 * 60_000;
const SIGN_EVERY_MS = 250;
/** As on the other lists; more would not fit into what is read. */
const MAX_LISTED = 75_000;

interface Signed {
  readonly version: number;
  readonly atMs: number;
  readonly content: string;
  readonly der: Uint8Array;
}

interface List {
  signed: Signed | undefined;
  signing: Promise<void> | undefined;
  number: bigint;
}

export interface TaskCrlsOptions {
  readonly tasks: {
    /** Those that verifiers have to refuse. */
    refused(): Iterable<KnownTask>;
    /** The certificates that a task was given and that have not expired. */
    serialsOf(id: string): readonly TaskSerial[];
    onChange(handler: () => void): () => void;
  };
  /** The authorities whose keys are here, by ID. */
  readonly signers: () => ReadonlyMap<string, ListSigner>;
  /** Where the list of an authority is: what its SVIDs of tasks name. */
  readonly urlOf: (authorityId: string) => string;
  readonly clock: Clock;
  readonly log: Logger;
}

export class TaskCrls {
  readonly #options: TaskCrlsOptions;
  readonly #lists = new Map<string, List>();
  readonly #stopFollowing: () => void;
  readonly #ended = new AbortController();
  #version = 0;

  constructor(options: TaskCrlsOptions) {
    this.#options = options;
    this.#stopFollowing = options.tasks.onChange(() => {
      this.#version++;
    });
  }

  /** The list of an authority as it is now, DER; undefined when this server has no such authority. */
  async current(authorityId: string): Promise<Uint8Array | undefined> {
    const signer = this.#options.signers().get(authorityId);
    if (signer === undefined) {
      this.#lists.delete(authorityId);
      return undefined;
    }
    let list = this.#lists.get(authorityId);
    if (list === undefined) {
      list = { signed: undefined, signing: undefined, number: 0n };
      this.#lists.set(authorityId, list);
    }
    const wanted = this.#version;
    for (;;) {
      const { signed } = list;
      if (signed !== undefined && signed.version >= wanted && !this.#isStale(signed)) {
        return signed.der;
      }
      const own = list;
      own.signing ??= this.#sign(authorityId, signer, own).finally(() => {
        own.signing = undefined;
      });
      await own.signing;
    }
  }

  stop(): void {
    this.#stopFollowing();
    this.#ended.abort();
  }

  async #sign(authorityId: string, issuer: ListSigner, list: List): Promise<void> {
    const { clock, urlOf, log } = this.#options;
    const waitMs = (list.signed?.atMs ?? -Infinity) + SIGN_EVERY_MS - clock.now().getTime();
    // Longer ahead than that: the clock was set back.
    if (waitMs > 0 && waitMs <= SIGN_EVERY_MS) await clock.sleep(waitMs, this.#ended.signal);
    const version = this.#version;
    const revoked = this.#revokedBy(authorityId);
    const content = contentOf(revoked);
    const atMs = clock.now().getTime();
    const { signed } = list;
    if (signed !== undefined && signed.content === content && !this.#isStale(signed)) {
      list.signed = { ...signed, version };
      return;
    }
    // Greater than in any list before, of an earlier run too, without a memory of those.
    list.number = list.number >= BigInt(atMs) ? list.number + 1n : BigInt(atMs);
    const der = await issueCrl({
      issuer,
      number: list.number,
      thisUpdate: new Date(atMs - BACKDATE_MS),
      nextUpdate: new Date(atMs + LIFETIME_MS),
      revoked,
      scope: urlOf(authorityId),
    });
    list.signed = { version, atMs, content, der };
    log.debug(
      { authority_id: authorityId, revoked: revoked.length },
      "revocation list of tasks signed",
    );
  }

  #revokedBy(authorityId: string): RevokedCertificate[] {
    const { tasks, log } = this.#options;
    const listed: (RevokedCertificate & { readonly expiresAt: number })[] = [];
    for (const task of tasks.refused()) {
      const serials = tasks.serialsOf(task.id);
      if (serials.length === 0) continue;
      const isOver = !isOpen(task);
      const revokedAt = new Date(isOver ? task.endedAtMs : task.lastActiveMs);
      const reason = isOver ? "cessation-of-operation" : "certificate-hold";
      for (const { authorityId: by, serial, expiresAtUnixSeconds: expiresAt } of serials) {
        if (by === authorityId) listed.push({ serial, revokedAt, reason, expiresAt });
      }
    }
    if (listed.length > MAX_LISTED) {
      log.error(
        { authority_id: authorityId, revoked: listed.length, listed: MAX_LISTED },
        "more SVIDs of tasks are revoked than a list can hold: those that expire last are listed",
      );
      listed.sort((a, b) => b.expiresAt - a.expiresAt);
      listed.length = MAX_LISTED;
    }
    return listed.sort((a, b) => (a.serial < b.serial ? -1 : 1));
  }

  #isStale({ atMs }: Signed): boolean {
    return Math.abs(this.#options.clock.now().getTime() - atMs) >= STALE_MS;
  }
}

/** The same for equal lists. */
function contentOf(revoked: readonly RevokedCertificate[]): string {
  const digest = createHash("sha256");
  for (const { serial, reason } of revoked) digest.update(`${serial} ${reason}\n`);
  return digest.digest("base64url");
}
