import { mkdtempSync, rmSync } from "node:fs";
import { type ClientHttp2Session, connect as http2Connect } from "node:http2";
import { createServer, connect as netConnect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { IdentityError, Status } from "../../../pki/errors.ts";
import { protoError } from "../../../proto/errors.ts";
import { pairInProcess } from "../../../proto/rpc/in-process.ts";
import { createRpcServer, type RpcServerOptions } from "../../../proto/rpc/server.ts";
import { Encoded, type Handlers } from "../../../proto/rpc/service.ts";
import { detailOf, withDetail } from "../../../proto/rpc/status.ts";
import {
  AgentService,
  codecOf,
  EntryService,
  SpiffeWorkloadApi,
} from "../../../proto/schema.gen.ts";

type EntryHandlers = Handlers<typeof EntryService>;

async function serveEntries(
  t: Test,
  handlers: EntryHandlers,
  options: Partial<RpcServerOptions> = {},
) {
  const internal: { error: unknown; reference: string }[] = [];
  const server = createRpcServer({
    onInternalError: (error, reference) => internal.push({ error, reference }),
    ...options,
  });
  server.add(EntryService, handlers);
  const pair = await pairInProcess(server);
  t.teardown(() => pair.close());
  const channel = await pair.connect("the peer");
  return { server, pair, channel, internal, entries: channel.client(EntryService) };
}

t.test("a unary call carries its request, its peer and its headers", async (t) => {
  const { entries } = await serveEntries(t, {
    getEntry: async (request, context) => {
      t.equal(context.peer, "the peer");
      t.equal(context.method, "/spire.api.server.entry.v1.Entry/GetEntry");
      t.equal(context.metadata("x-test"), "yes");
      t.equal(context.metadata("x-other"), undefined);
      return { id: request.id, selectors: [{ type: "unix", value: "uid:1" }] };
    },
  });
  const entry = await entries.getEntry({ id: "e1" }, { metadata: { "x-test": "yes" } });
  t.equal(entry.id, "e1");
  t.strictSame({ ...entry.selectors[0] }, { type: "unix", value: "uid:1" });
});

t.test("an error keeps its reason, code, message, hint and details", async (t) => {
  const { entries } = await serveEntries(t, {
    getEntry: async () => {
      const error = new IdentityError("AGENT_BANNED", Status.permissionDenied, "no — «banned» ✗", {
        hint: "ask",
        cause: new Error("secret"),
      });
      throw withDetail(error, "spire.api.types.PermissionDeniedDetails", { reason: 4 });
    },
  });
  const error = await entries.getEntry({ id: "x" }).then(
    () => t.fail("succeeded"),
    (e: unknown) => e as IdentityError,
  );
  t.match(error, { reason: "AGENT_BANNED", code: 7, message: "no — «banned» ✗", hint: "ask" });
  t.equal(detailOf(error as IdentityError, "spire.api.types.PermissionDeniedDetails")?.reason, 4);
});

t.test("an unexpected error crosses as a reference only", async (t) => {
  const { entries, internal } = await serveEntries(t, {
    getEntry: async () => {
      throw new Error("the password is swordfish");
    },
  });
  const error = await entries.getEntry({ id: "x" }).catch((e: unknown) => e as IdentityError);
  t.match(error, { reason: "INTERNAL", code: Status.internal });
  t.equal(internal.length, 1);
  t.equal((error as IdentityError).message, `internal error (reference ${internal[0]?.reference})`);
});

t.test("a message of any length and content fits Java's 8 KiB of headers", async (t) => {
  const { entries } = await serveEntries(t, {
    getEntry: async () => {
      throw protoError("CALL_INVALID", `${String.fromCharCode(0xd800)}😀\n`.repeat(5000), {
        hint: "é".repeat(9000),
      });
    },
  });
  const error = await entries.getEntry({ id: "x" }).catch((e: unknown) => e as IdentityError);
  t.match(error, { reason: "CALL_INVALID", code: 3 });
  const { message, hint } = error as IdentityError;
  t.ok(encodeURI(message).length <= 1024 && encodeURI(hint ?? "").length <= 1024);
});

t.test("a method without a handler is UNIMPLEMENTED, after the interceptor", async (t) => {
  const seen: string[] = [];
  const { entries } = await serveEntries(
    t,
    {},
    {
      intercept: async (context, next) => {
        seen.push(context.method);
        if (context.metadata("letmein") === undefined) {
          throw protoError("CALL_REFUSED", "no entry");
        }
        await next();
      },
    },
  );
  await t.rejects(entries.countEntries({}), { reason: "CALL_REFUSED", code: 7 });
  await t.rejects(entries.countEntries({}, { metadata: { letmein: "1" } }), {
    reason: "METHOD_UNIMPLEMENTED",
    code: 12,
  });
  t.same(seen, Array(2).fill("/spire.api.server.entry.v1.Entry/CountEntries"));
});

t.test("a request that does not parse is INVALID_ARGUMENT", async (t) => {
  const { channel } = await serveEntries(t, { getEntry: async () => ({}) });
  const bytes = Buffer.from([0x0a, 0xff]);
  const broken = {
    ...EntryService.methods.getEntry,
    request: { ...EntryService.methods.getEntry.request, name: "x", encode: () => bytes },
  };
  const client = channel.client({ name: EntryService.name, methods: { broken } });
  await t.rejects(client.broken({}), { reason: "MESSAGE_MALFORMED", code: 3 });
});

t.test("a request over the limit is RESOURCE_EXHAUSTED", async (t) => {
  const { entries } = await serveEntries(
    t,
    { getEntry: async () => ({}) },
    { limits: { maxMessageBytes: 1000 } },
  );
  await t.rejects(entries.getEntry({ id: "x".repeat(2000) }), { code: 8 });
});

t.test("a deadline ends the call and aborts the handler", async (t) => {
  const aborted = Promise.withResolvers<void>();
  const { entries } = await serveEntries(t, {
    getEntry: (_, context) =>
      new Promise((_resolve, reject) => {
        context.signal.addEventListener("abort", () => {
          aborted.resolve();
          reject(context.signal.reason as Error);
        });
      }),
  });
  await t.rejects(entries.getEntry({}, { timeoutMs: 30 }), { code: Status.deadlineExceeded });
  await aborted.promise;
});

t.test("streams in both directions keep order and end with OK", async (t) => {
  const { entries } = await serveEntries(t, {
    async *syncAuthorizedEntries(requests) {
      for await (const request of requests) {
        yield { entryRevisions: request.ids.map((id) => ({ id })) };
      }
    },
  });
  const call = entries.syncAuthorizedEntries();
  const received: string[] = [];
  for (let i = 0; i < 20; i++) await call.send({ ids: [String(i)] });
  call.end();
  for await (const response of call.responses) received.push(response.entryRevisions[0]?.id ?? "");
  t.same(
    received,
    Array.from({ length: 20 }, (_, i) => String(i)),
  );
  await t.rejects(call.send({}), { code: Status.cancelled });
});

t.test(
  "a client that leaves its loop cancels the call, and the handler's `finally` runs",
  async (t) => {
    const finished = Promise.withResolvers<void>();
    const { server, pair } = await serveEntries(t, {});
    const codec = codecOf("X509BundlesResponse");
    const message = Encoded.of(codec, { bundles: { "spiffe://a.test": new Uint8Array([1, 2]) } });
    server.add(SpiffeWorkloadApi, {
      async *fetchX509Bundles() {
        try {
          for (;;) yield message;
        } finally {
          finished.resolve();
        }
      },
    });
    const channel = await pair.connect("other");
    for await (const response of channel.client(SpiffeWorkloadApi).fetchX509Bundles({})) {
      t.same([...(response.bundles["spiffe://a.test"] ?? [])], [1, 2]);
      break;
    }
    await finished.promise;
  },
);

t.test("a handler is not asked for more than a client that does not read can take", async (t) => {
  let produced = 0;
  const big = Encoded.of(codecOf("spire.api.server.entry.v1.SyncAuthorizedEntriesResponse"), {
    entries: [{ hint: "x".repeat(50_000) }],
  });
  const { entries } = await serveEntries(t, {
    async *syncAuthorizedEntries() {
      for (;;) {
        produced++;
        yield big;
      }
    },
  });
  const call = entries.syncAuthorizedEntries();
  await call.responses.next();
  let before = -1;
  while (before !== produced) {
    before = produced;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.ok(produced < 20, `${produced} messages of 50 kB for one that was read`);
  call.cancel();
});

t.test("closing ends watches with UNAVAILABLE and lets other calls end", async (t) => {
  const { server, entries } = await serveEntries(t, {
    getEntry: async () => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      return { id: "done" };
    },
    async *syncAuthorizedEntries(_, context) {
      yield {};
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
    },
  });
  const watch = entries.syncAuthorizedEntries();
  await watch.responses.next();
  const unary = entries.getEntry({});
  await new Promise((resolve) => setTimeout(resolve, 20));
  const closed = server.close(2000);
  await t.rejects(watch.responses.next(), { reason: "SERVER_STOPPING", code: 14 });
  t.equal((await unary).id, "done");
  await closed;
  t.equal(server.connectionCount, 0);
  await t.rejects(entries.getEntry({}), { code: 14 });
});

t.test("connections over the limit are closed, the others are served", async (t) => {
  const { server, pair, entries } = await serveEntries(
    t,
    { getEntry: async () => ({ id: "served" }) },
    { limits: { maxConnections: 1 } },
  );
  t.equal((await entries.getEntry({})).id, "served");
  const second = await pair.connect("second");
  await t.rejects(second.client(EntryService).getEntry({}), { code: 14 });
  t.equal((await entries.getEntry({})).id, "served");
  t.equal(server.connectionCount, 1);
});

t.test("a client may cancel thousands of streams on one connection", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "signet-"));
  const server = createRpcServer({ onInternalError: () => undefined });
  server.add(SpiffeWorkloadApi, {
    async *fetchX509SVID(_, context) {
      yield { svids: [{ spiffeId: "spiffe://a.test/x" }] };
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
    },
  });
  const listener = createServer((socket) => server.inject(socket, "peer"));
  const path = join(folder, "s.sock");
  await new Promise<void>((resolve) => listener.listen(path, resolve));
  const session = http2Connect("http://localhost", {
    createConnection: () => netConnect(path),
  });
  t.teardown(async () => {
    session.destroy();
    listener.close();
    await server.close(0);
    rmSync(folder, { recursive: true });
  });
  let goaway = false;
  session.on("goaway", () => {
    goaway = true;
  });
  session.on("error", () => undefined);
  for (let round = 0; round < 15; round++) {
    await Promise.all(Array.from({ length: 100 }, () => openThenCancel(session)));
  }
  t.equal(goaway, false);
  await until(() => server.callCount === 0);
  t.equal(server.callCount, 0);
});

t.test("peers are told apart by connection", async (t) => {
  const { pair, entries } = await serveEntries(t, {
    getEntry: async (_, context) => ({ id: String(context.peer) }),
  });
  const other = (await pair.connect("another")).client(EntryService);
  t.equal((await entries.getEntry({})).id, "the peer");
  t.equal((await other.getEntry({})).id, "another");
});

t.test("refuses to serve a method twice", async (t) => {
  const server = createRpcServer({ onInternalError: () => undefined });
  server.add(AgentService, {});
  t.throws(() => server.add(AgentService, {}), TypeError);
  t.same(server.publicServices, ["spire.api.server.agent.v1.Agent"]);
});

function openThenCancel(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    const stream = session.request({
      ":method": "POST",
      ":path": "/SpiffeWorkloadAPI/FetchX509SVID",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => undefined);
    stream.once("data", () => stream.close(8));
    stream.once("close", () => resolve());
    stream.end(Buffer.alloc(5));
  });
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
