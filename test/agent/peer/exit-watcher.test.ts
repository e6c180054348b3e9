// The thread that notices ends of processes: it neither keeps a process alive nor keeps it from
// ending, and processes without a pidfd are noticed too.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import t from "tap";
import { ExitWatcher } from "../../../agent/peer/exit-watcher.ts";
import { PinnedProcess } from "../../../agent/peer/pinned-process.ts";

// The watcher keeps no process alive; a daemon has its listeners, this test has a timer.
const alive = setInterval(() => undefined, 1000);
t.teardown(() => clearInterval(alive));

const sleeper = () => {
  const child = spawn("/bin/sleep", ["60"], { stdio: "ignore" });
  t.teardown(() => child.kill("SIGKILL"));
  return child;
};

const file = JSON.stringify(new URL("../../../agent/peer/exit-watcher.ts", import.meta.url).href);
for (const [name, ending] of [
  ["runs out of work", ""],
  ["calls process.exit", "setTimeout(() => process.exit(0), 20)"],
  ["stops the watcher", "await watcher.stop(); await watcher.stop();"],
]) {
  t.test(`a process ends when it ${name}`, async (t) => {
    const child = spawn(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `import { ExitWatcher } from ${file}; const watcher = new ExitWatcher((e) => { throw e }); ${ending}`,
      ],
      { stdio: ["ignore", "inherit", "inherit"] },
    );
    t.equal((await once(child, "exit"))[0], 0);
  });
}

t.test("tells of many ends, and not of those taken back", async (t) => {
  const watcher = new ExitWatcher((error) => t.fail(error.message));
  t.teardown(() => watcher.stop());
  const children = Array.from({ length: 12 }, sleeper);
  const pinned = children.map((child) => PinnedProcess.open(watcher, child.pid ?? -1));
  const told: number[] = [];
  const all = new Promise<void>((resolve) => {
    for (const process of pinned) {
      process.onExit(() => {
        told.push(process.pid);
        if (told.length === 10) resolve();
      });
    }
  });
  pinned[10]?.close();
  pinned[11]?.close();
  for (const child of children) child.kill("SIGKILL");
  await all;
  t.same(
    told.sort(),
    pinned
      .slice(0, 10)
      .map(({ pid }) => pid)
      .sort(),
  );
  for (const process of pinned) process.close();
});

t.test("a process that has ended before it is watched is told of all the same", async (t) => {
  const watcher = new ExitWatcher((error) => t.fail(error.message));
  t.teardown(() => watcher.stop());
  const child = sleeper();
  const process = PinnedProcess.open(watcher, child.pid ?? -1);
  child.kill("SIGKILL");
  await once(child, "exit");
  t.equal(process.isAlive(), false);
  await new Promise<void>((resolve) => process.onExit(resolve));
  process.close();
  t.throws(() => PinnedProcess.open(watcher, child.pid ?? -1), { reason: "CALLER_GONE", code: 14 });
});

t.test("without a pidfd, pid and start time together tell", async (t) => {
  const watcher = new ExitWatcher((error) => t.fail(error.message));
  t.teardown(() => watcher.stop());
  const child = sleeper();
  const process = new PinnedProcess(watcher, child.pid ?? -1, undefined);
  t.equal(process.isAlive(), true);
  t.equal(process.executable()?.path, readlinkSync(`/proc/${child.pid}/exe`));
  const ended = new Promise<void>((resolve) => process.onExit(resolve));
  child.kill("SIGKILL");
  await ended;
  t.equal(process.isAlive(), false);
  process.close();
});
