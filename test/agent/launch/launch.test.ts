// Launched processes and their private sockets, with real processes: who is admitted and who is not.

import { once } from "node:events";
import { chmodSync, existsSync, lstatSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import t from "tap";
import { Launch } from "../../../agent/launch/launch.ts";
import { type Callers, type Peer, startCallers } from "../../../agent/peer/index.ts";
import { formatSelector } from "../../../proto/types/selector.ts";
import { createLogger, silentLogger } from "../../../runtime/log.ts";
import {
  type Caller,
  type CallerOptions,
  connectFrom,
  socketFolder,
  startCaller,
} from "../../support/callers.ts";
import { TestClock } from "../../support/clock.ts";

const asRoot = process.getuid?.() === 0 ? false : "needs root to become other users";
const callers: Callers = startCallers({ log: silentLogger, onFailure: (e) => t.fail(e.message) });
t.teardown(() => callers.stop());

interface Frame {
  readonly launcher: Caller;
  readonly launch: Launch;
  readonly path: string;
  readonly clock: TestClock;
  readonly served: { pid: number; selectors: string[]; socket: Socket }[];
  readonly lines: string[];
}

const launchers = new WeakMap<Launch, Peer>();

// Reports a process as its launcher does.
function admit(launch: Launch, pid: number): void {
  launch.admitProcess(pid, launchers.get(launch) as Peer);
}

// A launcher, as `signet run` is, with a connection to the agent; and the private socket it got.
async function frame(
  t: { teardown(fn: () => unknown): void },
  options: CallerOptions = {},
): Promise<Frame> {
  const folder = socketFolder(t);
  chmodSync(folder, 0o711);
  const peers: Peer[] = [];
  const listener = await callers.listen({
    path: join(folder, "agent"),
    mode: 0o777,
    onConnection: (_, peer) => void peers.push(peer),
  });
  t.teardown(() => listener.stop());
  const launcher = await connectFrom(t, listener.path, options);
  const [caller] = peers;
  if (caller === undefined) throw new Error("no connection");
  const clock = new TestClock();
  const served: Frame["served"] = [];
  const lines: string[] = [];
  const launch = new Launch({
    name: "agent-a",
    selectors: [{ type: "launch", value: "name:agent-a" }],
    uid: caller.uid,
    socketPath: join(folder, "private"),
    callers,
    clock,
    log: createLogger({ destination: { write: (line) => lines.push(line) } }),
    serveConnection(socket, peer, selectors) {
      served.push({ pid: peer.pid, selectors: selectors.map(formatSelector), socket });
      socket.resume();
      socket.write("welcome\n");
    },
  });
  launchers.set(launch, caller);
  t.teardown(() => launch.close());
  await launch.listen();
  return { launcher, launch, path: launch.socketPath, clock, served, lines };
}

// Tells the launcher, or a child of it, to start a child, and answers the child's pid.
async function fork(launcher: Caller, command: string): Promise<number> {
  launcher.tell(command);
  return Number(/child (\d+)/.exec(await until(launcher, /^child/))?.[1]);
}

// Lines of the whole family come over the launcher's output.
async function until(caller: Caller, pattern: RegExp): Promise<string> {
  for (;;) {
    const line = await caller.line();
    if (pattern.test(line)) return line;
  }
}

t.test("admits the launched process, which may connect before it is reported", async (t) => {
  const { launcher, launch, path, served } = await frame(t);
  const pid = await fork(launcher, `fork ${path}`);
  await until(launcher, /^ready/);
  t.equal(served.length, 0, "it waits");
  admit(launch, pid);
  await until(launcher, /^data welcome/);
  t.match(served, [{ pid, selectors: ["launch:name:agent-a"] }]);
});

t.test(
  "refuses the same program under the same user in the same folder, started otherwise",
  async (t) => {
    const { launcher, launch, path, served, lines } = await frame(t);
    admit(launch, await fork(launcher, `fork ${path}`));
    await until(launcher, /^data welcome/);
    const stranger = startCaller(t, path);
    t.equal(await until(stranger, /^closed/), "closed");
    const sibling = await fork(launcher, `fork ${path}`);
    await until(launcher, /^closed/);
    t.ok(sibling > 0);
    launcher.tell(`open ${path}`);
    await until(launcher, /^closed/);
    t.equal(served.length, 1);
    t.equal(lines.filter((line) => line.includes("does not descend")).length, 3);
  },
);

t.test("admits children and grandchildren of the launched process", async (t) => {
  const { launcher, launch, path, served } = await frame(t);
  admit(launch, await fork(launcher, "fork"));
  const child = await fork(launcher, `relay fork ${path}`);
  await until(launcher, /^data welcome/);
  const grandchild = await fork(launcher, `relay relay fork ${path}`);
  await until(launcher, /^data welcome/);
  t.same(
    served.map(({ pid }) => pid),
    [child, grandchild],
  );
});

t.test("a process whose parent has ended is refused, unless it was admitted before", async (t) => {
  const { launcher, launch, path, served, lines } = await frame(t);
  admit(launch, await fork(launcher, "fork"));
  await fork(launcher, "relay fork");
  const known = await fork(launcher, `relay relay fork-reopen ${path}`);
  await until(launcher, /^data welcome/);
  t.same(
    served.map(({ pid }) => pid),
    [known],
  );
  launcher.tell("relay relay exit");
  await until(launcher, /^reopened/);
  await until(launcher, /^data welcome/);
  t.same(
    served.map(({ pid }) => pid),
    [known, known],
    "admitted before",
  );
  // Another one, which connects for the first time when its parent has ended.
  await fork(launcher, "relay fork");
  await fork(launcher, `relay relay fork-late ${path}`);
  launcher.tell("relay relay exit");
  await until(launcher, /^reopened/);
  await until(launcher, /^closed/);
  t.equal(served.length, 2);
  t.match(lines.join(), /does not descend/);
});

t.test("closes everything when the launched process ends", async (t) => {
  const { launcher, launch, path, served } = await frame(t);
  admit(launch, await fork(launcher, "fork"));
  await fork(launcher, `relay fork ${path}`);
  await until(launcher, /^data welcome/);
  const closed = served.map(({ socket }) => once(socket, "close"));
  launcher.tell("relay exit");
  await launch.ended;
  await launch.close();
  await Promise.all(closed);
  t.equal(existsSync(path), false);
});

t.test("a connection that nobody reports is closed after five seconds", async (t) => {
  const { launcher, path, clock, served, lines } = await frame(t);
  await fork(launcher, `fork ${path}`);
  await until(launcher, /^ready/);
  await clock.advance(4999);
  t.equal(lines.length, 0);
  await clock.advance(1);
  await until(launcher, /^closed/);
  t.match(lines.join(), /no process was reported/);
  t.equal(served.length, 0);
  t.equal(clock.timers, 0);
});

t.test("refuses to take a process that the caller has not started, or that is gone", async (t) => {
  const { launcher, launch } = await frame(t);
  const refused = { reason: "LAUNCH_PROCESS_REFUSED", code: 7 };
  const stranger = await connectFrom(t, launch.socketPath);
  for (const pid of [stranger.pid, process.pid, launcher.pid, 1, 0, -1, Number.NaN]) {
    t.throws(() => admit(launch, pid), refused, String(pid));
  }
  t.throws(() => admit(launch, 2 ** 22 - 1), { reason: "CALLER_GONE", code: 14 });
  const pid = await fork(launcher, "fork");
  admit(launch, pid);
  t.throws(() => admit(launch, pid), refused, "a second one");
});

t.test("refuses a process of another user", { skip: asRoot }, async (t) => {
  const { launcher, launch, path, served } = await frame(t);
  launcher.tell(`fork-as 12345`);
  const pid = Number((await until(launcher, /^child/)).slice(6));
  await until(launcher, /^ready/);
  t.throws(() => admit(launch, pid), {
    reason: "LAUNCH_PROCESS_REFUSED",
    code: 7,
    message: /another user/,
  });
  t.equal(existsSync(path), true);
  t.equal(served.length, 0);
});

t.test("the socket's file is the launching user's alone", { skip: asRoot }, async (t) => {
  const { launcher, launch, path, served } = await frame(t, { uid: 12345, gid: 12345 });
  const { uid, mode } = lstatSync(path);
  t.same([uid, mode & 0o777], [12345, 0o600]);
  const stranger = startCaller(t, path, { uid: 23456, gid: 23456 });
  t.equal(await stranger.line(), "error EACCES");
  admit(launch, await fork(launcher, `fork ${path}`));
  await until(launcher, /^data welcome/);
  t.equal(served.length, 1);
  const root = startCaller(t, path);
  await until(root, /^closed/);
  t.equal(served.length, 1, "root passes the file's mode, and is refused by its uid");
});
