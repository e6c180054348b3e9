import t from "tap";
import { FrameReader, frame } from "../../../proto/rpc/frames.ts";

/** Everything that comes out when `chunks` go in. */
function read(chunks: readonly Buffer[], maxBytes = 1000): string[] {
  const reader = new FrameReader(maxBytes);
  const messages: string[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      messages.push(String(next));
    }
  }
  return messages;
}

function pieces(bytes: Buffer, size: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return chunks;
}

t.test("cuts messages however their bytes arrive", async (t) => {
  const texts = ["", "a", "b".repeat(900), "", "c".repeat(17), "d".repeat(1000)];
  const bytes = Buffer.concat(texts.map((text) => frame(Buffer.from(text))));
  for (const size of [1, 2, 3, 5, 6, 7, 64, 905, 1000, bytes.length]) {
    t.same(read(pieces(bytes, size)), texts, `pieces of ${size}`);
  }
});

t.test("a message that was given out stays as it was", async (t) => {
  const reader = new FrameReader(1000);
  const [head, tail] = pieces(frame(Buffer.from("first")), 7);
  reader.push(head as Buffer);
  reader.push(tail as Buffer);
  reader.push(frame(Buffer.from("second")));
  const first = reader.next();
  for (const chunk of pieces(frame(Buffer.from("third")), 1)) reader.push(chunk);
  t.equal(String(reader.next()), "second");
  t.equal(String(reader.next()), "third");
  t.equal(String(first), "first");
  t.equal(reader.next(), undefined);
});

t.test("refuses a size over the limit before the message is there, and compression", async (t) => {
  const reader = new FrameReader(1000);
  reader.push(Buffer.from([0, 0, 0, 3, 233]));
  t.throws(() => reader.next(), { reason: "MESSAGE_TOO_LARGE", code: 8 });
  const compressed = new FrameReader(1000);
  compressed.push(Buffer.from([1, 0, 0, 0, 0]));
  t.throws(() => compressed.next(), { reason: "MESSAGE_COMPRESSED", code: 12 });
});

t.test("holds a message of many pieces in at most twice its size", async (t) => {
  const reader = new FrameReader(100_000);
  const bytes = frame(Buffer.alloc(100_000));
  for (const chunk of pieces(bytes, 1).slice(0, -1)) reader.push(chunk);
  t.equal(reader.next(), undefined);
  t.ok(reader.heldBytes >= 100_000 && reader.heldBytes <= 200_010, `${reader.heldBytes}`);
  reader.push(bytes.subarray(-1));
  t.equal(reader.next()?.length, 100_000);
  t.equal(reader.heldBytes, 0);
});
