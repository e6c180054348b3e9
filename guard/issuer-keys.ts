// The keys of the issuer of access tokens, as it publishes them: fetched when a token names one that is not
// held, and now and then. A token cannot make a guard fetch from anywhere else, or more often than this.

import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { parseJwks, type VerificationKey } from "../pki/token/jwks.ts";
import type { Clock } from "../runtime/clock.ts";
import { guardError } from "./errors.ts";

export interface IssuerKeysOptions {
  /** Where the keys are: https, or plain http on this host. */
  readonly url: string;
  /** Authorities of the server there, PEM; by default those that Node trusts. */
  readonly ca?: string | undefined;
  readonly clock: Clock;
}

/** A key that was withdrawn is forgotten within this time. */
const MAX_AGE_MS = 5 * 60_000;
/** A token with an unknown key makes the guard ask again at most this often. */
const MIN_INTERVAL_MS = 5000;
/** Without the issuer its keys are relied on for this long. */
const MAX_STALE_MS = 60 * 60_000;
const TIMEOUT_MS = 5000;
const MAX_BYTES = 262_144;

export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  #keys: readonly VerificationKey[] = [];
  #fetchedAtMs = Number.NEGATIVE_INFINITY;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #pending: Promise<void> | undefined;

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
  }

  /** The keys, with the one of this ID if the issuer has it. @throws GUARD_ISSUER_UNREACHABLE without any */
  async find(keyId: string | undefined): Promise<readonly VerificationKey[]> {
    const nowMs = this.#options.clock.now().getTime();
    const isKnown = this.#keys.some((key) => key.keyId === keyId);
    // Either way: a clock that was set back must not keep old keys in force.
    const ageMs = Math.abs(nowMs - this.#fetchedAtMs);
    const mayAsk = Math.abs(nowMs - this.#triedAtMs) >= MIN_INTERVAL_MS;
    let failure: unknown;
    if ((!isKnown || ageMs > MAX_AGE_MS) && (mayAsk || this.#pending !== undefined)) {
      failure = await this.#fetch(nowMs).then(
        () => undefined,
        (error: unknown) => error ?? new Error("no answer"),
      );
    }
    if (Math.abs(nowMs - this.#fetchedAtMs) <= MAX_STALE_MS) return this.#keys;
    throw guardError("GUARD_ISSUER_UNREACHABLE", "the keys of the issuer of tokens are not there", {
      hint: "check that this host reaches the issuer, and its certificate",
      cause: failure,
    });
  }

  #fetch(nowMs: number): Promise<void> {
    this.#triedAtMs = nowMs;
    this.#pending ??= fetchDocument(this.#options)
      .then((document) => {
        this.#keys = parseJwks(document);
        this.#fetchedAtMs = this.#options.clock.now().getTime();
      })
      .finally(() => {
        this.#pending = undefined;
      });
    return this.#pending;
  }
}

/** Whoever could change what is said on the way could put in keys of its own. */
const LOOPBACK = /^(?:127(?:\.\d+){3}|\[::1\]|localhost)$/;

/** No redirects: what the issuer publishes stands where it says. */
function fetchDocument({ url, ca }: IssuerKeysOptions): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const options = { timeout: TIMEOUT_MS, agent: false as const, ...(ca !== undefined && { ca }) };
    const { protocol, hostname } = new URL(url);
    const isPlain = protocol === "http:" && LOOPBACK.test(hostname);
    const request = isPlain ? httpRequest : httpsRequest;
    const call = request(url, options, (response) => {
      const pieces: Buffer[] = [];
      let bytes = 0;
      if (response.statusCode !== 200) {
        call.destroy(new Error(`${url} answered ${response.statusCode}`));
        return;
      }
      response.on("data", (piece: Buffer) => {
        bytes += piece.length;
        pieces.push(piece);
        if (bytes > MAX_BYTES) call.destroy(new Error(`${url} answers without end`));
      });
      response.on("end", () => resolve(Buffer.concat(pieces)));
      response.on("error", reject);
    });
    call.on("timeout", () => call.destroy(new Error(`no answer from ${url}`)));
    call.on("error", reject);
    call.end();
  });
}
