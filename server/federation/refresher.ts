// Keeps the bundles of federated trust domains up to date: one poll for each relationship that counts.
// Those of the configuration stand over those of the API with the same name, and never change while
// the server runs; those of the API are followed through the store. How a relationship begins and ends:
// termination.ts and server/api/trustdomain.ts.

import type { TrustDomain } from "../../pki/spiffe-id.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Metrics } from "../../runtime/metrics.ts";
import type { BundleStore } from "../store/bundles.ts";
import type { RelationshipStore } from "../store/relationships.ts";
import type { Fetch } from "./fetch.ts";
import { type Intervals, nextIntervalMs } from "./interval.ts";
import { Poll, type PollStatus } from "./poll.ts";
import { Turns } from "./turns.ts";
import { type ActiveRelationship, type Outcome, readDocument, storeFetched } from "./update.ts";

/** Fetches at the same time: a server that starts with a thousand relationships does not open as many connections. */
const MAX_FETCHES = 8;

export interface RefresherOptions {
  readonly relationships: RelationshipStore;
  /** Those of the configuration. */
  readonly fixed: readonly ActiveRelationship[];
  readonly bundles: BundleStore;
  readonly fetch: Fetch;
  readonly intervals: Intervals;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Answers 0..1, for the jitter. */
  readonly random?: () => number;
}

export class Refresher {
  readonly #options: RefresherOptions;
  readonly #polls = new Map<string, Poll>();
  readonly #turns = new Turns(MAX_FETCHES);
  readonly #unsubscribe: () => void;
  readonly #count: (outcome: Outcome | "failed") => void;
  readonly #observe: (seconds: number) => void;

  constructor(options: RefresherOptions) {
    this.#options = options;
    const { metrics, relationships } = options;
    const counter = metrics.counter({
      name: "federation_fetches_total",
      help: "Bundles of other trust domains that were fetched, by what came of it",
      labels: ["outcome"],
    });
    this.#count = (outcome) => counter.inc({ outcome });
    const histogram = metrics.histogram({
      name: "federation_fetch_seconds",
      help: "How long it took to fetch a bundle, failures included",
    });
    this.#observe = (seconds) => histogram.observe(seconds);
    metrics.gauge({
      name: "federation_relationships",
      help: "Trust domains whose bundle is fetched",
      read: () => this.#polls.size,
    });
    this.#unsubscribe = relationships.onChange((changes) => {
      for (const { id } of changes) this.#reconcile(id, true);
    });
    for (const { trustDomain } of options.fixed) this.#reconcile(trustDomain.name, false);
    for (const { trustDomain } of relationships.list()) this.#reconcile(trustDomain.name, false);
  }

  /** The relationships that count, ordered by the trust domain's name. */
  list(): readonly ActiveRelationship[] {
    const all = [...this.#polls.values()].map(({ relationship }) => relationship);
    return all.sort((a, b) => (a.trustDomain.name < b.trustDomain.name ? -1 : 1));
  }

  /** How the polling of a trust domain fares; undefined without a relationship. */
  status(trustDomain: TrustDomain): PollStatus | undefined {
    return this.#polls.get(trustDomain.name)?.status;
  }

  /**
   * Fetches the bundle of a trust domain now; answers whether there is a relationship with it.
   * @throws BUNDLE_FETCH_FAILED
   */
  async refresh(trustDomain: TrustDomain): Promise<boolean> {
    const poll = this.#polls.get(trustDomain.name);
    await poll?.refresh();
    return poll !== undefined;
  }

  stop(): void {
    this.#unsubscribe();
    for (const poll of this.#polls.values()) poll.stop();
    this.#polls.clear();
  }

  /** Polls as the relationship with this trust domain now says. A change of it begins anew, whatever changed. */
  #reconcile(name: string, isChanged: boolean): void {
    const { fixed, relationships, clock } = this.#options;
    const own = fixed.find(({ trustDomain }) => trustDomain.name === name);
    const dynamic = relationships.get(name);
    const wanted = own ?? (dynamic && { ...dynamic, isStatic: false });
    const running = this.#polls.get(name);
    if (running !== undefined && (wanted === undefined || (isChanged && wanted !== own))) {
      running.stop();
      this.#polls.delete(name);
    }
    if (wanted === undefined || this.#polls.has(name)) return;
    const poll = new Poll({
      relationship: wanted,
      fetchOnce: (relationship, signal) =>
        this.#turns.take(signal, () => this.#fetchOnce(relationship, signal)),
      intervalMs: (relationship, failures) => this.#intervalMs(relationship, failures),
      clock,
    });
    this.#polls.set(name, poll);
    poll.start();
  }

  #intervalMs({ trustDomain }: ActiveRelationship, failures: number): number {
    const { bundles, intervals, random = Math.random } = this.#options;
    const hintSeconds = bundles.get(trustDomain.name)?.refreshHintSeconds;
    return nextIntervalMs(intervals, hintSeconds, failures, random());
  }

  async #fetchOnce(relationship: ActiveRelationship, signal: AbortSignal): Promise<void> {
    const { trustDomain, url } = relationship;
    const { fetch, bundles, log } = this.#options;
    const start = performance.now();
    const fields = { trust_domain: trustDomain.name, url };
    try {
      const fetched = await fetch(relationship, signal);
      const skipped: string[] = [];
      const bundle = readDocument(trustDomain, fetched.document, (why) => skipped.push(why));
      const outcome = await storeFetched(bundles, relationship, bundle);
      this.#count(outcome);
      log.info(
        {
          ...fields,
          ...(fetched.url !== url && { redirected_to: fetched.url }),
          peer_id: fetched.peer,
          outcome,
          sequence: bundle.sequence.toString(),
          took_ms: Math.round(performance.now() - start),
          ...(skipped.length > 0 && { skipped: skipped.slice(0, 10) }),
        },
        "bundle fetched",
      );
      if (outcome === "changed") this.#warnOfDoubts(relationship, bundle.x509Authorities.length);
    } catch (error) {
      if (signal.aborted) return;
      this.#count("failed");
      log.warn({ ...fields, error }, "bundle not fetched; the stored one stays");
      throw error;
    } finally {
      this.#observe((performance.now() - start) / 1000);
    }
  }

  /** An empty bundle is a valid one, and ends the trust in every X509-SVID of the trust domain. */
  #warnOfDoubts({ trustDomain }: ActiveRelationship, authorities: number): void {
    if (authorities > 0) return;
    const fields = { trust_domain: trustDomain.name };
    this.#options.log.warn(
      fields,
      "the fetched bundle has no X.509 authority: no X509-SVID of it is valid now",
    );
  }
}
