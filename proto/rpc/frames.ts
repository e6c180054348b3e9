// gRPC's length-prefixed messages: one byte of flags, four of length, the message. Read with a limit
// on the size, which is checked before the message is there.

import { protoError } from "../errors.ts";

const PREFIX = 5;

/** Puts the prefix before an encoded message. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX);
  return framed;
}

/** Cuts a byte stream into messages. */
export class FrameReader {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes held of a message that is not complete. */
  get heldBytes(): number {
    return this.#length;
  }

  /** Takes a chunk and gives the messages it completes, without their prefixes. @throws MESSAGE_TOO_LARGE, MESSAGE_COMPRESSED */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const messages: Buffer[] = [];
    for (let size = this.#nextSize(); size !== undefined; size = this.#nextSize()) {
      if (this.#length < PREFIX + size) break;
      const whole = this.#join();
      messages.push(whole.subarray(PREFIX, PREFIX + size));
      const rest = whole.subarray(PREFIX + size);
      this.#chunks = rest.length > 0 ? [rest] : [];
      this.#length = rest.length;
    }
    return messages;
  }

  #nextSize(): number | undefined {
    if (this.#length < PREFIX) return undefined;
    const first = this.#chunks[0];
    const head = first !== undefined && first.length >= PREFIX ? first : this.#join();
    if (head[0] !== 0) {
      throw protoError("MESSAGE_COMPRESSED", "the message is compressed, which was not offered", {
        hint: "send messages uncompressed",
      });
    }
    const size = head.readUInt32BE(1);
    if (size > this.#maxBytes) {
      const message = `the message has ${size} bytes, the limit is ${this.#maxBytes}`;
      throw protoError("MESSAGE_TOO_LARGE", message, { hint: "send less in one message" });
    }
    return size;
  }

  #join(): Buffer {
    const [first] = this.#chunks;
    if (this.#chunks.length === 1 && first !== undefined) return first;
    const whole = Buffer.concat(this.#chunks, this.#length);
    this.#chunks = [whole];
    return whole;
  }
}
