// The revocation lists of this server's X.509 authorities: one for each that has something on it, signed
// again when that changes and at half of its life. An old authority signs its own list with the key it
// keeps for this (the third law of authority.ts). The lists themselves are store/crls.ts; how one is
// written, pki/x509/crl-issue.ts. RFC 5280 s3.3 would have a certificate stay on a list until after it has
// expired and one more list was made on schedule; here it stays for a quarter of an hour, since lists
// travel with every answer of the Workload API and documents live for minutes.
import { createHash } from "node:crypto";
import { x509AuthorityId } from "../../pki/bundle/authorities.ts";
import { MAX_CRL_ENTRIES } from "../../pki/x509/crl.ts";
import { issueCrl, type RevokedCertificate } from "../../pki/x509/crl-issue.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { CrlRecord, CrlStore } from "../store/crls.ts";
import type { RevocationStore } from "../store/revocations.ts";
import type { Authorities, ListSigner } from "./authority.ts";
import { BACKDATE_MS } from "./make.ts";

/** How long a list is good for. */
const LIFETIME_MS = 24 * 3_600_000;
/** How long something stays on a list once it has expired. */
const EXPIRED_GRACE_SECONDS = 900;
/** More would not fit into one message: those that expire last are listed, and the operator is told. */
const MAX_LISTED = Math.min(75_000, MAX_CRL_ENTRIES);
const LONGEST_WAIT_MS = 60_000;
const RETRY_MS = 1000;

export interface CrlsOptions {
  readonly authorities: Pick<Authorities, "x509ListSigners" | "bundle" | "onBundle">;
  readonly revocations: Pick<RevocationStore, "values" | "onChange">;
  readonly store: CrlStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Listed extends RevokedCertificate {
  readonly expiresAtUnixSeconds: number;
}

export class Crls {
  readonly #options: CrlsOptions;
  /** The end of the queue of checks: they run one at a time. */
  #last: Promise<unknown> = Promise.resolve();
  #wake: (() => void) | undefined;
  #isWoken = false;

  constructor(options: CrlsOptions) {
    this.#options = options;
  }

  /** The IDs of the authorities that have lists, or could have. */
  ids(): string[] {
    return [...this.#options.authorities.x509ListSigners().keys()];
  }

  /**
   * The list of an authority as it is now, DER; an empty one when nothing of it is revoked. Undefined
   * when this server has no such authority.
   */
  async current(authorityId: string): Promise<Uint8Array | undefined> {
    const { store, authorities } = this.#options;
    const held = store.get(authorityId);
    if (held !== undefined && !this.#isStale(held)) return held.der;
    const signer = authorities.x509ListSigners().get(authorityId);
    if (signer === undefined) return held?.der;
    return (await this.#exclusive(() => this.#bringUpToDate(authorityId, signer, true)))?.der;
  }

  /** Signs every list that is not what it should be. When this resolves, lists tell of every revocation so far. */
  check(): Promise<void> {
    return this.#exclusive(async () => {
      const { authorities, store } = this.#options;
      const signers = authorities.x509ListSigners();
      for (const [authorityId, signer] of signers) {
        await this.#bringUpToDate(authorityId, signer, false);
      }
      const others = [...store.values()].filter(({ authorityId }) => !signers.has(authorityId));
      if (others.length === 0) return;
      // Lists of authorities that others sign with stay as long as these are trusted.
      const trusted = authorities.bundle().x509Authorities.map(({ der }) => x509AuthorityId(der));
      for (const { authorityId } of others) {
        if (!trusted.includes(authorityId)) await store.delete(authorityId);
      }
    });
  }

  /** Keeps the lists as they should be, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { revocations, authorities, logger } = this.#options;
    const wake = (): void => {
      this.#isWoken = true;
      this.#wake?.();
    };
    const ends = [revocations.onChange(wake), authorities.onBundle(wake)];
    try {
      while (!signal.aborted) {
        let waitMs = LONGEST_WAIT_MS;
        this.#isWoken = false;
        try {
          await this.check();
        } catch (error) {
          if (signal.aborted) return;
          logger.error({ error }, "cannot sign a revocation list; trying again");
          waitMs = RETRY_MS;
        }
        await this.#pause(waitMs, signal);
      }
    } finally {
      for (const end of ends) end();
    }
  }

  /** `isWanted`: also when nothing is on it. */
  async #bringUpToDate(
    authorityId: string,
    issuer: ListSigner,
    isWanted: boolean,
  ): Promise<CrlRecord | undefined> {
    const { store, clock, logger } = this.#options;
    const revoked = this.#revokedBy(authorityId);
    const held = store.get(authorityId);
    const content = contentOf(revoked);
    const isAsItShouldBe = held === undefined ? revoked.length === 0 : held.content === content;
    const isNeeded = isWanted || revoked.length > 0;
    const isFresh = held === undefined ? !isWanted : !this.#isStale(held);
    if (isAsItShouldBe && (isFresh || !isNeeded)) return held;
    const nowMs = clock.now().getTime();
    const thisUpdate = new Date(nowMs - BACKDATE_MS);
    const nextUpdate = new Date(nowMs + LIFETIME_MS);
    const size = revoked.length;
    const signed = await store.replace(authorityId, async (number) => {
      const der = await issueCrl({ issuer, number, thisUpdate, nextUpdate, revoked });
      return { thisUpdate, nextUpdate, size, content, der };
    });
    const number = signed.number.toString();
    logger.info({ authority_id: authorityId, number, revoked: size }, "revocation list signed");
    return signed;
  }

  /** What is on the list of an authority: each certificate once, as it was revoked first. */
  #revokedBy(authorityId: string): Listed[] {
    const { revocations, clock, logger } = this.#options;
    const oldest = clock.now().getTime() / 1000 - EXPIRED_GRACE_SECONDS;
    const listed = new Map<string, Listed>();
    for (const { certificates, reason, revokedAtUnixMs } of revocations.values()) {
      for (const { authorityId: by, serial, expiresAtUnixSeconds } of certificates) {
        if ((by !== authorityId && by !== "") || expiresAtUnixSeconds < oldest) continue;
        const before = listed.get(serial);
        if (before !== undefined && before.revokedAt.getTime() <= revokedAtUnixMs) continue;
        const revokedAt = new Date(revokedAtUnixMs);
        listed.set(serial, { serial, reason, revokedAt, expiresAtUnixSeconds });
      }
    }
    const all = [...listed.values()];
    if (all.length > MAX_LISTED) {
      logger.error(
        { authority_id: authorityId, revoked: all.length, listed: MAX_LISTED },
        "more is revoked than a list can hold: replace this authority (prepare, activate, taint, revoke)",
      );
      all.sort((a, b) => b.expiresAtUnixSeconds - a.expiresAtUnixSeconds);
      all.length = MAX_LISTED;
    }
    return all.sort((a, b) => (a.serial < b.serial ? -1 : 1));
  }

  /** Half of its life is over, or it is from a time when the clock was ahead. */
  #isStale({ thisUpdate, nextUpdate }: CrlRecord): boolean {
    const nowMs = this.#options.clock.now().getTime();
    const halfLife = (thisUpdate.getTime() + nextUpdate.getTime()) / 2;
    return nowMs >= halfLife || thisUpdate.getTime() > nowMs;
  }

  /** Runs one check after the ones before it, whether those succeeded or not. */
  #exclusive<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last.then(run, run);
    this.#last = result.catch(() => undefined);
    return result;
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        signal.removeEventListener("abort", end);
        this.#wake = undefined;
        resolve();
      };
      const timer = this.#options.clock.setTimer(ms, end);
      signal.addEventListener("abort", end, { once: true });
      this.#wake = end;
      if (signal.aborted || this.#isWoken) end();
    });
  }
}

/** The same for equal lists, whatever else differs. */
function contentOf(revoked: readonly Listed[]): string {
  const digest = createHash("sha256");
  for (const { serial, reason, revokedAt } of revoked) {
    digest.update(`${serial} ${reason} ${revokedAt.getTime()}\n`);
  }
  return digest.digest("base64url");
}
