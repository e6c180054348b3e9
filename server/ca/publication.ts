// Whether an authority is published: the first law of the CA (architecture s3.6, SPIFFE Federation
// s4.1). It is when the bundle that holds it was acknowledged by every connected node agent, or when
// it has been in the bundle for three refresh hints, so that whoever polls has seen it.

import type { Clock } from "../../runtime/clock.ts";
import type { AuthorityRecord } from "../store/journal.ts";

/** How many refresh hints after its publication everyone who polls has an authority. */
const REFRESH_HINTS = 3;

/** What the link to the node agents tells the CA. */
export interface Publication {
  /**
   * Resolves once every connected node agent has applied the own bundle with this sequence number or
   * a later one and passed it on. Resolves at once when no agent is connected.
   */
  acknowledged(bundleSequence: bigint): Promise<void>;
}

export interface PublicationOptions {
  readonly publication: Publication;
  readonly clock: Clock;
  readonly refreshHintSeconds: number;
}

/** Remembers which authorities have been acknowledged. */
export class PublicationWatch {
  readonly #options: PublicationOptions;
  /** By authority ID: resolves when it is acknowledged; `true` once it is. */
  readonly #asked = new Map<string, Promise<void> | true>();

  constructor(options: PublicationOptions) {
    this.#options = options;
  }

  /** Whether an authority may sign. The first question about an authority starts the waiting. */
  isPublished(authority: AuthorityRecord): boolean {
    const age = this.#options.clock.now().getTime() - authority.publishedAt.getTime();
    if (age >= REFRESH_HINTS * this.#options.refreshHintSeconds * 1000) return true;
    return this.#ask(authority) === true;
  }

  /** Waits until an authority is published, at most `timeoutMs`; answers whether it is. */
  async published(authority: AuthorityRecord, timeoutMs: number): Promise<boolean> {
    const asked = this.#ask(authority);
    if (asked === true || this.isPublished(authority)) return true;
    let give = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      give = resolve;
    });
    using _timer = this.#options.clock.setTimer(timeoutMs, give, { keepAlive: true });
    await Promise.race([asked, late]);
    return this.isPublished(authority);
  }

  /** Forgets an authority that became active or is gone. */
  forget(authorityId: string): void {
    this.#asked.delete(authorityId);
  }

  #ask(authority: AuthorityRecord): Promise<void> | true {
    const { authorityId, publishedSequence } = authority;
    const known = this.#asked.get(authorityId);
    if (known !== undefined) return known;
    const asked = this.#options.publication.acknowledged(publishedSequence).then(
      () => void this.#asked.set(authorityId, true),
      // Not acknowledged: the next question asks again.
      () => void this.#asked.delete(authorityId),
    );
    this.#asked.set(authorityId, asked);
    return asked;
  }
}
