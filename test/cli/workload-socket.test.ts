import t from "tap";
import { explain } from "../../cli/admin-channel.ts";
import { AGENT_ABSENT } from "../../cli/workload-socket.ts";
import { IdentityError, Status } from "../../pki/errors.ts";
import { command } from "../support/command.ts";
import { FakeWorkloadApi, x509Response } from "../support/fake-workload-api.ts";
import { TestAuthority } from "../support/test-authority.ts";

const COMMANDS = [
  ["api", "fetch", "x509"],
  ["api", "fetch", "jwt", "--audience", "ledger"],
  ["api", "fetch", "wit"],
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

t.test("a socket that this user may not open", async (t) => {
  const message = "cannot connect: connect EACCES /run/x.sock";
  const error = new IdentityError("CONNECTION_UNAVAILABLE", Status.unavailable, message);
  t.match(explain(error, { unix: "/run/x.sock" }, AGENT_ABSENT), {
    reason: "DAEMON_UNREACHABLE",
    message: 'this user may not open the socket "/run/x.sock"',
  });
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
