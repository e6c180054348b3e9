// The TLS port of a whole server: who gets through the handshake, how long connections live, limits.
import type { Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import t from "tap";
import { contextOptions } from "../../../client/tls/context.ts";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import type { X509Svid } from "../../../pki/x509/svid.ts";
import { AgentService, BundleService, EntryService } from "../../../proto/schema.gen.ts";
import { TestClock } from "../../support/clock.ts";
import { TestServer } from "../../support/running-server.ts";
import { TestAuthority } from "../../support/test-authority.ts";
import { eventually } from "../../support/trust-domain.ts";

const server = await TestServer.start();
t.teardown(() => server.stop());

/** Handshakes with these options over the server's; answers the socket, or what went wrong. */
async function handshake(
  options: ConnectionOptions,
  svid?: X509Svid,
  to = server,
): Promise<TLSSocket | string> {
  const { host, port } = to.running.address;
  const socket = connectTls({
    ...contextOptions(svid),
    host,
    port,
    ALPNProtocols: ["h2"],
    rejectUnauthorized: false,
    ...options,
  });
  return new Promise((resolve) => {
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", (error) =>
      resolve((error as NodeJS.ErrnoException).code ?? error.message),
    );
  });
}

/** When a connection that nobody reads has closed, however that happens. */
function closing(socket: Socket): Promise<void> {
  socket.on("error", () => undefined).resume();
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

/** Whether the server keeps a connection that shows this SVID: it refuses after the handshake. */
async function isServed(svid: X509Svid | undefined, to = server): Promise<boolean> {
  const socket = await handshake({}, svid, to);
  if (typeof socket === "string") return false;
  return new Promise((resolve) => {
    // An HTTP/2 server begins with its settings; a refused connection ends without them.
    socket.once("data", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false)).once("close", () => resolve(false));
  });
}

t.test("shows the server's SVID, with HTTP/2 and the hybrid key exchange", async (t) => {
  const socket = (await handshake({})) as TLSSocket;
  t.equal(socket.alpnProtocol, "h2");
  t.equal(socket.getProtocol(), "TLSv1.3");
  const leaf = parseCertificate(new Uint8Array(socket.getPeerCertificate(true).raw));
  t.match(leaf.isCa, false);
  const svid = socket.getPeerCertificate();
  t.equal(svid.subjectaltname, "URI:spiffe://north.test/spire/server");
  t.notOk(socket.isSessionReused());
  socket.destroy();
  const hybrid = (await handshake({ ecdhCurve: "X25519MLKEM768" })) as TLSSocket;
  t.equal(hybrid.getProtocol(), "TLSv1.3", "with nothing but the hybrid on offer");
  hybrid.destroy();
  const plain = (await handshake({ maxVersion: "TLSv1.2" })) as TLSSocket;
  t.equal(plain.getProtocol(), "TLSv1.2", "which java's clients speak");
  plain.destroy();
});

t.test("resumes no session", async (t) => {
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const first = (await handshake({ maxVersion })) as TLSSocket;
    const session = await new Promise<Buffer | undefined>((resolve) => {
      first.once("session", resolve);
      first.resume();
      setTimeout(() => resolve(first.getSession()), 50);
    });
    first.destroy();
    const again = (await handshake({ maxVersion, ...(session && { session }) })) as TLSSocket;
    t.notOk(again.isSessionReused(), maxVersion);
    again.destroy();
  }
});

for (const { name, options } of [
  {
    name: "TLS 1.1",
    options: { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" },
  },
  { name: "another protocol than HTTP/2", options: { ALPNProtocols: ["http/1.1"] } },
  {
    name: "a cipher without forward secrecy",
    options: { maxVersion: "TLSv1.2", ciphers: "AES128-SHA" },
  },
] as const) {
  t.test(`refuses ${name} in the handshake`, async (t) => {
    t.type(await handshake({ ...options } as ConnectionOptions), "string");
  });
}

t.test("closes a connection whose client asks for no protocol", async (t) => {
  const socket = (await handshake({ ALPNProtocols: [] })) as TLSSocket;
  await new Promise<void>((resolve) => socket.resume().once("close", () => resolve()));
  t.pass();
});

t.test("serves clients without a certificate, and agents", async (t) => {
  t.ok(await isServed(undefined));
  const agent = await server.attest();
  t.ok(await isServed(agent.svid));
});

t.test("refuses certificates that its bundle does not vouch for", async (t) => {
  const impostor = await TestAuthority.create("north.test");
  const foreign = await TestAuthority.create("south.test");
  t.notOk(await isServed(await impostor.issue("/spire/agent/join_token/x")), "another authority");
  t.notOk(
    await isServed(await foreign.issue("/spire/agent/join_token/x")),
    "a foreign trust domain",
  );
  const notAfter = new Date(Date.now() - 1000);
  t.notOk(await isServed(await impostor.issue("/web", { notAfter })), "expired");
});

t.test("lets workloads in by the roles of their entries", async (t) => {
  const agent = await server.attest();
  const { results } = await server.admin.client(EntryService).batchCreateEntry({
    entries: [
      {
        spiffeId: { trustDomain: "north.test", path: "/ops" },
        parentId: { trustDomain: "north.test", path: agent.svid.id.path },
        selectors: [{ type: "unix", value: "uid:1" }],
        admin: true,
      },
    ],
  });
  t.equal(results[0]?.status?.code, 0);
  const mint = await server.mint("/ops");
  const channel = await server.channel(mint);
  const { count } = await channel.client(AgentService).countAgents({});
  t.ok(count > 0);
  const nobody = await server.channel(await server.mint("/nobody"));
  await t.rejects(nobody.client(AgentService).countAgents({}), {
    reason: "CALLER_NOT_AUTHORIZED",
    code: 7,
  });
});

t.test("ends a connection when its certificate expires", async (t) => {
  const clock = new TestClock(new Date());
  const short = await TestServer.start({ clock, config: "agent_ttl: 60s" });
  t.teardown(() => short.stop());
  const agent = await short.attest();
  const socket = await short.secure(agent.svid);
  let closed = false;
  const closing = new Promise<void>((resolve) => socket.resume().once("close", () => resolve()));
  void closing.then(() => {
    closed = true;
  });
  await clock.advance(59_000);
  t.notOk(closed);
  await clock.advance(2000);
  await closing;
  t.ok(closed);
  t.notOk(await isServed(agent.svid, short), "nor does it get in again");
});

t.test("lets no connection without a certificate keep others out", async (t) => {
  const small = await TestServer.start({
    listen: "{ address: 127.0.0.1, port: 0, max_connections_per_address: 4 }",
  });
  t.teardown(() => small.stop());
  const agent = await small.attest();
  const idle: Socket[] = [];
  const closed: Promise<void>[] = [];
  for (let i = 0; i < 6; i++) {
    const socket = await small.dial();
    idle.push(socket);
    closed.push(closing(socket));
  }
  await Promise.all(closed.slice(0, 2));
  t.same(
    idle.map(({ destroyed }) => destroyed),
    [true, true, false, false, false, false],
    "the oldest make room",
  );
  const agents: TLSSocket[] = [];
  for (let i = 0; i < 4; i++) {
    const socket = (await small.secure(agent.svid)).on("error", () => undefined);
    // The server's first word: it has verified the agent.
    await new Promise((resolve) => socket.once("data", resolve));
    agents.push(socket);
  }
  await Promise.all(closed);
  t.ok(
    agents.every(({ destroyed }) => !destroyed),
    "also for agents, which do not",
  );
  const over = await small.dial();
  await closing(over);
  t.ok(
    agents.every(({ destroyed }) => !destroyed),
    "a fifth one is closed at once",
  );
  agents[0]?.destroy();
  await eventually(async () => {
    if (!(await isServed(undefined, small))) throw new Error("not yet");
  });
  for (const socket of agents) socket.destroy();
});

t.test("survives junk on the port", async (t) => {
  for (const junk of ["GET / HTTP/1.1\r\n\r\n", "\0".repeat(1000), "\x16\x03\x01\xff\xff"]) {
    const socket = await server.dial();
    socket.on("error", () => undefined);
    socket.write(junk);
    socket.end();
    await new Promise<void>((resolve) => socket.resume().once("close", () => resolve()));
  }
  const channel = await server.channel();
  t.ok(await channel.client(BundleService).getBundle({}));
});
