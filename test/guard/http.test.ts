// The guard before an HTTP server of any kind: requests are actions, answers leave once they are on record,
// connections end with their task.

import { once } from "node:events";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import t, { type Test } from "tap";
import { authorizeAny } from "../../client/tls/authorize.ts";
import { httpsAgent } from "../../client/tls/https.ts";
import { serverTlsOptions } from "../../client/tls/server.ts";
import { createGuard, guardHttp, type HttpGuardOptions, protect } from "../../guard/index.ts";
import { FakeGuardNode } from "../support/fake-guard-node.ts";

interface Service {
  readonly node: FakeGuardNode;
  readonly ran: string[];
  readonly release: () => void;
  get(
    task: { spiffeId: string },
    target: string,
    method?: string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ status: number; text: string; challenge: string }>;
}

async function setUp(t: Test, options: HttpGuardOptions = {}): Promise<Service> {
  const node = await FakeGuardNode.start(t);
  const guard = await createGuard({ resource: "https://localhost/mcp", endpoint: node.endpoint });
  const ran: string[] = [];
  const held = Promise.withResolvers<void>();
  const handle = guardHttp(guard, options);
  const server = createServer(serverTlsOptions(), (request, response) =>
    handle(request, response, () => {
      ran.push(`${request.method} ${request.url}`);
      if (request.url === "/slow") held.promise.then(() => response.end("late secret"));
      else if (request.url === "/missing") response.writeHead(404).end("none");
      else if (request.url === "/twice") response.end("the answer").end();
      else if (request.url === "/wrong") response.end(7);
      else response.end("the answer");
    }),
  );
  protect(guard, server).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const agents: ReturnType<typeof httpsAgent>[] = [];
  t.teardown(() => {
    for (const agent of agents) agent.destroy();
    server.closeAllConnections();
    server.close();
    guard.close();
  });
  return {
    node,
    ran,
    release: held.resolve,
    async get(task, target, method = "GET", headers = {}) {
      const source = await node.tlsOf(task.spiffeId);
      const agent = httpsAgent({ source, authorize: authorizeAny() });
      agents.push(agent);
      return new Promise((resolve, reject) => {
        const call = request(
          { agent, host: "localhost", port, path: target, method, headers },
          (response) => {
            let text = "";
            response.on("data", (piece: Buffer) => {
              text += piece.toString();
            });
            response.on("error", reject);
            response.on("end", () =>
              resolve({
                status: response.statusCode ?? 0,
                text,
                challenge: response.headers["www-authenticate"] ?? "",
              }),
            );
          },
        );
        call.on("error", reject);
        call.end();
      });
    },
  };
}

t.test("a request is an action by its method and path", async (t) => {
  const { node, get, ran } = await setUp(t);
  const task = node.open({ mandate: { actions: ["http/get/tickets/*", "http/get/missing"] } });
  t.match(await get(task, "/tickets/7?x=1"), { status: 200, text: "the answer" });
  t.match(node.eventsOf("http.called"), [{ action: "http/get/tickets/7", outcome: "ok" }]);
  t.match(await get(task, "/missing"), { status: 404 });
  t.match(node.eventsOf("http.called")[1], { outcome: "failed" });

  const refused = await get(task, "/tickets/7", "DELETE");
  t.equal(refused.status, 403);
  t.match(refused.challenge, 'error="insufficient_scope"');
  t.match(refused.challenge, 'scope="http/delete/tickets/7"');
  for (const target of ["/", "/tickets", "/tickets/7/notes", "/admin", "/Tickets/7"]) {
    t.equal((await get(task, target)).status, 403, target);
  }
  t.equal(ran.length, 2);
  t.match(node.eventsOf("escalation.mandate-exceeded")[0], { action: "http/delete/tickets/7" });
});

t.test("paths that servers read in more than one way are refused", async (t) => {
  const { node, get, ran } = await setUp(t);
  const task = node.open({ mandate: { actions: ["http/get/tickets/**"] } });
  for (const target of [
    "/tickets/../admin",
    "/tickets/%2e%2e/admin",
    "/tickets/.%2E/admin",
    "/tickets/./7",
    "/tickets//7",
    "//tickets/7",
    "/tickets/a%2fb",
    "/tickets/a%5cb",
    "/tickets/a\\b",
    "/tickets/%00",
    "/tickets/%0a",
    "/tickets/%zz",
    "/tickets/%ff",
  ]) {
    t.equal((await get(task, target)).status, 400, target);
  }
  t.same(ran, []);
  t.equal((await get(task, "/tickets/caf%C3%A9")).status, 200);
});

t.test("a request that calls itself another one is refused", async (t) => {
  const { node, get, ran } = await setUp(t);
  const task = node.open();
  for (const [name, value] of [
    ["X-HTTP-Method-Override", "DELETE"],
    ["X-Method-Override", "DELETE"],
    ["X-Original-URL", "/admin"],
  ]) {
    const headers = { [String(name)]: String(value) };
    t.equal((await get(task, "/tickets/7", "POST", headers)).status, 400, String(name));
  }
  t.same(ran, []);
});

t.test("an action can be what the service says", async (t) => {
  const call = (): { action: string; datatypes: string[]; sensitivity: number } => ({
    action: "http/get/report",
    datatypes: ["pii"],
    sensitivity: 3,
  });
  const { node, get } = await setUp(t, { call });
  const actions = ["http/get/report"];
  const cases: [string, object, number][] = [
    ["without the label", { actions, maxSensitivity: 3 }, 403],
    ["of too low a sensitivity", { actions, datatypes: ["pii"], maxSensitivity: 2 }, 403],
    ["with both", { actions, datatypes: ["pii"], maxSensitivity: 3 }, 200],
  ];
  for (const [name, mandate, status] of cases) {
    t.equal((await get(node.open({ mandate }), "/x")).status, status, name);
  }
});

t.test("a mandate for another service, or another time, is none for this one", async (t) => {
  const { node, get } = await setUp(t);
  const past = Math.floor(Date.now() / 1000) - 1;
  const rows: [string, object][] = [
    ["another service", { locations: ["https://localhost/other"] }],
    ["nothing at all", { locations: [] }],
    ["no actions", { actions: [] }],
    ["no uses", { uses: 0 }],
    ["over", { untilUnixSeconds: past }],
  ];
  for (const [name, mandate] of rows) {
    t.equal((await get(node.open({ mandate }), "/x")).status, 403, name);
  }
});

t.test("the answer to a call that outlives its task is delivered to nobody", async (t) => {
  const { node, get, release, ran } = await setUp(t);
  const task = node.open();
  const answer = get(task, "/slow").then(
    ({ text }) => text,
    () => "broken",
  );
  while (ran.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  node.end(task);
  t.equal(await answer, "broken");
  release();
  while (!node.events.some(({ reason }) => reason === "GUARD_RESULT_WITHHELD")) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  t.match(node.eventsOf("http.called"), [{ outcome: "denied", reason: "GUARD_RESULT_WITHHELD" }]);
});

t.test("an answer leaves once it is on record", async (t) => {
  const { node, get } = await setUp(t);
  const task = node.open();
  const held = Promise.withResolvers<void>();
  let isHeld = false;
  node.onRecord = async (events) => {
    if (!events.some(({ type }) => type === "http.called")) return;
    isHeld = true;
    await held.promise;
  };
  let isThere = false;
  const answer = get(task, "/x").then((got) => {
    isThere = true;
    return got;
  });
  while (!isHeld) await new Promise((resolve) => setTimeout(resolve, 2));
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.notOk(isThere);
  held.resolve();
  t.match(await answer, { status: 200, text: "the answer" });
});

t.test("an answer that is ended twice does not leave before it is on record", async (t) => {
  const { node, get } = await setUp(t);
  const held = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  node.onRecord = async (events) => {
    if (!events.some(({ type }) => type === "http.called")) return;
    asked.resolve();
    await held.promise;
  };
  let isThere = false;
  const answer = get(node.open(), "/twice").then(() => {
    isThere = true;
  });
  await asked.promise;
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.notOk(isThere);
  held.resolve();
  await answer;
  t.equal(node.eventsOf("http.called").length, 1);
});

t.test("an answer that cannot be sent breaks its connection and nothing else", async (t) => {
  const { node, get } = await setUp(t);
  await t.rejects(get(node.open(), "/wrong"));
  t.match(await get(node.open(), "/x"), { status: 200 });
});

t.test(
  "a task of another trust domain, or that the server does not know, is refused",
  async (t) => {
    const { node, get } = await setUp(t);
    const task = node.open();
    node.tasks.delete(task.id);
    const answer = await get(task, "/x");
    t.equal(answer.status, 403);
    t.match(answer.text, "GUARD_TASK_UNKNOWN");
    await t.rejects(
      get({ spiffeId: task.spiffeId.replace("north.test", "south.test") }, "/x"),
      "it does not get through the handshake",
    );
  },
);
