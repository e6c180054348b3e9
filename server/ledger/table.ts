// The rows in memory: 52 bytes each in typed arrays, where objects would take ten times that. Rows lie in
// buckets by the quarter of an hour in which they expire, so that dropping what has expired is dropping
// whole buckets. Nothing is indexed: looking at every row takes a millisecond for a hundred thousand,
// and is done when somebody revokes.
import { type DocumentKind, type IssuedDocument, NAME_BYTES } from "./document.ts";
import { Names } from "./names.ts";

/** Seconds of expiry that share a bucket. */
export const BUCKET_SECONDS = 900;

// Words of a row.
const KIND = 0; // and the authority, in the upper 24 bits
const NAME = 1;
const JTI = 5;
const ISSUED = 9;
const EXPIRES = 10;
const SPIFFE_ID = 11;
const AGENT = 12;
const WORDS = 13;
const SMALLEST_CHUNK = 64;
const LARGEST_CHUNK = 1024;
const LAST_SECOND = 0xffff_ffff;

const KINDS: readonly DocumentKind[] = ["x509", "jwt", "wit"];

/** Which documents are looked for: those that are all that is said. */
export interface DocumentQuery {
  readonly kind?: "x509" | "token";
  readonly name?: Uint8Array;
  readonly jti?: Uint8Array;
  readonly spiffeId?: string;
  readonly agentId?: string;
}

interface Chunk {
  readonly words: Uint32Array<ArrayBuffer>;
  readonly bytes: Buffer<ArrayBuffer>;
  used: number;
}

/** The bucket of what expires at this second. */
export function bucketOf(expiresAtUnixSeconds: number): number {
  return Math.floor(clamp(expiresAtUnixSeconds) / BUCKET_SECONDS);
}

export class LedgerTable {
  readonly #names = new Names();
  readonly #buckets = new Map<number, Chunk[]>();
  #size = 0;

  /** How many rows there are. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of memory that rows take, names not counted. */
  get bytes(): number {
    let bytes = 0;
    for (const chunks of this.#buckets.values()) {
      for (const { words } of chunks) bytes += words.byteLength;
    }
    return bytes;
  }

  add(document: IssuedDocument): void {
    const chunk = this.#roomFor(bucketOf(document.expiresAtUnixSeconds));
    const { words, bytes } = chunk;
    const at = chunk.used * WORDS;
    const authority = this.#names.take(document.authorityId);
    words[at + KIND] = KINDS.indexOf(document.kind) | (authority << 8);
    bytes.set(document.name, (at + NAME) * 4);
    if (document.jti !== undefined) bytes.set(document.jti, (at + JTI) * 4);
    words[at + ISSUED] = clamp(document.issuedAtUnixSeconds);
    words[at + EXPIRES] = clamp(document.expiresAtUnixSeconds);
    words[at + SPIFFE_ID] = this.#names.take(document.spiffeId);
    words[at + AGENT] = this.#names.take(document.agentId);
    chunk.used++;
    this.#size++;
  }

  /** The documents that are what the query says and expire after `nowUnixSeconds`. */
  find(query: DocumentQuery, nowUnixSeconds: number): IssuedDocument[] {
    const spiffeId = this.#number(query.spiffeId);
    const agent = this.#number(query.agentId);
    if (spiffeId === null || agent === null) return [];
    const name = query.name && Buffer.from(query.name);
    const jti = query.jti && Buffer.from(query.jti);
    const found: IssuedDocument[] = [];
    for (const chunks of this.#buckets.values()) {
      for (const { words, bytes, used } of chunks) {
        for (let at = 0; at < used * WORDS; at += WORDS) {
          if (spiffeId !== undefined && words[at + SPIFFE_ID] !== spiffeId) continue;
          if (agent !== undefined && words[at + AGENT] !== agent) continue;
          if ((words[at + EXPIRES] ?? 0) <= nowUnixSeconds) continue;
          const isX509 = ((words[at + KIND] ?? 0) & 0xff) === 0;
          if (query.kind !== undefined && isX509 !== (query.kind === "x509")) continue;
          if (name !== undefined && !isAt(bytes, (at + NAME) * 4, name)) continue;
          if (jti !== undefined && !isAt(bytes, (at + JTI) * 4, jti)) continue;
          found.push(this.#read(words, bytes, at));
        }
      }
    }
    return found;
  }

  /** Drops the buckets before this one. */
  dropBefore(bucket: number): void {
    for (const [number, chunks] of this.#buckets) {
      if (number >= bucket) continue;
      this.#buckets.delete(number);
      for (const chunk of chunks) this.#release(chunk);
    }
  }

  #release({ words, used }: Chunk): void {
    for (let at = 0; at < used * WORDS; at += WORDS) {
      this.#names.release((words[at + KIND] ?? 0) >>> 8);
      this.#names.release(words[at + SPIFFE_ID] ?? 0);
      this.#names.release(words[at + AGENT] ?? 0);
    }
    this.#size -= used;
  }

  /** Null: no row names it. */
  #number(name: string | undefined): number | undefined | null {
    return name === undefined ? undefined : (this.#names.find(name) ?? null);
  }

  #read(words: Uint32Array, bytes: Buffer, at: number): IssuedDocument {
    const kind = words[at + KIND] ?? 0;
    const jti = (at + JTI) * 4;
    const hasJti = [0, 1, 2, 3].some((i) => words[at + JTI + i] !== 0);
    return {
      kind: KINDS[kind & 0xff] ?? "x509",
      name: Uint8Array.prototype.slice.call(bytes, (at + NAME) * 4, (at + NAME) * 4 + NAME_BYTES),
      ...(hasJti && { jti: Uint8Array.prototype.slice.call(bytes, jti, jti + NAME_BYTES) }),
      authorityId: this.#names.at(kind >>> 8),
      spiffeId: this.#names.at(words[at + SPIFFE_ID] ?? 0),
      agentId: this.#names.at(words[at + AGENT] ?? 0),
      issuedAtUnixSeconds: words[at + ISSUED] ?? 0,
      expiresAtUnixSeconds: words[at + EXPIRES] ?? 0,
    };
  }

  #roomFor(bucket: number): Chunk {
    let chunks = this.#buckets.get(bucket);
    if (chunks === undefined) {
      chunks = [];
      this.#buckets.set(bucket, chunks);
    }
    const last = chunks.at(-1);
    if (last !== undefined && (last.used + 1) * WORDS <= last.words.length) return last;
    const rows = Math.min(SMALLEST_CHUNK * 4 ** chunks.length, LARGEST_CHUNK);
    const words = new Uint32Array(rows * WORDS);
    const chunk = { words, bytes: Buffer.from(words.buffer), used: 0 };
    chunks.push(chunk);
    return chunk;
  }
}

function isAt(bytes: Buffer, at: number, wanted: Buffer): boolean {
  return bytes.compare(wanted, 0, NAME_BYTES, at, at + NAME_BYTES) === 0;
}

/** What is beyond is the last second that fits: the year 2106. */
function clamp(unixSeconds: number): number {
  return Math.max(0, Math.min(Math.floor(unixSeconds), LAST_SECOND));
}
