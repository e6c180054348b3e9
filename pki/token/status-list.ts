// Status lists (draft-ietf-oauth-status-list-21 s4): for each token that an issuer made, a number of one to
// eight bits at its index, packed from the lowest bit of the first byte up, and compressed. As signed
// tokens: status-list-token.ts.

import { constants, deflateSync, inflateSync } from "node:zlib";
import { type IdentityError, pkiError } from "../errors.ts";

/** s7.1. */
export const TokenStatus = { valid: 0, invalid: 1, suspended: 2 } as const;

/** How many bits a status takes. */
export type StatusBits = 1 | 2 | 4 | 8;

/** A list as it stands in a token. */
export interface EncodedStatusList {
  readonly bits: StatusBits;
  /** zlib data, base64url without padding. */
  readonly lst: string;
}

/** Most bytes that a list is inflated to: four million statuses of two bits. What would be more is refused. */
export const MAX_STATUS_LIST_BYTES = 1_048_576;
/** Most compressed bytes that are looked at. */
const MAX_COMPRESSED_BYTES = 1_048_576;

/** A list of statuses. */
export class StatusList {
  readonly bits: StatusBits;
  /** Packed. */
  readonly bytes: Uint8Array;

  /** Takes the bytes as they are, without copying them. */
  constructor(bits: StatusBits, bytes: Uint8Array) {
    this.bits = bits;
    this.bytes = bytes;
  }

  /** A list of at least `size` statuses, all of them 0. */
  static ofSize(bits: StatusBits, size: number): StatusList {
    return new StatusList(bits, new Uint8Array(Math.ceil((size * bits) / 8)));
  }

  /** How many statuses there are. */
  get size(): number {
    return (this.bytes.length * 8) / this.bits;
  }

  /**
   * The status at an index.
   * @throws STATUS_LIST_INDEX when the list is not that long: nothing is known of that token
   */
  get(index: number): number {
    const { byte, shift } = this.#place(index);
    return ((this.bytes[byte] ?? 0) >> shift) & this.#mask;
  }

  /** @throws STATUS_LIST_INDEX */
  set(index: number, status: number): void {
    const { byte, shift } = this.#place(index);
    if (!Number.isInteger(status) || status < 0 || status > this.#mask) {
      throw new TypeError(`${status} is no status of ${this.bits} bits`);
    }
    this.bytes[byte] = ((this.bytes[byte] ?? 0) & ~(this.#mask << shift)) | (status << shift);
  }

  get #mask(): number {
    return (1 << this.bits) - 1;
  }

  #place(index: number): { readonly byte: number; readonly shift: number } {
    if (!Number.isSafeInteger(index) || index < 0 || index >= this.size) {
      throw pkiError("STATUS_LIST_INDEX", `the status list has no index ${String(index)}`, {
        hint: "refuse the token: its issuer says nothing about it",
      });
    }
    const bit = index * this.bits;
    return { byte: Math.floor(bit / 8), shift: bit % 8 };
  }
}

/**
 * Compresses a list. By runs alone: lists are zeros with a few other bytes among them, and to search for
 * anything else takes a hundred times as long and saves a tenth.
 */
export function encodeStatusList({ bits, bytes }: StatusList): EncodedStatusList {
  const compressed = deflateSync(bytes, { level: 9, strategy: constants.Z_RLE });
  return { bits, lst: compressed.toString("base64url") };
}

/**
 * Reads a list. Compressed data that would become more than `maxBytes` are refused before they do.
 * @throws STATUS_LIST_MALFORMED
 */
export function decodeStatusList(
  { bits, lst }: { readonly bits: unknown; readonly lst: unknown },
  maxBytes: number = MAX_STATUS_LIST_BYTES,
): StatusList {
  if (bits !== 1 && bits !== 2 && bits !== 4 && bits !== 8) throw malformed("its bits are wrong");
  if (typeof lst !== "string" || lst.length > (MAX_COMPRESSED_BYTES * 4) / 3) {
    throw malformed("its lst is no text of reasonable length");
  }
  const compressed = Buffer.from(lst, "base64url");
  if (compressed.toString("base64url") !== lst) throw malformed("its lst is not base64url");
  return new StatusList(bits, inflate(compressed, maxBytes));
}

function inflate(compressed: Uint8Array, maxBytes: number): Uint8Array {
  let bytes: Uint8Array;
  let read: number;
  try {
    // With `info` the answer says how much was read: what follows the data would be looked at by nobody.
    const { buffer, engine } = inflateSync(compressed, {
      maxOutputLength: maxBytes,
      info: true,
    }) as unknown as { buffer: Uint8Array; engine: { bytesWritten: number } };
    bytes = buffer;
    read = engine.bytesWritten;
  } catch (cause) {
    throw malformed(`its lst is no zlib data of at most ${maxBytes} bytes`, cause);
  }
  if (read !== compressed.length) throw malformed("something follows its lst");
  if (bytes.length === 0) throw malformed("it is empty");
  return bytes;
}

function malformed(why: string, cause?: unknown): IdentityError {
  return pkiError("STATUS_LIST_MALFORMED", `the status list cannot be read: ${why}`, { cause });
}
