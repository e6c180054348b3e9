// Parts start in order and stop in reverse; background work is owned; signals stop and reload.

import { spawn } from "node:child_process";
import { once } from "node:events";
import t from "tap";
import { Lifecycle } from "../../runtime/lifecycle.ts";
import { createLogger, silentLogger } from "../../runtime/log.ts";
import { settle, TestClock } from "../support/clock.ts";

t.test("stops in the reverse of the order of starting, once", async (t) => {
  const life = new Lifecycle({ log: silentLogger });
  const seen: string[] = [];
  const part = (name: string) => async () => {
    seen.push(`start ${name}`);
    return { stop: async () => void seen.push(`stop ${name}`) };
  };
  await life.start("store", part("store"));
  await life.start("api", part("api"));
  life.own("timer", () => void seen.push("stop timer"));
  t.equal(life.signal.aborted, false);
  await Promise.all([life.stop(), life.stop()]);
  t.same(seen, ["start store", "start api", "stop timer", "stop api", "stop store"]);
  t.equal(life.signal.aborted, true);
  await t.rejects(life.start("late", part("late")));
});

t.test("a part that fails to stop does not keep the others running", async (t) => {
  const lines: string[] = [];
  const life = new Lifecycle({
    log: createLogger({ destination: { write: (l) => lines.push(l) } }),
  });
  let stopped = false;
  life.own("first", () => {
    stopped = true;
  });
  life.own("second", () => Promise.reject(new Error("stuck")));
  await life.stop();
  t.ok(stopped);
  t.match(lines.join(""), /"part":"second".*stuck/);
});

t.test("a part that started while stopping is stopped again", async (t) => {
  const life = new Lifecycle({ log: silentLogger });
  let stopped = false;
  const starting = life.start("slow", async () => {
    await settle();
    return {
      stop: () => {
        stopped = true;
      },
    };
  });
  await life.stop();
  await t.rejects(starting);
  t.ok(stopped);
});

t.test("gives up at the deadline and says on what it waited", async (t) => {
  const clock = new TestClock();
  const lines: string[] = [];
  const log = createLogger({ destination: { write: (l) => lines.push(l) } });
  const life = new Lifecycle({ log, clock, stopTimeoutMs: 5000 });
  life.own("hangs", () => new Promise(() => undefined));
  const stopped = life.stop();
  await clock.advance(5000);
  await stopped;
  t.match(lines.join(""), /"waiting_for":\["hangs"\]/);
});

t.test("waits for background work, which ends by its signal", async (t) => {
  const clock = new TestClock();
  const life = new Lifecycle({ log: silentLogger, clock });
  let ended = false;
  life.run("loop", async (signal) => {
    try {
      for (;;) await clock.sleep(1000, signal);
    } finally {
      ended = true;
    }
  });
  await clock.advance(3000);
  await life.stop();
  t.ok(ended);
});

t.test("background work that fails is logged and fails the whole", async (t) => {
  const lines: string[] = [];
  const log = createLogger({ destination: { write: (l) => lines.push(l) } });
  const life = new Lifecycle({ log });
  life.run("loop", () => Promise.reject(new Error("broken")));
  await t.rejects(life.failed, { message: "broken" });
  t.match(lines.join(""), /"level":"fatal".*"part":"loop"/);
  await life.stop();
});

const program = `
  import { handleSignals, Lifecycle } from ${JSON.stringify(new URL("../../runtime/lifecycle.ts", import.meta.url).href)};
  import { silentLogger as log } from ${JSON.stringify(new URL("../../runtime/log.ts", import.meta.url).href)};
  const life = new Lifecycle({ log });
  const alive = setInterval(() => {}, 1000);
  life.own("alive", () => process.argv[1] === "hang" ? new Promise(() => {}) : clearInterval(alive));
  let reloads = 0;
  const off = handleSignals({ log,
    onStop: (signal) => { console.log(signal); life.stop().then(off); },
    onReload: () => { console.log("reload"); if (reloads++ === 0) throw new Error("bad file"); } });
  console.log("up");`;

async function daemon(mode: string) {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program, mode], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  const lines = async (count: number): Promise<string[]> => {
    while (text.split("\n").length <= count) text += String((await once(child.stdout, "data"))[0]);
    return text.trim().split("\n");
  };
  const exit = once(child, "exit");
  await lines(1);
  return { child, lines, exit };
}

t.test("SIGHUP reloads, a failed reload changes nothing, SIGTERM stops", async (t) => {
  const { child, lines, exit } = await daemon("normal");
  child.kill("SIGHUP");
  await lines(2);
  child.kill("SIGHUP");
  await lines(3);
  child.kill("SIGTERM");
  t.same(await lines(4), ["up", "reload", "reload", "SIGTERM"]);
  t.equal((await exit)[0], 0);
});

t.test("a second SIGINT ends a process that hangs while stopping", async (t) => {
  const { child, lines, exit } = await daemon("hang");
  child.kill("SIGINT");
  await lines(2);
  child.kill("SIGINT");
  t.equal((await exit)[0], 1);
});

t.test("reload lets every part read anew, and tells of the first that failed", async (t) => {
  const lines: string[] = [];
  const log = createLogger({ level: "debug", destination: { write: (l) => void lines.push(l) } });
  const lifecycle = new Lifecycle({ log });
  const done: string[] = [];
  lifecycle.onReload(async () => void done.push("a"));
  await lifecycle.reload();
  t.same(done, ["a"]);
  lifecycle.onReload(() => Promise.reject(new Error("no file")));
  lifecycle.onReload(() => Promise.reject(new Error("no key")));
  lifecycle.onReload(async () => void done.push("b"));
  await t.rejects(lifecycle.reload(), { message: "no file" });
  t.same(done, ["a", "a", "b"], "the others go on");
  t.match(lines.join(""), /no key/);
});
