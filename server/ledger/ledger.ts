// The ledger: every document that this server has issued and that has not expired, so that one can be
// found and revoked. A row is in the kernel's hands before the document leaves the server, and on the
// disk itself soon after. How rows are packed: table.ts and block.ts; where they lie:
// store/ledger-files.ts. What is done with what is found: server/revocation.
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import { LedgerFiles } from "../store/ledger-files.ts";
import { decodeBlock, encodeBlock, MAX_BLOCK_ROWS } from "./block.ts";
import type { IssuedDocument } from "./document.ts";
import { BUCKET_SECONDS, bucketOf, type DocumentQuery, LedgerTable } from "./table.ts";

/**
 * How long a row outlives its document: validators allow some leeway, and a clock that is ahead for a
 * moment must not make the server forget what is good for longer.
 */
const GRACE_SECONDS = BUCKET_SECONDS;
const SYNC_EVERY_MS = 1000;
const PRUNE_EVERY_SYNCS = 60;

export interface LedgerOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Rows that are written together. */
interface Group extends PromiseWithResolvers<void> {
  readonly rows: IssuedDocument[];
}

export class Ledger {
  readonly #options: LedgerOptions;
  readonly #table: LedgerTable;
  readonly #files: LedgerFiles;
  #failure: unknown;
  #syncing: Promise<void> | undefined;
  /** What is written at the end of this turn of the event loop. */
  #next: Group | undefined;

  private constructor(options: LedgerOptions, table: LedgerTable, files: LedgerFiles) {
    this.#options = options;
    this.#table = table;
    this.#files = files;
  }

  /** Reads the ledger. @throws STORE_UNUSABLE, LEDGER_DAMAGED */
  static async open(options: LedgerOptions): Promise<Ledger> {
    const table = new LedgerTable();
    const oldest = oldestBucket(options.clock);
    const files = await LedgerFiles.open(options.folder, oldest, (file, _bucket, block) => {
      for (const document of decodeBlock(file, block)) table.add(document);
    });
    return new Ledger(options, table, files);
  }

  /** Rows in memory. */
  get size(): number {
    return this.#table.size;
  }

  /** Bytes of memory that they take. */
  get bytes(): number {
    return this.#table.bytes;
  }

  /** Why the last write failed, if it did: nothing is issued until one succeeds. */
  get failure(): unknown {
    return this.#failure;
  }

  /**
   * Notes documents that were signed: they are found from now on, and written when this resolves. What is
   * noted in one turn of the event loop is written at once. @throws LEDGER_UNWRITABLE: they must not
   * leave the server
   */
  add(documents: readonly IssuedDocument[]): Promise<void> {
    if (documents.length === 0) return Promise.resolve();
    // Before they are written: nobody who looks for them afterwards misses one.
    for (const row of documents) this.#table.add(row);
    let group = this.#next;
    if (group === undefined) {
      group = { rows: [], ...Promise.withResolvers<void>() };
      this.#next = group;
      setImmediate(() => this.#writeNext());
    }
    for (const row of documents) group.rows.push(row);
    return group.promise;
  }

  /** The documents that are what the query says and have not expired. */
  find(query: DocumentQuery): IssuedDocument[] {
    return this.#table.find(query, this.#options.clock.now().getTime() / 1000);
  }

  /** Brings rows to the disk and drops what has expired, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    for (let count = 0; !signal.aborted; count++) {
      try {
        await this.#sync();
      } catch (error) {
        this.#fail(error);
      }
      if (count % PRUNE_EVERY_SYNCS === 0) {
        await this.prune().catch((error: unknown) =>
          log.warn({ error }, "could not drop what has expired from the ledger; trying again"),
        );
      }
      await clock.sleep(SYNC_EVERY_MS, signal).catch(() => undefined);
    }
  }

  /** Drops what has expired. */
  async prune(): Promise<void> {
    const oldest = oldestBucket(this.#options.clock);
    this.#table.dropBefore(oldest);
    await this.#syncing?.catch(() => undefined);
    await this.#files.dropBefore(oldest);
  }

  async close(): Promise<void> {
    this.#writeNext();
    await this.#syncing?.catch(() => undefined);
    await this.#files.close();
  }

  /** One at a time, and a new one for those who come while one is under way. */
  async #sync(): Promise<void> {
    while (this.#syncing !== undefined) await this.#syncing.catch(() => undefined);
    this.#syncing = this.#files.sync();
    try {
      await this.#syncing;
    } finally {
      this.#syncing = undefined;
    }
  }

  /** Writes what waits, and tells those who wait how it went. */
  #writeNext(): void {
    const group = this.#next;
    if (group === undefined) return;
    this.#next = undefined;
    this.#write(group.rows).then(group.resolve, group.reject);
  }

  async #write(documents: readonly IssuedDocument[]): Promise<void> {
    try {
      for (const [bucket, rows] of byBucket(documents)) {
        for (let at = 0; at < rows.length; at += MAX_BLOCK_ROWS) {
          this.#files.append(bucket, encodeBlock(rows.slice(at, at + MAX_BLOCK_ROWS)));
        }
      }
      if (this.#files.mustSync) await this.#sync();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#options.log.info({}, "the ledger is written again");
  }

  #fail(error: unknown): void {
    if (this.#failure === undefined) {
      this.#options.log.error({ error }, "the ledger cannot be written: nothing is issued");
    }
    this.#failure = error;
  }
}

/** Nearly always one bucket: what is issued together lives equally long. */
function byBucket(documents: readonly IssuedDocument[]): Map<number, IssuedDocument[]> {
  const buckets = new Map<number, IssuedDocument[]>();
  for (const document of documents) {
    const bucket = bucketOf(document.expiresAtUnixSeconds);
    const rows = buckets.get(bucket);
    if (rows === undefined) buckets.set(bucket, [document]);
    else rows.push(document);
  }
  return buckets;
}

/** Everything in the buckets before has long expired. */
function oldestBucket(clock: Clock): number {
  return bucketOf(clock.now().getTime() / 1000 - GRACE_SECONDS);
}
