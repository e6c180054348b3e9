// Clients that take and do not give: that read nothing, never finish what they begin, or open all they
// can. What they cost is bounded, what goes beyond is refused, and everyone else is served meanwhile.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import t, { type Test } from "tap";
import { Abused } from "../support/abused.ts";
import {
  callHeaders,
  Frame,
  frame,
  message,
  PREFACE,
  RawHttp2,
  settings,
} from "../support/raw-http2.ts";

const CLIENTS = 1000;
/** At each door. */
const UNFINISHED = 60;
const MAX_MORE_MEBIBYTES = 64;
const FETCH = "/SpiffeWorkloadAPI/FetchX509SVID";

const abused = await Abused.start(t);
let registered = 0;
await abused.whileServing(async () => undefined);
/** Of the node agent, before anybody abused it: what later tests compare with, whatever is still being closed. */
const idle = await atRest();

/** Opens streams that nobody reads, and lets the server push to them. */
async function stall(count: number, pushes: number): Promise<RawHttp2[]> {
  const raws: RawHttp2[] = [];
  for (let i = 0; i < count; i++) {
    // One half reads nothing from its socket, the other half opens no window.
    const raw = await RawHttp2.open(abused.workloadSocket, i % 2 === 0 ? {} : { 4: 0 });
    raw.write(callHeaders(1, FETCH), message(1));
    if (i % 2 === 0) raw.socket.pause();
    raws.push(raw);
  }
  for (let i = 0; i < pushes; i++) {
    await abused.register(`/pushed/${registered++}`);
    await sleep(20);
  }
  return raws;
}

/** The fewest within a second: the connection of who was just served may not be closed yet. */
async function atRest(): Promise<number> {
  let fewest = abused.agent.descriptors;
  for (let i = 0; i < 20; i++) {
    await sleep(50);
    fewest = Math.min(fewest, abused.agent.descriptors);
  }
  return fewest;
}

async function gone(descriptors: number): Promise<boolean> {
  for (let i = 0; i < 600 && abused.agent.descriptors > descriptors; i++) await sleep(50);
  return abused.agent.descriptors <= descriptors;
}

/** Memory, when it fits; the agent collects what a burst left once it is quiet, every ten seconds. */
async function settled(more: () => number): Promise<number> {
  for (let i = 0; i < 60 && more() > MAX_MORE_MEBIBYTES; i++) await sleep(500);
  return more();
}

t.test("1,000 clients that read nothing cost at most 64 MB while the server pushes", async (t) => {
  for (const raw of await stall(50, 5)) raw.destroy();
  await abused.whileServing(async () => undefined);
  const before = abused.agent.residentMebibytes;
  const raws = await abused.whileServing(async () => {
    const opened = await stall(CLIENTS, 20);
    await sleep(500);
    return opened;
  });
  const more = await settled(() => abused.agent.residentMebibytes - before);
  t.equal(raws.filter(({ closed }) => closed).length, 0, "they are kept");
  t.ok(more <= MAX_MORE_MEBIBYTES, `${Math.round(more)} MiB more`);
  t.comment(`${Math.round(more)} MiB more for ${CLIENTS} clients`);
  for (const raw of raws) raw.destroy();
  t.ok(await gone(idle + 10), `${abused.agent.descriptors} of ${idle} descriptors`);
  await abused.whileServing(async () => undefined);
});

t.test("a stalled client that reads again has missed nothing but the past", async (t) => {
  const [raw] = await stall(1, 3);
  await raw?.find(() => false, 50);
  raw?.socket.resume();
  const answer = await raw?.find(({ type }) => type === Frame.data);
  t.ok(answer, "its messages are there");
  raw?.destroy();
});

t.test("clients that never finish what they begin, at every door", async (t) => {
  const doors = await abused.doors();
  const begun = Buffer.concat([PREFACE, settings(), callHeaders(1, FETCH), frame(Frame.data, 1)]);
  await abused.whileServing(async () => {
    const raws: RawHttp2[] = [];
    for (const door of doors) {
      for (let i = 0; i < UNFINISHED; i++) {
        const raw = new RawHttp2(await door.dial());
        raw.write(begun.subarray(0, i % begun.length));
        raws.push(raw);
      }
    }
    await sleep(200);
    for (const raw of raws) raw.destroy();
  });
  for (const { process } of doors) t.equal(process.end, undefined);
  // Also so that the next one does not count connections that are about to be closed.
  t.ok(await gone(idle + 10), `${abused.agent.descriptors} of ${idle} descriptors`);
});

/** What another process got: connections that stay open, and calls that were refused. */
async function greedy(
  t: Test,
  path: string,
  connections: number,
  calls: number,
): Promise<{ readonly open: number; readonly refused: number }> {
  const program = new URL("../support/greedy.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [program, path, String(connections), String(calls)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return JSON.parse(line) as { open: number; refused: number };
}

t.test(
  "a process that opens 10,000 streams gets 4,000; others of its user are served",
  async (t) => {
    await abused.whileServing(async () => {
      const got = await greedy(t, abused.workloadSocket, 50, 200);
      t.same(got, { open: 50, refused: 6000 });
      const other = await RawHttp2.open(abused.workloadSocket);
      other.write(callHeaders(1, FETCH), message(1));
      t.ok(await other.find(({ type }) => type === Frame.data), "also while it has them");
      other.destroy();
    });
    t.ok(abused.agent.descriptors >= idle + 100, "it has them still");
  },
);

t.test(
  "a process that opens 2,100 connections gets 2,000; others of its user are served",
  async (t) => {
    await abused.whileServing(async () => {
      const { open } = await greedy(t, abused.workloadSocket, 2100, 0);
      t.equal(open, 2000);
    });
  },
);
