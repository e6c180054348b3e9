// How fast registration entries are created, in batches of 500 and one commit each, as the store grows
// to 100,000; and how long a server needs to have them all in memory again. Through the entry service,
// client and server in this one process, so that the client's cost is in the figures.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TrustDomain } from "../pki/spiffe-id.ts";
import type { Init } from "../proto/codec.ts";
import { pairInProcess } from "../proto/rpc/in-process.ts";
import { createRpcServer } from "../proto/rpc/server.ts";
import { EntryService, type spire } from "../proto/schema.gen.ts";
import { entryApi } from "../server/api/entry.ts";
import { AuthorizedEntries } from "../server/entries/authorized.ts";
import { EntryIndex } from "../server/entries/index.ts";
import { openLevelLog } from "../server/store/engine-level.ts";
import { EntryStore } from "../server/store/entries.ts";

const BATCH = 500;
const STEP = 10_000;
const STEPS = 10;

const folder = mkdtempSync(join(tmpdir(), "signet-bench-"));
const trustDomain = TrustDomain.parse("north.test");
const now = (): Date => new Date();

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function fill(): Promise<void> {
  const log = await openLevelLog({ folder });
  const entries = await EntryStore.start({ log, now });
  const index = new EntryIndex({ source: entries, trustDomain });
  const authorized = new AuthorizedEntries({ index, nodes: new Map(), now });
  const server = createRpcServer({
    onInternalError: (error) => process.stderr.write(`${error}\n`),
  });
  const rules = { trustDomain, isFederated: () => false };
  server.add(EntryService, entryApi({ entries, index, authorized, rules, agentOf: () => "" }));
  const pair = await pairInProcess(server);
  const client = (await pair.connect("bench")).client(EntryService);
  print("| entries | created/s | CPU us each |\n|---|---|---|");
  for (let step = 0; step < STEPS; step++) {
    const from = performance.now();
    const cpu = process.cpuUsage();
    for (let i = 0; i < STEP; i += BATCH) {
      const batch = Array.from({ length: BATCH }, (_, k) => entryOf(step * STEP + i + k));
      const { results } = await client.batchCreateEntry({ entries: batch, outputMask: {} });
      if (results.some(({ status }) => status.code !== 0)) throw new Error("not created");
    }
    const perSecond = Math.round((STEP / (performance.now() - from)) * 1000);
    const { user, system } = process.cpuUsage(cpu);
    const cpuUs = (user + system) / STEP;
    print(`| ${entries.size} | ${perSecond} | ${cpuUs.toFixed(0)} |`);
  }
  await pair.close();
  await entries.stop();
  await log.close();
}

function entryOf(i: number): Init<spire.api.types.Entry> {
  return {
    spiffeId: { trustDomain: "north.test", path: `/ns/prod/workload-${i}` },
    parentId: { trustDomain: "north.test", path: `/node/${i % 100}` },
    selectors: [
      { type: "unix", value: `uid:${i}` },
      { type: "unix", value: "path:/usr/bin/service" },
    ],
  };
}

async function load(): Promise<void> {
  const from = performance.now();
  const log = await openLevelLog({ folder });
  const entries = await EntryStore.start({ log, now });
  new EntryIndex({ source: entries, trustDomain });
  const seconds = ((performance.now() - from) / 1000).toFixed(2);
  print(`\nopened and loaded ${entries.size} entries in ${seconds} s`);
  await entries.stop();
  await log.close();
}

try {
  await fill();
  await load();
} finally {
  rmSync(folder, { recursive: true });
}
