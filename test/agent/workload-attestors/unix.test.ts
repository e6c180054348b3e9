// What the unix attestor says of real processes.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  readFileSync,
  realpathSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import t from "tap";
import { type Callers, type Peer, startCallers } from "../../../agent/peer/index.ts";
import type { WorkloadAttestor } from "../../../agent/workload-attestors/index.ts";
import { type UnixAttestorOptions, unixAttestor } from "../../../agent/workload-attestors/unix.ts";
import { formatSelector } from "../../../proto/types/selector.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { createLogger, silentLogger } from "../../../runtime/log.ts";
import {
  type Caller,
  type CallerOptions,
  connectFrom,
  socketFolder,
} from "../../support/callers.ts";

const asRoot = process.getuid?.() === 0 ? false : "needs root to become other users";
const node = realpathSync(process.execPath);
const nodeHash = createHash("sha256").update(readFileSync(node)).digest("hex");
const callers: Callers = startCallers({ log: silentLogger, onFailure: (e) => t.fail(e.message) });
t.teardown(() => callers.stop());

const attestor = (options: Partial<UnixAttestorOptions> = {}): WorkloadAttestor =>
  unixAttestor({ clock: systemClock, log: silentLogger, ...options });
const signal = new AbortController().signal;
const texts = async (unix: WorkloadAttestor, peer: Peer): Promise<string[]> =>
  (await unix.attest(peer, signal)).map(formatSelector);

// One process, and the connection by which the agent knows it.
async function call(
  t: { teardown(fn: () => unknown): void },
  options: CallerOptions = {},
): Promise<{ peer: Peer; caller: Caller }> {
  const folder = socketFolder(t);
  chmodSync(folder, 0o711);
  const peers: Peer[] = [];
  const path = join(folder, "s");
  const onConnection = (_: unknown, peer: Peer): void => void peers.push(peer);
  const listener = await callers.listen({ path, mode: 0o777, onConnection });
  t.teardown(() => listener.stop());
  const caller = await connectFrom(t, path, options);
  const [peer] = peers;
  if (peer === undefined) throw new Error("no connection");
  return { peer, caller };
}

t.test("says uid, gid, path and hash of a process", async (t) => {
  const { peer } = await call(t);
  const found = await texts(attestor(), peer);
  t.ok(found.includes(`unix:uid:${process.getuid?.()}`));
  t.ok(found.includes(`unix:gid:${process.getgid?.()}`));
  t.ok(found.includes(`unix:path:${node}`));
  t.ok(found.includes(`unix:sha256:${nodeHash}`));
});

t.test("says every kind of selector, as SPIRE writes them", { skip: asRoot }, async (t) => {
  const accountFiles = {
    passwd: join(t.testdir(), "passwd"),
    group: join(t.testdir(), "group"),
  };
  writeFileSync(
    accountFiles.passwd,
    "root:x:0:0::/:/bin/sh\nagent:x:12345:23456::/:/bin/sh\ntwin:x:12345:1::/:\n",
  );
  writeFileSync(accountFiles.group, "# comment\nagents:x:23456:\nops:x:7001:agent,root\nbroken\n");
  const { peer } = await call(t, { uid: 12345, gid: 23456, groups: [7001, 7002] });
  const unix = attestor({ accountFiles });
  t.same(await texts(unix, peer), [
    "unix:uid:12345",
    "unix:user:agent",
    "unix:gid:23456",
    "unix:group:agents",
    "unix:supplementary_gid:7001",
    "unix:supplementary_group:ops",
    "unix:supplementary_gid:7002",
    `unix:path:${node}`,
    `unix:sha256:${nodeHash}`,
  ]);
  writeFileSync(accountFiles.passwd, "renamed:x:12345:23456::/:/bin/sh\n");
  t.ok((await texts(unix, peer)).includes("unix:user:renamed"), "a changed file is read again");
  unlinkSync(accountFiles.passwd);
  t.notOk((await texts(unix, peer)).some((text) => text.startsWith("unix:user:")));
});

t.test("two users with the same program differ in uid alone", { skip: asRoot }, async (t) => {
  const unix = attestor();
  const one = await texts(unix, (await call(t, { uid: 12345, gid: 1, groups: [] })).peer);
  const two = await texts(unix, (await call(t, { uid: 12346, gid: 1, groups: [] })).peer);
  t.same(
    one.filter((text) => !two.includes(text)),
    ["unix:uid:12345"],
  );
});

t.test("without discovery there is neither path nor hash", async (t) => {
  const { peer } = await call(t);
  const found = await texts(attestor({ discoverWorkloadPath: false }), peer);
  t.notOk(found.some((text) => /path|sha256/.test(text)));
});

t.test("a program beyond the size limit has no hash, and one line says so", async (t) => {
  const lines: string[] = [];
  const log = createLogger({ destination: { write: (line) => lines.push(line) } });
  const unix = attestor({ workloadSizeLimitBytes: 1000, log });
  for (let i = 0; i < 3; i++) {
    const { peer } = await call(t);
    const found = await texts(unix, peer);
    t.ok(found.includes(`unix:path:${node}`));
    t.notOk(found.some((text) => text.includes("sha256")));
  }
  t.equal(lines.length, 1);
  t.match(lines[0], /larger than 1000 bytes/);
  const { peer } = await call(t);
  t.notOk((await texts(attestor({ workloadSizeLimitBytes: -1 }), peer)).join().includes("sha256"));
});

t.test("hashes nothing until a hash is wanted, then without a new connection", async (t) => {
  let wanted = false;
  const unix = attestor({ isHashWanted: () => wanted });
  const { peer } = await call(t);
  t.notOk((await texts(unix, peer)).join().includes("sha256"));
  wanted = true;
  t.ok((await texts(unix, peer)).includes(`unix:sha256:${nodeHash}`));
});

t.test("what a process executes next is what it is attested by", async (t) => {
  const { peer, caller } = await call(t);
  const unix = attestor();
  t.ok((await texts(unix, peer)).includes(`unix:path:${node}`));
  caller.tell('exec ["/bin/sleep","30"]');
  const sleep = realpathSync("/bin/sleep");
  let found: string[] = [];
  for (let i = 0; i < 2000 && !found.includes(`unix:path:${sleep}`); i++)
    found = await texts(unix, peer);
  const hash = createHash("sha256").update(readFileSync(sleep)).digest("hex");
  t.ok(found.includes(`unix:sha256:${hash}`));
  t.notOk(found.includes(`unix:path:${node}`));
});

t.test(
  "a program replaced on the disk keeps the hash of what runs and loses its path",
  async (t) => {
    const program = join(t.testdir(), "program");
    copyFileSync(node, program);
    const { peer } = await call(t, { program });
    const unix = attestor();
    t.ok((await texts(unix, peer)).includes(`unix:path:${program}`));
    unlinkSync(program);
    writeFileSync(program, "something else");
    const found = await texts(unix, peer);
    t.notOk(
      found.some((text) => text.startsWith("unix:path:")),
      "not even with a suffix",
    );
    t.ok(found.includes(`unix:sha256:${nodeHash}`));
  },
);

t.test("a file that changed a moment ago is hashed anew for each connection", async (t) => {
  // Its times can be set back, and a second change within a tick of the clock leaves no trace.
  const program = join(t.testdir(), "program");
  copyFileSync(node, program);
  utimesSync(program, new Date(0), new Date(0));
  const unix = attestor();
  const first = await call(t, { program });
  t.ok((await texts(unix, first.peer)).includes(`unix:sha256:${nodeHash}`));
  await first.caller.kill();
  writeFileSync(program, "\0", { flag: "a" });
  utimesSync(program, new Date(0), new Date(0));
  const second = await call(t, { program });
  const found = await texts(unix, second.peer);
  t.ok(found.some((text) => text.startsWith("unix:sha256:")));
  t.notOk(found.includes(`unix:sha256:${nodeHash}`));
});

t.test(
  "a path made up in a mount namespace of its own is no selector",
  { skip: asRoot },
  async (t) => {
    const folder = t.testdir({ trusted: "a program that only root can install" });
    const trusted = join(folder, "trusted");
    const wrapper = join(folder, "wrapper");
    writeFileSync(
      wrapper,
      `#!/bin/sh\nexec unshare -m sh -c 'mount --bind ${node} ${trusted} && exec ${trusted} "$@"' sh "$@"\n`,
      { mode: 0o755 },
    );
    try {
      execFileSync("unshare", ["-m", "true"], { stdio: "ignore" });
    } catch {
      t.comment("skipped: this machine lets nobody make a mount namespace");
      return;
    }
    const { peer } = await call(t, { program: wrapper });
    t.equal(peer.executable()?.path, trusted, "so the kernel says");
    const found = await texts(attestor(), peer);
    t.notOk(found.some((text) => text.startsWith("unix:path:")));
    t.ok(found.includes(`unix:sha256:${nodeHash}`), "the content cannot be made up");
    t.ok((await texts(attestor({ foreignPaths: true }), peer)).includes(`unix:path:${trusted}`));
  },
);

t.test("a kept connection costs no new reading of its program", async (t) => {
  const { peer } = await call(t);
  const unix = attestor();
  const first = await unix.attest(peer, signal);
  t.equal(await unix.attest(peer, signal), first, "the same list");
  const start = performance.now();
  for (let i = 0; i < 500; i++) await unix.attest(peer, signal);
  t.comment(`${((performance.now() - start) / 500).toFixed(3)} ms an attestation`);
});

t.test("a process that ends while it is hashed has no hash", async (t) => {
  const program = join(t.testdir(), "program");
  copyFileSync(node, program);
  const { peer, caller } = await call(t, { program });
  const attesting = texts(attestor(), peer);
  caller.child.kill("SIGKILL");
  const found = await attesting;
  t.notOk(found.join().includes("sha256"));
});
