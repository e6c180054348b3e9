// An HTTP/2 client without manners: writes any frame it is told to, in any order, and reads what comes
// back without ever answering by itself. RFC 9113 s4, s6; its HPACK is literals only (RFC 7541 s6.2.2).
import { connect } from "node:net";
import type { Duplex } from "node:stream";

export const PREFACE: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export const Frame = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const;
export type FrameType = (typeof Frame)[keyof typeof Frame];

export const END_STREAM = 0x1;
export const END_HEADERS = 0x4;
const ACK = 0x1;

/** A frame that came back. */
export interface Received {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** One frame. */
export function frame(
  type: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
  flags = 0,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, payload]);
}

/** Settings by number. */
export function settings(values: Readonly<Record<number, number>> = {}): Buffer {
  const rows = Object.entries(values).map(([id, value]) => {
    const row = Buffer.alloc(6);
    row.writeUInt16BE(Number(id), 0);
    row.writeUInt32BE(value >>> 0, 2);
    return row;
  });
  return frame(Frame.settings, 0, Buffer.concat(rows));
}

export function windowUpdate(stream: number, by: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(by >>> 0);
  return frame(Frame.window, stream, payload);
}

export function reset(stream: number, code = 8): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  return frame(Frame.reset, stream, payload);
}

/** A header block of literals that are not indexed. */
export function headerBlock(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.of(0), literal(name), literal(value)]),
  );
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([hpackInteger(bytes.length), bytes]);
}

/** RFC 7541 s5.1 with a prefix of seven bits. */
function hpackInteger(value: number): Buffer {
  if (value < 127) return Buffer.of(value);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.of(...bytes, rest);
}

/** The fields of a gRPC call of `path`. */
export function callFields(
  path: string,
  more: readonly (readonly [string, string])[] = [],
): (readonly [string, string])[] {
  return [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "localhost"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
    ["workload.spiffe.io", "true"],
    ...more,
  ];
}

/** The HEADERS frame of a call. */
export function callHeaders(stream: number, path: string, flags = END_HEADERS): Buffer {
  return frame(Frame.headers, stream, headerBlock(callFields(path)), flags);
}

/** A gRPC message in a DATA frame that ends the request. */
export function message(stream: number, bytes: Uint8Array = Buffer.alloc(0), flags = END_STREAM) {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return frame(Frame.data, stream, Buffer.concat([prefix, bytes]), flags);
}

export class RawHttp2 {
  readonly socket: Duplex;
  readonly received: Received[] = [];
  closed = false;
  readonly #closing = Promise.withResolvers<void>();
  readonly #waiting = new Set<() => void>();
  #pending: Buffer = Buffer.alloc(0);

  constructor(socket: Duplex) {
    this.socket = socket;
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("close", () => {
      this.closed = true;
      this.#closing.resolve();
      for (const look of this.#waiting) look();
    });
  }

  /** Connects to a unix socket or a port and sends preface and settings. */
  static async open(
    where: string | { host: string; port: number },
    values: Readonly<Record<number, number>> = {},
  ): Promise<RawHttp2> {
    const raw = new RawHttp2(await dial(where));
    raw.begin(values);
    return raw;
  }

  /** Sends preface and settings. */
  begin(values: Readonly<Record<number, number>> = {}): void {
    this.write(PREFACE, settings(values));
  }

  /** Writes these bytes, false when the other side does not take them any more. */
  write(...parts: readonly Uint8Array[]): boolean {
    if (this.closed || !this.socket.writable) return false;
    return this.socket.write(Buffer.concat(parts));
  }

  /** Writes, and waits until there is room for more, or the connection has closed. */
  async pour(...parts: readonly Uint8Array[]): Promise<void> {
    if (this.write(...parts) || this.closed) return;
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        this.socket.off("drain", goOn).off("close", goOn);
        resolve();
      };
      this.socket.on("drain", goOn).on("close", goOn);
    });
  }

  /** The first frame that came and fits, now or within the time; undefined when none does. */
  async find(fits: (frame: Received) => boolean, timeoutMs = 5000): Promise<Received | undefined> {
    return new Promise((resolve) => {
      const finish = (found: Received | undefined): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(found);
      };
      const look = (): void => {
        const found = this.received.find(fits);
        if (found !== undefined || this.closed) finish(found);
      };
      const timer = setTimeout(finish, timeoutMs, undefined);
      this.#waiting.add(look);
      look();
    });
  }

  /** Whether the connection closes within the time. */
  async closesWithin(timeoutMs: number): Promise<boolean> {
    const timer = Promise.withResolvers<void>();
    const handle = setTimeout(timer.resolve, timeoutMs);
    await Promise.race([this.#closing.promise, timer.promise]);
    clearTimeout(handle);
    return this.closed;
  }

  /** Whether a ping is answered within the time: the connection is served. */
  async answersPing(timeoutMs = 5000): Promise<boolean> {
    const payload = Buffer.alloc(8);
    payload.writeDoubleBE(Math.random());
    this.write(frame(Frame.ping, 0, payload));
    const isAnswer = ({ type, flags, payload: got }: Received): boolean =>
      type === Frame.ping && (flags & ACK) !== 0 && got.equals(payload);
    return (await this.find(isAnswer, timeoutMs)) !== undefined;
  }

  /** The error code of the GOAWAY that came, if one did. */
  get goawayCode(): number | undefined {
    return this.received.find(({ type }) => type === Frame.goaway)?.payload.readUInt32BE(4);
  }

  destroy(): void {
    this.socket.destroy();
  }

  #read(chunk: Buffer): void {
    let rest: Buffer = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (rest.length >= 9) {
      const length = rest.readUIntBE(0, 3);
      if (rest.length < 9 + length) break;
      const payload = Buffer.from(rest.subarray(9, 9 + length));
      const stream = rest.readUInt32BE(5) & 0x7fffffff;
      this.received.push({ type: rest[3] ?? 0, flags: rest[4] ?? 0, stream, payload });
      rest = rest.subarray(9 + length);
    }
    this.#pending = rest;
    for (const look of this.#waiting) look();
  }
}

/** A connection to a unix socket or a port. */
export async function dial(where: string | { host: string; port: number }): Promise<Duplex> {
  const socket = typeof where === "string" ? connect(where) : connect(where);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", () => resolve()).once("error", reject);
  });
  return socket;
}
