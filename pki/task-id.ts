// IDs of tasks: a ULID (26 characters of Crockford's base32: 48 bits of milliseconds, then 80 random
// ones), and the SPIFFE ID of a task, which is its AI agent's with "/task/" and the ULID below it.
// That path is reserved there: server/entries/validate.ts. A ULID is a name and no secret.
import { SpiffeId } from "./spiffe-id.ts";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_CHARACTERS = 10;
const RANDOM_CHARACTERS = 16;
/** Bytes of randomness in a ULID. */
export const ULID_RANDOM_BYTES = 10;
/** 2^48 - 1: the year 10889. */
const LAST_MS = 0xffff_ffff_ffff;
// Uppercase alone, and the first character at most "7": one spelling for each of the 128-bit numbers.
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const SEGMENT = "/task/";

/** The ULID of this moment and these {@link ULID_RANDOM_BYTES}. */
export function newUlid(now: Date, random: Uint8Array): string {
  const ms = now.getTime();
  if (!(ms >= 0 && ms <= LAST_MS)) throw new TypeError(`${ms} ms is no moment of a ULID`);
  if (random.length !== ULID_RANDOM_BYTES) throw new TypeError("a ULID has 10 random bytes");
  let bits = 0n;
  for (const byte of random) bits = (bits << 8n) | BigInt(byte);
  return inBase32(BigInt(ms), TIME_CHARACTERS) + inBase32(bits, RANDOM_CHARACTERS);
}

/** Makes ULIDs that grow: of one millisecond, or of a clock that was set back a little, too. */
export class Ulids {
  readonly #random: () => Uint8Array;
  #lastMs = -1;
  #last = 0n;

  /** `random` gives {@link ULID_RANDOM_BYTES} new bytes. */
  constructor(random: () => Uint8Array) {
    this.#random = random;
  }

  next(now: Date): string {
    const ms = now.getTime();
    // Set back by more than a moment, the clock was wrong before: IDs must not stay in the future.
    const isSame = ms <= this.#lastMs && this.#lastMs - ms < 1000;
    if (isSame && this.#last < (1n << 80n) - 1n) this.#last++;
    else {
      this.#lastMs = ms;
      this.#last = BigInt(`0x${Buffer.from(this.#random()).toString("hex")}`) >> 1n;
    }
    return (
      inBase32(BigInt(this.#lastMs), TIME_CHARACTERS) + inBase32(this.#last, RANDOM_CHARACTERS)
    );
  }
}

/** Whether this is a ULID as we write them: uppercase. */
export function isUlid(text: string): boolean {
  return ULID.test(text);
}

/** The moment in a ULID. */
export function ulidTime(ulid: string): Date {
  let ms = 0;
  for (const character of ulid.slice(0, TIME_CHARACTERS))
    ms = ms * 32 + ALPHABET.indexOf(character);
  return new Date(ms);
}

/** The smallest ULID of a moment: all that were made before it are less. */
export function firstUlidOf(now: Date): string {
  return newUlid(now, new Uint8Array(ULID_RANDOM_BYTES));
}

/** The SPIFFE ID of a task. `agent` is the AI agent's, whole. @throws SPIFFE_ID_INVALID when it gets too long */
export function taskSpiffeId(agent: string, ulid: string): SpiffeId {
  return SpiffeId.parse(agent + SEGMENT + ulid);
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
    text = `${ALPHABET[Number(rest & 31n)]}${text}`;
  }
  return text;
}
