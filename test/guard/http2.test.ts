// Tasks that share a connection of HTTP/2: each ends by itself, and methods are what they are to the letter.

import { once } from "node:events";
import { type ClientHttp2Stream, connect, createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import t from "tap";
import { serverTlsOptions } from "../../client/tls/server.ts";
import { createGuard, guardHttp, protect } from "../../guard/index.ts";
import { FakeGuardNode, ISSUER } from "../support/fake-guard-node.ts";

t.test("the requests of a task that ends are cancelled, those of others go on", async (t) => {
  const node = await FakeGuardNode.start(t);
  const guard = await createGuard({
    resource: "https://localhost/mcp",
    endpoint: node.endpoint,
    issuer: ISSUER,
    jwks: node.jwks,
  });
  const handle = guardHttp(guard);
  const seen: string[] = [];
  const server = createSecureServer(serverTlsOptions(), (request, response) =>
    handle(request as never, response as never, () => {
      seen.push(JSON.stringify([request.headers, request.rawHeaders]));
      if (request.url === "/stream") response.write("begun");
      else response.end(`the answer to ${request.method}`);
    }),
  );
  protect(guard, server).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect(`https://localhost:${port}`, { rejectUnauthorized: false });
  t.teardown(() => {
    client.destroy();
    server.close();
    guard.close();
  });
  const send = async (
    task: Parameters<typeof node.accessToken>[0],
    path: string,
    method = "GET",
  ): Promise<{ stream: ClientHttp2Stream; status: number }> => {
    const authorization = `Bearer ${await node.accessToken(task)}`;
    const stream = client.request({ ":path": path, ":method": method, authorization });
    stream.on("error", () => {}).resume();
    const [headers] = await once(stream, "response");
    return { stream, status: headers[":status"] };
  };
  const [first, second] = [node.open(), node.open()];
  const one = await send(first, "/stream");
  const two = await send(second, "/stream");
  t.same([one.status, two.status], [200, 200]);
  t.equal((await send(second, "/x", "get")).status, 400, "a method that is none");
  const closed = once(one.stream, "close");
  node.end(first);
  await closed;
  t.notOk(two.stream.closed);
  t.equal((await send(first, "/x")).status, 401);
  t.equal((await send(second, "/x")).status, 200);
  two.stream.close();
  t.equal(seen.length, 3);
  t.notMatch(seen.join(), /Bearer/, "handlers see no token");
});
