// When connections of an agent end: with a ban at once, after a renewal once calls have had time.
import t from "tap";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import { AgentService } from "../../../proto/schema.gen.ts";
import { settle, TestClock } from "../../support/clock.ts";
import { agentOf, type TestAgent, TestServer } from "../../support/running-server.ts";

/** A connection, and whether the server has closed it. */
async function watched(server: TestServer, agent: TestAgent): Promise<{ isOpen: () => boolean }> {
  const socket = await server.secure(agent.svid);
  socket.on("error", () => undefined).resume();
  let open = true;
  socket.once("close", () => {
    open = false;
  });
  return { isOpen: () => open };
}

async function renewed(server: TestServer, agent: TestAgent): Promise<TestAgent> {
  const keyPair = generateP256KeyPair();
  const channel = await server.channel(agent.svid);
  const params = { csr: createCsr(keyPair) };
  const { svid } = await channel.client(AgentService).renewAgent({ params });
  channel.close();
  return agentOf(svid, keyPair);
}

async function use(server: TestServer, agent: TestAgent): Promise<void> {
  const channel = await server.channel(agent.svid);
  await channel.client(AgentService).postStatus({ agentVersion: "test" });
  channel.close();
}

/** Lets the sockets of this process catch up with the server's. */
const arrive = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

t.test("ends the connections of a certificate that was replaced, after a while", async (t) => {
  const clock = new TestClock(new Date());
  const server = await TestServer.start({ clock });
  t.teardown(() => server.stop());
  const first = await server.attest();
  const other = await watched(server, await server.attest());
  const old = await watched(server, first);
  const second = await renewed(server, first);
  const current = await watched(server, second);
  await clock.advance(10_000);
  await arrive();
  t.ok(old.isOpen(), "nothing ends before the new one is used");
  await use(server, second);
  await clock.advance(4000);
  const third = await renewed(server, second);
  const newest = await watched(server, third);
  await use(server, third);
  await arrive();
  t.ok(old.isOpen() && current.isOpen(), "calls have time to end");
  await clock.advance(1500);
  await arrive();
  t.notOk(old.isOpen());
  await clock.advance(5000);
  await settle();
  await arrive();
  t.notOk(current.isOpen());
  t.ok(newest.isOpen(), "that of the newest certificate stays");
  t.ok(other.isOpen(), "and those of other agents");
});

t.test("ends the connections of a banned agent at once", async (t) => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  const agent = await server.attest();
  const connection = await watched(server, agent);
  const id = { trustDomain: "north.test", path: agent.svid.id.path };
  await server.admin.client(AgentService).banAgent({ id });
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.notOk(connection.isOpen());
});
