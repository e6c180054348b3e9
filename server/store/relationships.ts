// The federation relationships that the API made: of which trust domain the bundle is fetched, where,
// and how the endpoint proves itself. In memory, fed by the store's changes. Beside each, once a bundle
// was fetched, lies what was fetched last: fetched-bundles.ts. Polling: federation/refresher.ts.
// Relationships of the configuration are not stored; they stand over those here.

import { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { serverError } from "../errors.ts";
import type { OrderedLog } from "./log.ts";
import { Replica, type ReplicaHandler } from "./replica.ts";
import { type Transaction, transact } from "./transaction.ts";

/** How an endpoint proves itself: by a certificate of the web, or by an X509-SVID. */
export type EndpointProfile = "https_web" | "https_spiffe";

/** Where and how the bundle of a trust domain is fetched. Checked: federation/relationship.ts. */
export interface Relationship {
  readonly trustDomain: TrustDomain;
  readonly url: string;
  readonly profile: EndpointProfile;
  /** Whom the endpoint must prove to be; with https_spiffe alone. */
  readonly endpointId: SpiffeId | undefined;
  readonly createdAt: Date;
}

/** Where relationships are kept: this, then the bare name of the trust domain. */
const PREFIX = "federation/";

interface RelationshipJson {
  readonly trust_domain: string;
  readonly url: string;
  readonly profile: EndpointProfile;
  readonly endpoint_spiffe_id?: string;
  readonly created_at: string;
}

/** One decision over relationships, with whatever else `transaction` reads and writes in the same commit. */
export class RelationshipTransaction {
  readonly transaction: Transaction;

  constructor(transaction: Transaction) {
    this.transaction = transaction;
  }

  async get(trustDomain: TrustDomain): Promise<Relationship | undefined> {
    const key = PREFIX + trustDomain.name;
    const value = await this.transaction.get(key);
    return value && decode(key, value);
  }

  put(relationship: Relationship): void {
    this.transaction.put(PREFIX + relationship.trustDomain.name, encode(relationship));
  }

  delete(trustDomain: TrustDomain): void {
    this.transaction.delete(PREFIX + trustDomain.name);
  }
}

/** The relationships of the API, in memory, and the one way to change them. */
export class RelationshipStore {
  readonly #log: OrderedLog;
  readonly #replica: Replica<Relationship>;

  private constructor(log: OrderedLog, replica: Replica<Relationship>) {
    this.#log = log;
    this.#replica = replica;
  }

  /** Reads every relationship into memory and follows the log. */
  static async start(log: OrderedLog): Promise<RelationshipStore> {
    const replica = await Replica.start<Relationship>({
      log,
      prefix: PREFIX,
      decode: ({ key, value }) => decode(key, value),
      idOf: ({ trustDomain }) => trustDomain.name,
    });
    return new RelationshipStore(log, replica);
  }

  get revision(): number {
    return this.#replica.revision;
  }

  /** The relationship with a trust domain, by bare name. */
  get(trustDomain: string): Relationship | undefined {
    return this.#replica.get(trustDomain);
  }

  /** Every relationship, ordered by the trust domain's name. */
  list(): readonly Relationship[] {
    const all = [...this.#replica.values()];
    return all.sort((a, b) => (a.trustDomain.name < b.trustDomain.name ? -1 : 1));
  }

  /**
   * Decides and commits; `get` and `list` show the outcome before this resolves. Answers the revision
   * too, for others that hold what the same commit changed. `decide` may run several times.
   */
  async change<T>(
    decide: (relationships: RelationshipTransaction) => Promise<T>,
  ): Promise<{ readonly result: T; readonly revision: number }> {
    const done = await transact(this.#log, (transaction) =>
      decide(new RelationshipTransaction(transaction)),
    );
    await this.#replica.reached(done.revision);
    return done;
  }

  /** Calls `handler` after each commit that changed relationships, in order; returns its end. */
  onChange(handler: ReplicaHandler<Relationship>): () => void {
    return this.#replica.onChange(handler);
  }

  async stop(): Promise<void> {
    await this.#replica.stop();
  }
}

function encode({ trustDomain, url, profile, endpointId, createdAt }: Relationship): Uint8Array {
  const json: RelationshipJson = {
    trust_domain: trustDomain.name,
    url,
    profile,
    ...(endpointId && { endpoint_spiffe_id: endpointId.toString() }),
    created_at: createdAt.toISOString(),
  };
  return Buffer.from(JSON.stringify(json));
}

function decode(key: string, value: Uint8Array): Relationship {
  try {
    const json = JSON.parse(Buffer.from(value).toString("utf8")) as RelationshipJson;
    const { endpoint_spiffe_id: endpointId } = json;
    return {
      trustDomain: TrustDomain.parse(json.trust_domain),
      url: json.url,
      profile: json.profile,
      endpointId: endpointId === undefined ? undefined : SpiffeId.parse(endpointId),
      createdAt: new Date(json.created_at),
    };
  } catch (cause) {
    throw serverError("STORE_CORRUPT", `the record ${key} is no federation relationship`, {
      hint: "restore the store from a backup",
      cause,
    });
  }
}
