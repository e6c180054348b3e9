// WitBundleSource: the WIT authorities that this workload trusts, for as long as it runs: for services that take
// WIT-SVIDs and show none. Whose own WIT-SVID is wanted too: wit-source.ts.

import type { WitAuthority } from "../../pki/bundle/bundle.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import { Follower } from "../follower.ts";
import { WorkloadApi } from "../workload-api.ts";
import type { SourceOptions } from "../x509-source.ts";
import type { WitBundles } from "./wit-context.ts";

export class WitBundleSource implements Disposable {
  readonly #bundles: Follower<WitBundles>;
  readonly #api: WorkloadApi;

  private constructor(options: SourceOptions) {
    this.#api = new WorkloadApi(options);
    this.#bundles = new Follower({
      what: "WIT trust",
      follow: (watching) => this.#api.watchWitBundles(watching),
      holds: (bundles) => bundles.size > 0,
      ...options,
    });
  }

  /**
   * Connects and waits for the WIT bundles.
   * @throws ENDPOINT_MISSING, ENDPOINT_INVALID, SOURCE_NOT_READY after the timeout, with the last failure
   * as its cause; at once what no waiting repairs, such as an agent without the WIT profile
   */
  static async start(options: SourceOptions = {}): Promise<WitBundleSource> {
    const source = new WitBundleSource(options);
    try {
      await source.#bundles.ready();
    } catch (error) {
      source.close();
      throw error;
    }
    return source;
  }

  /** The WIT authorities of a trust domain. @throws IDENTITY_WITHDRAWN, SOURCE_CLOSED */
  readonly witAuthoritiesOf = (trustDomain: TrustDomain): readonly WitAuthority[] | undefined =>
    this.#bundles.state().get(trustDomain.name);

  close(): void {
    this.#bundles.close();
    this.#api.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
