// Whether an authority is published: the first law of the CA (architecture s3.6, SPIFFE Federation
// s4.1). It is when it has been in the bundle for three refresh hints, so that whoever polls has seen
// it; where nobody can poll, also when every connected node agent has acknowledged the bundle that holds it.

import type { Clock } from "../../runtime/clock.ts";
import type { AuthorityKindName, AuthorityRecord } from "../store/journal.ts";

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
  /**
   * Whether authorities of a kind are served to others than node agents, who poll and acknowledge
   * nothing: other trust domains, OpenID clients. Default: none are.
   */
  readonly isPolled?: (kind: AuthorityKindName) => boolean;
}

/** Remembers which authorities have been acknowledged. */
export class PublicationWatch {
  readonly #options: PublicationOptions;
  /** By authority ID: resolves when it is acknowledged; `true` once it is. */
  readonly #asked = new Map<string, Promise<void> | true>();

  constructor(options: PublicationOptions) {
    this.#options = options;
  }

  /**
   * Whether an authority may sign. The first question about an authority starts the waiting. `urgent`:
   * nothing else can sign, so that those who poll lose nothing by not having seen it.
   */
  isPublished(
    authority: AuthorityRecord,
    { urgent = false }: { readonly urgent?: boolean } = {},
  ): boolean {
    return (
      this.#isOldEnough(authority) ||
      (this.#isAcknowledged(authority) && (urgent || !this.#isPolled(authority)))
    );
  }

  /** Who may not know an authority yet; undefined when it is published. */
  missing(authority: AuthorityRecord): "node agents" | "those who poll the bundle" | undefined {
    if (this.isPublished(authority)) return undefined;
    return this.#isAcknowledged(authority) ? "those who poll the bundle" : "node agents";
  }

  /** Waits, at most `timeoutMs`, until the node agents have acknowledged an authority. */
  async acknowledged(authority: AuthorityRecord, timeoutMs: number): Promise<void> {
    const asked = this.#ask(authority);
    if (asked === true || this.#isOldEnough(authority)) return;
    let give = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      give = resolve;
    });
    using _timer = this.#options.clock.setTimer(timeoutMs, give, { keepAlive: true });
    await Promise.race([asked, late]);
  }

  /** Forgets an authority that became active or is gone. */
  forget(authorityId: string): void {
    this.#asked.delete(authorityId);
  }

  #isOldEnough({ publishedAt }: AuthorityRecord): boolean {
    const { clock, refreshHintSeconds } = this.#options;
    const ageMs = clock.now().getTime() - publishedAt.getTime();
    return ageMs >= REFRESH_HINTS * refreshHintSeconds * 1000;
  }

  #isPolled({ kind }: AuthorityRecord): boolean {
    return this.#options.isPolled?.(kind) ?? false;
  }

  #isAcknowledged(authority: AuthorityRecord): boolean {
    return this.#ask(authority) === true;
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
