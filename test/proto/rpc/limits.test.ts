// What clients that keep no rules do to a server, with limits small enough for a test: HTTP/2 frames
// written by hand, against an RpcServer alone. Whole daemons: test/abuse.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { Status } from "../../../pki/errors.ts";
import { protoError } from "../../../proto/errors.ts";
import { createChannel } from "../../../proto/rpc/client.ts";
import { DEFAULT_LIMITS } from "../../../proto/rpc/limits.ts";
import {
  type ConnectionLimits,
  createRpcServer,
  type RpcServerOptions,
} from "../../../proto/rpc/server.ts";
import { codecOf, EntryService } from "../../../proto/schema.gen.ts";
import {
  callHeaders,
  Frame,
  frame,
  message,
  RawHttp2,
  reset,
  windowUpdate,
} from "../../support/raw-http2.ts";

const API = "/spire.api.server.entry.v1.Entry";
const GET = `${API}/GetEntry`;
const SYNC = `${API}/SyncAuthorizedEntries`;
const BIG = "x".repeat(20_000);

/** A server at a socket, and how many of its entries' answers were asked for. */
async function serve(t: Test, options: Partial<RpcServerOptions> = {}, limits?: ConnectionLimits) {
  const folder = mkdtempSync(join(tmpdir(), "sg-"));
  const path = join(folder, "s");
  const server = createRpcServer({ onInternalError: () => undefined, ...options });
  server.add(EntryService, {
    getEntry: async ({ id }) => ({ id, hint: id === "big" ? BIG : "" }),
    async *syncAuthorizedEntries(requests) {
      for await (const { ids } of requests) yield { entryRevisions: ids.map((id) => ({ id })) };
    },
  });
  const listener = createServer((socket) => server.inject(socket, "peer", limits));
  await new Promise<void>((resolve) => listener.listen(path, resolve));
  const channel = createChannel({ address: { unix: path } });
  t.teardown(async () => {
    channel.close();
    listener.close();
    await server.close(0);
    rmSync(folder, { recursive: true });
  });
  const entries = channel.client(EntryService);
  return { server, path, entries, innocent: async () => (await entries.getEntry({ id: "i" })).id };
}

async function until(condition: () => boolean): Promise<boolean> {
  for (let i = 0; i < 300 && !condition(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return condition();
}

t.test("a call that is reset in the breath that opens it ends nothing else", async (t) => {
  const { path, server, innocent } = await serve(t);
  const raw = await RawHttp2.open(path);
  const paths = [GET, SYNC, "/unknown.Service/Method", `${API}/None`];
  for (let id = 1; id < 2000; id += 2) {
    const begun = [
      callHeaders(id, paths[id % 4] ?? GET),
      callHeaders(id, paths[(id + 1) % 4] ?? ""),
    ];
    const parts = id % 3 === 0 ? begun.slice(0, 1) : [begun[0] as Buffer, message(id)];
    raw.write(...parts, reset(id, id % 14));
  }
  t.ok(await raw.answersPing());
  t.equal(await innocent(), "i");
  raw.destroy();
  t.ok(await until(() => server.callCount === 0));
});

t.test("a request that does not come in time is refused, half of one too", async (t) => {
  const { path, innocent } = await serve(t, { limits: { transferTimeoutMs: 100 } });
  const raw = await RawHttp2.open(path);
  raw.write(
    callHeaders(1, GET),
    callHeaders(3, GET),
    frame(Frame.data, 3, Buffer.from([0, 0, 0, 0, 9, 1])),
    callHeaders(5, SYNC),
    callHeaders(7, SYNC),
    message(7, Buffer.alloc(0), 0),
    frame(Frame.data, 7, Buffer.from([0, 0, 0])),
    callHeaders(9, SYNC),
    message(9, Buffer.alloc(0), 0),
  );
  for (const id of [1, 3, 5, 7]) {
    const ended = await raw.find(({ type, stream }) => type === Frame.headers && stream === id);
    t.ok(ended, `stream ${id}`);
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  const resets = raw.received.filter(({ type }) => type === Frame.reset).map((one) => one.stream);
  t.notOk(resets.includes(9), "a stream between two requests stays");
  t.equal(await innocent(), "i");
  raw.destroy();
});

t.test("an answer that is not taken in time is dropped with its call", async (t) => {
  const left: string[] = [];
  const { path, innocent } = await serve(t, {
    limits: { transferTimeoutMs: 100 },
    enter: (peer) => () => void left.push(String(peer)),
  });
  const raw = await RawHttp2.open(path, { 4: 0 }); // no window for any answer
  const request = codecOf("spire.api.server.entry.v1.GetEntryRequest").encode({ id: "big" });
  raw.write(callHeaders(1, GET), message(1, request));
  t.ok(await raw.find(({ type, stream }) => type === Frame.headers && stream === 1));
  t.same(left, [], "it counts while it is there");
  const dropped = await raw.find(({ type, stream }) => type === Frame.reset && stream === 1);
  t.equal(dropped?.payload.readUInt32BE(), 8);
  t.ok(await until(() => left.length === 1));
  t.equal(await innocent(), "i");
  raw.destroy();
});

t.test("incomplete requests of a connection, and of all, take limited memory", async (t) => {
  const perConnection = { ...DEFAULT_LIMITS, maxHeldBytesPerConnection: 100_000 };
  const { path, innocent, server } = await serve(
    t,
    { limits: { maxHeldBytes: 150_000 } },
    perConnection,
  );
  // 60 kB of a message of a megabyte each.
  const part = [Buffer.from([0, 0, 15, 0, 0]), Buffer.alloc(14_000), Buffer.alloc(14_000)];
  const half = (id: number): Buffer[] => [
    callHeaders(id, GET),
    ...part.map((bytes) => frame(Frame.data, id, bytes)),
  ];
  const raws = await Promise.all([1, 2, 3, 4].map(() => RawHttp2.open(path)));
  for (const raw of raws) raw.write(windowUpdate(0, 1_000_000), ...half(1), ...half(3));
  t.ok(
    await until(() =>
      raws.some(({ received }) => received.some(({ type }) => type === Frame.headers)),
    ),
    "somebody is refused",
  );
  t.equal(await innocent(), "i");
  for (const raw of raws) raw.destroy();
  t.ok(await until(() => server.callCount === 0));
  t.equal(await innocent(), "i", "what was held is free again");
});

t.test("tiny messages wait as the bytes they came in", async (t) => {
  const asked = Promise.withResolvers<void>();
  const { path, server, innocent } = await serve(t, {
    intercept: async (context, next) => {
      if (context.method === SYNC) await asked.promise;
      await next();
    },
  });
  const raw = await RawHttp2.open(path);
  raw.write(callHeaders(1, SYNC), frame(Frame.data, 1, Buffer.alloc(5 * 3000), 1));
  t.equal(await innocent(), "i");
  asked.resolve();
  t.ok(
    await raw.find(
      ({ type, stream, flags }) => type === Frame.headers && stream === 1 && (flags & 1) === 1,
    ),
  );
  const answers = raw.received.filter(({ type, stream }) => type === Frame.data && stream === 1);
  const bytes = answers.reduce((sum, { payload }) => sum + payload.length, 0);
  t.equal(bytes, 5 * 3000, "each has its empty answer");
  raw.destroy();
  t.ok(await until(() => server.callCount === 0));
});

t.test("calls are counted before they are read, and until nothing is left", async (t) => {
  let open = 0;
  const { path, entries } = await serve(t, {
    enter: () => {
      if (open === 2) throw protoError("LIMIT_EXCEEDED", "two are enough");
      open++;
      return () => void open--;
    },
  });
  const raw = await RawHttp2.open(path);
  raw.write(callHeaders(1, GET), callHeaders(3, GET));
  t.ok(await until(() => open === 2));
  await t.rejects(entries.getEntry({ id: "x" }), {
    reason: "LIMIT_EXCEEDED",
    code: Status.resourceExhausted,
  });
  raw.destroy();
  t.ok(await until(() => open === 0));
  t.equal((await entries.getEntry({ id: "x" })).id, "x");
  t.ok(await until(() => open === 0));
});

t.test("a connection without a call, or done with its calls, is closed", async (t) => {
  const limits = { ...DEFAULT_LIMITS, firstCallTimeoutMs: 100, idleTimeoutMs: 100 };
  const { path } = await serve(t, { limits: { transferTimeoutMs: 200 } }, limits);
  const silent = await RawHttp2.open(path);
  t.ok(await silent.closesWithin(3000));
  const done = await RawHttp2.open(path);
  done.write(callHeaders(1, GET), message(1));
  t.ok(await done.find(({ type }) => type === Frame.headers));
  t.ok(await done.closesWithin(3000));
  t.equal(done.goawayCode, 0, "with a clean goodbye");
});

t.test("the interceptor refuses before anything is decoded", async (t) => {
  const { path } = await serve(t, {
    intercept: async () => {
      throw protoError("CALL_REFUSED", "not you");
    },
  });
  const channel = createChannel({ address: { unix: path } });
  t.teardown(() => channel.close());
  const { getEntry } = EntryService.methods;
  const broken = {
    ...getEntry,
    request: { ...getEntry.request, encode: () => Buffer.from([10, 255]) },
  };
  const client = channel.client({ name: EntryService.name, methods: { broken } });
  await t.rejects(client.broken({}), { reason: "CALL_REFUSED", code: 7 });
});
