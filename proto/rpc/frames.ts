// gRPC's length-prefixed messages: one byte of flags, four of length, the message. Read with a limit
// on the size, which is checked before the message is there.

import { protoError } from "../errors.ts";

/** What stands before each message. */
export const PREFIX_BYTES = 5;
const NOTHING: Buffer = Buffer.alloc(0);
/** Smallest buffer that pieces are gathered in. */
const MIN_GATHERED_BYTES = 1024;

/** Puts the prefix before an encoded message. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/**
 * Cuts a byte stream into messages, one when it is asked for one. Pieces of a message are gathered in
 * one buffer: held one by one, a message sent as a million pieces of a byte would take a hundred
 * times its size, and so would a piece of many tiny messages cut all at once.
 */
export class FrameReader {
  readonly #maxBytes: number;
  /** What was not given out yet lies between #start and #end. */
  #buffer: Buffer = NOTHING;
  #start = 0;
  #end = 0;
  /** Whether #buffer is ours to write to, not a chunk that was given to us. */
  #gathered = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of memory that hold what was not given out. */
  get heldBytes(): number {
    return this.#start === this.#end ? 0 : this.#buffer.length;
  }

  /** Takes a chunk. */
  push(chunk: Buffer): void {
    if (this.#start === this.#end) {
      this.#buffer = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#gathered = false;
      return;
    }
    const end = this.#end + chunk.length;
    if (!this.#gathered || end > this.#buffer.length) this.#gather(chunk.length);
    chunk.copy(this.#buffer, this.#end);
    this.#end += chunk.length;
  }

  /** The next message, without its prefix; undefined while it is not complete. @throws MESSAGE_TOO_LARGE, MESSAGE_COMPRESSED */
  next(): Buffer | undefined {
    const body = this.#start + PREFIX_BYTES;
    if (this.#end < body) return undefined;
    if (this.#buffer[this.#start] !== 0) {
      throw protoError("MESSAGE_COMPRESSED", "the message is compressed, which was not offered", {
        hint: "send messages uncompressed",
      });
    }
    const size = this.#buffer.readUInt32BE(this.#start + 1);
    if (size > this.#maxBytes) {
      const message = `the message has ${size} bytes, the limit is ${this.#maxBytes}`;
      throw protoError("MESSAGE_TOO_LARGE", message, { hint: "send less in one message" });
    }
    if (this.#end < body + size) return undefined;
    this.#start = body + size;
    const message = this.#buffer.subarray(body, this.#start);
    // Messages are views of the buffer: with nothing left in it, it is theirs.
    if (this.#start === this.#end) this.clear();
    return message;
  }

  /** Forgets what was not given out. */
  clear(): void {
    this.#buffer = NOTHING;
    this.#start = 0;
    this.#end = 0;
  }

  /** Moves what is held to a buffer of our own with room for `more` bytes. */
  #gather(more: number): void {
    const held = this.#end - this.#start;
    const size = Math.max(held + more, 2 * held, MIN_GATHERED_BYTES);
    const gathered = Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(gathered, 0, this.#start, this.#end);
    this.#buffer = gathered;
    this.#start = 0;
    this.#end = held;
    this.#gathered = true;
  }
}
