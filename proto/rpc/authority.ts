// Java's SPIFFE client sends the path of the socket as `:authority`; nghttp2, and with it Node, refuses
// an authority with slashes before any handler runs. Connections from clients that might be Java's are
// passed through a filter that writes dots for the slashes in that one header; every other connection
// stays as it is and costs one look at its first bytes. HTTP/2: RFC 9113 s4, s6; HPACK: RFC 7541 s5, s6.

import type { Socket } from "node:net";
import { Duplex } from "node:stream";

const PREFACE_LENGTH = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length;
const FRAME_HEADER_LENGTH = 9;
const SETTINGS = 4;
const HEADERS = 1;
const FLAG_PADDED = 0x8;
const FLAG_PRIORITY = 0x20;
const MAX_CONCURRENT_STREAMS = 3;
/** Frames longer than this are passed on unread; the headers of a call are far shorter. */
const MAX_FRAME_LENGTH = 16_384;
/** In HPACK's static table. */
const AUTHORITY_INDEX = 1;
const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * Looks at the first bytes of a connection and calls `use` with what to serve: the socket itself, or a
 * filter around it. Not called for a connection that ends before.
 */
export function repairAuthority(socket: Socket, use: (connection: Duplex) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const look = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const mayBeJava = sendsNoPushes(seen);
    if (mayBeJava === undefined) return;
    socket.off("readable", look);
    socket.unshift(seen);
    use(mayBeJava ? new AuthorityFilter(socket) : socket);
  };
  socket.on("readable", look);
}

/**
 * Whether the client's first SETTINGS allow no streams from the server, as those of gRPC's Java and C
 * cores do; undefined while the frame is not complete.
 */
function sendsNoPushes(bytes: Buffer): boolean | undefined {
  const start = PREFACE_LENGTH + FRAME_HEADER_LENGTH;
  if (bytes.length < start) return undefined;
  const length = bytes.readUIntBE(PREFACE_LENGTH, 3);
  if (bytes[PREFACE_LENGTH + 3] !== SETTINGS || length > MAX_FRAME_LENGTH) return false;
  if (bytes.length < start + length) return undefined;
  for (let at = start; at + 6 <= start + length; at += 6) {
    const isZero = bytes.readUInt32BE(at + 2) === 0;
    if (bytes.readUInt16BE(at) === MAX_CONCURRENT_STREAMS && isZero) return true;
  }
  return false;
}

/** Passes a connection through, rewriting the authority in each HEADERS frame that comes in. */
class AuthorityFilter extends Duplex {
  readonly #socket: Socket;
  #pending: Buffer = Buffer.alloc(0);
  /** Bytes to pass on before the next frame begins; the preface at first. */
  #skip = PREFACE_LENGTH;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      for (const part of this.#filter(chunk)) if (!this.push(part)) socket.pause();
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  /** What can be passed on now: everything but a HEADERS frame that is not complete yet. */
  #filter(chunk: Buffer): Buffer[] {
    let rest: Buffer = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const parts: Buffer[] = [];
    for (;;) {
      if (this.#skip > 0) {
        const passed = rest.subarray(0, this.#skip);
        this.#skip -= passed.length;
        rest = rest.subarray(passed.length);
        if (passed.length > 0) parts.push(passed);
      }
      if (rest.length < FRAME_HEADER_LENGTH) break;
      const length = rest.readUIntBE(0, 3);
      const isHeaders = rest[3] === HEADERS && length <= MAX_FRAME_LENGTH;
      if (isHeaders && rest.length < FRAME_HEADER_LENGTH + length) break;
      if (isHeaders) rewriteHeaders(rest.subarray(0, FRAME_HEADER_LENGTH + length));
      this.#skip = FRAME_HEADER_LENGTH + length;
    }
    this.#pending = rest;
    return parts;
  }
}

/** Writes dots for slashes in the authority of a HEADERS frame, in place. */
function rewriteHeaders(frame: Buffer): void {
  const flags = frame[4] ?? 0;
  let at = FRAME_HEADER_LENGTH;
  let end = frame.length;
  if ((flags & FLAG_PADDED) !== 0) end -= frame[at++] ?? 0;
  if ((flags & FLAG_PRIORITY) !== 0) at += 5;
  const block = new HpackCursor(frame, at, end);
  while (block.hasMore) block.field();
}

/** Walks the fields of a header block. Indexed ones need no look: what they refer to was rewritten. */
class HpackCursor {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get hasMore(): boolean {
    return this.#at < this.#end;
  }

  field(): void {
    const first = this.#bytes[this.#at] ?? 0;
    if ((first & 0x80) !== 0) this.#integer(7);
    else if ((first & 0xe0) === 0x20) this.#integer(5);
    else {
      const index = this.#integer((first & 0x40) !== 0 ? 6 : 4);
      if (index === 0) this.#string();
      const { start, length, isHuffman } = this.#string();
      if (index === AUTHORITY_INDEX && !isHuffman) this.#replaceSlashes(start, start + length);
    }
  }

  #replaceSlashes(start: number, end: number): void {
    for (let i = start; i < Math.min(end, this.#end); i++) {
      if (this.#bytes[i] === SLASH) this.#bytes[i] = DOT;
    }
  }

  #string(): { start: number; length: number; isHuffman: boolean } {
    const isHuffman = ((this.#bytes[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const start = this.#at;
    this.#at += length;
    return { start, length, isHuffman };
  }

  /** RFC 7541 s5.1; one that is too long ends the walk. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = (this.#bytes[this.#at++] ?? 0) & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
    this.#at = this.#end;
    return 0;
  }
}
