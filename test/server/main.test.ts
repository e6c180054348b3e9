// A whole server: what is there after a restart, what it tells operators, how it starts and stops.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import {
  AgentService,
  BundleService,
  DebugService,
  EntryService,
  HealthService,
  LinkService,
  LocalAuthorityService,
  LoggerService,
  LogLevel,
  SvidService,
} from "../../proto/schema.gen.ts";
import { createLogger } from "../../runtime/log.ts";
import { TestClock } from "../support/clock.ts";
import { agentOf, TestServer } from "../support/running-server.ts";

/** A folder for servers that come and go. */
function folder(t: { teardown(fn: () => unknown): void }): string {
  const dir = mkdtempSync(join(tmpdir(), "signet-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const wire = (path: string): { trustDomain: string; path: string } => ({
  trustDomain: "north.test",
  path,
});

t.test("keeps everything over a restart", async (t) => {
  const dir = folder(t);
  const before = await TestServer.start({ dir });
  const [unspent, spent] = [await before.token(), await before.token()];
  const agent = await before.attest(spent);
  const bannedAgent = await before.attest();
  await before.admin.client(AgentService).banAgent({ id: wire(bannedAgent.svid.id.path) });
  const keyPair = generateP256KeyPair();
  const channel = await before.channel(agent.svid);
  const { svid } = await channel
    .client(AgentService)
    .renewAgent({ params: { csr: createCsr(keyPair) } });
  const { results } = await before.admin.client(EntryService).batchCreateEntry({
    entries: [
      {
        spiffeId: wire("/web"),
        parentId: wire(agent.svid.id.path),
        selectors: [{ type: "unix", value: "uid:1" }],
      },
    ],
  });
  const entryId = results[0]?.entry?.id ?? "";
  const bundle = await before.admin.client(BundleService).getBundle({});
  await before.stop();

  const after = await TestServer.start({ dir });
  t.teardown(() => after.stop());
  t.same(await after.admin.client(BundleService).getBundle({}), bundle, "the same authorities");
  await after.attest(unspent);
  await t.rejects(after.attest(spent), { reason: "JOIN_TOKEN_UNKNOWN", code: 3 });
  const old = await after.channel(agent.svid);
  const csr = createCsr(generateP256KeyPair());
  const issued = await old.client(SvidService).batchNewX509SVID({ params: [{ entryId, csr }] });
  t.equal(issued.results[0]?.status?.code, 0, "the agent serves its entry on its SVID of before");
  const renewed = await after.channel(agentOf(svid, keyPair).svid);
  await renewed.client(AgentService).postStatus({ agentVersion: "2" });
  t.pass("a renewal of before is good");
  const out = await after.channel(bannedAgent.svid);
  await t.rejects(out.client(AgentService).postStatus({ agentVersion: "2" }), {
    reason: "AGENT_BANNED",
    code: 7,
  });
});

t.test(
  "keeps what is private in folders of its own, and the way to the sockets open",
  async (t) => {
    const dir = folder(t);
    const server = await TestServer.start({ dir });
    const modes = [".", "store", "keys", "keys/sealing.key", "server.sock"].map(
      (name) => statSync(join(dir, name)).mode & 0o777,
    );
    t.same(modes, [0o711, 0o700, 0o700, 0o600, 0o600]);
    await t.rejects(TestServer.start({ dir }), { reason: "STORE_LOCKED", code: 9 });
    await server.stop();
    const again = await TestServer.start({ dir });
    await again.stop();
    t.pass("a failed start left the folder free");
  },
);

t.test("leaves nothing behind when it cannot start", async (t) => {
  const dir = folder(t);
  const first = await TestServer.start();
  t.teardown(() => first.stop());
  const { port } = first.running.address;
  const listen = `{ address: 127.0.0.1, port: ${port} }`;
  await t.rejects(TestServer.start({ dir, listen }), { reason: "ADDRESS_UNUSABLE", code: 9 });
  const second = await TestServer.start({ dir });
  await second.stop();
  t.pass("store and folder are free again");
});

t.test("writes one audit line for each change, and none for reading", async (t) => {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({
    level: "error",
    destination: { write: (line) => lines.push(JSON.parse(line)) },
  });
  const server = await TestServer.start({ log });
  t.teardown(() => server.stop());
  const agents = server.admin.client(AgentService);
  const entries = server.admin.client(EntryService);
  const agent = await server.attest();
  const id = wire(agent.svid.id.path);
  await agents.listAgents({});
  const entry = {
    id: "one",
    spiffeId: wire("/web"),
    parentId: id,
    selectors: [{ type: "unix", value: "uid:1" }],
  };
  await entries.batchCreateEntry({ entries: [entry] });
  await entries.batchCreateEntry({ entries: [entry] });
  await entries.batchDeleteEntry({ ids: ["one", "two"] });
  await agents.banAgent({ id });
  await agents.banAgent({ id: wire("/spire/agent/none") }).catch(() => undefined);
  const anonymous = await server.channel();
  await anonymous
    .client(AgentService)
    .banAgent({ id })
    .catch(() => undefined);
  const audit = lines.filter((line) => line["audit"] === true);
  const method = (line: Record<string, unknown>): string =>
    String(line["method"]).split("/")[2] ?? "";
  t.same(
    audit.map((line) => [method(line), line["object"], line["outcome"]]),
    [
      ["CreateJoinToken", "join token", "ok"],
      ["AttestAgent", agent.id, "ok"],
      ["BatchCreateEntry", "one", "ok"],
      ["BatchCreateEntry", "one", "1 of 1 failed"],
      ["BatchDeleteEntry", "2 items", "1 of 2 failed"],
      ["BanAgent", agent.id, "ok"],
      ["BanAgent", "spiffe://north.test/spire/agent/none", "AGENT_NOT_FOUND"],
      ["BanAgent", "unknown", "CALLER_NOT_AUTHORIZED"], // refused before it was read
    ],
  );
  t.equal(audit[0]?.["who"], "local");
  t.match(audit.at(-1)?.["who"], /^anonymous at 127\.0\.0\.1$/);
  const [, attested] = audit;
  t.notMatch(
    JSON.stringify(audit[0]),
    agent.svid.id.path.split("/").at(-1),
    "no token before its use",
  );
  t.ok(attested);
});

t.test(
  "answers for its health, level and figures on the admin socket, and nowhere else",
  async (t) => {
    const server = await TestServer.start({ config: "health: { port: 0 }" });
    t.teardown(() => server.stop());
    const { admin } = server;
    const health = admin.client(HealthService).watch({ service: "" });
    for await (const { status } of health) if (status === 1) break;
    t.pass("serving");
    const logger = admin.client(LoggerService);
    const launch = await logger.getLogger({});
    t.same(await logger.setLogLevel({ newLevel: LogLevel.DEBUG }), {
      ...launch,
      currentLevel: LogLevel.DEBUG,
    });
    await t.rejects(logger.setLogLevel({ newLevel: 99 }), { reason: "LOG_LEVEL_INVALID", code: 3 });
    t.same(await logger.resetLogLevel({}), launch);
    await server.attest();
    const info = await admin.client(DebugService).getInfo({});
    t.match(info, { agentsCount: 1, entriesCount: 0, federatedBundlesCount: 0 });
    t.same(info.svidChain[0]?.id, wire("/spire/server"));

    const remote = await server.channel();
    await t.rejects(remote.client(LoggerService).getLogger({}), { code: 12, message: /./ });
    await t.rejects(remote.client(HealthService).check({}), { code: 12, message: /./ });

    const probes = server.running.healthAddress;
    const get = async (path: string): Promise<string> =>
      (await fetch(`http://127.0.0.1:${probes?.port}${path}`)).text();
    t.match(JSON.parse(await get("/ready")), { ready: true });
    const metrics = await get("/metrics");
    t.match(metrics, /signet_server_agents 1/);
    t.match(
      metrics,
      /signet_server_calls_total\{method="\/spire\.api\.server\.agent\.v1\.Agent\/AttestAgent",status="ok"\} 1/,
    );
    t.match(metrics, /signet_server_issued_svids_total\{kind="x509"\} 1/);
  },
);

t.test("makes callers of one address wait their turn to attest", async (t) => {
  const server = await TestServer.start({ rateLimit: true });
  t.teardown(() => server.stop());
  const tokens = [await server.token(), await server.token()];
  const begun = performance.now();
  await Promise.all(tokens.map((token) => server.attest(token)));
  t.ok(performance.now() - begun > 950, "the second one waited for its second");
});

t.test("renews its own SVID at half life, and when its authority is tainted", async (t) => {
  const clock = new TestClock(new Date());
  const server = await TestServer.start({ clock, config: "default_x509_svid_ttl: 10m" });
  t.teardown(() => server.stop());
  const serial = async (): Promise<string | undefined> => {
    const socket = await server.secure(undefined);
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  };
  const first = await serial();
  await clock.advance(4 * 60_000);
  t.equal(await serial(), first);
  await clock.advance(2 * 60_000);
  const second = await serial();
  t.not(second, first);
  const authorities = server.admin.client(LocalAuthorityService);
  const { preparedAuthority } = await authorities.prepareX509Authority({});
  await authorities.activateX509Authority({ authorityId: preparedAuthority?.authorityId ?? "" });
  const { old } = await authorities.getX509AuthorityState({});
  t.equal(await serial(), second);
  await authorities.taintX509Authority({ authorityId: old?.authorityId ?? "" });
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.not(await serial(), second);
});

t.test("ends open streams and serves no more when it stops", async (t) => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  const agent = await server.attest();
  const link = (await server.channel(agent.svid)).client(LinkService).watch();
  await link.send({ hello: { version: 1, agentVersion: "test" } });
  await link.responses.next();
  const end = (async () => {
    for await (const _ of link.responses);
  })();
  const begun = performance.now();
  await Promise.all([server.running.stop(), t.rejects(end, { code: 14, message: /stopping/ })]);
  t.ok(performance.now() - begun < 2000, "nothing is waited for in vain");
  await t.rejects(server.dial(), { code: "ECONNREFUSED" });
});
