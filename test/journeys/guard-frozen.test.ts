// A guard whose node agent is stopped in its tracks (SIGSTOP): its connections stay open and nothing is answered,
// as on a machine that is starved. Nobody waits for it, nothing passes, and all goes on when it does.

import { once } from "node:events";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import t from "tap";
import {
  authorizeMemberOf,
  httpsAgent,
  openTask,
  serverTlsOptions,
  type Task,
} from "../../client/index.ts";
import { createGuard, guardHttp, protect } from "../../guard/index.ts";
import { TaskSite } from "../support/task-site.ts";
import { until } from "../support/until.ts";

const RESOURCE = "https://mcp.north.test/tickets";

t.test("a node agent that is stopped is not waited for", async (t) => {
  t.comment("1. a service behind a guard, and a task of each kind of class");
  const site = await TaskSite.start();
  t.teardown(() => site.stop());
  await site.register("/tickets");
  const aiAgent = await site.registerAiAgent("/ai/researcher", "--task-class", "sensitive");
  const { endpoint } = site;
  const guard = await createGuard({ resource: RESOURCE, endpoint });
  t.teardown(() => guard.close());
  const handle = guardHttp(guard, { call: () => ({ action: "tools/read/ticket" }) });
  const server = protect(
    guard,
    createServer(serverTlsOptions(), (incoming, response) =>
      handle(incoming, response, () => response.end("42")),
    ),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const open = async (taskClass: string, uses?: number): Promise<() => Promise<number>> => {
    const mandate = uses === undefined ? {} : { mandate: { uses } };
    const task = await openTask({ endpoint, aiAgent, taskClass, purpose: "triage", ...mandate });
    t.teardown(() => task.close());
    return callerOf(task, port, (end) => t.teardown(end));
  };
  const callers = {
    lenient: await open("standard"),
    counted: await open("standard", 10),
    strict: await open("sensitive"),
  };
  for (const [name, call] of Object.entries(callers)) t.equal(await call(), 200, name);

  t.comment("2. the node agent stops: calls on their way are refused, and later ones at once");
  site.freezeAgent();
  const begun = performance.now();
  const answers = Object.values(callers).map((call) => call());
  for (const status of await Promise.all(answers)) t.not(status, 200);
  const waited = performance.now() - begun;
  t.ok(waited < 5_000, `${Math.round(waited)} ms`);
  await until(() => guard.statuses.isSilent);
  for (const [name, call] of Object.entries(callers)) {
    const from = performance.now();
    t.not(await call(), 200, name);
    const took = performance.now() - from;
    t.ok(took < 2_000, `${name}: ${Math.round(took)} ms`);
  }
  t.notOk(guard.statuses.isFresh());

  t.comment("3. it goes on, and so does everything");
  site.thawAgent();
  for (const [name, call] of Object.entries(callers)) {
    let status = 0;
    for (let tries = 0; status !== 200 && tries < 200; tries++) {
      status = await call();
      if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    t.equal(status, 200, `${name} is served again`);
  }
});

/** Sends a request; answers its status, 0 when the connection was closed instead. */
function callerOf(
  task: Task,
  port: number,
  atEnd: (end: () => void) => void,
): () => Promise<number> {
  const agent = httpsAgent({ source: task.x509, authorize: authorizeMemberOf("north.test") });
  atEnd(() => agent.destroy());
  return () =>
    new Promise((resolve) => {
      const call = request({ agent, host: "127.0.0.1", port, path: "/tickets" }, (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode ?? 0));
      });
      call.once("error", () => resolve(0));
      call.end();
    });
}
