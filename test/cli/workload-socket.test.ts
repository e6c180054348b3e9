import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { command } from "../support/command.ts";
import { FakeWorkloadApi, x509Response } from "../support/fake-workload-api.ts";
import { TestAuthority } from "../support/test-authority.ts";

const COMMANDS = [
  ["api", "fetch", "x509"],
  ["api", "fetch", "jwt", "--audience", "ledger"],
  ["api", "validate", "--audience", "ledger", "--svid", "x.y.z"],
  ["agent", "healthcheck"],
  ["run", "--name", "planner", "--", "true"],
];

t.test("an agent that is not there: where it was looked for, and what to do", async (t) => {
  for (const words of COMMANDS) {
    const [before, after] = words[0] === "run" ? [words.slice(0, 3), words.slice(3)] : [words, []];
    const { code, err } = await command(...before, "--socket", "/nonexistent/agent.sock", ...after);
    t.equal(code, 1, words.join(" "));
    t.match(err, 'error: no agent answers at "/nonexistent/agent.sock" (DAEMON_UNREACHABLE)');
    t.match(err, /hint: start one with 'signet up' or 'signet agent run'/);
  }
});

t.test("a wrong address is misuse", async (t) => {
  for (const socket of ["agent.sock", "tcp://localhost:1", "http://x"]) {
    const { code, err } = await command("api", "fetch", "x509", "--socket", socket);
    t.equal(code, 2, socket);
    t.match(err, /^error: --socket: /);
  }
});

t.test("a socket that this user may not open", { skip: process.getuid?.() === 0 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "signet-"));
  const path = join(folder, "s.sock");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  chmodSync(path, 0);
  const { code, err } = await command("api", "fetch", "x509", "--socket", path);
  t.equal(code, 1);
  t.match(err, /this user may not open the socket/);
});

t.test("identities, as people and as programs read them", async (t) => {
  const north = await TestAuthority.create("north.test");
  const fake = await FakeWorkloadApi.start(t);
  fake.x509.set(await x509Response(north, ["/db"]));
  const socket = fake.endpoint.replace("unix://", "");
  const { code, out } = await command("api", "fetch", "x509", "-socketPath", socket);
  t.equal(code, 0);
  t.match(out, /^SPIFFE ID {2}spiffe:\/\/north.test\/db\nValid {6}\S+T[0-9:]+Z to \S+T[0-9:]+Z\n/);
  t.match(out, /\nChain {6}1 certificate\n/);
  const json = await command("api", "fetch", "x509", "--socket", socket, "--output", "json");
  t.match(JSON.parse(json.out), { svids: [{ spiffeId: "spiffe://north.test/db" }] });
});
