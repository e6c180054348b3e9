// The bundles the server holds: that of its own trust domain, and those of the trust domains it
// federates with, each kept under its own name and never merged (SPIFFE Federation s4.2). All are in
// memory, fed by the store's changes, because every agent and every call reads them. Foreign bundles
// are also named by entries (federatesWith): what deleting one does to those is server/api/bundle.ts.

import type { Bundle } from "../../pki/bundle/bundle.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import { decodeBundle, encodeBundle } from "./bundle-record.ts";
import type { OrderedLog } from "./log.ts";
import { Replica, type ReplicaHandler } from "./replica.ts";
import { type Transaction, transact } from "./transaction.ts";

/** Where bundles are kept: this, then the bare name of the trust domain. */
const BUNDLE_PREFIX = "bundle/";

/** One decision over bundles, with whatever else `transaction` reads and writes in the same commit. */
export class BundleTransaction {
  readonly transaction: Transaction;

  constructor(transaction: Transaction) {
    this.transaction = transaction;
  }

  async get(trustDomain: TrustDomain): Promise<Bundle | undefined> {
    const key = BUNDLE_PREFIX + trustDomain.name;
    const value = await this.transaction.get(key);
    return value && decodeBundle(key, value);
  }

  put(bundle: Bundle): void {
    this.transaction.put(BUNDLE_PREFIX + bundle.trustDomain.name, encodeBundle(bundle));
  }

  delete(trustDomain: TrustDomain): void {
    this.transaction.delete(BUNDLE_PREFIX + trustDomain.name);
  }
}

/** All bundles, in memory, and the one way to change them. */
export class BundleStore {
  readonly #log: OrderedLog;
  readonly #replica: Replica<Bundle>;

  private constructor(log: OrderedLog, replica: Replica<Bundle>) {
    this.#log = log;
    this.#replica = replica;
  }

  /** Reads every bundle into memory and follows the log. */
  static async start(log: OrderedLog): Promise<BundleStore> {
    const replica = await Replica.start<Bundle>({
      log,
      prefix: BUNDLE_PREFIX,
      decode: ({ key, value }) => decodeBundle(key, value),
      idOf: ({ trustDomain }) => trustDomain.name,
    });
    return new BundleStore(log, replica);
  }

  /** The revision of the log up to which the bundles in memory are complete. */
  get revision(): number {
    return this.#replica.revision;
  }

  /** Why the bundles in memory no longer follow the store, if they do not. */
  get failure(): unknown {
    return this.#replica.failure;
  }

  /** Resolves once the bundles in memory include the commit `revision`. */
  reached(revision: number): Promise<void> {
    return this.#replica.reached(revision);
  }

  /** The bundle of a trust domain, by bare name. */
  get(trustDomain: string): Bundle | undefined {
    return this.#replica.get(trustDomain);
  }

  /** Every bundle, the own one too, ordered by the trust domain's name. */
  list(): readonly Bundle[] {
    const bundles = [...this.#replica.values()];
    return bundles.sort((a, b) => (a.trustDomain.name < b.trustDomain.name ? -1 : 1));
  }

  /**
   * Decides over bundles and commits; `get` and `list` show the outcome before this resolves.
   * `decide` may run several times (see {@link transact}).
   */
  async change<T>(decide: (bundles: BundleTransaction) => Promise<T>): Promise<T> {
    const { result, revision } = await transact(this.#log, (transaction) =>
      decide(new BundleTransaction(transaction)),
    );
    await this.#replica.reached(revision);
    return result;
  }

  /** Calls `handler` after each commit that changed bundles, in order, none left out; returns its end. */
  onChange(handler: ReplicaHandler<Bundle>): () => void {
    return this.#replica.onChange(handler);
  }

  async stop(): Promise<void> {
    await this.#replica.stop();
  }
}
