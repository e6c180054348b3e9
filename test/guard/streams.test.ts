// Answers that go on for long: they end with their task, whatever else the connection carries, and while nobody can
// say whether the task goes on, with the credential.

import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import t, { type Test } from "tap";
import { serverTlsOptions } from "../../client/tls/server.ts";
import { createGuard, type Guard, guardHttp, protect } from "../../guard/index.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { FakeGuardNode, ISSUER } from "../support/fake-guard-node.ts";

interface Service {
  readonly node: FakeGuardNode;
  readonly guard: Guard;
  /** Of "/stream", which are never ended. */
  readonly streams: ServerResponse[];
  readonly clock: { aheadMs: number };
  /** A connection without a certificate. */
  connect(): Promise<TLSSocket>;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what: () => boolean, ms = 3000): Promise<void> {
  const end = performance.now() + ms;
  while (!what() && performance.now() < end) await sleep(5);
}

async function setUp(t: Test): Promise<Service> {
  const node = await FakeGuardNode.start(t);
  const ahead = { aheadMs: 0 };
  const clock: Clock = { ...systemClock, now: () => new Date(Date.now() + ahead.aheadMs) };
  const guard = await createGuard({
    resource: "https://localhost/mcp",
    endpoint: node.endpoint,
    issuer: ISSUER,
    jwks: node.jwks,
    clock,
  });
  const streams: ServerResponse[] = [];
  const handle = guardHttp(guard);
  const server = createServer(serverTlsOptions(), (request, response) =>
    handle(request, response, () => {
      if (request.url !== "/stream") return response.end("the answer");
      streams.push(response);
      return response.write("begun");
    }),
  );
  protect(guard, server).listen(0, "127.0.0.1");
  await once(server, "listening");
  const sockets: TLSSocket[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
    guard.close();
  });
  return {
    node,
    guard,
    streams,
    clock: ahead,
    async connect() {
      const { port } = server.address() as AddressInfo;
      const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
      sockets.push(socket);
      socket.on("error", () => {}).resume();
      await once(socket, "secureConnect");
      return socket;
    },
  };
}

const get = (target: string, token: string): string =>
  `GET ${target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`;

t.test("without word of its task a stream lasts as long as its token", async (t) => {
  const { node, guard, streams, clock, connect } = await setUp(t);
  const socket = await connect();
  socket.write(get("/stream", await node.accessToken(node.open())));
  await until(() => streams.length === 1);
  clock.aheadMs = 200_000;
  await sleep(700);
  t.notOk(socket.closed, "the node agent is heard: the task goes on, and so does the stream");
  clock.aheadMs = 0;
  node.fresh = false;
  node.say({});
  await until(() => !guard.statuses.isFresh());
  await sleep(50);
  t.notOk(socket.closed, "the token is good");
  clock.aheadMs = 200_000;
  await until(() => socket.closed);
  t.ok(socket.closed);
});

t.test("a request of another task behind it takes no stream out of sight", async (t) => {
  const { node, streams, connect } = await setUp(t);
  const [first, second] = [node.open(), node.open()];
  const socket = await connect();
  socket.write(
    get("/stream", await node.accessToken(first)) + get("/x", await node.accessToken(second)),
  );
  await until(
    () =>
      streams.length === 1 &&
      node.eventsOf("http.called").some(({ task }) => task === second.spiffeId),
  );
  node.end(first);
  await until(() => socket.closed, 1000);
  t.ok(socket.closed);
});

t.test("between requests a connection is that of the task that used it last", async (t) => {
  const { node, guard, connect } = await setUp(t);
  const [first, second] = [node.open(), node.open()];
  const socket = await connect();
  for (const task of [first, second]) {
    socket.write(get("/x", await node.accessToken(task)));
    await until(() => node.eventsOf("http.called").some(({ task: of }) => of === task.spiffeId));
    await sleep(20);
  }
  t.equal(guard.connections.size, 1, "what is over is forgotten");
  node.end(first);
  await sleep(100);
  t.notOk(socket.closed);
  node.end(second);
  await until(() => socket.closed, 1000);
  t.ok(socket.closed);
  await until(() => guard.connections.size === 0);
  t.equal(guard.connections.size, 0);
});

t.test("who goes away before the decision leaves nothing behind but the record", async (t) => {
  const { node, guard, streams, connect } = await setUp(t);
  const held = Promise.withResolvers<void>();
  let isAsked = false;
  node.onRecord = (events) => {
    if (!events.some(({ stream }) => stream === "decision")) return;
    isAsked = true;
    return held.promise;
  };
  const socket = await connect();
  socket.write(get("/stream", await node.accessToken(node.open())));
  await until(() => isAsked);
  socket.destroy();
  await sleep(50);
  held.resolve();
  await until(() => node.eventsOf("http.called").length === 1);
  t.match(node.eventsOf("http.called"), [{ outcome: "failed" }]);
  t.same(streams, []);
  await until(() => guard.connections.size === 0);
  t.equal(guard.connections.size, 0);
});
