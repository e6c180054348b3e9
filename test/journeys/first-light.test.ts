// One trust domain from its first minute on: a server, a node agent that attests, an entry, a workload
// that gets SVIDs and keeps them through restarts, a forced rotation, and the ban of the agent.

import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { Status } from "../../pki/errors.ts";
import { parseCertificates } from "../../pki/x509/certificate.ts";
import type { workload } from "../../proto/schema.gen.ts";
import { spiffeIdToWire } from "../../proto/types/spiffe-id.ts";
import { first, StreamReader } from "../support/test-agent.ts";
import { eventually, TestTrustDomain } from "../support/trust-domain.ts";

const rootsOf = (message: workload.X509SVIDResponse): number =>
  parseCertificates(message.svids[0]?.bundle ?? new Uint8Array()).length;

/** Whether the first SVID of a message is signed by one of the roots beside it. */
function isVerified(message: workload.X509SVIDResponse): boolean {
  const [svid] = message.svids;
  const leaf = new X509Certificate(svid?.x509Svid ?? new Uint8Array());
  return parseCertificates(svid?.bundle ?? new Uint8Array()).some((root) =>
    leaf.verify(new X509Certificate(root.der).publicKey),
  );
}

const issuerOf = (message: workload.X509SVIDResponse): string =>
  new X509Certificate(message.svids[0]?.x509Svid ?? new Uint8Array()).issuer;

t.test("a workload gets its identities, and hears of each change", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.start();
  const client = domain.workload();

  t.comment("1. without an entry it has no identity");
  await t.rejects(first(client.fetchX509SVID({})), {
    code: Status.permissionDenied,
    message: "no identity issued",
  });

  t.comment("2. an entry brings one, without any poll");
  const entry = await domain.createEntry({ path: "/db" });
  const message = await eventually(() => first(client.fetchX509SVID({})));
  t.equal(message.svids[0]?.spiffeId, "spiffe://north.test/db");
  t.ok(isVerified(message));

  t.comment("3. a second entry reaches the waiting stream");
  const stream = new StreamReader(client.fetchX509SVID({}));
  await stream.next();
  const start = performance.now();
  await domain.createEntry({ path: "/cache" });
  t.equal((await stream.next()).svids.length, 2);
  t.ok(performance.now() - start < 1000, "at once");

  t.comment("4. tokens are issued and validated");
  const { svids } = await client.fetchJWTSVID({ audience: ["ledger"] });
  t.equal(svids.length, 2);
  const checked = await client.validateJWTSVID({ audience: "ledger", svid: svids[0]?.svid ?? "" });
  t.equal(checked.spiffeId, svids[0]?.spiffeId);

  t.comment("5. a deleted entry is withdrawn, the last one ends the stream");
  await domain.deleteEntry(entry.id);
  t.equal((await stream.next()).svids.length, 1);
  const { entries } = await domain.entries.listEntries({ pageSize: 10 });
  for (const left of entries) await domain.deleteEntry(left.id);
  await t.rejects(stream.next(), { code: Status.permissionDenied });
});

t.test("an agent that restarts needs no new token", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.start();
  await domain.createEntry({ path: "/db" });
  const id = await domain.agentId();
  await domain.agent?.stop();

  const agent = await domain.startAgent({ joinToken: undefined });
  await agent.ready;
  t.equal(await domain.agentId(), id);
  const message = await eventually(() => first(domain.workload().fetchX509SVID({})));
  t.equal(message.svids.length, 1);
});

t.test("what an agent holds is served while the server is away", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.start();
  await domain.createEntry({ path: "/db" });
  const client = domain.workload();
  const before = await eventually(() => first(client.fetchX509SVID({})));
  const { svids } = await client.fetchJWTSVID({ audience: ["held"] });
  const stream = new StreamReader(client.fetchX509SVID({}));
  await stream.next();
  await domain.server?.stop();

  t.same((await first(client.fetchX509SVID({}))).svids, before.svids, "the SVID that is held");
  t.equal(
    (await client.fetchJWTSVID({ audience: ["held"] })).svids[0]?.svid,
    svids[0]?.svid,
    "the token that is held",
  );
  await t.rejects(client.fetchJWTSVID({ audience: ["new"] }), { code: Status.unavailable });
  t.ok(await stream.isQuiet(), "the stream stays open");

  await domain.startServer();
  await domain.createEntry({ path: "/late" });
  t.equal((await stream.next()).svids.length, 2, "the link came back by itself");
  await eventually(() => client.fetchJWTSVID({ audience: ["new"] }));
  await stream.close();
});

t.test("an agent that starts while the server is away says so, and waits", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.start();
  await domain.createEntry({ path: "/db" });
  await domain.agent?.stop();
  await domain.server?.stop();

  const agent = await domain.startAgent({ joinToken: undefined });
  const client = domain.workload();
  await t.rejects(first(client.fetchX509SVID({})), { code: Status.unavailable });
  await domain.startServer();
  await agent.ready;
  t.equal((await first(client.fetchX509SVID({}))).svids.length, 1);
});

t.test("a forced rotation replaces every SVID without a gap", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.start();
  await domain.createEntry({ path: "/db" });
  const client = domain.workload();
  const stream = new StreamReader(client.fetchX509SVID({}));
  const old = await eventually(() => stream.next().catch(() => first(client.fetchX509SVID({}))));
  const reader = new StreamReader(client.fetchX509SVID({}));
  await reader.next();
  const authorities = domain.authorities;

  t.comment("1. the prepared authority reaches workloads before it signs");
  const prepared = await authorities.prepareX509Authority({});
  const published = await reader.next();
  t.equal(rootsOf(published), 2);
  t.equal(issuerOf(published), issuerOf(old));

  t.comment("2. activated, and the old one tainted: every SVID is replaced");
  await eventually(() =>
    authorities.activateX509Authority({
      authorityId: prepared.preparedAuthority?.authorityId ?? "",
    }),
  );
  const state = await authorities.getX509AuthorityState({});
  await authorities.taintX509Authority({ authorityId: state.old?.authorityId ?? "" });
  const replaced = await reader.next();
  t.not(issuerOf(replaced), issuerOf(old));
  t.ok(isVerified(replaced));
  t.equal(rootsOf(replaced), 2, "the old root still verifies what peers hold");

  t.comment("3. revoked: the old root leaves the bundle, the agent's own link stays up");
  await eventually(async () => {
    const { agents } = await domain.agents.listAgents({ pageSize: 10 });
    t.ok(agents.length === 1);
  });
  await authorities.revokeX509Authority({ authorityId: state.old?.authorityId ?? "" });
  const last = await reader.next();
  t.equal(rootsOf(last), 1);
  t.ok(isVerified(last));
  await domain.createEntry({ path: "/after" });
  t.equal((await reader.next()).svids.length, 2);
  await reader.close();
});

t.test("the agent renews its own SVID and moves over without dropping a stream", async (t) => {
  const domain = new TestTrustDomain(t, { server: { agent_ttl: "4s" } });
  await domain.start();
  await domain.createEntry({ path: "/db" });
  const client = domain.workload();
  const stream = new StreamReader(await openStream(client));
  await stream.next();
  const serial = async (): Promise<string> =>
    (await domain.agents.listAgents({ pageSize: 10 })).agents[0]?.x509svidSerialNumber ?? "";
  const before = await serial();
  await eventually(async () => {
    if ((await serial()) === before) throw new Error("not renewed yet");
  });
  await domain.createEntry({ path: "/more" });
  t.equal((await stream.next()).svids.length, 2, "the same stream goes on");
  await stream.close();
});

async function openStream(
  client: ReturnType<TestTrustDomain["workload"]>,
): Promise<AsyncIterable<workload.X509SVIDResponse>> {
  await eventually(() => first(client.fetchX509SVID({})));
  return client.fetchX509SVID({});
}

t.test("a banned agent loses its link at once, forgets its identity and stops", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.start();
  await domain.createEntry({ path: "/db" });
  await eventually(() => first(domain.workload().fetchX509SVID({})));
  const stored = join(domain.folder, "agent", "keys", "identity.sealed");
  t.ok(existsSync(stored));
  const failed = domain.agent?.failed.catch((error: unknown) => error);
  await domain.agents.banAgent({ id: spiffeIdToWire(await domain.agentId()) });
  t.match(await failed, { reason: "AGENT_WAS_BANNED" });
  t.notOk(existsSync(stored));
});

t.test("a token that was used, or never made, is refused with a hint", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.startServer();
  const used = await domain.joinToken();
  await (await domain.startAgent({ joinToken: used })).ready;
  await domain.agent?.stop();
  for (const joinToken of [used, "made-up"]) {
    const other = new TestTrustDomain(t, {
      agent: {
        server: { address: "127.0.0.1", port: domain.server?.address.port ?? 0 },
      },
    });
    const agent = await other.startAgent({ joinToken });
    const error = await agent.ready.catch((refused: unknown) => refused);
    t.match(error, { reason: "ATTESTATION_REFUSED", hint: /token/ });
  }
});

t.test("an agent without token and identity says what it needs", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.startServer();
  const agent = await domain.startAgent({ joinToken: undefined });
  const error = await agent.failed.catch((missing: unknown) => missing);
  t.match(error, { reason: "JOIN_TOKEN_MISSING", hint: /token generate/ });
});
