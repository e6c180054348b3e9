// Cursors of the link: how far a node agent is, in this life of this store. An agent keeps one and shows
// it when it comes back; nothing in it means anything to the agent. It is signed, so that one of a moment
// which the store has not had shows that the store was put back, and nobody else can make such a one.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Init } from "../../proto/codec.ts";
import type { signet } from "../../proto/schema.gen.ts";
import type { StoreEpoch, StorePosition } from "../store/epoch.ts";

const TAG_BYTES = 16;
/** Messages of a moment share theirs. */
const KEPT = 64;
const TEXT = /^(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,8})-([0-9a-f]{0,32})\.([\w-]{22})$/;

type Cursor = Init<signet.link.v1.Cursor>;

export interface CursorsOptions {
  readonly storeId: string;
  readonly epoch: Pick<StoreEpoch, "epoch" | "cursorKey" | "run" | "has">;
}

/** What a cursor that came back says. */
export type ReadCursor =
  | { readonly kind: "ours"; readonly revision: number }
  /** Of this store, and of a moment that it has not had. */
  | { readonly kind: "ahead"; readonly position: StorePosition }
  /** Of another store, an earlier epoch or long ago, or made up. */
  | { readonly kind: "foreign" };

export class Cursors {
  readonly #options: CursorsOptions;
  readonly #key: Uint8Array;
  /** Before the tag. */
  readonly #prefix: string;
  readonly #made = new Map<number, Cursor>();

  constructor(options: CursorsOptions) {
    this.#options = options;
    const { cursorKey, epoch, run } = options.epoch;
    this.#key = cursorKey;
    this.#prefix = `${options.storeId}.${epoch}.${run.number}-${run.id}`;
  }

  /** The cursor for everything up to a commit. */
  at(revision: number): Cursor {
    let cursor = this.#made.get(revision);
    if (cursor !== undefined) return cursor;
    const tag = this.#tag(this.#prefix, revision).toString("base64url");
    cursor = { epoch: `${this.#prefix}.${tag}`, revision };
    if (this.#made.size >= KEPT) this.#made.clear();
    this.#made.set(revision, cursor);
    return cursor;
  }

  read(cursor: Cursor | undefined): ReadCursor {
    const { epoch: text = "", revision = 0 } = cursor ?? {};
    const { storeId, epoch: own } = this.#options;
    if (!text.startsWith(`${storeId}.`)) return { kind: "foreign" };
    const [, epochText, number, id = "", tag = ""] =
      TEXT.exec(text.slice(storeId.length + 1)) ?? [];
    if (epochText === undefined) return { kind: "foreign" };
    const expected = this.#tag(text.slice(0, -tag.length - 1), revision);
    if (!timingSafeEqual(Buffer.from(tag, "base64url"), expected)) return { kind: "foreign" };
    const epoch = Number(epochText);
    if (epoch > own.epoch) return { kind: "ahead", position: { epoch, revision } };
    if (epoch < own.epoch) return { kind: "foreign" };
    const has = own.has({ number: Number(number), id }, revision);
    if (has === "no") return { kind: "ahead", position: { epoch, revision } };
    return has === "yes" ? { kind: "ours", revision } : { kind: "foreign" };
  }

  #tag(text: string, revision: number): Buffer {
    return createHmac("sha256", this.#key)
      .update(`${text}.${revision}`)
      .digest()
      .subarray(0, TAG_BYTES);
  }
}
