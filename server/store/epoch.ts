// Which life of the store this is. A store that is put back from a copy goes back in time: what others have
// seen of it since (the audit log, node agents) is ahead of it. From the moment in which that is noticed
// it counts anew, in another epoch, so that nothing of before is taken for something of now: cursors of
// the link, places in status lists. Who notices, and what follows: server/main/restored.ts.
import { randomBytes } from "node:crypto";
import { serverError } from "../errors.ts";
import type { OrderedLog } from "./log.ts";
import { transact } from "./transaction.ts";

const KEY = "epoch";
const AUDIT_SIZE = "audit-size";
const KEY_BYTES = 32;
const RUN_ID_BYTES = 6;
/** Whoever was away for longer than so many starts is not asked what it has seen. */
const KEPT_RUNS = 64;

/** A moment in the life of a store: of two the one with the later epoch is later. */
export interface StorePosition {
  readonly epoch: number;
  readonly revision: number;
}

/** A life of the process that has the store. */
export interface StoreRun {
  /** 1, 2, 3, ...; a copy that was put back counts the same numbers again. */
  readonly number: number;
  /** Random, so that they are told apart. */
  readonly id: string;
  /** The last commit before it. */
  readonly fromRevision: number;
}

/** What lies in the store. */
interface EpochJson {
  /** 0, or Unix seconds at which a copy was noticed. */
  readonly epoch: number;
  /** The last commit before this epoch. */
  readonly fromRevision: number;
  /** Base64: shows that a cursor is one of ours. */
  readonly cursorKey: string;
  /** How it was noticed. */
  readonly why: string;
  /** What was open before has not been ended yet. */
  readonly isPending: boolean;
  /** The latest, the oldest first. */
  readonly runs: readonly StoreRun[];
}

export class StoreEpoch {
  readonly #log: OrderedLog;
  #json: EpochJson;
  /** How far the store was when it was opened, before anything was written to it. */
  readonly openedAt: StorePosition;

  private constructor(log: OrderedLog, json: EpochJson, openedAt: number) {
    this.#log = log;
    this.#json = json;
    this.openedAt = { epoch: json.epoch, revision: openedAt };
  }

  /** Reads it, or begins the first. @throws STORE_CORRUPT */
  static async open(log: OrderedLog): Promise<StoreEpoch> {
    const openedAt = log.revision;
    const { result: json } = await transact(log, async (transaction) => {
      const value = await transaction.get(KEY);
      if (value !== undefined) return parse(value);
      const cursorKey = randomBytes(KEY_BYTES).toString("base64");
      const first = { epoch: 0, fromRevision: 0, cursorKey, why: "", isPending: false, runs: [] };
      transaction.put(KEY, Buffer.from(JSON.stringify(first)));
      return first;
    });
    return new StoreEpoch(log, json, openedAt);
  }

  /** A life of a server begins: what others see of the store from now on, they have from it. */
  async beginRun(): Promise<void> {
    const { runs } = this.#json;
    const run: StoreRun = {
      number: (runs.at(-1)?.number ?? 0) + 1,
      id: randomBytes(RUN_ID_BYTES).toString("hex"),
      fromRevision: this.#log.revision,
    };
    await this.#put({ ...this.#json, runs: [...runs, run].slice(-KEPT_RUNS) });
  }

  /** The life of now. */
  get run(): Pick<StoreRun, "number" | "id"> {
    return this.#json.runs.at(-1) ?? { number: 0, id: "" };
  }

  /** Whether a commit of one of the lives of this epoch is one that this store has had. */
  has(run: Pick<StoreRun, "number" | "id">, revision: number): "yes" | "no" | "unknown" {
    const { runs } = this.#json;
    const at = runs.findIndex(({ number, id }) => number === run.number && id === run.id);
    if (at < 0) return run.number < (runs[0]?.number ?? 1) ? "unknown" : "no";
    return revision <= (runs[at + 1]?.fromRevision ?? this.#log.revision) ? "yes" : "no";
  }

  /** 0, or the Unix second at which this store was noticed to be a copy of an earlier time. */
  get epoch(): number {
    return this.#json.epoch;
  }

  /** The last commit before this epoch. */
  get fromRevision(): number {
    return this.#json.fromRevision;
  }

  /** How it was noticed that the store was a copy. */
  get why(): string {
    return this.#json.why;
  }

  /** The store is a copy, and what was open in it has not been ended yet. */
  get isPending(): boolean {
    return this.#json.isPending;
  }

  /** With which cursors are signed. */
  get cursorKey(): Uint8Array {
    return Buffer.from(this.#json.cursorKey, "base64");
  }

  /** How far the store is. */
  get position(): StorePosition {
    return { epoch: this.#json.epoch, revision: this.#log.revision };
  }

  /** The store is a copy: another epoch begins, later than all that were seen. False: one has begun already. */
  async begin(why: string, now: Date, seenEpoch = 0): Promise<boolean> {
    if (this.#json.isPending && this.#json.epoch > seenEpoch) return false;
    const seconds = Math.floor(now.getTime() / 1000);
    const epoch = Math.max(seconds, this.#json.epoch + 1, seenEpoch + 1);
    const fromRevision = this.#log.revision;
    await this.#put({ ...this.#json, epoch, fromRevision, why, isPending: true });
    return true;
  }

  /** What was open has been ended. */
  async end(): Promise<void> {
    await this.#put({ ...this.#json, isPending: false });
  }

  /** How many events the audit log had, when the store was last told. */
  async auditSize(): Promise<number> {
    const record = await this.#log.get(AUDIT_SIZE);
    return record === undefined ? 0 : Number(Buffer.from(record.value).toString());
  }

  async noteAuditSize(size: number): Promise<void> {
    const value = Buffer.from(String(size));
    await this.#log.commit({ puts: [{ key: AUDIT_SIZE, value }] });
  }

  async #put(json: EpochJson): Promise<void> {
    const value = Buffer.from(JSON.stringify(json));
    await this.#log.commit({ puts: [{ key: KEY, value }] });
    this.#json = json;
  }
}

/** Whether one is later than the other. */
export function isLater(one: StorePosition, other: StorePosition): boolean {
  return one.epoch === other.epoch ? one.revision > other.revision : one.epoch > other.epoch;
}

/** As it stands in events and cursors. */
export function formatPosition({ epoch, revision }: StorePosition): string {
  return `${epoch}.${revision}`;
}

/** The inverse; undefined when it is none. */
export function parsePosition(text: string): StorePosition | undefined {
  const [, epoch, revision] = /^(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})$/.exec(text) ?? [];
  return epoch === undefined ? undefined : { epoch: Number(epoch), revision: Number(revision) };
}

function parse(value: Uint8Array): EpochJson {
  try {
    const json = JSON.parse(Buffer.from(value).toString()) as EpochJson;
    if (!Number.isSafeInteger(json.epoch) || json.cursorKey.length < KEY_BYTES) {
      throw new RangeError("no epoch");
    }
    return json;
  } catch (cause) {
    throw serverError("STORE_CORRUPT", `the stored record "${KEY}" cannot be read`, {
      hint: "restore the store from a backup",
      cause,
    });
  }
}
