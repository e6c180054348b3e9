import { once } from "node:events";
import type { IncomingMessage, RequestListener } from "node:http";
import { connect as connectHttp2, createSecureServer } from "node:http2";
import { type Agent, createServer, request, type Server } from "node:https";
import {
  type AddressInfo,
  connect as connectTcp,
  createServer as createTcpServer,
  type Socket,
} from "node:net";
import type { Test } from "tap";
import t from "tap";
import { peerOf } from "../../../client/tls/admit.ts";
import { authorizeId, authorizeMemberOf } from "../../../client/tls/authorize.ts";
import { secureSocket } from "../../../client/tls/connect.ts";
import { httpsAgent } from "../../../client/tls/https.ts";
import { protectServer, serverTlsOptions } from "../../../client/tls/server.ts";
import { IdentityError, Status } from "../../../pki/errors.ts";
import { TestAuthority } from "../../support/test-authority.ts";
import { TestTlsSource } from "../../support/tls-source.ts";

const north = await TestAuthority.create("north.test");
const south = await TestAuthority.create("south.test");
const anchorsOf = TestAuthority.anchorsOf(north);

async function serve(
  t: Test,
  handler: RequestListener,
  source = new TestTlsSource(undefined, anchorsOf),
) {
  if (source.svid() === undefined) source.rotate(await north.issue("/db"));
  const server: Server = protectServer(createServer(serverTlsOptions(), handler), {
    source,
    authorize: authorizeMemberOf("north.test"),
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function get(
  port: number,
  agent: Agent,
  body?: string,
): Promise<{ text: string; peer: string | undefined }> {
  const call = request({ host: "127.0.0.1", port, agent, method: body ? "POST" : "GET" });
  call.end(body);
  const [response] = (await once(call, "response")) as [IncomingMessage];
  const peer = peerOf(response.socket)?.id.toString();
  let text = "";
  for await (const chunk of response) text += chunk;
  return { text, peer };
}

const whoAreYou: RequestListener = (request, response) => {
  response.end(`hello ${peerOf(request.socket)?.id}`);
};

t.test("an https server and an https agent know each other by SPIFFE ID", async (t) => {
  const port = await serve(t, whoAreYou);
  const agent = httpsAgent({
    source: new TestTlsSource(await north.issue("/web"), anchorsOf),
    authorize: authorizeId("spiffe://north.test/db"),
  });
  t.teardown(() => agent.destroy());
  const { text, peer } = await get(port, agent);
  t.equal(text, "hello spiffe://north.test/web");
  t.equal(peer, "spiffe://north.test/db");
});

t.test("a refused client's request never reaches the handler", async (t) => {
  let requests = 0;
  const port = await serve(t, (_, response) => {
    requests++;
    response.end();
  });
  for (const svid of [await south.issue("/web"), undefined]) {
    const agent = httpsAgent({ source: new TestTlsSource(svid, anchorsOf), authorize: () => true });
    await t.rejects(get(port, agent, "secret"));
    agent.destroy();
  }
  t.equal(requests, 0);
});

t.test("a request is not sent to a server that is not authorised", async (t) => {
  let requests = 0;
  const port = await serve(t, (_, response) => {
    requests++;
    response.end();
  });
  const agent = httpsAgent({
    source: new TestTlsSource(await north.issue("/web"), anchorsOf),
    authorize: authorizeId("spiffe://north.test/other"),
  });
  t.teardown(() => agent.destroy());
  await t.rejects(get(port, agent, "secret"), { reason: "PEER_NOT_AUTHORIZED", code: 7 });
  t.equal(requests, 0);
});

t.test("an address where nobody listens is a plain error", async (t) => {
  const agent = httpsAgent({
    source: new TestTlsSource(undefined, anchorsOf),
    authorize: () => true,
  });
  await t.rejects(get(1, agent), { reason: "TLS_HANDSHAKE_FAILED", code: 14 });
});

t.test("an identity that was withdrawn fails the request, and nothing else", async (t) => {
  const port = await serve(t, whoAreYou);
  const withdrawn = {
    svid: () => {
      throw new IdentityError("IDENTITY_WITHDRAWN", Status.permissionDenied, "withdrawn");
    },
    anchorsOf,
    onChange: () => () => {},
  };
  const agent = httpsAgent({ source: withdrawn, authorize: () => true });
  t.teardown(() => agent.destroy());
  await t.rejects(get(port, agent), {
    reason: "IDENTITY_WITHDRAWN",
    code: Status.permissionDenied,
  });
});

t.test("an address that does not answer is given up in time", async (t) => {
  const silent = createTcpServer(() => {}).listen(0, "127.0.0.1");
  await once(silent, "listening");
  t.teardown(() => silent.close());
  const agent = httpsAgent({
    source: new TestTlsSource(undefined, anchorsOf),
    authorize: () => true,
    handshakeTimeoutMs: 50,
  });
  await t.rejects(get((silent.address() as AddressInfo).port, agent), {
    reason: "TLS_HANDSHAKE_FAILED",
    code: Status.unavailable,
  });
});

t.test("connections are reused until a side has another SVID, and no call fails", async (t) => {
  const serverSource = new TestTlsSource(await north.issue("/db"), anchorsOf);
  const clientSource = new TestTlsSource(await north.issue("/web"), anchorsOf);
  const sockets = new Set<Socket>();
  let duringCall = (): void => {};
  const port = await serve(
    t,
    (request, response) => {
      sockets.add(request.socket);
      duringCall();
      whoAreYou(request, response as never);
    },
    serverSource,
  );
  const kept = httpsAgent({
    source: clientSource,
    authorize: authorizeId("spiffe://north.test/db"),
  });
  t.teardown(() => kept.destroy());
  const call = async (): Promise<number> => {
    t.match((await get(port, kept)).text, /^hello/);
    await new Promise(setImmediate); // the agent has its socket back
    return sockets.size;
  };
  t.equal(await call(), 1);
  t.equal(await call(), 1, "it is kept");
  // The same SVID once more, as with a new bundle.
  clientSource.rotate(clientSource.svid());
  serverSource.rotate(serverSource.svid());
  t.equal(await call(), 1, "and nothing has changed");

  const [first] = [...sockets];
  const closed = once(first as Socket, "close");
  clientSource.rotate(await north.issue("/web2"));
  await closed;
  t.equal((await get(port, kept)).text, "hello spiffe://north.test/web2", "who calls now");
  await new Promise(setImmediate);
  t.equal(await call(), 2, "kept again");

  serverSource.rotate(await north.issue("/db"));
  t.equal(await call(), 2, "one more call over it is answered");
  t.equal(await call(), 3, "the next one has the server's new SVID");

  const third = await north.issue("/web3");
  duringCall = () => clientSource.rotate(third);
  t.equal(await call(), 3, "a call that is under way is answered");
  duringCall = () => {};
  t.equal(await call(), 4);

  // Without an SVID to show nothing is given up: that of an agent that is away has run out.
  clientSource.rotate(undefined);
  t.equal(await call(), 4);
  kept.destroy();
  await Promise.all([...sockets].filter((s) => !s.destroyed).map((s) => once(s, "close")));
  t.equal(clientSource.listenerCount, 0, "nobody follows the source any more");
});

t.test("an http2 server is protected the same way", async (t) => {
  const source = new TestTlsSource(await north.issue("/db"), anchorsOf);
  const server = createSecureServer({ ...serverTlsOptions(), ALPNProtocols: ["h2"] });
  server.on("stream", (stream) => {
    stream.respond({ ":status": 200 });
    const { socket } = stream.session ?? {};
    stream.end(`hello ${socket && peerOf(socket)?.id}`);
  });
  const refused: string[] = [];
  protectServer(server, {
    source,
    authorize: authorizeMemberOf("north.test"),
    onRefused: (error) => refused.push(error.reason),
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const open = async (svid: TestTlsSource) => {
    const tcp = connectTcp(port, "127.0.0.1");
    await once(tcp, "connect");
    return secureSocket(tcp, { source: svid, authorize: () => true, alpnProtocols: ["h2"] });
  };
  const secured = await open(new TestTlsSource(await north.issue("/web"), anchorsOf));
  t.equal(secured.alpnProtocol, "h2");
  const session = connectHttp2("https://north.test", { createConnection: () => secured });
  const stream = session.request({ ":path": "/" });
  let text = "";
  for await (const chunk of stream) text += chunk;
  t.equal(text, "hello spiffe://north.test/web");
  session.close();
  const stranger = await open(new TestTlsSource(undefined, anchorsOf));
  stranger.on("error", () => {});
  await once(stranger.resume(), "close");
  t.strictSame(refused, ["PEER_CERTIFICATE_MISSING"]);
});
