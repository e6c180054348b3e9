// HTTP/2 as no client should speak it, at every door: the abuser's connection is closed, or only its
// stream is refused, and everyone else is served meanwhile.
import { randomBytes } from "node:crypto";
import t from "tap";
import { Abused } from "../support/abused.ts";
import {
  callFields,
  callHeaders,
  END_HEADERS,
  Frame,
  frame,
  headerBlock,
  message,
  PREFACE,
  RawHttp2,
  reset,
  settings,
  windowUpdate,
} from "../support/raw-http2.ts";

/** A connection that is not closed by then is kept. */
const PATIENCE_MS = 5000;
const MAX_MORE_MEBIBYTES = 64;
const ENHANCE_YOUR_CALM = 11;

interface Attack {
  readonly name: string;
  /** What becomes of the connection. */
  readonly ends: "closed" | "kept";
  /** Whether the connection begins as it should. */
  readonly begins?: boolean;
  readonly run: (raw: RawHttp2, path: string) => unknown;
  /** A frame that must come back. */
  readonly answer?: { readonly type: number; readonly code?: number };
}

const ATTACKS: readonly Attack[] = [
  {
    name: "random bytes",
    ends: "closed",
    begins: false,
    run: (raw) => raw.write(randomBytes(10_000)),
  },
  {
    name: "an HTTP/1 request",
    ends: "closed",
    begins: false,
    run: (raw) =>
      raw.write(Buffer.from("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi")),
  },
  {
    name: "a TLS hello where TLS has no place",
    ends: "closed",
    begins: false,
    run: (raw) => raw.write(Buffer.from("16030100c8010000c40303", "hex"), randomBytes(200)),
  },
  {
    name: "a preface, then junk",
    ends: "closed",
    begins: false,
    run: (raw) => raw.write(PREFACE, randomBytes(10_000)),
  },
  { name: "junk after the settings", ends: "closed", run: (raw) => raw.write(randomBytes(10_000)) },
  {
    name: "a frame of 16 MiB",
    ends: "closed",
    run: (raw) => raw.write(Buffer.from("ffffff000000000001", "hex"), Buffer.alloc(100_000)),
  },
  {
    name: "a stream of the server's",
    ends: "closed",
    run: (raw, path) => raw.write(callHeaders(2, path)),
  },
  { name: "data without a stream", ends: "closed", run: (raw) => raw.write(frame(Frame.data, 0)) },
  {
    name: "a window beyond 2^31",
    ends: "closed",
    run: (raw) => raw.write(windowUpdate(0, 2 ** 31 - 1)),
  },
  {
    name: "headers without a path",
    ends: "kept",
    run: (raw) => raw.write(frame(Frame.headers, 1, headerBlock([["a", "b"]]), END_HEADERS)),
    answer: { type: Frame.reset, code: 1 },
  },
  {
    name: "header names in capitals, again and again",
    ends: "closed",
    run: (raw, path) => each(200, (id) => [headersOf(id, path, [["BAD", "x"]])], raw),
  },
  {
    name: "a header of a megabyte, in pieces",
    ends: "closed",
    run: async (raw, path) => {
      raw.write(frame(Frame.headers, 1, headerBlock(callFields(path))));
      const big = headerBlock([["x", "y".repeat(1_000_000)]]);
      for (let at = 0; at < big.length; at += 16_000) {
        await raw.pour(frame(Frame.continuation, 1, big.subarray(at, at + 16_000)));
      }
    },
  },
  {
    name: "headers that never end",
    ends: "closed",
    run: async (raw, path) => {
      raw.write(frame(Frame.headers, 1, headerBlock(callFields(path))));
      const more = Buffer.concat(
        Array<Buffer>(100).fill(frame(Frame.continuation, 1, headerBlock([["x", "y"]]))),
      );
      for (let i = 0; i < 100; i++) await raw.pour(more);
    },
  },
  {
    name: "a hundred headers more than anyone sends",
    ends: "kept",
    run: (raw, path) => {
      const fields = Array.from({ length: 100 }, (_, i) => [`x${i}`, "y"] as const);
      raw.write(headersOf(1, path, fields), message(1));
    },
    answer: { type: Frame.reset, code: ENHANCE_YOUR_CALM },
  },
  {
    name: "headers that unfold to a thousand times their size",
    ends: "kept",
    run: (raw, path) => {
      // One field of 4,000 bytes into the table, then 12,000 bytes that each stand for it.
      const inserted = Buffer.concat([Buffer.from("4001787fa11e", "hex"), Buffer.alloc(4000, 97)]);
      const block = [headerBlock(callFields(path)), inserted, Buffer.alloc(12_000, 0x80 | 62)];
      raw.write(frame(Frame.headers, 1, Buffer.concat(block), END_HEADERS));
    },
    answer: { type: Frame.reset, code: ENHANCE_YOUR_CALM },
  },
  {
    name: "a flood of settings",
    ends: "closed",
    run: (raw) => flood(raw, settings({ 4: 65_535 })),
  },
  {
    name: "a flood of settings whose answers are not read",
    ends: "closed",
    run: (raw) => {
      raw.socket.pause();
      return flood(raw, settings({ 4: 65_535 }));
    },
  },
  {
    name: "a flood of pings whose answers are not read",
    ends: "closed",
    run: (raw) => {
      raw.socket.pause();
      return flood(raw, frame(Frame.ping, 0, Buffer.alloc(8)));
    },
  },
  {
    name: "a flood of empty data",
    ends: "closed",
    run: (raw, path) => {
      raw.write(callHeaders(1, path));
      return flood(raw, frame(Frame.data, 1));
    },
  },
  {
    name: "a flood of priorities",
    ends: "closed",
    run: (raw) => flood(raw, frame(Frame.priority, 1, Buffer.from([0, 0, 0, 3, 1]))),
  },
  { name: "a flood of windows", ends: "kept", run: (raw) => flood(raw, windowUpdate(0, 1)) },
  {
    name: "10,000 streams at once",
    ends: "closed",
    run: (raw, path) => each(10_000, (id) => [callHeaders(id, path)], raw),
  },
  {
    name: "10,000 calls whose answers are not let through",
    ends: "closed",
    run: (raw, path) => {
      raw.write(settings({ 4: 0 }));
      return each(10_000, (id) => [callHeaders(id, path), message(id)], raw);
    },
  },
  {
    name: "calls that the server has to reset",
    ends: "closed",
    run: (raw, path) =>
      each(2000, (id) => [callHeaders(id, path), message(id), windowUpdate(id, 0)], raw),
  },
];

const abused = await Abused.start(t);
const doors = await abused.doors();

t.test("HTTP/2 out of order", async (t) => {
  await abused.whileServing(async () => undefined);
  const before = new Map(doors.map((door) => [door.process, door.process.residentMebibytes]));
  await abused.whileServing(async () => {
    for (const door of doors) {
      for (const { name, ends, begins, run, answer } of ATTACKS) {
        const raw = new RawHttp2(await door.dial());
        if (begins !== false) raw.write(PREFACE, settings());
        await run(raw, door.path);
        raw.socket.resume();
        const title = `${name}, to ${door.name}: ${ends}`;
        if (answer !== undefined) {
          const found = await raw.find(({ type }) => type === answer.type, PATIENCE_MS);
          t.equal(found?.payload.readUInt32BE(), answer.code, title);
        }
        if (ends === "kept") t.ok(await raw.answersPing(PATIENCE_MS), title);
        else t.ok(await raw.closesWithin(PATIENCE_MS), title);
        raw.destroy();
      }
    }
  });
  for (const [daemon, was] of before) {
    t.equal(daemon.end, undefined);
    const more = daemon.residentMebibytes - was;
    t.ok(more <= MAX_MORE_MEBIBYTES, `${Math.round(more)} MiB more`);
  }
});

t.test("calls that are reset as they open, known methods and others", async (t) => {
  await abused.whileServing(async () => {
    for (const door of doors) {
      for (const path of [door.path, "/no.such.Service/Method"]) {
        const raw = new RawHttp2(await door.dial());
        raw.write(PREFACE, settings());
        await each(1600, (id) => [callHeaders(id, path), message(id), reset(id)], raw);
        // As many as this are a client's right on a socket, and not on the port.
        const isPort = door.name.startsWith("the port");
        const ok = isPort ? raw.closesWithin(PATIENCE_MS) : raw.answersPing(PATIENCE_MS);
        t.ok(await ok, `${path} at ${door.name}`);
        raw.destroy();
      }
    }
  });
  for (const { process } of doors) t.equal(process.end, undefined);
});

t.test("a client that leaves in the middle of anything leaves nothing behind", async (t) => {
  for (const door of doors) {
    const before = door.process.descriptors;
    const raws: RawHttp2[] = [];
    for (let i = 0; i < 40; i++) {
      const raw = new RawHttp2(await door.dial());
      raws.push(raw);
      const begun = Buffer.concat([PREFACE, settings(), callHeaders(1, door.path), message(1)]);
      raw.write(begun.subarray(0, 1 + i * 5));
    }
    for (const [i, raw] of raws.entries()) {
      if (i % 2 === 0) raw.socket.end();
      else raw.destroy();
    }
    const patience = performance.now() + 6 * PATIENCE_MS;
    while (door.process.descriptors > before && performance.now() < patience) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    t.ok(
      door.process.descriptors <= before,
      `${door.name}: ${door.process.descriptors} of ${before}`,
    );
    for (const raw of raws) raw.destroy();
  }
  await abused.whileServing(async () => undefined);
});

function headersOf(id: number, path: string, more: readonly (readonly [string, string])[]): Buffer {
  return frame(Frame.headers, id, headerBlock(callFields(path, more)), END_HEADERS);
}

/** What `parts` gives for each of so many new streams, a hundred at a time. */
async function each(
  count: number,
  parts: (id: number) => readonly Buffer[],
  raw: RawHttp2,
): Promise<void> {
  for (let from = 0; from < count && !raw.closed; from += 100) {
    const ids = Array.from({ length: 100 }, (_, i) => 2 * (from + i) + 1);
    await raw.pour(...ids.flatMap(parts));
  }
}

/** 100,000 of these, as fast as they are taken, and for two seconds at most where they are not. */
async function flood(raw: RawHttp2, one: Buffer): Promise<void> {
  const many = Buffer.concat(Array<Buffer>(500).fill(one));
  const end = performance.now() + 2000;
  for (let i = 0; i < 200 && !raw.closed && performance.now() < end; i++) {
    if (!raw.write(many)) await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
