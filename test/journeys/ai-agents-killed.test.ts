// A server that is killed while AI agents are disabled and deleted: of each that it had begun to end,
// nothing is left once it is back, and of the others everything.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import { type Channel, createChannel } from "../../proto/rpc/client.ts";
import { RegistryService, RevocationService, SvidService } from "../../proto/schema.gen.ts";
import { Daemon } from "../crash/daemon.ts";
import { freePort } from "../support/listening.ts";
import { aiAgent } from "../support/test-registry.ts";
import { eventually } from "../support/trust-domain.ts";

const COUNT = 24;
const KILLS = 3;
const inADay = Math.floor(Date.now() / 1000) + 86_400;
const idOf = (n: number): string => `spiffe://north.test/agent/${n}`;

t.test("kill -9 between the decision and what follows from it", { timeout: 120_000 }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "signet-"));
  const config = join(dir, "server.yaml");
  const socket = join(dir, "server.sock");
  const listen = `listen: { address: 127.0.0.1, port: ${await freePort()} }`;
  writeFileSync(config, `trust_domain: north.test\ndata_dir: ${dir}\n${listen}\n`);
  const server = new Daemon(["server", "run", "--config", config]);
  t.teardown(async () => {
    await server.kill();
    rmSync(dir, { recursive: true, force: true });
  });
  await server.start(socket);
  const open = (): Channel => createChannel({ address: { unix: socket } });
  const first = open();
  for (let n = 0; n < COUNT; n++) {
    const spiffeId = idOf(n);
    await first.client(RegistryService).createAiAgent({
      aiAgent: aiAgent({ spiffeId, validUntil: inADay }),
    });
    const csr = createCsr(generateP256KeyPair(), { uris: [spiffeId] });
    await first.client(SvidService).mintX509SVID({ csr });
  }
  first.close();

  for (let round = 0; round < KILLS; round++) {
    const channel = open();
    const registry = channel.client(RegistryService);
    const calls = Array.from({ length: COUNT / KILLS }, (_, i) => {
      const spiffeId = idOf(round * (COUNT / KILLS) + i);
      if (i % 2 === 0) return registry.disableAiAgent({ spiffeId });
      return registry.deleteAiAgent({ spiffeId });
    });
    const ended = Promise.allSettled(calls);
    // The first has begun to end: it and the others are under way, each somewhere.
    const hasBegun = async (): Promise<boolean> => {
      const { aiAgents } = await registry.listAiAgents({});
      return aiAgents.filter((one) => !one.disabled).length < COUNT - (round * COUNT) / KILLS;
    };
    while (!(await hasBegun())) await sleep(1);
    await server.kill();
    await ended;
    channel.close();
    await server.start(socket);
  }

  const channel = open();
  t.teardown(() => channel.close());
  const registry = channel.client(RegistryService);
  await eventually(async () => {
    const { aiAgents } = await registry.listAiAgents({});
    const left = aiAgents.find((one) => one.disabledReason === "it is being deleted");
    if (left !== undefined) throw new Error(`${left.spiffeId} is still being deleted`);
    const { revocations } = await channel.client(RevocationService).listRevocations({});
    const revoked = new Set(
      revocations.filter(({ x509Svids }) => x509Svids > 0).map((one) => one.spiffeId?.path),
    );
    for (let n = 0; n < COUNT; n++) {
      const found = aiAgents.find(({ spiffeId }) => spiffeId === idOf(n));
      const hasEnded = found === undefined || found.disabled;
      if (hasEnded && !revoked.has(`/agent/${n}`)) throw new Error(`${n} has SVIDs that are good`);
      if (!hasEnded && revoked.has(`/agent/${n}`)) t.fail(`${n} goes on and was revoked`);
    }
  }, 30_000);
  const { aiAgents } = await registry.listAiAgents({});
  const disabled = aiAgents.filter((one) => one.disabled).length;
  t.ok(COUNT - aiAgents.length + disabled > 0, "some had begun to end");
  t.comment(`${COUNT - aiAgents.length} deleted, ${disabled} disabled`);
});
