// Peers that are tasks: turned away once their task has ended or is suspended, and shown out at once when
// that happens while they are connected. On both sides, over TLS 1.3 and 1.2, with HTTP/1.1 and HTTP/2.
import { once } from "node:events";
import { connect as connectHttp2, createSecureServer } from "node:http2";
import { createServer as createHttps, get } from "node:https";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { connect as connectTls, type Server, type TLSSocket } from "node:tls";
import t, { type Test } from "tap";
import { TaskStatuses } from "../../../client/task-status.ts";
import { authorizeAny, authorizeId, authorizeMemberOf } from "../../../client/tls/authorize.ts";
import { type ConnectOptions, secureSocket } from "../../../client/tls/connect.ts";
import { contextOptions } from "../../../client/tls/context.ts";
import { httpsAgent } from "../../../client/tls/https.ts";
import {
  createTlsServer,
  type ProtectOptions,
  protectServer,
  serverTlsOptions,
} from "../../../client/tls/server.ts";
import { type IdentityError, Status } from "../../../pki/errors.ts";
import type { X509Svid } from "../../../pki/x509/svid.ts";
import { FakeTaskNode } from "../../support/fake-task-node.ts";
import { TestAuthority } from "../../support/test-authority.ts";
import { TestTlsSource } from "../../support/tls-source.ts";
import { until } from "../../support/until.ts";

const north = await TestAuthority.create("north.test");
const anchorsOf = TestAuthority.anchorsOf(north);
const db = await north.issue("/db");
const [A, B, C] = (await Promise.all(
  ["A", "B", "C"].map((last) =>
    north.issue(`/agent/researcher/task/01JD9Z0000000000000000000${last}`),
  ),
)) as [X509Svid, X509Svid, X509Svid];
const plain = await north.issue("/agent/researcher");

async function startStatuses(t: Test): Promise<{ node: FakeTaskNode; tasks: TaskStatuses }> {
  const node = await FakeTaskNode.start(t, north);
  const tasks = await TaskStatuses.start({ endpoint: node.endpoint });
  t.teardown(() => tasks.close());
  return { node, tasks };
}

interface Listening {
  readonly port: number;
  readonly refused: IdentityError[];
  readonly closed: IdentityError[];
}

async function listenOn(t: Test, server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A server that greets and echoes. */
async function listen(t: Test, options: Partial<ProtectOptions>): Promise<Listening> {
  const refused: IdentityError[] = [];
  const closed: IdentityError[] = [];
  const served = new Set<TLSSocket>();
  const server = createTlsServer({
    source: new TestTlsSource(db, anchorsOf),
    authorize: authorizeMemberOf("north.test"),
    onRefused: (error) => refused.push(error),
    onClosed: (error) => closed.push(error),
    ...options,
    onConnection: (socket) => {
      served.add(socket);
      socket.on("error", () => {});
      socket.write("hello");
      socket.pipe(socket);
    },
  });
  const port = await listenOn(t, server);
  t.teardown(() => {
    for (const socket of served) socket.destroy();
  });
  return { port, refused, closed };
}

/** Connects as `svid` and waits for the greeting; `end` resolves when the other side closes. */
async function greeted(
  t: Test,
  port: number,
  svid: X509Svid,
  options: Partial<ConnectOptions> = {},
): Promise<{ socket: TLSSocket; end: Promise<unknown> }> {
  const source = new TestTlsSource(svid, anchorsOf);
  const authorize = authorizeId(db.id);
  const socket = await secureSocket(connectTcp({ host: "127.0.0.1", port }), {
    ...{ source, authorize },
    ...options,
  });
  t.teardown(() => socket.destroy());
  socket.on("error", () => {});
  const end = once(socket, "close");
  await Promise.race([once(socket, "data"), end.then(() => Promise.reject(new Error("closed")))]);
  return { socket, end };
}

t.test("a connection is closed when the peer's task ends, and no other one", async (t) => {
  const { node, tasks } = await startStatuses(t);
  const { port, closed, refused } = await listen(t, { tasks });
  const first = await greeted(t, port, A);
  const second = await greeted(t, port, A);
  const others = [await greeted(t, port, B), await greeted(t, port, plain)];
  const before = performance.now();
  node.refuse(A.id.toString(), "ENDED", 2, "REVOKED");
  await Promise.all([first.end, second.end]);
  t.ok(performance.now() - before < 1000, "within a second");
  await until(() => closed.length === 2);
  t.match(closed, [
    { reason: "TASK_ENDED", code: Status.permissionDenied, message: /REVOKED/ },
    { reason: "TASK_ENDED" },
  ]);
  t.ok(closed[0]?.hint);
  for (const { socket } of others) {
    socket.write("still?");
    const [data] = (await once(socket, "data")) as [Buffer];
    t.equal(data.toString(), "still?");
  }
  t.strictSame(refused, []);

  await t.rejects(greeted(t, port, A), "and it does not come in again");
  t.match(refused, [{ reason: "TASK_ENDED", code: Status.permissionDenied }]);
});

t.test("a suspended task is shown out, and may come back when it is let go on", async (t) => {
  const { node, tasks } = await startStatuses(t);
  const { port, closed, refused } = await listen(t, { tasks });
  const first = await greeted(t, port, A);
  node.refuse(A.id.toString(), "REFUSED", 2, "SUSPENDED");
  await first.end;
  t.match(closed, [{ reason: "TASK_SUSPENDED", code: Status.permissionDenied }]);
  await t.rejects(greeted(t, port, A));
  t.match(refused, [{ reason: "TASK_SUSPENDED", code: Status.permissionDenied }]);
  node.refuse(A.id.toString(), "GOOD", 3, "ACTIVE");
  await until(() => tasks.verdict(A.id) === "good");
  const again = await greeted(t, port, A);
  t.notOk(again.socket.destroyed);
});

t.test(
  "a refused task does not come in, in TLS 1.2 and with a session of before neither",
  async (t) => {
    const { node, tasks } = await startStatuses(t);
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const svid = version === "TLSv1.2" ? A : B;
      const { port, refused } = await listen(t, { tasks });
      const connect = (session?: Buffer): TLSSocket => {
        const socket = connectTls({
          ...contextOptions(svid),
          ...{ host: "127.0.0.1", port, minVersion: version, maxVersion: version },
          ...{ rejectUnauthorized: false, ...(session && { session }) },
        });
        t.teardown(() => socket.destroy());
        socket.on("error", () => {});
        return socket;
      };
      const before = connect();
      const sessions: Buffer[] = [];
      before.on("session", (session) => sessions.push(session));
      await once(before, "data");
      const kept = before.getSession();
      if (kept !== undefined) sessions.push(kept);
      t.ok(sessions.length > 0, `${version}: the client has what it would resume with`);
      const ended = once(before, "close");
      node.refuse(svid.id.toString(), "ENDED");
      await ended;
      for (const session of sessions) {
        const socket = connect(session);
        let received = "";
        socket.on("data", (data) => {
          received += data;
        });
        await new Promise((resolve) => socket.once("close", resolve));
        t.equal(received, "", `${version}: nothing is said to it`);
      }
      t.equal(refused.length, sessions.length);
      t.match(refused[0], { reason: "TASK_ENDED", code: Status.permissionDenied });
    }
  },
);

t.test("what the feed does not say is not known: fail modes", async (t) => {
  const { node, tasks } = await startStatuses(t);
  const lenient = await listen(t, { tasks });
  const strict = await listen(t, { tasks, taskFailMode: "closed" });
  const kept = await greeted(t, lenient.port, A);
  const cut = await greeted(t, strict.port, A);
  const noTask = await greeted(t, strict.port, plain);
  await node.stop();
  await cut.end;
  t.match(strict.closed, [{ reason: "TASK_STATUS_STALE", code: Status.unavailable }]);
  t.ok(strict.closed[0]?.hint);
  await t.rejects(greeted(t, strict.port, B));
  t.match(strict.refused, [{ reason: "TASK_STATUS_STALE", code: Status.unavailable }]);
  await greeted(t, strict.port, plain);
  await greeted(t, lenient.port, B);
  t.notOk(kept.socket.destroyed || noTask.socket.destroyed);

  await node.start();
  await until(() => tasks.isFresh());
  await greeted(t, strict.port, A);
  t.strictSame(lenient.refused, []);
});

t.test("without the option tasks are peers like others", async (t) => {
  const { node, tasks } = await startStatuses(t);
  const { port, closed } = await listen(t, {});
  const { socket } = await greeted(t, port, A);
  node.refuse(A.id.toString(), "ENDED");
  await until(() => tasks.verdict(A.id) === "ended");
  socket.write("still?");
  await once(socket, "data");
  t.strictSame(closed, []);
});

t.test("a client does the same with a server that is a task", async (t) => {
  const { node, tasks } = await startStatuses(t);
  const source = new TestTlsSource(C, anchorsOf);
  const { port } = await listen(t, { source });
  const closed: IdentityError[] = [];
  const options = {
    ...{ tasks, authorize: authorizeAny(), onClosed: (error: IdentityError) => closed.push(error) },
  };
  const { end } = await greeted(t, port, plain, options);
  node.refuse(C.id.toString(), "ENDED");
  await end;
  t.match(closed, [{ reason: "TASK_ENDED" }]);
  await t.rejects(greeted(t, port, plain, options), {
    reason: "TASK_ENDED",
    code: Status.permissionDenied,
  });
});

t.test("requests over HTTPS and HTTP/2 are cut off in the middle of an answer", async (t) => {
  const { node, tasks } = await startStatuses(t);
  const protect = { source: new TestTlsSource(db, anchorsOf), authorize: authorizeAny(), tasks };
  const https = protectServer(
    createHttps(serverTlsOptions(), (_, response) => response.write("a")),
    protect,
  );
  const agent = httpsAgent({
    source: new TestTlsSource(A, anchorsOf),
    authorize: authorizeId(db.id),
  });
  t.teardown(() => agent.destroy());
  const port = await listenOn(t, https);
  const request = get({ port, host: "127.0.0.1", agent });
  request.on("error", () => {});
  const [response] = (await once(request, "response")) as [NodeJS.ReadableStream];
  const cut = once(response, "error");

  const http2 = protectServer(
    createSecureServer({ ...serverTlsOptions(), ALPNProtocols: ["h2"] }).on("stream", (stream) => {
      stream.on("error", () => {});
      stream.respond();
      stream.write("a");
    }) as unknown as Server,
    protect,
  );
  const port2 = await listenOn(t, http2);
  const { socket } = await (async () => ({
    socket: await secureSocket(connectTcp({ host: "127.0.0.1", port: port2 }), {
      source: new TestTlsSource(B, anchorsOf),
      authorize: authorizeId(db.id),
      alpnProtocols: ["h2"],
    }),
  }))();
  const session = connectHttp2("https://db", { createConnection: () => socket });
  session.on("error", () => {});
  const stream = session.request({ ":path": "/" });
  stream.on("error", () => {});
  await once(stream, "response");
  const cut2 = once(stream, "close");
  node.refuse(A.id.toString(), "ENDED");
  node.refuse(B.id.toString(), "ENDED");
  await Promise.all([cut, cut2]);
  t.pass("both are over");
});

t.test("stops following once no task is connected", async (t) => {
  const { node, tasks } = await startStatuses(t);
  const { port } = await listen(t, { tasks });
  const many = await Promise.all([A, B, A, B].map((svid) => greeted(t, port, svid)));
  for (const { socket } of many) socket.destroy();
  await Promise.all(many.map(({ end }) => end));
  node.refuse(C.id.toString(), "ENDED");
  await until(() => tasks.verdict(C.id) === "ended");
  const { socket } = await greeted(t, port, A);
  t.notOk(socket.destroyed, "and begins again with the next one");
  const end = once(socket, "close");
  node.refuse(A.id.toString(), "ENDED", 7);
  await end;
});
