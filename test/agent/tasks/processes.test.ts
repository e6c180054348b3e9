// Processes that tasks are bound to: held once, found again after a restart, and never mistaken for another one
// that has the same pid.
import { spawn } from "node:child_process";
import { once } from "node:events";
import t from "tap";
import { type Callers, startCallers } from "../../../agent/peer/index.ts";
import { Processes, readBootId } from "../../../agent/tasks/processes.ts";
import { silentLogger } from "../../../runtime/log.ts";

const callers: Callers = startCallers({ log: silentLogger, onFailure: (e) => t.fail(e.message) });
t.teardown(() => callers.stop());

// The thread that watches processes keeps no test alive.
const alive = setInterval(() => undefined, 1000);
t.teardown(() => clearInterval(alive));

/** A process that waits to be killed. */
function sleeper(t: { teardown(fn: () => unknown): void }) {
  const child = spawn("/bin/sleep", ["30"], { stdio: "ignore" });
  const exit = once(child, "exit");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exit;
  };
  t.teardown(kill);
  return { pid: child.pid ?? -1, kill };
}

t.test("a process is held once, however many tasks it has, until the last is over", async (t) => {
  const processes = new Processes(callers, readBootId());
  const { pid, kill } = sleeper(t);
  const [one, two] = [processes.hold(pid, 0), processes.hold(pid, 0)];
  t.equal(processes.size, 1);
  let ended = 0;
  one.onExit(() => (ended += 1));
  two.onExit(() => (ended += 10));
  one.close();
  one.close();
  t.notOk(one.isAlive(), "it is not this one's any more");
  t.ok(two.isAlive());
  const gone = new Promise<void>((resolve) => two.onExit(resolve));
  await kill();
  await gone;
  t.equal(ended, 10, "who has let go hears nothing");
  two.close();
  t.equal(processes.size, 0);
});

t.test("is found again by pid, start time and boot, and by nothing less", async (t) => {
  const bootId = readBootId();
  const processes = new Processes(callers, bootId);
  const { pid, kill } = sleeper(t);
  const held = processes.hold(pid, 1000);
  const { uid, startTime } = held;
  const binding = { pid, uid, startTime, bootId };
  held.close();
  const again = processes.holdAgain(binding);
  t.equal(again?.pid, pid);
  again?.close();
  t.equal(processes.holdAgain({ ...binding, startTime: startTime + 1 }), undefined, "a reused pid");
  t.equal(processes.holdAgain({ ...binding, bootId: "another" }), undefined, "another boot");
  t.equal(processes.holdAgain({ ...binding, startTime: 0 }), undefined, "not known when it began");
  await kill();
  t.equal(processes.holdAgain(binding), undefined);
  t.equal(processes.size, 0);
});

t.test(
  "a later process with the same pid is another one, also while the first is held",
  async (t) => {
    const { pid } = sleeper(t);
    let startTime = 100n;
    const pin = (): ReturnType<Callers["pin"]> => {
      const real = callers.pin(pid);
      const mine = startTime;
      return Object.create(real, {
        startTime: { value: mine },
        isAlive: { value: () => mine === startTime },
        close: { value: () => real.close() },
        onExit: { value: (fn: () => void) => real.onExit(fn) },
      }) as ReturnType<Callers["pin"]>;
    };
    const processes = new Processes({ pin }, "boot");
    const first = processes.hold(pid, 0);
    startTime = 101n;
    const second = processes.hold(pid, 0);
    t.notOk(first.isAlive());
    t.ok(second.isAlive());
    t.equal(processes.holdAgain({ pid, uid: 0, startTime: 100, bootId: "boot" }), undefined);
    first.close();
    second.close();
  },
);
