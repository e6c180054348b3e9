// WitSource: this workload's WIT identity for as long as it runs: its WIT-SVIDs with their keys, and the WIT
// bundles that verify those of others. After a withdrawal it answers with errors rather than with what it
// held; where the agent has no WIT profile it ends at once and does not ask again (Workload API s7).

import type { WitAuthority } from "../../pki/bundle/bundle.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import { systemClock } from "../../runtime/clock.ts";
import { clientError } from "../errors.ts";
import { Follower } from "../follower.ts";
import { pickByHint } from "../hints.ts";
import { type WitRequest, WorkloadApi } from "../workload-api.ts";
import type { SourceOptions } from "../x509-source.ts";
import type { WitBundles, WorkloadWitSvid } from "./wit-context.ts";

export interface WitSourceOptions extends SourceOptions, WitRequest {
  /** Which identity, where there are several: by its hint. */
  readonly pick?: string;
}

export class WitSource implements Disposable {
  readonly #svids: Follower<readonly WorkloadWitSvid[]>;
  readonly #bundles: Follower<WitBundles>;
  readonly #api: WorkloadApi;
  readonly #options: WitSourceOptions;

  private constructor(options: WitSourceOptions) {
    this.#options = options;
    this.#api = new WorkloadApi(options);
    this.#svids = new Follower({
      what: "WIT identity",
      follow: (watching) => this.#api.watchWitSvids({ ...options, ...watching }),
      holds: (svids) => svids.length > 0,
      ...options,
    });
    this.#bundles = new Follower({
      what: "WIT trust",
      follow: (watching) => this.#api.watchWitBundles(watching),
      holds: (bundles) => bundles.size > 0,
      ...options,
    });
  }

  /**
   * Connects and waits for the WIT-SVIDs and the WIT bundles.
   * @throws ENDPOINT_MISSING, ENDPOINT_INVALID, SOURCE_NOT_READY after the timeout, with the last failure
   * as its cause; at once what no waiting repairs, such as an agent without the WIT profile
   */
  static async start(options: WitSourceOptions = {}): Promise<WitSource> {
    const source = new WitSource(options);
    try {
      await Promise.all([source.#svids.ready(), source.#bundles.ready()]);
    } catch (error) {
      source.close();
      throw error;
    }
    return source;
  }

  /**
   * The WIT-SVID to present now: the picked one, or the default.
   * @throws IDENTITY_WITHDRAWN, IDENTITY_EXPIRED when the agent has not renewed it, IDENTITY_NOT_FOUND,
   * SOURCE_CLOSED
   */
  svid(): WorkloadWitSvid {
    const { pick, clock = systemClock } = this.#options;
    const svid = pickByHint(this.svids(), pick);
    if (svid.expiresAt > clock.now()) return svid;
    throw clientError("IDENTITY_EXPIRED", `the WIT-SVID of ${svid.id} has expired`, {
      hint: "the agent has not renewed it: check that it runs and reaches its server",
    });
  }

  /** All WIT-SVIDs of this workload; the first is the default. @throws IDENTITY_WITHDRAWN, SOURCE_CLOSED */
  svids(): readonly WorkloadWitSvid[] {
    return this.#svids.state();
  }

  /** The WIT authorities of a trust domain. @throws IDENTITY_WITHDRAWN, SOURCE_CLOSED */
  readonly witAuthoritiesOf = (trustDomain: TrustDomain): readonly WitAuthority[] | undefined =>
    this.#bundles.state().get(trustDomain.name);

  /** Calls `listener` after each change, a withdrawal included; returns how to stop that. */
  onChange(listener: () => void): () => void {
    const stops = [this.#svids.onChange(listener), this.#bundles.onChange(listener)];
    return () => {
      for (const stop of stops) stop();
    };
  }

  close(): void {
    this.#svids.close();
    this.#bundles.close();
    this.#api.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
