// The newest revocation list of each X.509 authority, signed, in memory and in the log: so that its
// number grows over restarts, and node agents get it through the same order of changes as everything
// else. When one is signed: server/ca/crls.ts.

import { serverError } from "../errors.ts";
import type { OrderedLog, StoredRecord } from "./log.ts";
import { Replica, type ReplicaHandler } from "./replica.ts";
import { transact } from "./transaction.ts";

const PREFIX = "crl/";

/** A signed list. */
export interface CrlRecord {
  readonly authorityId: string;
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** How many certificates are on it. */
  readonly size: number;
  /** Stands for what is on it: equal lists have equal ones. */
  readonly content: string;
  readonly der: Uint8Array;
}

export class CrlStore {
  readonly #log: OrderedLog;
  readonly #replica: Replica<CrlRecord>;

  private constructor(log: OrderedLog, replica: Replica<CrlRecord>) {
    this.#log = log;
    this.#replica = replica;
  }

  /** Reads every list into memory and follows the log. */
  static async start(log: OrderedLog): Promise<CrlStore> {
    const replica = await Replica.start<CrlRecord>({
      log,
      prefix: PREFIX,
      decode: decodeCrl,
      idOf: ({ authorityId }) => authorityId,
    });
    return new CrlStore(log, replica);
  }

  get revision(): number {
    return this.#replica.revision;
  }

  /** Why the lists in memory no longer follow the store, if they do not. */
  get failure(): unknown {
    return this.#replica.failure;
  }

  get(authorityId: string): CrlRecord | undefined {
    return this.#replica.get(authorityId);
  }

  values(): Iterable<CrlRecord> {
    return this.#replica.values();
  }

  reached(revision: number): Promise<void> {
    return this.#replica.reached(revision);
  }

  onChange(handler: ReplicaHandler<CrlRecord>): () => void {
    return this.#replica.onChange(handler);
  }

  /** Commits the list that `make` signs with the next number; it is in memory when this resolves. */
  async replace(
    authorityId: string,
    make: (number: bigint) => Promise<Omit<CrlRecord, "authorityId" | "number">>,
  ): Promise<CrlRecord> {
    const key = PREFIX + authorityId;
    const { result, revision } = await transact(this.#log, async (transaction) => {
      const value = await transaction.get(key);
      const before = value === undefined ? 0n : decodeCrl({ key, value, revision: 0 }).number;
      const number = before + 1n;
      const record = { authorityId, number, ...(await make(number)) };
      transaction.put(key, encodeCrl(record));
      return record;
    });
    await this.#replica.reached(revision);
    return result;
  }

  /** Forgets the list of an authority that nobody trusts any more. */
  async delete(authorityId: string): Promise<void> {
    const revision = await this.#log.commit({ deletes: [PREFIX + authorityId] });
    await this.#replica.reached(revision);
  }

  async stop(): Promise<void> {
    await this.#replica.stop();
  }
}

function encodeCrl({ number, thisUpdate, nextUpdate, der, ...rest }: CrlRecord): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      ...rest,
      number: number.toString(),
      thisUpdate: thisUpdate.toISOString(),
      nextUpdate: nextUpdate.toISOString(),
      der: Buffer.from(der).toString("base64"),
    }),
  );
}

/** @throws STORE_CORRUPT */
function decodeCrl({ key, value }: StoredRecord): CrlRecord {
  try {
    const json = JSON.parse(Buffer.from(value).toString("utf8")) as {
      readonly [K in keyof CrlRecord]: K extends "size" ? number : string;
    };
    return {
      authorityId: json.authorityId,
      number: BigInt(json.number),
      thisUpdate: new Date(json.thisUpdate),
      nextUpdate: new Date(json.nextUpdate),
      size: json.size,
      content: json.content,
      der: Uint8Array.from(Buffer.from(json.der, "base64")),
    };
  } catch (cause) {
    throw serverError("STORE_CORRUPT", `the record ${key} is not a revocation list`, {
      hint: "restore the store from a backup",
      cause,
    });
  }
}
