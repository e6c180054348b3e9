// The launch service over gRPC, as `signet run` uses it: steps, lease, limits.

import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import t from "tap";
import { startLaunchService } from "../../../agent/launch/index.ts";
import { type Callers, type Peer, startCallers } from "../../../agent/peer/index.ts";
import { createChannel } from "../../../proto/rpc/client.ts";
import { addHealth, HealthStatuses } from "../../../proto/rpc/health.ts";
import { createRpcServer } from "../../../proto/rpc/server.ts";
import type { CallContext } from "../../../proto/rpc/service.ts";
import { LaunchService, type signet } from "../../../proto/schema.gen.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { socketFolder, startCaller } from "../../support/callers.ts";
import { TestClock } from "../../support/clock.ts";

const callers: Callers = startCallers({ log: silentLogger, onFailure: (e) => t.fail(e.message) });
t.teardown(() => callers.stop());

interface Tag {
  readonly peer: Peer;
  readonly selectors: readonly { readonly value: string }[];
}

// An agent's socket with nothing but health and launches on it.
async function agent(t: { teardown(fn: () => unknown): void }, acceptsPathAuthority: boolean) {
  const folder = socketFolder(t);
  const seen: Tag[] = [];
  const server = createRpcServer({
    onInternalError: (error) => t.teardown(() => Promise.reject(error)),
    acceptsPathAuthority,
    intercept: async ({ peer }, next) => {
      seen.push(peer as Tag);
      await next();
    },
  });
  t.teardown(() => server.close(100));
  addHealth(server, new HealthStatuses());
  const clock = new TestClock();
  const launches = await startLaunchService({
    callers,
    folder: join(folder, "launch"),
    peerOf: (tag) => (tag as Tag).peer,
    serveConnection: (socket, peer, selectors) => server.inject(socket, { peer, selectors }),
    clock,
    log: silentLogger,
  });
  t.teardown(() => launches.stop());
  server.add(LaunchService, launches.handlers);
  const path = join(folder, "agent.sock");
  const listener = await callers.listen({
    path,
    mode: 0o777,
    onConnection: (socket, peer) => server.inject(socket, { peer, selectors: [] }),
  });
  t.teardown(() => listener.stop());
  const channel = createChannel({ address: { unix: path } });
  t.teardown(() => channel.close());
  return {
    folder: join(folder, "launch"),
    launches,
    seen,
    clock,
    open: channel.client(LaunchService).open,
  };
}

// A process that asks for the agent's health over a socket: prints "connected", having sent everything
// that it sends, then "served" or "refused".
function checkHealth(t: { teardown(fn: () => unknown): void }, path: string) {
  const program = `
    import { connect as dial } from "node:net";
    import { connect } from "node:http2";
    const socket = dial(${JSON.stringify(path)});
    const session = connect("http://localhost", { createConnection: () => socket });
    const call = session.request({ ":method": "POST", ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc", te: "trailers" });
    call.end(Buffer.alloc(5));
    call.on("response", () => console.log("served"));
    session.on("connect", () => setImmediate(() => console.log("connected")));
    for (const one of [session, call]) one.on("error", () => undefined);
    session.on("close", () => console.log("refused"));
    setTimeout(() => process.exit(), 15000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return { child, line: async (): Promise<string> => (await lines.next()).value ?? "" };
}

for (const acceptsPathAuthority of [false, true]) {
  t.test(
    `serves a launched process by its selector, and ends with it (${acceptsPathAuthority})`,
    async (t) => {
      const { folder, launches, seen, open } = await agent(t, acceptsPathAuthority);
      t.equal(statSync(folder).mode & 0o777, 0o711, "others may enter and not list");
      const lease = open();
      await lease.send({ start: { name: "planner" } });
      const path = (await lease.responses.next()).value?.ready?.socketPath ?? "";
      t.ok(Buffer.byteLength(path) <= 107);
      const { child, line } = checkHealth(t, path);
      t.equal(await line(), "connected", "before it is reported");
      await lease.send({ started: { pid: child.pid ?? -1 } });
      t.ok((await lease.responses.next()).value?.admitted);
      t.equal(await line(), "served");
      const tag = seen.at(-1);
      t.equal(tag?.peer.pid, child.pid);
      t.match(tag?.selectors, [{ type: "launch", value: "name:planner" }]);
      const stranger = checkHealth(t, path);
      t.same([await stranger.line(), await stranger.line()], ["connected", "refused"]);
      child.kill("SIGKILL");
      t.equal((await lease.responses.next()).done, true, "the lease ends with the process");
      t.equal(existsSync(path), false);
      t.equal(launches.count, 0);
    },
  );
}

t.test("the end of the lease closes the socket", async (t) => {
  const { launches, open } = await agent(t, false);
  for (const end of ["cancel", "end"] as const) {
    const lease = open();
    await lease.send({ start: { name: "planner" } });
    const path = (await lease.responses.next()).value?.ready?.socketPath ?? "";
    const caller = startCaller(t, "", { count: 0 });
    await caller.line();
    await lease.send({ started: { pid: caller.pid } });
    await lease.responses.next();
    t.equal(launches.count, 1);
    lease[end]();
    while (launches.count > 0) await new Promise((resolve) => setImmediate(resolve));
    t.equal(existsSync(path), false);
    t.equal(caller.child.exitCode, null, "the process goes on, without its identity");
  }
});

t.test("refuses steps out of order", async (t) => {
  const { launches, open } = await agent(t, false);
  const invalid = { reason: "LAUNCH_STEP_INVALID", code: 3 };
  const wrong = open();
  await wrong.send({ started: { pid: 1 } });
  await t.rejects(wrong.responses.next(), invalid);
  const empty = open();
  await empty.send({});
  await t.rejects(empty.responses.next(), invalid);
  const twice = open();
  await twice.send({ start: { name: "a" } });
  await twice.responses.next();
  await twice.send({ start: { name: "b" } });
  await t.rejects(twice.responses.next(), invalid);
  const foreign = open();
  await foreign.send({ start: { name: "a" } });
  await foreign.responses.next();
  await foreign.send({ started: { pid: process.ppid } });
  await t.rejects(foreign.responses.next(), { reason: "LAUNCH_PROCESS_REFUSED", code: 7 });
  while (launches.count > 0) await new Promise((resolve) => setImmediate(resolve));
});

t.test("a launcher that reports nothing for half a minute loses its socket", async (t) => {
  const { launches, clock, open } = await agent(t, false);
  const lease = open();
  await lease.send({ start: { name: "slow" } });
  await lease.responses.next();
  await clock.advance(30_000);
  await t.rejects(lease.responses.next(), {
    reason: "LAUNCH_STEP_INVALID",
    code: 3,
    message: /30 s/,
  });
  t.equal(launches.count, 0);
  t.equal(clock.timers, 0);
});

// The handler itself, with requests of the test's making: many leases over no connection at all.
function direct(
  name: string,
  peer: Partial<Peer>,
  handlers: Awaited<ReturnType<typeof agent>>["launches"],
) {
  const controller = new AbortController();
  async function* requests(): AsyncGenerator<signet.launch.v1.OpenRequest> {
    yield { step: "start", start: { name }, started: undefined };
    await new Promise((resolve) => controller.signal.addEventListener("abort", resolve));
  }
  const context: CallContext = {
    signal: controller.signal,
    method: "/signet.launch.v1.Launch/Open",
    peer: { peer: { pid: process.pid, uid: process.getuid?.() ?? 0, ...peer } },
    metadata: () => undefined,
  };
  const responses = handlers.handlers.open?.(requests(), context)[Symbol.asyncIterator]();
  if (responses === undefined) throw new Error("no handler");
  return {
    first: () => responses.next(),
    end: () => controller.abort(new Error("over")),
    responses,
  };
}

t.test("a name is 1 to 128 characters of a-z, 0-9, dot, underscore and dash", async (t) => {
  const { launches } = await agent(t, false);
  const invalid = { reason: "LAUNCH_NAME_INVALID", code: 3 };
  for (let byte = 0; byte < 256; byte++) {
    const name = `a${String.fromCharCode(byte)}b`;
    const { first, end, responses } = direct(name, {}, launches);
    if (/^[a-z0-9._-]+$/.test(name)) t.match((await first()).value, { ready: {} });
    else await t.rejects(first(), invalid, `byte ${byte}`);
    end();
    await responses.next().catch(() => undefined);
  }
  await t.rejects(direct("", {}, launches).first(), invalid);
  await t.rejects(direct("a".repeat(129), {}, launches).first(), invalid);
  t.equal(launches.count, 0);
});

t.test("one user cannot take all launches", async (t) => {
  const { launches } = await agent(t, false);
  const leases = Array.from({ length: 128 }, () => direct("a", {}, launches));
  for (const { first } of leases) await first();
  await t.rejects(direct("a", {}, launches).first(), { reason: "TOO_MANY_LAUNCHES", code: 8 });
  t.equal(launches.count, 128);
  leases[0]?.end();
  await leases[0]?.responses.next().catch(() => undefined);
  const again = direct("a", {}, launches);
  t.match((await again.first()).value, { ready: {} });
  for (const { end } of [...leases, again]) end();
  for (const { responses } of [...leases, again]) await responses.next().catch(() => undefined);
});

t.test("removes the sockets of an agent that was killed, and nothing else", async (t) => {
  const folder = join(socketFolder(t), "launch");
  const options = {
    callers,
    folder,
    peerOf: () => {
      throw new Error("not called");
    },
    serveConnection: () => undefined,
    clock: new TestClock(),
    log: silentLogger,
  };
  await startLaunchService(options);
  writeFileSync(join(folder, `${"0a".repeat(12)}.sock`), "");
  writeFileSync(join(folder, "other"), "");
  await startLaunchService(options);
  t.same(readdirSync(folder), ["other"]);
  await t.rejects(startLaunchService({ ...options, folder: `/tmp/${"x".repeat(90)}` }), {
    reason: "SOCKET_PATH_INVALID",
    code: 3,
  });
});
