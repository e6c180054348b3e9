// An AI agent in Python, with py-spiffe and Python's own TLS, in a task of its own: it is started by
// `signet task run` and gets its identity as from any SPIFFE socket. The task ends with it, and when the
// task is ended from outside, its open connection is closed.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import t from "tap";
import {
  authorizeMemberOf,
  peerOf,
  protectServer,
  serverTlsOptions,
  TaskStatuses,
  X509Source,
} from "../../client/index.ts";
import { startUp } from "../support/signet.ts";
import { registerSelf } from "./material.ts";
import { buildDir, pythonReader } from "./readers.ts";

const CLI = new URL("../../cli/index.ts", import.meta.url).pathname;
const TICKETS = "https://tickets.test/api";

interface Said {
  readonly event: "used" | "closed";
  readonly ids?: readonly string[];
  readonly environment?: string;
  readonly token?: string;
  readonly answer?: string;
  readonly refusal?: string;
  readonly by_peer?: boolean;
  readonly at?: number;
}

interface ListedTask {
  readonly id: string;
  readonly spiffeId: string;
  readonly state: string;
  readonly stateReason: string;
}

t.test("an AI agent in Python works in a task", { timeout: 120_000 }, async (t) => {
  const dir = buildDir(t);
  const [python, program] = pythonReader(dir, "task_agent.py");
  const up = await startUp();
  t.teardown(() => up.stop());
  const agent = await registerSelf(up, "/ai/python");
  await up.admin(
    ...["ai-agent", "create", "--spiffe-id", agent, "--owner", "team:support"],
    ...[
      "--purpose",
      "answers tickets",
      "--environment",
      "test",
      "--until",
      "1h",
      "--task-class",
      "read-only",
    ],
    ...["--location", TICKETS, "--action", "http/get/tickets/*"],
  );

  const endpoint = `unix://${up.agentSocket}`;
  const source = await X509Source.start({ endpoint });
  t.teardown(() => source.close());
  const tasks = await TaskStatuses.start({ endpoint });
  t.teardown(() => tasks.close());
  const closed: string[] = [];
  const server = createServer(serverTlsOptions(), (request, response) => {
    response.setHeader("connection", "keep-alive");
    response.end(`${request.url} for ${peerOf(request.socket)?.id}`);
  });
  protectServer(server, {
    source,
    tasks,
    authorize: authorizeMemberOf("north.test"),
    onClosed: (error) => closed.push(error.reason),
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;

  /** Starts the agent in a task of its own. */
  const start = (...more: readonly string[]) => {
    const child = spawn(
      process.execPath,
      [
        ...[CLI, "task", "run", "--class", "read-only", "--purpose", "ticket 42"],
        // So that it can say itself that it was cut off; by default it would be told to stop.
        ...["--location", TICKETS, "--action", "http/get/tickets/*", "--on-end", "none", "--"],
        ...[python, program, String(port), TICKETS, "https://elsewhere.test/", ...more],
      ],
      {
        stdio: ["ignore", "pipe", "inherit"],
        env: { PATH: process.env["PATH"], SPIFFE_ENDPOINT_SOCKET: endpoint },
      },
    );
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return {
      exited: once(child, "exit") as Promise<[number | null]>,
      next: async (): Promise<Said> => JSON.parse((await lines.next()).value ?? "{}") as Said,
    };
  };
  const shown = async (id: string): Promise<ListedTask> => {
    const json = await up.admin("task", "show", id, "--output", "json");
    const [task] = (JSON.parse(json) as { tasks: ListedTask[] }).tasks;
    if (task === undefined) throw new Error(`there is no task ${id}`);
    return task;
  };

  await t.test("opens, uses and ends its task", async (t) => {
    const run = start();
    const used = await run.next();
    const [id = ""] = used.ids ?? [];
    t.match(id, /^spiffe:\/\/north\.test\/ai\/python\/task\/[0-9A-HJKMNP-TV-Z]{26}$/);
    t.equal(used.ids?.length, 1, "its socket serves the task's identity and no other");
    t.equal(used.environment, id);
    t.equal(used.token, id);
    t.equal(used.answer, `/tickets/42 for ${id}`);
    t.match(
      used.refusal,
      /PERMISSION_DENIED.*mandate/s,
      "no token for whom the mandate does not name",
    );
    t.same(await run.exited, [0, null]);
    const task = await shown(id);
    t.match(task.state, /^completed$/i);
  });

  await t.test("is cut off when its task is revoked", async (t) => {
    const run = start("wait");
    const used = await run.next();
    const [id = ""] = used.ids ?? [];
    const next = run.next();
    const began = Date.now();
    await up.admin("task", "revoke", id, "--reason", "enough");
    const answered = Date.now();
    const end = await next;
    t.equal(end.by_peer, true, "its open connection was closed by the other side");
    t.ok(end.at !== undefined && end.at * 1000 >= began - 1);
    t.comment(`closed ${Math.round((end.at ?? 0) * 1000 - answered)} ms after the command ended`);
    t.ok(closed.includes("TASK_ENDED"), `the server said why: ${closed.join(", ")}`);
    t.same(await run.exited, [7, null], "its exit code is passed on");
    t.match((await shown(id)).state, /^revoked$/i);
  });
});
