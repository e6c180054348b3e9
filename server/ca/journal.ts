// The journal of this server's authorities, and the bundle of its trust domain: one commit changes
// both, so that no crash leaves an authority that signs without being in the bundle, or one that is
// forgotten while it is in it. How the records are written: server/store/journal.ts, bundles.ts.
// The journal holds no keys: at the start it is matched to the key manager by key ID.

import { randomUUID } from "node:crypto";
import type { Bundle } from "../../pki/bundle/bundle.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import type { BundleStore } from "../store/bundles.ts";
import {
  type AuthorityRecord,
  decodeJournal,
  encodeJournal,
  JOURNAL_PREFIX,
  readJournals,
} from "../store/journal.ts";
import type { OrderedLog } from "../store/log.ts";

/** A journal that no key belongs to is kept this long after its last authority expired. */
const KEEP_EXPIRED_MS = 14 * 24 * 3600 * 1000;

export interface JournalOptions {
  readonly log: OrderedLog;
  readonly bundles: BundleStore;
  readonly trustDomain: TrustDomain;
  readonly refreshHintSeconds: number;
}

/** What one commit changes: the own bundle and the authorities of this server. */
export interface JournalState {
  readonly bundle: Bundle;
  readonly authorities: readonly AuthorityRecord[];
}

/** The authorities of this server as last committed. */
export class AuthorityJournal {
  readonly id: string;
  readonly #options: JournalOptions;
  #authorities: readonly AuthorityRecord[];

  private constructor(
    id: string,
    authorities: readonly AuthorityRecord[],
    options: JournalOptions,
  ) {
    this.id = id;
    this.#authorities = authorities;
    this.#options = options;
  }

  /**
   * Finds the journal that belongs to these keys, or begins a new one. `orphans` counts the journals
   * of the store that none of the keys belongs to: other servers, or keys that were lost.
   */
  static async open(
    options: JournalOptions,
    keyIds: ReadonlySet<string>,
    now: Date,
  ): Promise<{ readonly journal: AuthorityJournal; readonly orphans: number }> {
    let journal: AuthorityJournal | undefined;
    let orphans = 0;
    for (const { id, authorities } of await readJournals(options.log)) {
      if (authorities.some(({ keyId }) => keyIds.has(keyId))) {
        journal = new AuthorityJournal(id, authorities, options);
      } else if (authorities.every((one) => isLongExpired(one, now))) {
        await options.log.commit({ deletes: [JOURNAL_PREFIX + id] });
      } else {
        orphans += 1;
      }
    }
    return { journal: journal ?? new AuthorityJournal(randomUUID(), [], options), orphans };
  }

  get authorities(): readonly AuthorityRecord[] {
    return this.#authorities;
  }

  /**
   * Changes bundle and journal in one commit; when this resolves both are durable and the bundle is
   * what `BundleStore.get` answers. `decide` may run several times.
   */
  async change(decide: (state: JournalState) => JournalState): Promise<void> {
    const key = JOURNAL_PREFIX + this.id;
    this.#authorities = await this.#options.bundles.change(async (bundles) => {
      const value = await bundles.transaction.get(key);
      const stored = await bundles.get(this.#options.trustDomain);
      const before = {
        bundle: this.#hinted(stored),
        authorities: value === undefined ? [] : decodeJournal(key, value),
      };
      const after = decide(before);
      if (after.bundle !== stored) bundles.put(after.bundle);
      if (after.authorities !== before.authorities) {
        bundles.transaction.put(key, encodeJournal(after.authorities));
      }
      return after.authorities;
    });
  }

  /** The stored bundle, or the first one, with the refresh hint that is configured now. */
  #hinted(stored: Bundle | undefined): Bundle {
    const { trustDomain, refreshHintSeconds } = this.#options;
    if (stored === undefined) {
      const nothing = { x509Authorities: [], jwtAuthorities: [], witAuthorities: [] };
      return { trustDomain, ...nothing, sequence: 0n, refreshHintSeconds };
    }
    if (stored.refreshHintSeconds === refreshHintSeconds) return stored;
    return { ...stored, refreshHintSeconds, sequence: stored.sequence + 1n };
  }
}

function isLongExpired({ notAfter }: AuthorityRecord, now: Date): boolean {
  return notAfter.getTime() + KEEP_EXPIRED_MS < now.getTime();
}
