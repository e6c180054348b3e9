// The agent as a whole, against a real server: what it trusts at first, what it says of its health, and
// that nothing is left behind when it cannot start.

import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { start } from "../../agent/main.ts";
import { formatBundle } from "../../pki/bundle/format.ts";
import { Status } from "../../pki/errors.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import { createChannel } from "../../proto/rpc/client.ts";
import { BundleService, HealthService, LaunchService } from "../../proto/schema.gen.ts";
import { bundleFromWire } from "../../proto/types/bundle.ts";
import { createLogger, silentLogger } from "../../runtime/log.ts";
import { first } from "../support/test-agent.ts";
import { TestAuthority } from "../support/test-authority.ts";
import { eventually, TestTrustDomain } from "../support/trust-domain.ts";

/** The trust domain's bundle as an operator writes it to a file. */
async function bundleFile(domain: TestTrustDomain): Promise<string> {
  const admin = createChannel({ address: { unix: domain.server?.adminSocket ?? "" } });
  const bundle = bundleFromWire(await admin.client(BundleService).getBundle({}));
  admin.close();
  const path = join(domain.folder, "bundle.json");
  writeFileSync(path, formatBundle(bundle));
  return path;
}

t.test("with a bundle file the first contact is verified", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.startServer();
  const config = {
    ...domain.agentConfig,
    bootstrap: { kind: "file" as const, path: await bundleFile(domain) },
  };
  const lines: string[] = [];
  const log = createLogger({ destination: { write: (line) => lines.push(line) } });
  const agent = await start(config, { log, joinToken: await domain.joinToken() });
  t.teardown(() => agent.stop());
  await agent.ready;
  t.notMatch(lines.join(""), /INSECURE/);
});

t.test("a server that the bundle file does not vouch for is not talked to", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.startServer();
  const stranger = await TestAuthority.create();
  const path = join(domain.folder, "bundle.json");
  const trustDomain = TrustDomain.parse("north.test");
  writeFileSync(
    path,
    formatBundle({
      trustDomain,
      x509Authorities: [{ der: stranger.root.der, tainted: false }],
      jwtAuthorities: [],
      witAuthorities: [],
      sequence: 1n,
      refreshHintSeconds: 300,
    }),
  );
  const lines: string[] = [];
  const log = createLogger({ destination: { write: (line) => lines.push(line) } });
  const config = { ...domain.agentConfig, bootstrap: { kind: "file" as const, path } };
  const joinToken = await domain.joinToken();
  const agent = await start(config, { log, joinToken });
  await eventually(() => {
    if (!lines.join("").includes("SVID_UNTRUSTED")) throw new Error("not tried yet");
  });
  t.equal((await domain.agents.countAgents({})).count, 0, "the token was not shown to it");
  await agent.stop();
  t.notMatch(lines.join(""), joinToken);
});

t.test("without bundle and without insecure_bootstrap nothing is trusted", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.startServer();
  const config = { ...domain.agentConfig, bootstrap: { kind: "none" as const } };
  const agent = await start(config, { log: silentLogger, joinToken: await domain.joinToken() });
  t.teardown(() => agent.stop());
  const error = await agent.failed.catch((failure: unknown) => failure);
  t.match(error, { reason: "BOOTSTRAP_BUNDLE_INVALID", hint: /bundle show/ });
});

t.test(
  "health: live at once, ready after the server's first word, figures for Prometheus",
  async (t) => {
    const domain = new TestTrustDomain(t, { agent: { health: { port: 0 } } });
    await domain.startServer();
    const joinToken = await domain.joinToken();
    await domain.server?.stop();
    const agent = await domain.startAgent({ joinToken });
    const url = `http://127.0.0.1:${agent.healthAddress?.port}`;
    t.equal((await fetch(`${url}/live`)).status, 200);
    t.equal((await fetch(`${url}/ready`)).status, 503);
    const admin = createChannel({ address: { unix: agent.adminSocket } });
    t.teardown(() => admin.close());
    t.equal((await admin.client(HealthService).check({ service: "" })).status, 2, "NOT_SERVING");

    await domain.startServer();
    await agent.ready;
    t.equal((await fetch(`${url}/ready`)).status, 200);
    t.equal((await admin.client(HealthService).check({ service: "" })).status, 1, "SERVING");
    t.equal(statSync(agent.adminSocket).mode & 0o777, 0o600, "for the agent's user alone");
    const text = await (await fetch(`${url}/metrics`)).text();
    t.match(text, /^signet_agent_linked 1$/m);
    t.match(text, /^signet_agent_entries 0$/m);
  },
);

t.test("a second agent on the same socket does not start, and the first goes on", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.start();
  await domain.createEntry({ path: "/db" });
  await eventually(() => first(domain.workload().fetchX509SVID({})));
  const second = { ...domain.agentConfig, dataDir: join(domain.folder, "second") };
  await t.rejects(
    start({ ...second, adminSocket: join(domain.folder, "b.sock") }, { log: silentLogger }),
    {
      code: Status.failedPrecondition,
      reason: "SOCKET_IN_USE",
    },
  );
  t.equal((await first(domain.workload().fetchX509SVID({}))).svids.length, 1);
});

t.test("launching needs the security header too", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.start();
  const plain = createChannel({ address: { unix: join(domain.folder, "agent.sock") } });
  t.teardown(() => plain.close());
  const refused = plain.client(LaunchService).open();
  await t.rejects(first(refused.responses), { code: Status.invalidArgument });
  const call = plain.client(LaunchService).open({ metadata: { "workload.spiffe.io": "true" } });
  await call.send({ start: { name: "bot" } });
  const ready = await first(call.responses);
  t.match(ready.ready?.socketPath, /\.launch\//);
});

t.test("streams end with UNAVAILABLE when the agent stops", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.start();
  await domain.createEntry({ path: "/db" });
  const client = domain.workload();
  await eventually(() => first(client.fetchX509SVID({})));
  const stream = client.fetchX509SVID({})[Symbol.asyncIterator]();
  await stream.next();
  const end = t.rejects(stream.next(), { code: Status.unavailable });
  await domain.agent?.stop();
  await end;
});
