import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { findTrustDomain } from "../../cli/up-trust-domain.ts";
import { parseJwtSvidInsecurely } from "../../pki/jwt/svid.ts";
import { command } from "../support/command.ts";
import { signet, startUp } from "../support/signet.ts";

t.test("two folders get two trust domains, a folder keeps its own", async (t) => {
  const [a, b] = [t.testdir(), mkdtempSync(join(tmpdir(), "signet-"))];
  t.teardown(() => rmSync(b, { recursive: true }));
  const first = await findTrustDomain(a, undefined);
  t.match(first, /^dev-[0-9a-f]{16}\.internal$/);
  t.equal(await findTrustDomain(a, undefined), first);
  t.not(await findTrustDomain(b, undefined), first);
  await t.rejects(findTrustDomain(a, "other.test"), { message: /holds the trust domain dev-/ });
  t.equal(await findTrustDomain(a, first), first);
  await t.rejects(findTrustDomain(a, "Not A Domain"), { message: /--trust-domain/ });
});

t.test("up turns a standard on that may still change, for server and agent", async (t) => {
  const up = await startUp("north.test", ["--feature-flag", "wit-svid"]);
  t.teardown(() => up.stop());
  const id = ["--spiffe-id", "spiffe://north.test/me"];
  const selector = `unix:uid:${process.getuid?.() ?? 0}`;
  const node = ["--parent-id", "spiffe://north.test/node", "--selector", selector];
  await up.admin("entry", "create", ...id, ...node);
  const fetched = await command("api", "fetch", "wit", "--socket", up.agentSocket);
  t.match(fetched.out, /SPIFFE ID +spiffe:\/\/north.test\/me\n.*Proof by/s);
  const wrong = await command("up", "--dir", t.testdir(), "--feature-flag", "wit");
  t.match(wrong, { code: 2, err: /--feature-flag: "wit" is not one of wit-svid/ });
});

t.test("up issues access tokens where it is told to", async (t) => {
  const port = await freePort();
  const up = await startUp("north.test", ["--oauth-port", String(port)]);
  t.teardown(() => up.stop());
  const issuer = `http://127.0.0.1:${port}`;
  const metadata = await fetch(`${issuer}/.well-known/oauth-authorization-server`);
  t.match(await metadata.json(), { issuer, token_endpoint: `${issuer}/token` });
  for (const wrong of ["0", "65536", "http", "-1", ""]) {
    const refused = await command("up", "--dir", t.testdir(), "--oauth-port", wrong);
    t.match(refused, { code: 2, err: /--oauth-port: .*is no port/ }, wrong);
  }
});

t.test("up serves an ordinary user from its folder, and resumes there", async (t) => {
  const up = await startUp("north.test");
  t.teardown(() => up.stop());
  const uid = process.getuid?.() ?? 0;
  const env = { ...process.env, SPIFFE_ENDPOINT_SOCKET: `unix://${up.agentSocket}` };
  const node = "spiffe://north.test/node";

  t.comment("1. who may read what");
  t.equal(statSync(up.dir).mode & 0o777, 0o711);
  t.equal(statSync(up.adminSocket).mode & 0o777, 0o600);
  t.equal(statSync(up.agentSocket).mode & 0o777, 0o777);
  t.ok(readFileSync(join(up.dir, "up.log"), "utf8").includes('"msg":"server ready"'));

  t.comment("2. nothing is issued without an entry");
  const before = await signet(["api", "fetch", "x509", "--timeout", "2s"], { env });
  t.equal(before.status, 1);
  t.match(before.stderr, /no identity issued/);

  t.comment("3. an entry for this user, one for a launched process");
  const entry = ["entry", "create", "--parent-id", node, "--selector", `unix:uid:${uid}`];
  await up.admin(...entry, "--spiffe-id", "spiffe://north.test/me", "--jwt-svid-include-jti");
  const planner = [
    "--spiffe-id",
    "spiffe://north.test/planner",
    "--selector",
    "launch:name:planner",
  ];
  await up.admin(...entry, ...planner);

  t.comment("4. files that other tools read");
  const folder = join(up.dir, "files");
  const fetched = await signet(["api", "fetch", "x509", "--write", folder], { env });
  t.equal(fetched.status, 0, fetched.stderr);
  t.match(fetched.stdout, /SPIFFE ID +spiffe:\/\/north.test\/me\n/);
  t.notMatch(fetched.stdout, /planner/);
  t.equal(statSync(join(folder, "svid.0.key")).mode & 0o777, 0o600);
  t.match(readFileSync(join(folder, "svid.0.pem"), "utf8"), /^-----BEGIN CERTIFICATE-----/);
  t.ok(existsSync(join(folder, "bundle.0.pem")));

  t.comment("5. a token, and its validation");
  const socket = ["--socket", up.agentSocket, "--output", "json"];
  const token = await command("api", "fetch", "jwt", "--audience", "tools", ...socket);
  const { svids } = JSON.parse(token.out) as { svids: { svid: string }[] };
  const svid = svids[0]?.svid ?? "";
  const { jti } = parseJwtSvidInsecurely(svid).claims;
  t.match(svids, [{ jti: String(jti) }], "what it can be revoked by");
  const table = await command("api", "fetch", "jwt", "--audience", "tools", ...socket.slice(0, 2));
  t.match(table.out, /\njti {8}[0-9a-f-]{36}\n/);
  const valid = await command("api", "validate", "--svid", svid, "--audience", "tools", ...socket);
  t.equal(JSON.parse(valid.out).spiffeId, "spiffe://north.test/me");
  const other = await command("api", "validate", "--svid", svid, "--audience", "x", ...socket);
  t.equal(other.code, 1);

  t.comment("6. a launched process has its name, and the command its exit code");
  const cli = join(import.meta.dirname, "../../cli/index.ts");
  const run = ["run", "--name", "planner", "--"];
  const launched = await signet([...run, process.execPath, cli, "api", "fetch", "x509"], { env });
  t.equal(launched.status, 0, launched.stderr);
  t.match(launched.stdout, /spiffe:\/\/north.test\/planner/);
  t.equal((await signet([...run, "sh", "-c", "exit 7"], { env })).status, 7);
  t.equal((await signet([...run, "sh", "-c", "kill -TERM $$"], { env })).status, 143);
  t.equal((await signet(["run", "--name", "No!", "--", "true"], { env })).status, 1);

  t.comment("7. a signal to the launcher reaches what it launched, once");
  const trap = 'trap "echo stopped; exit 9" TERM; echo on; while :; do sleep 0.05; done';
  const launcher = spawn(process.execPath, [cli, ...run, "sh", "-c", trap], { env });
  let heard = "";
  for await (const chunk of launcher.stdout) {
    if (heard === "") launcher.kill("SIGTERM");
    heard += chunk;
  }
  t.equal(heard, "on\nstopped\n");
  t.equal(launcher.exitCode ?? (await once(launcher, "exit"))[0], 9);

  t.comment("8. a signal stops it gracefully; another up on the folder resumes");
  up.child.kill("SIGINT");
  const [code] = await once(up.child, "exit");
  t.equal(code, 0);
  t.notOk(existsSync(up.adminSocket));
  const again = spawn(process.execPath, [cli, "up", "--dir", up.dir, "--output", "json"]);
  t.teardown(() => again.kill("SIGKILL"));
  let said = "";
  for await (const chunk of again.stdout) {
    said += chunk;
    if (said.endsWith("}\n")) break;
  }
  t.match(JSON.parse(said), { trustDomain: "north.test", parentId: node });
  const count = await command("entry", "count", "--admin-socket", up.adminSocket);
  t.equal(count.out, "3 entries\n", "two of ours, and the alias of the node");
  const resumed = await command("api", "fetch", "x509", "--socket", up.agentSocket);
  t.match(resumed, { code: 0, out: /spiffe:\/\/north.test\/me/ });
  again.kill("SIGTERM");
  t.equal((await once(again, "exit"))[0], 0);
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}
