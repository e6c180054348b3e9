// A pid that is given to another process: what was pinned stays what it was. In a pid namespace of the
// test's own, where the next pid can be chosen.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import t from "tap";

const peerFolder = new URL("../../../agent/peer/", import.meta.url).href;

// Runs as pid 1 of the namespace.
const PROGRAM = `
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
const { ExitWatcher } = await import(${JSON.stringify(`${peerFolder}exit-watcher.ts`)});
const { PinnedProcess } = await import(${JSON.stringify(`${peerFolder}pinned-process.ts`)});
const watcher = new ExitWatcher((error) => { throw error; });
const sleep = () => spawn("/bin/sleep", ["60"], { stdio: "ignore" });
const first = sleep();
const pid = first.pid;
const byPidfd = PinnedProcess.open(watcher, pid);
const byTime = new PinnedProcess(watcher, pid, undefined);
const before = [byPidfd.isAlive(), byTime.isAlive()];
first.kill("SIGKILL");
await once(first, "exit");
let second;
for (let tries = 0; tries < 50 && second?.pid !== pid; tries++) {
  second?.kill("SIGKILL");
  // Start times count hundredths of a second; a reuse within one is what only a pidfd tells.
  await new Promise((resolve) => setTimeout(resolve, 20));
  writeFileSync("/proc/sys/kernel/ns_last_pid", String(pid - 1));
  second = sleep();
}
const reason = (fn) => { try { return String(fn()); } catch (error) { return error.reason ?? error.message; } };
console.log(JSON.stringify({
  reused: second.pid === pid,
  before,
  after: [byPidfd.isAlive(), byTime.isAlive()],
  executable: [reason(() => byPidfd.executable()?.path), reason(() => byTime.executable()?.path)],
  parent: reason(() => byPidfd.parentPid()),
  now: PinnedProcess.open(watcher, pid).isAlive(),
}));
process.exit(0);`;

function canMakeNamespace(): boolean {
  try {
    execFileSync("unshare", ["-p", "-f", "--mount-proc", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const skip = canMakeNamespace() ? false : "needs root, and a kernel that makes pid namespaces";
t.test("a pid that is used again is not taken for the process that had it", { skip }, async (t) => {
  const child = spawn(
    "unshare",
    [
      "-p",
      "-f",
      "--kill-child",
      "--mount-proc",
      process.execPath,
      "--input-type=module",
      "-e",
      PROGRAM,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  t.teardown(() => child.kill("SIGKILL"));
  const [output] = await once(child.stdout, "data");
  t.same(JSON.parse(String(output)), {
    reused: true,
    before: [true, true],
    after: [false, false],
    executable: ["CALLER_GONE", "CALLER_GONE"],
    parent: "CALLER_GONE",
    now: true,
  });
});
