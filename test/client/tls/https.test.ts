import { once } from "node:events";
import type { IncomingMessage, RequestListener } from "node:http";
import { connect as connectHttp2, createSecureServer } from "node:http2";
import { type Agent, createServer, request, type Server } from "node:https";
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from "node:net";
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

t.test("connections are reused, and both sides rotate without a failed call", async (t) => {
  const serverSource = new TestTlsSource(await north.issue("/db"), anchorsOf);
  const clientSource = new TestTlsSource(await north.issue("/web"), anchorsOf);
  const sockets = new Set<unknown>();
  const port = await serve(
    t,
    (request, response) => {
      sockets.add(request.socket);
      whoAreYou(request, response as never);
    },
    serverSource,
  );
  const options = { source: clientSource, authorize: authorizeId("spiffe://north.test/db") };
  const kept = httpsAgent(options);
  t.teardown(() => kept.destroy());
  for (let round = 0; round < 5; round++) {
    t.equal((await get(port, kept)).text, "hello spiffe://north.test/web");
    serverSource.rotate(await north.issue("/db"));
    clientSource.rotate(await north.issue(round === 3 ? "/web2" : "/web"));
  }
  t.equal(sockets.size, 1, "one kept connection");
  clientSource.rotate(await north.issue("/web2"));
  const fresh = httpsAgent(options);
  t.teardown(() => fresh.destroy());
  t.equal((await get(port, fresh)).text, "hello spiffe://north.test/web2");
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
