// Renews the agent's own SVID: at half its lifetime, or at once when the authority above it has been
// withdrawn, or the clock was set back to before it begins. The server keeps the old one valid until the new one is first used, so a lost answer
// strands nobody.

import { renewAt } from "../../pki/lifetime.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import { backoff } from "../../runtime/backoff.ts";
import { type Clock, onClockSetBack } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { AgentIdentity } from "../identity.ts";
import { renewNode } from "./attest.ts";
import type { Connection } from "./dial.ts";
import { adviceOf } from "./steering.ts";

export interface RenewalOptions {
  readonly identity: AgentIdentity;
  readonly trustDomain: TrustDomain;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** Renews over the connection of the moment. */
export class Renewal {
  readonly #options: RenewalOptions;
  #hurry = new AbortController();
  /** When the SVID was issued, if this process has seen it. */
  #issuedAt: Date | undefined;

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  /** Renews as soon as there is a connection, instead of when it is due. */
  hurry(): void {
    this.#hurry.abort();
  }

  /** Resolves when the own SVID has been renewed. @throws when the server refuses to for good, or on abort */
  async run(connection: Connection, signal: AbortSignal): Promise<void> {
    const { identity, clock, random, trustDomain, log } = this.#options;
    const retry = backoff({ initialMs: 1000, maxMs: 60_000 }, random);
    const svid = identity.svid();
    if (svid === undefined) throw new TypeError("a connection of the link shows an SVID");
    const { notBefore, notAfter } = svid.leaf;
    // Not from its backdated start: an SVID of a few seconds would be due again as soon as it came.
    const issuedAt = this.#issuedAt ?? notBefore;
    // Over the connection that stands: the server lets nobody in whose SVID is not valid yet.
    using _setBack = onClockSetBack(clock, () => {
      if (notBefore.getTime() > clock.now().getTime()) this.hurry();
    });
    await this.#wait(renewAt(issuedAt, notAfter, random()), signal);
    for (;;) {
      signal.throwIfAborted();
      this.#hurry = new AbortController();
      try {
        const now = (): Date => clock.now();
        const askedAt = now();
        const granted = await renewNode({ connection, trustDomain, now, signal }, svid.canReattest);
        const renewed = await identity.adopt(granted);
        this.#issuedAt = askedAt;
        log.info(
          { agent_id: renewed.id.toString(), expires_at: renewed.leaf.notAfter.toISOString() },
          "renewed the agent's SVID",
        );
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (adviceOf(error) !== "retry") throw error;
        log.warn({ error }, "could not renew the agent's SVID");
      }
      await clock.sleep(retry.next(), signal);
    }
  }

  /** Until a moment, a call of `hurry`, or the abort. */
  #wait(moment: Date, signal: AbortSignal): Promise<void> {
    const hurry = this.#hurry.signal;
    if (hurry.aborted || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        signal.removeEventListener("abort", done);
        hurry.removeEventListener("abort", done);
        resolve();
      };
      const timer = this.#options.clock.setTimer(moment, done);
      signal.addEventListener("abort", done, { once: true });
      hurry.addEventListener("abort", done, { once: true });
    });
  }
}
