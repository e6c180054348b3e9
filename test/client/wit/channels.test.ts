// Over real servers: which channels are secure is read from the socket of the request.
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import { connect, createServer as createHttp2Server, createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { join } from "node:path";
import t, { type Test } from "tap";
import { authorizeAny } from "../../../client/tls/authorize.ts";
import { secureSocket } from "../../../client/tls/connect.ts";
import { httpsAgent } from "../../../client/tls/https.ts";
import { protectServer, serverTlsOptions } from "../../../client/tls/server.ts";
import { presentWit } from "../../../client/wit/present.ts";
import { ReplayCache } from "../../../client/wit/replay-cache.ts";
import type { ServerRequest } from "../../../client/wit/request.ts";
import { verifyWitRequest } from "../../../client/wit/verify.ts";
import type { IdentityError } from "../../../pki/errors.ts";
import { TestAuthority } from "../../support/test-authority.ts";
import { TestWit } from "../../support/test-wit.ts";
import { TestTlsSource } from "../../support/tls-source.ts";

const wit = new TestWit();
const svid = wit.issue("/db");
const north = await TestAuthority.create();
const tls = new TestTlsSource(await north.issue("/ledger"), TestAuthority.anchorsOf(north));
const url = "https://ledger.internal/accounts?id=1";
const replay = new ReplayCache();

async function answer(incoming: ServerRequest & AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  try {
    const sender = await verifyWitRequest(incoming, {
      ...{ source: wit, authorize: authorizeAny(), replay },
      origin: "https://ledger.internal",
      body: Buffer.concat(chunks),
    });
    return `${sender.id} ${sender.proof}`;
  } catch (error) {
    return (error as IdentityError).reason ?? String(error);
  }
}

const handler = async (
  incoming: ServerRequest & AsyncIterable<Uint8Array>,
  response: { end(text: string): unknown },
) => {
  response.end(await answer(incoming));
};

async function listen(t: Test, server: Server, path?: string): Promise<number> {
  if (path === undefined) server.listen(0, "127.0.0.1");
  else server.listen(path);
  await once(server, "listening");
  t.teardown(() => server.close());
  return path === undefined ? (server.address() as AddressInfo).port : 0;
}

async function ask(options: object, body?: string): Promise<string> {
  const signed = presentWit({
    ...{ svid, url, proof: "http-signature" as const, method: body === undefined ? "GET" : "POST" },
    ...(body !== undefined && { body }),
  });
  const method = body === undefined ? "GET" : "POST";
  const call = request({ path: "/accounts?id=1", method, headers: signed, ...options });
  call.end(body);
  const [response] = (await once(call, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response) text += chunk;
  return text;
}

const GOOD = "spiffe://north.test/db http-signature";

t.test("https is secure, plain http is not", async (t) => {
  const secure = protectServer(createHttpsServer(serverTlsOptions(), handler), {
    source: tls,
    authorize: authorizeAny(),
  });
  const port = await listen(t, secure as unknown as Server);
  const agent = httpsAgent({ source: tls, authorize: authorizeAny() });
  t.teardown(() => agent.destroy());
  const options = { agent, port, host: "127.0.0.1", protocol: "https:" };
  t.equal(await ask(options), GOOD);
  t.equal(await ask(options, "body"), GOOD);
  const plain = await listen(t, createServer(handler));
  t.equal(await ask({ port: plain, host: "127.0.0.1" }), "TRANSPORT_NOT_CONFIDENTIAL");
});

t.test("a unix socket is secure", async (t) => {
  const path = join(t.testdir(), "s");
  await listen(t, createServer(handler), path);
  t.equal(await ask({ socketPath: path }), GOOD);
  t.equal(await ask({ socketPath: path }, "body"), GOOD);
});

async function askHttp2(session: ReturnType<typeof connect>): Promise<string> {
  const proof = presentWit({ svid, method: "GET", url, overUnixSocket: true });
  const stream = session.request({ ":path": "/accounts?id=1", ...proof });
  stream.setEncoding("utf8");
  let text = "";
  for await (const chunk of stream) text += chunk;
  session.close();
  return text;
}

t.test("so is HTTP/2, over TLS and not without", async (t) => {
  const secure = protectServer(
    createSecureServer({ ...serverTlsOptions(), allowHTTP1: false }, handler),
    { source: tls, authorize: authorizeAny() },
  );
  const port = await listen(t, secure as unknown as Server);
  const socket = await secureSocket(connectTcp(port, "127.0.0.1"), {
    ...{ source: tls, authorize: authorizeAny(), alpnProtocols: ["h2"] },
  });
  const session = connect("https://ledger.internal", { createConnection: () => socket });
  t.equal(await askHttp2(session), "spiffe://north.test/db proof-token");
  const plainPort = await listen(t, createHttp2Server(handler) as unknown as Server);
  t.equal(await askHttp2(connect(`http://127.0.0.1:${plainPort}`)), "TRANSPORT_NOT_CONFIDENTIAL");
  const path = join(t.testdir(), "s");
  await listen(t, createHttp2Server(handler) as unknown as Server, path);
  const overUnix = connect("http://ledger", { createConnection: () => connectTcp(path) });
  t.equal(await askHttp2(overUnix), "spiffe://north.test/db proof-token");
});

t.test("nothing is presented towards plain text", async (t) => {
  const refused = { reason: "TRANSPORT_NOT_CONFIDENTIAL", code: 9 };
  for (const target of ["http://ledger.internal/", "ws://ledger.internal/", "unix:/run/x"]) {
    t.throws(() => presentWit({ svid, method: "GET", url: target }), refused);
  }
  t.ok(presentWit({ svid, method: "GET", url: "http://ledger/", overUnixSocket: true }));
  t.throws(
    () => presentWit({ svid, method: "GET", url: "ws://ledger/", overUnixSocket: true }),
    refused,
  );
});
