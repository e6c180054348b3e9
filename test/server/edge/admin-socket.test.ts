// The admin socket: who may open it, and who gets it when two want it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { silentLogger } from "../../../runtime/log.ts";
import { startAdminSocket } from "../../../server/edge/admin-socket.ts";

const folder = mkdtempSync(join(tmpdir(), "signet-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

function start(path: string, group?: string): ReturnType<typeof startAdminSocket> {
  return startAdminSocket({
    path,
    group,
    onConnection: (socket) => socket.end("hello"),
    log: silentLogger,
  });
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;

t.test("is the server's user's alone, with a group the group's too", async (t) => {
  const path = join(folder, "a.sock");
  const mask = process.umask();
  const socket = await start(path);
  t.equal(modeOf(path), 0o600);
  t.equal(process.umask(), mask, "the process's mask is what it was");
  await socket.stop();
  t.throws(() => statSync(path), { code: "ENOENT" }, "it goes with the server");
  const shared = await start(path, String(process.getgid?.()));
  t.equal(modeOf(path), 0o660);
  await shared.stop();
  await t.rejects(start(path, "no such group"), { reason: "ADDRESS_UNUSABLE", code: 9 });
});

t.test("is never taken from a server that listens", async (t) => {
  const path = join(folder, "b.sock");
  const first = await start(path);
  await t.rejects(start(path), { reason: "ADMIN_SOCKET_IN_USE", code: 9 });
  const answer = await new Promise((resolve) => connect(path).once("data", resolve));
  t.equal(String(answer), "hello", "which still answers");
  await first.stop();
});

t.test("is taken over from a server that was killed, but nothing else is removed", async (t) => {
  const path = join(folder, "c.sock");
  const program = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", program]);
  t.ok(statSync(path).isSocket(), "what a killed server leaves behind");
  const socket = await start(path);
  await socket.stop();
  writeFileSync(path, "not a socket");
  await t.rejects(start(path), { reason: "ADDRESS_UNUSABLE", code: 9 });
  t.equal(statSync(path).size, 12);
  await t.rejects(start(join(folder, "x".repeat(120))), { reason: "ADDRESS_UNUSABLE", code: 9 });
});
