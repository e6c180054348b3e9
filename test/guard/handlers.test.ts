// What a handler behind the guard sees of a request: who calls, and none of the credentials, which a log of requests
// or a server that they are passed on to would have too.
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import t from "tap";
import { presentWit } from "../../client/wit/present.ts";
import { createGuard, type GuardedRequest, guardHttp } from "../../guard/index.ts";
import { FakeGuardNode, ISSUER } from "../support/fake-guard-node.ts";

const RESOURCE = "https://localhost/mcp";

t.test("a handler learns who calls, and gets no credential", async (t) => {
  const node = await FakeGuardNode.start(t);
  const guard = await createGuard({
    resource: RESOURCE,
    endpoint: node.endpoint,
    issuer: ISSUER,
    jwks: node.jwks,
    requireTls: false,
  });
  const handle = guardHttp(guard);
  const seen: { who: string | undefined; fields: string }[] = [];
  const server = createServer((request: GuardedRequest, response) =>
    handle(request, response, () => {
      const { task, headers, headersDistinct, rawHeaders } = request;
      const fields = JSON.stringify([headers, headersDistinct, rawHeaders]);
      seen.push({ who: task?.spiffeId, fields });
      response.end("done");
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    guard.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const ask = (headers: Readonly<Record<string, string>>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const path = "/mcp/things";
      get({ host: "127.0.0.1", port, path, headers: { ...headers, "x-other": "kept" } }, (answer) =>
        answer.resume().on("end", () => resolve(answer.statusCode)),
      ).on("error", reject);
    });
  const task = node.open();
  const token = await node.accessToken(task);
  const svid = node.witSvid(task.spiffeId);
  const proven = presentWit({ svid, method: "GET", url: `${RESOURCE}/things` });
  for (const fields of [{ authorization: `Bearer ${token}` }, proven]) {
    t.equal(await ask(fields), 200);
    const { who, fields: got = "" } = seen.at(-1) ?? {};
    t.equal(who, task.spiffeId);
    t.match(got, "kept");
    for (const value of Object.values(fields)) t.notMatch(got, value);
  }
});
