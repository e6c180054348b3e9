import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { createChannel } from "../../../proto/rpc/client.ts";
import { createRpcServer } from "../../../proto/rpc/server.ts";
import { HealthService } from "../../../proto/schema.gen.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const END_HEADERS = 4;
const END_STREAM = 1;

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
}

/** The header block of a call as Java's client writes it: plain literals, the authority indexed. */
function headers(authority: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([0x83, 0x86]), // :method POST, :scheme http
    authority,
    Buffer.from([0x44]),
    text("/grpc.health.v1.Health/Check"),
    Buffer.from([0x40]),
    text("content-type"),
    text("application/grpc"),
    Buffer.from([0x40]),
    text("te"),
    text("trailers"),
  ]);
}

const JAVA_SETTINGS = Buffer.concat([
  setting(2, 0),
  setting(3, 0),
  setting(4, 1_048_576),
  setting(6, 8192),
]);
const AUTHORITY = Buffer.concat([Buffer.from([0x41]), text("/run/signet/agent.sock")]);
/** The fourth newest field of the dynamic table: te, content-type, :path, then it. */
const AUTHORITY_AGAIN = Buffer.from([0x80 | 65]);

async function serve(t: Test, acceptsPathAuthority: boolean): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "signet-"));
  const server = createRpcServer({ onInternalError: () => undefined, acceptsPathAuthority });
  server.add(HealthService, { check: async () => ({ status: 1 }) });
  const listener = createServer((socket) => server.inject(socket, "peer"));
  const path = join(folder, "a.sock");
  await new Promise<void>((resolve) => listener.listen(path, resolve));
  t.teardown(async () => {
    listener.close();
    await server.close(0);
    rmSync(folder, { recursive: true });
  });
  return path;
}

/** Resolves with the type of the first HEADERS or RST_STREAM frame of a stream. */
function outcome(socket: Socket, stream: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const read = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
        const type = bytes[3] ?? 0;
        const isOurs = bytes.readUInt32BE(5) === stream;
        bytes = bytes.subarray(9 + bytes.readUIntBE(0, 3));
        if (isOurs && (type === HEADERS || type === RST_STREAM)) {
          socket.off("data", read);
          resolve(type);
        }
      }
    };
    socket.on("data", read);
    socket.once("close", () => reject(new Error("closed")));
  });
}

function call(stream: number, authority: Buffer): Buffer {
  return Buffer.concat([
    frame(HEADERS, END_HEADERS, stream, headers(authority)),
    frame(DATA, END_STREAM, stream, Buffer.alloc(5)),
  ]);
}

const SPLITS = [
  { name: "in one piece", size: 100_000 },
  { name: "byte by byte", size: 1 },
  { name: "in pieces of 17 bytes", size: 17 },
];

for (const { name, size } of SPLITS) {
  t.test(`serves a client whose authority is a path, sent ${name}`, async (t) => {
    const socket = connect(await serve(t, true));
    t.teardown(() => socket.destroy());
    socket.setNoDelay(true);
    const hello = Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, JAVA_SETTINGS)]);
    const first = outcome(socket, 1);
    await writeInPieces(socket, Buffer.concat([hello, call(1, AUTHORITY)]), size);
    t.equal(await first, HEADERS);
    const second = outcome(socket, 3);
    await writeInPieces(socket, call(3, AUTHORITY_AGAIN), size);
    t.equal(await second, HEADERS, "the authority of a later call refers to the first one's");
  });
}

t.test("such a client is refused by a server that does not expect it", async (t) => {
  const socket = connect(await serve(t, false));
  t.teardown(() => socket.destroy());
  const refused = outcome(socket, 1);
  socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, JAVA_SETTINGS), call(1, AUTHORITY)]));
  t.equal(await refused, RST_STREAM);
});

t.test("other clients are served as always", async (t) => {
  const channel = createChannel({ address: { unix: await serve(t, true) } });
  t.teardown(() => channel.close());
  t.equal((await channel.client(HealthService).check({})).status, 1);
});

t.test("junk closes its own connection only", async (t) => {
  const path = await serve(t, true);
  const junk = connect(path);
  const closed = new Promise((resolve) => junk.once("close", resolve));
  junk.on("error", () => undefined);
  junk.resume();
  junk.end(Buffer.alloc(5000, 0xff));
  await closed;
  const channel = createChannel({ address: { unix: path } });
  t.teardown(() => channel.close());
  t.equal((await channel.client(HealthService).check({})).status, 1);
});

async function writeInPieces(socket: Socket, bytes: Buffer, size: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    await new Promise((resolve) => socket.write(piece, resolve));
  }
}
