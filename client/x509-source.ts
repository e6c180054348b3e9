// X509Source: this workload's X.509 identity for as long as it runs. It follows the Workload API, always
// holds the current SVID and bundles, and is what the TLS functions in tls/ take. After a withdrawal it
// answers with errors rather than with what it held (Workload API s5.2.1, s5.2.2).

import type { IdentityError } from "../pki/errors.ts";
import type { TrustDomain } from "../pki/spiffe-id.ts";
import type { Certificate } from "../pki/x509/certificate.ts";
import type { CrlSet } from "../pki/x509/crl-set.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { clientError } from "./errors.ts";
import { Follower } from "./follower.ts";
import { pickByHint } from "./hints.ts";
import type { TlsSource } from "./tls/source.ts";
import { WorkloadApi, type WorkloadApiOptions } from "./workload-api.ts";
import type { WorkloadX509Svid, X509Bundles, X509Context } from "./x509-context.ts";

export interface SourceOptions extends WorkloadApiOptions {
  /** How long `start` waits for the first answer with an identity. Default 30 s. */
  readonly timeoutMs?: number;
  /** Gives up waiting in `start`. A started source ends with `close`. */
  readonly signal?: AbortSignal;
  /** Told of each failure that the source lives through: a lost agent, a refusal, an unreadable answer. */
  readonly onError?: (error: IdentityError) => void;
  readonly clock?: Clock;
}

export interface X509SourceOptions extends SourceOptions {
  /** Which identity, where there are several: by its hint, or by a choice of the workload's own. */
  readonly pick?: string | ((svids: readonly WorkloadX509Svid[]) => WorkloadX509Svid | undefined);
}

export class X509Source implements TlsSource, Disposable {
  readonly #follower: Follower<X509Context>;
  readonly #api: WorkloadApi;
  readonly #options: X509SourceOptions;

  private constructor(options: X509SourceOptions) {
    this.#options = options;
    this.#api = new WorkloadApi(options);
    this.#follower = new Follower({
      what: "X.509 identity",
      follow: (watching) => this.#api.watchX509Context(watching),
      holds: ({ svids }) => svids.length > 0,
      ...options,
    });
  }

  /**
   * Connects and waits for the first answer. A workload that is not registered yet is waited for.
   * @throws ENDPOINT_MISSING, ENDPOINT_INVALID, SOURCE_NOT_READY after the timeout, with the last failure
   * as its cause; at once what no waiting repairs
   */
  static async start(options: X509SourceOptions = {}): Promise<X509Source> {
    const source = new X509Source(options);
    try {
      await source.#follower.ready();
    } catch (error) {
      source.close();
      throw error;
    }
    return source;
  }

  /**
   * The SVID to use now: the picked one, or the default.
   * @throws IDENTITY_WITHDRAWN, IDENTITY_EXPIRED when the agent has not renewed it, IDENTITY_NOT_FOUND,
   * SOURCE_CLOSED
   */
  svid(): WorkloadX509Svid {
    const { svids } = this.#follower.state();
    const { pick, clock = systemClock } = this.#options;
    const svid = typeof pick === "function" ? pick(svids) : pickByHint(svids, pick);
    if (svid === undefined) {
      throw clientError("IDENTITY_NOT_FOUND", "none of this workload's identities was picked");
    }
    if (svid.leaf.notAfter <= clock.now()) {
      throw clientError("IDENTITY_EXPIRED", `the SVID of ${svid.id} has expired`, {
        hint: "the agent has not renewed it: check that it runs and reaches its server",
      });
    }
    return svid;
  }

  /** All SVIDs of this workload; the first is the default. @throws IDENTITY_WITHDRAWN, SOURCE_CLOSED */
  svids(): readonly WorkloadX509Svid[] {
    return this.#follower.state().svids;
  }

  /** @throws IDENTITY_WITHDRAWN, SOURCE_CLOSED */
  bundles(): X509Bundles {
    return this.#follower.state().bundles;
  }

  /** The authorities of a trust domain, for TLS. @throws IDENTITY_WITHDRAWN, SOURCE_CLOSED */
  readonly anchorsOf = (trustDomain: TrustDomain): readonly Certificate[] | undefined =>
    this.#follower.state().bundles.get(trustDomain.name);

  /** What is known to be revoked, for TLS. @throws IDENTITY_WITHDRAWN, SOURCE_CLOSED */
  readonly crls = (): CrlSet | undefined => this.#follower.state().crls;

  /** Calls `listener` after each change, a withdrawal included; returns how to stop that. */
  onChange(listener: () => void): () => void {
    return this.#follower.onChange(listener);
  }

  close(): void {
    this.#follower.close();
    this.#api.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
