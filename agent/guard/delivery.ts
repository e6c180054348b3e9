// Brings spooled events to the server (AuditLog.Append), in order. An event that is sent again is the same
// event, by its ID; a file of them is removed once the server has it. What the server will never take is
// given up, loudly, so that it does not hold up the rest.

import { IdentityError, Status } from "../../pki/errors.ts";
import { AuditLogService, type signet } from "../../proto/schema.gen.ts";
import { backoff } from "../../runtime/backoff.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Batch } from "./spool.ts";

type Event = signet.audit.v1.Event;

export interface DeliveryOptions {
  readonly spool: {
    onAppended: () => void;
    first(): Promise<Batch | undefined>;
    remove(batch: Batch): Promise<void>;
  };
  /** Sends events to the server. */
  readonly send: (events: readonly Event[]) => Promise<void>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Told of each event that the server will not take. */
  readonly onRefused?: () => void;
}

const MAX_PER_REQUEST = 500;
const { request } = AuditLogService.methods.append;

/** Wrong in itself: no repetition makes it right. */
const isFinal = (error: unknown): boolean =>
  error instanceof IdentityError && error.code === Status.invalidArgument;

export class Delivery {
  readonly #options: DeliveryOptions;
  #wake: () => void = () => {};
  #hasNew = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    options.spool.onAppended = () => {
      this.#hasNew = true;
      this.#wake();
    };
  }

  /** Delivers until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { spool, clock, log, random } = this.#options;
    const delays = backoff({ initialMs: 100, maxMs: 5000 }, random);
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    while (!signal.aborted) {
      this.#hasNew = false;
      try {
        const batch = await spool.first();
        if (batch === undefined) {
          await this.#appended(signal);
          continue;
        }
        await this.#deliver(batch, signal);
        await spool.remove(batch);
        delays.reset();
      } catch (error) {
        if (signal.aborted) return;
        const delayMs = delays.next();
        log.debug({ error, retry_in_ms: Math.round(delayMs) }, "events wait for the server");
        await clock.sleep(delayMs, signal).catch(() => undefined);
      }
    }
  }

  async #deliver({ payloads }: Batch, signal: AbortSignal): Promise<void> {
    for (let i = 0; i < payloads.length; i += MAX_PER_REQUEST) {
      signal.throwIfAborted();
      const { events } = request.decode(Buffer.concat(payloads.slice(i, i + MAX_PER_REQUEST)));
      await this.#send(events);
    }
  }

  async #send(events: readonly Event[]): Promise<void> {
    const { send, log, onRefused } = this.#options;
    try {
      await send(events);
    } catch (error) {
      if (!isFinal(error)) throw error;
      const [only] = events;
      if (events.length === 1) {
        log.error({ error, event: only?.id, stream: only?.stream }, "the server refuses an event");
        onRefused?.();
        return;
      }
      for (const event of events) await this.#send([event]);
    }
  }

  #appended(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#hasNew || signal.aborted) resolve();
    });
  }
}
