// AI agents at a whole server: what a node agent gets for their entries, and what a plain one gets.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import {
  EntryService,
  RegistryService,
  RevocationService,
  SvidService,
} from "../../../proto/schema.gen.ts";
import { spiffeIdToWire } from "../../../proto/types/spiffe-id.ts";
import { TestServer, type TestServerOptions } from "../../support/running-server.ts";
import { aiAgent, entryOf, RESEARCHER, refused } from "../../support/test-registry.ts";
import { eventually } from "../../support/trust-domain.ts";

const inHours = (hours: number): number => Math.floor(Date.now() / 1000) + hours * 3600;

async function site(t: Test, options: TestServerOptions = {}) {
  const server = await TestServer.start(options);
  t.teardown(() => server.stop());
  const agent = await server.attest();
  const parentId = spiffeIdToWire(agent.id);
  const channel = await server.channel(agent.svid);
  const svids = channel.client(SvidService);
  const registry = server.admin.client(RegistryService);
  const create = async (path: string): Promise<string> => {
    const entries = [entryOf(path, { parentId })];
    const { results } = await server.admin.client(EntryService).batchCreateEntry({ entries });
    return results[0]?.entry?.id ?? "";
  };
  const issue = async (entryId: string) => {
    const csr = createCsr(generateP256KeyPair());
    return (await svids.batchNewX509SVID({ params: [{ entryId, csr }] })).results[0];
  };
  return { server, svids, registry, create, issue };
}

t.test(
  "a disabled AI agent has nothing that is good, and a plain entry notices nothing",
  async (t) => {
    const { server, svids, registry, create, issue } = await site(t);
    const [entryId, plain] = [await create("/agent/researcher"), await create("/web")];
    await registry.createAiAgent({ aiAgent: aiAgent({ validUntil: inHours(1) }) });
    t.match(await issue(entryId), { status: { code: 0 } });
    const jwt = { audience: ["bank"], entryId };
    await svids.newJWTSVID(jwt);

    await registry.disableAiAgent({ spiffeId: RESEARCHER, reason: "misbehaves" });
    t.match(await issue(entryId), { status: { code: 7, message: /is disabled: misbehaves/ } });
    await t.rejects(svids.newJWTSVID(jwt), refused("AI_AGENT_DISABLED"));
    t.match(await issue(plain), { status: { code: 0 } });
    const { revocations } = await server.admin.client(RevocationService).listRevocations({});
    t.match(revocations, [
      { spiffeId: { path: "/agent/researcher" }, x509Svids: 1, hold: undefined },
    ]);

    await registry.enableAiAgent({ spiffeId: RESEARCHER });
    t.match(await issue(entryId), { status: { code: 0 } });
    const soon = () => svids.newJWTSVID(jwt);
    t.ok(await eventually(soon, 5000), "a token, once it is not from the second that is revoked");
  },
);

t.test("the time that is over while the server is down is over when it is back", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "signet-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const before = await site(t, { dir });
  const entryId = await before.create("/agent/researcher");
  const ends = Math.floor(Date.now() / 1000) + 2;
  await before.registry.createAiAgent({ aiAgent: aiAgent({ validUntil: ends }) });
  const { status } = (await before.issue(entryId)) ?? {};
  t.equal(status?.code, 0);
  await before.server.stop();
  await new Promise((done) => setTimeout(done, ends * 1000 - Date.now()));
  const server = await TestServer.start({ dir });
  t.teardown(() => server.stop());
  await eventually(async () => {
    const { revocations } = await server.admin.client(RevocationService).listRevocations({});
    if (revocations.length === 0) throw new Error("not yet");
    t.match(revocations, [{ revokedBy: "server", x509Svids: 1 }]);
  });
  const { aiAgent: over } = await server.admin
    .client(RegistryService)
    .getAiAgent({ spiffeId: RESEARCHER });
  t.match(over, { disabled: true, disabledReason: "its time is over" });
});
