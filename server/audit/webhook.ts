// Hands each signed checkpoint to somebody else, who can show later what the log was: one POST of the note,
// over TLS or to this machine. Only the newest is held: it stands for all before it. Nothing waits for it;
// one that does not get through is tried again, ever more seldom, until there is a newer one. Nothing the
// other side answers is read but the status, and it is followed nowhere.
import { request as httpRequest, type IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import type { SecureContext } from "node:tls";
import { type Backoff, backoff } from "../../runtime/backoff.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";

const TIMEOUT_MS = 10_000;
const LAST_TIMEOUT_MS = 3000;
const MAX_HEADER_BYTES = 16 * 1024;
const RETRY = { initialMs: 1000, maxMs: 5 * 60_000 } as const;

export interface WebhookOptions {
  /** Checked: https, or http to this machine. */
  readonly url: string;
  /** Whom it trusts to vouch for the other side. */
  readonly context: () => Promise<SecureContext>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told how each POST ended. */
  readonly onPosted?: (result: "ok" | "failed") => void;
  /** Default 10 s, for all of a POST. */
  readonly timeoutMs?: number;
}

export class CheckpointWebhook {
  readonly #options: WebhookOptions;
  readonly #retry: Backoff = backoff(RETRY);
  /** The newest, until it is delivered. */
  #note: string | undefined;
  #wake: (() => void) | undefined;
  #hasFailed = false;

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  /** A checkpoint was signed. */
  offer(note: string): void {
    this.#note = note;
    this.#wake?.();
  }

  /** Whether the newest has not been delivered so far. */
  get isBehind(): boolean {
    return this.#note !== undefined;
  }

  /** Delivers, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, timeoutMs = TIMEOUT_MS } = this.#options;
    while (!signal.aborted) {
      if (this.#note === undefined) await this.#offered(signal);
      else if (!(await this.#deliver(timeoutMs, signal))) {
        await clock.sleep(this.#retry.next(), signal).catch(() => undefined);
      }
    }
  }

  /** The last step: what was signed last is tried once more. */
  async stop(): Promise<void> {
    if (this.#note !== undefined) await this.#deliver(LAST_TIMEOUT_MS, undefined);
  }

  async #deliver(timeoutMs: number, signal: AbortSignal | undefined): Promise<boolean> {
    const { log, onPosted } = this.#options;
    const note = this.#note;
    if (note === undefined) return true;
    try {
      await this.#tryToPost(note, timeoutMs, signal);
    } catch (error) {
      if (signal?.aborted) return false;
      onPosted?.("failed");
      if (!this.#hasFailed) {
        log.warn(
          { error, to: this.#place },
          "a checkpoint of the audit log could not be handed on",
        );
      }
      this.#hasFailed = true;
      return false;
    }
    if (this.#note === note) this.#note = undefined;
    onPosted?.("ok");
    if (this.#hasFailed) {
      log.info({ to: this.#place }, "checkpoints of the audit log are handed on again");
    }
    this.#hasFailed = false;
    this.#retry.reset();
    return true;
  }

  /** A query may hold what only the other side should know. */
  get #place(): string {
    const { origin, pathname } = new URL(this.#options.url);
    return origin + pathname;
  }

  async #tryToPost(
    note: string,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const isSecure = this.#options.url.startsWith("https:");
    // Read before the time counts: the first one takes a while.
    const context = isSecure ? await this.#options.context() : undefined;
    const late = new AbortController();
    using _timer = systemClock.setTimer(timeoutMs, () =>
      late.abort(new Error(`no answer in ${timeoutMs} ms`)),
    );
    const both = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
    await this.#post(note, context, both);
  }

  async #post(
    note: string,
    context: SecureContext | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const url = new URL(this.#options.url);
    const body = Buffer.from(note);
    const headers = {
      "content-type": "text/plain; charset=utf-8",
      "content-length": body.length,
      connection: "close",
    };
    const common = { method: "POST", headers, signal, maxHeaderSize: MAX_HEADER_BYTES };
    // All that decides is named here, so that no variable of the environment switches a check off.
    const agent =
      context !== undefined
        ? new Agent({
            secureContext: context,
            rejectUnauthorized: true,
            keepAlive: false,
            maxCachedSessions: 0,
          })
        : undefined;
    try {
      const sent =
        agent === undefined
          ? httpRequest(url, { ...common, agent: false })
          : httpsRequest(url, { ...common, agent });
      const status = await new Promise<number>((resolve, reject) => {
        sent.once("response", (response: IncomingMessage) => {
          resolve(response.statusCode ?? 0);
          response.destroy();
        });
        sent.on("error", reject);
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        sent.end(body);
      }).finally(() => sent.destroy());
      if (status < 200 || status > 299) throw new Error(`it answers ${status}`);
    } finally {
      agent?.destroy();
    }
  }

  #offered(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#wake = undefined;
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#wake = done;
      signal.addEventListener("abort", done);
    });
  }
}
