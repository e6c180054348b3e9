// IDs of tasks: a ULID (26 characters of Crockford's base32: 48 bits of milliseconds, then 80 random
// ones), and the SPIFFE ID of a task, which is its AI agent's with "/task/" and the ULID below it.
// That path is reserved there: server/entries/validate.ts. A ULID is a name and no secret.
import { SpiffeId } from "./spiffe-id.ts";

/** Crockford's base32, in the order of the values. */
export const ULID_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_CHARACTERS = 10;
const RANDOM_CHARACTERS = 16;
const RANDOM_BYTES = 10;
/** Random bytes are asked for together: ten cost as much as two thousand. */
const FILLED_AT_ONCE = 200 * RANDOM_BYTES;
/** Of the 80 random bits, those that are counted up within a millisecond. */
const COUNTED = 2 ** 30;
/** Each ten bits as two characters. */
const PAIRS: readonly string[] = Array.from(
  { length: 1024 },
  (_, i) => `${ULID_ALPHABET[i >> 5]}${ULID_ALPHABET[i & 31]}`,
);
/** 2^48 - 1: the year 10889. */
const LAST_MS = 0xffff_ffff_ffff;
// Uppercase alone, and the first character at most "7": one spelling for each of the 128-bit numbers.
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const SEGMENT = "/task/";

/** The ULID of this moment and these ten bytes. */
export function newUlid(now: Date, random: Uint8Array): string {
  const ms = now.getTime();
  if (!(ms >= 0 && ms <= LAST_MS)) throw new TypeError(`${ms} ms is no moment of a ULID`);
  if (random.length !== RANDOM_BYTES) throw new TypeError("a ULID has 10 random bytes");
  let bits = 0n;
  for (const byte of random) bits = (bits << 8n) | BigInt(byte);
  return inBase32(BigInt(ms), TIME_CHARACTERS) + inBase32(bits, RANDOM_CHARACTERS);
}

/**
 * Makes ULIDs that grow: of one millisecond, or of a clock that was set back a little, too. Without big
 * numbers: one is made for every document that is issued.
 */
export class Ulids {
  readonly #fill: (bytes: Uint8Array) => void;
  readonly #random = new DataView(new ArrayBuffer(FILLED_AT_ONCE));
  /** Bytes of it that no ULID has. */
  #left = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  #prefix = "";
  #count = 0;

  /** `fill` fills bytes with random ones. */
  constructor(fill: (bytes: Uint8Array) => void) {
    this.#fill = fill;
  }

  /** The next one, of this moment. */
  next(now: Date): string {
    const ms = now.getTime();
    // Set back by more than a moment, the clock was wrong before: IDs must not stay in the future.
    const isSame = ms <= this.#lastMs && this.#lastMs - ms < 1000;
    if (!isSame) this.#begin(ms);
    else if (this.#count === COUNTED) this.#begin(this.#lastMs + 1);
    const count = this.#count++;
    return `${this.#prefix}${pair(count >> 20)}${pair(count >> 10)}${pair(count)}`;
  }

  #begin(ms: number): void {
    if (this.#left === 0) {
      this.#fill(new Uint8Array(this.#random.buffer));
      this.#left = FILLED_AT_ONCE;
    }
    this.#left -= RANDOM_BYTES;
    const words = this.#random;
    const high = words.getUint32(this.#left);
    const low = words.getUint16(this.#left + 4);
    const last = words.getUint32(this.#left + 6);
    const time = `${pair(ms / 2 ** 40)}${pair(ms / 2 ** 30)}${pair(ms / 2 ** 20)}${pair(ms / 2 ** 10)}${pair(ms)}`;
    // 50 random bits that stay, and half of those that are counted, so that there is room to count.
    this.#prefix = `${time}${pair(high >>> 22)}${pair(high >>> 12)}${pair(high >>> 2)}${pair(low >>> 6)}${pair((low << 4) | ((last & 3) << 2) | (high & 3))}`;
    this.#count = last >>> 3;
    this.#lastMs = ms;
  }
}

function pair(value: number): string {
  return PAIRS[Math.floor(value) & 1023] ?? "";
}

/** Whether this is a ULID as we write them: uppercase. */
export function isUlid(text: string): boolean {
  return ULID.test(text);
}

/** The smallest ULID of a moment: all that were made before it are less. */
export function firstUlidOf(now: Date): string {
  return newUlid(now, new Uint8Array(RANDOM_BYTES));
}

/** The SPIFFE ID of a task. `agent` is the AI agent's, whole. @throws SPIFFE_ID_INVALID when it gets too long */
export function taskSpiffeId(agent: string, ulid: string): SpiffeId {
  return SpiffeId.parse(formatTaskId(agent, ulid));
}

/** The same as text, of an AI agent and a ULID that are known to be good. */
export function formatTaskId(agent: string, ulid: string): string {
  return agent + SEGMENT + ulid;
}

/** The ULID in what names a task: itself, or the end of its SPIFFE ID. Whether it is one is not looked at. */
export function ulidIn(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** The AI agent and the ULID of a task's SPIFFE ID; undefined for any other ID. */
export function parseTaskId(
  spiffeId: SpiffeId,
): { readonly agent: string; readonly ulid: string } | undefined {
  const text = spiffeId.toString();
  const at = text.length - 26;
  const ulid = text.slice(at);
  if (!isUlid(ulid) || !text.slice(0, at).endsWith(SEGMENT)) return undefined;
  const agent = text.slice(0, at - SEGMENT.length);
  // An AI agent has a path: the trust domain itself has no tasks.
  if (agent.length <= spiffeId.trustDomain.id.length) return undefined;
  return { agent, ulid };
}

function inBase32(value: bigint, characters: number): string {
  let text = "";
  for (let rest = value; text.length < characters; rest >>= 5n) {
    text = `${ULID_ALPHABET[Number(rest & 31n)]}${text}`;
  }
  return text;
}
