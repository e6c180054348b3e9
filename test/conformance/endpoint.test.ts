// SPIFFE Workload Endpoint, the rows that bind the agent. Those that bind the client stand in
// client.test.ts and client-offline.test.ts.

import { statSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import t from "tap";
import { agentConfigSchema } from "../../agent/config.ts";
import { Status } from "../../pki/errors.ts";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import { type Channel, createChannel } from "../../proto/rpc/client.ts";
import {
  EntryService,
  GuardService,
  HealthService,
  LaunchService,
  ServerReflectionService,
  SpiffeWorkloadApi,
  TaskAPIService,
} from "../../proto/schema.gen.ts";
import { entryOf, first, HEADER, TestAgent, TestPeer } from "../support/test-agent.ts";
import { eventually, OWN_UID, TestTrustDomain } from "../support/trust-domain.ts";

const SPIFFE_METHODS = [
  "FetchX509SVID serverStream X509SVIDRequest X509SVIDResponse",
  "FetchX509Bundles serverStream X509BundlesRequest X509BundlesResponse",
  "FetchJWTSVID unary JWTSVIDRequest JWTSVIDResponse",
  "FetchJWTBundles serverStream JWTBundlesRequest JWTBundlesResponse",
  "ValidateJWTSVID unary ValidateJWTSVIDRequest ValidateJWTSVIDResponse",
  "FetchWITSVID serverStream WITSVIDRequest WITSVIDResponse",
  "FetchWITBundles serverStream WITBundlesRequest WITBundlesResponse",
];

const settings = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  trust_domain: "north.test",
  data_dir: "/var/lib/x",
  server: { address: "localhost" },
  ...more,
});

/** Calls each method of the profiles that are served, and answers how it ended. */
async function callAll(
  agent: TestAgent,
  metadata: Readonly<Record<string, string>>,
  peer = new TestPeer(),
): Promise<{ method: string; code: number }[]> {
  const client = await agent.connect(peer, metadata);
  const calls: Record<string, () => Promise<unknown>> = {
    FetchX509SVID: () => first(client.fetchX509SVID({})),
    FetchX509Bundles: () => first(client.fetchX509Bundles({})),
    FetchJWTSVID: () => client.fetchJWTSVID({ audience: ["x"] }),
    FetchJWTBundles: () => first(client.fetchJWTBundles({})),
    ValidateJWTSVID: () => client.validateJWTSVID({ audience: "x", svid: "a.b.c" }),
  };
  return Promise.all(
    Object.entries(calls).map(async ([method, call]) => {
      const code = await call().then(
        () => 0,
        (error: { code: number }) => error.code,
      );
      return { method, code };
    }),
  );
}

t.test(
  "EP-01 the endpoint is a unix socket, and nothing can make it listen elsewhere",
  async (t) => {
    const config = agentConfigSchema.parse(settings());
    t.equal(config.socket.path, "/run/signet/agent.sock");
    const domain = new TestTrustDomain(t);
    await domain.start();
    t.ok(statSync(join(domain.folder, "agent.sock")).isSocket());
    t.throws(() => agentConfigSchema.parse(settings({ bind_address: "0.0.0.0" })));
  },
);

t.test("EP-03 a unix socket is the only kind of endpoint", async (t) => {
  t.equal(agentConfigSchema.parse(settings({ socket: "/run/a.sock" })).socket.path, "/run/a.sock");
  t.throws(() => agentConfigSchema.parse(settings({ socket: "tcp://127.0.0.1:7000" })));
});

t.test("EP-04 no TCP address is accepted, routable or not", async (t) => {
  for (const socket of ["tcp://0.0.0.0:7000", "tcp:127.0.0.1:7000", "https://10.0.0.1/"]) {
    t.throws(() => agentConfigSchema.parse(settings({ socket })), socket);
  }
  t.ok(agentConfigSchema.parse(settings({ socket: "/run/tcp.sock" })));
});

t.test("EP-06 a call without the security header is refused before attestation", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const stranger = new TestPeer();
  for (const { method, code } of await callAll(agent, {}, stranger)) {
    t.equal(code, Status.invalidArgument, method);
  }
  t.equal(stranger.attested, 0, "nobody asked who it is");
  const known = await callAll(agent, HEADER);
  t.strictSame(
    known.filter(({ code }) => code !== 0).map(({ method }) => method),
    ["ValidateJWTSVID"],
    "with the header only the malformed token is refused",
  );
});

t.test(
  "EP-06, EP-22, EP-24 of a running agent: its own services ask for the header too, health and reflection do not",
  async (t) => {
    const domain = new TestTrustDomain(t);
    await domain.start();
    const open = (metadata: Record<string, string>) => {
      const channel = createChannel({
        address: { unix: join(domain.folder, "agent.sock") },
        metadata,
      });
      t.teardown(() => channel.close());
      return channel;
    };
    const plain = open({});
    const reflection = plain.client(ServerReflectionService).serverReflectionInfo();
    await reflection.send({ host: "", listServices: "" });
    const listed = (await first(reflection.responses)).listServicesResponse?.service ?? [];
    const names = listed.map(({ name }) => name).filter((name) => !name.startsWith("grpc."));
    t.strictSame(names.toSorted(), [
      "SpiffeWorkloadAPI",
      "signet.guard.v1.Guard",
      "signet.launch.v1.Launch",
      "signet.task.v1.TaskAPI",
    ]);
    t.equal((await plain.client(HealthService).check({ service: "" })).status, 1);
    await t.rejects(launch(plain), { code: Status.invalidArgument });
    t.match((await launch(open(HEADER))).ready?.socketPath, /^\//, "with it there is a socket");
    const refused = { reason: "SECURITY_HEADER_MISSING", code: Status.invalidArgument };
    await t.rejects(plain.client(TaskAPIService).openTask({}), refused);
    await t.rejects(plain.client(GuardService).describeTask({ id: "x" }), refused);
    const csr = createCsr(generateP256KeyPair());
    const opened = open(HEADER).client(TaskAPIService).openTask({ csr });
    await t.rejects(opened, { code: Status.permissionDenied }, "with it the caller is asked for");
    const admin = plain.client(EntryService).countEntries({});
    await t.rejects(admin, { code: Status.unimplemented }, "and nothing of administration");
  },
);

/** Opens a launch as `signet run` does; answers the first message. */
async function launch(channel: Channel) {
  const call = channel.client(LaunchService).open();
  await call.send({ start: { name: "db" } }).catch(() => undefined);
  return first(call.responses);
}

t.test("EP-07 the header's value is compared exactly", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  for (const value of ["True", "TRUE", "1", "", "true true", "true, true", "yes"]) {
    for (const { method, code } of await callAll(agent, { "workload.spiffe.io": value })) {
      t.equal(code, Status.invalidArgument, `${method} with "${value}"`);
    }
  }
  t.equal((await callAll(agent, HEADER))[0]?.code, 0);
});

t.test("EP-07 the header given twice is refused, over a real socket", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.start();
  await domain.createEntry({ path: "/db" });
  const path = join(domain.folder, "agent.sock");
  await eventually(async () => t.equal(await rawCall(path, "true"), undefined));
  t.equal(await rawCall(path, ["true", "true"]), "3");
  t.equal(await rawCall(path, ["true", "false"]), "3");
});

/** FetchX509SVID over HTTP/2 with nothing between: answers grpc-status, undefined when a message came. */
function rawCall(path: string, header: string | string[]): Promise<string | undefined> {
  const session = connectHttp2("http://localhost", {
    createConnection: () => connectSocket(path),
  });
  return new Promise<string | undefined>((resolve, reject) => {
    session.on("error", reject);
    const stream = session.request({
      ":method": "POST",
      ":path": "/SpiffeWorkloadAPI/FetchX509SVID",
      "content-type": "application/grpc",
      te: "trailers",
      "workload.spiffe.io": header,
    });
    stream.on("error", reject);
    stream.on("data", () => resolve(undefined));
    stream.on("response", (headers) => {
      if (headers["grpc-status"] !== undefined) resolve(String(headers["grpc-status"]));
    });
    stream.on("trailers", (headers) => resolve(String(headers["grpc-status"])));
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
  }).finally(() => session.destroy());
}

t.test("EP-08 clients need no TLS", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.start();
  await domain.createEntry({ path: "/db" });
  const plain = createChannel({ address: { unix: join(domain.folder, "agent.sock") } });
  t.teardown(() => plain.close());
  const client = plain.client(SpiffeWorkloadApi);
  const answer = await eventually(() => first(client.fetchX509SVID({}, { metadata: HEADER })));
  t.equal(answer.svids.length, 1);
  const tls = createChannel({
    address: { unix: join(domain.folder, "agent.sock") },
    secure: (socket) =>
      new Promise((resolve, reject) => {
        const secured = connectTls({ socket, ALPNProtocols: ["h2"], rejectUnauthorized: false });
        secured.once("secureConnect", () => resolve(secured)).once("error", reject);
      }),
  });
  t.teardown(() => tls.close());
  const attempt = first(
    tls.client(SpiffeWorkloadApi).fetchX509SVID({}, { metadata: HEADER, timeoutMs: 2000 }),
  );
  await t.rejects(attempt, { message: /./ }, "nor is it spoken");
});

t.test("EP-13 no token and no certificate of the caller is asked for", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  for (const { method, code } of await callAll(agent, HEADER)) {
    t.not(code, Status.unauthenticated, method);
  }
  const nobody = await callAll(agent, HEADER, new TestPeer(["test:other"]));
  for (const { method, code } of nobody) t.not(code, Status.unauthenticated, method);
});

t.test("EP-14 callers are identified by the kernel, whatever they say of themselves", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.start();
  await domain.createEntry({ path: "/me" });
  await domain.createEntry({ path: "/someone", selectors: ["unix:uid:4242"] });
  const client = domain.workload();
  const metadata = { "x-uid": "4242", "unix-uid": "4242", "x-pid": "1" };
  const answer = await eventually(() => first(client.fetchX509SVID({}, { metadata })));
  t.strictSame(
    answer.svids.map((svid) => svid.spiffeId),
    ["spiffe://north.test/me"],
    `found by ${OWN_UID}`,
  );
  const claimed = { "x-uid": "4242", "unix-uid": "4242", selectors: "unix:uid:4242" };
  const spiffeId = "spiffe://north.test/someone";
  await t.rejects(client.fetchJWTSVID({ audience: ["x"], spiffeId }, { metadata: claimed }), {
    code: Status.permissionDenied,
  });
});

t.test("EP-15 a caller does nothing to be identified", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const peer = new TestPeer();
  const client = await agent.connect(peer);
  t.equal((await first(client.fetchX509SVID({}))).svids.length, 1);
  t.equal(peer.attested, 1);
  const other = await agent.connect(new TestPeer(["test:other"]));
  await t.rejects(first(other.fetchX509SVID({}, { metadata: { selectors: "test:a" } })), {
    code: Status.permissionDenied,
  });
});

t.test("EP-17 an agent that has not heard from its server answers Unavailable", async (t) => {
  const agent = await TestAgent.create(t, [], { unsynced: true });
  for (const { method, code } of await callAll(agent, HEADER)) {
    t.equal(code, Status.unavailable, method);
  }
  agent.snapshot([entryOf("db")]);
  t.equal((await callAll(agent, HEADER))[0]?.code, 0, "served after the first word");
});

t.test("EP-19 a caller without identity gets PermissionDenied", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  for (const { method, code } of await callAll(agent, HEADER, new TestPeer(["test:other"]))) {
    t.equal(code, Status.permissionDenied, method);
  }
  t.equal((await callAll(agent, HEADER))[0]?.code, 0);
});

t.test(
  "EP-22 the standard's service is what the standard says; ours have names of their own",
  async (t) => {
    t.strictSame(
      Object.values(SpiffeWorkloadApi.methods).map(
        ({ name, kind, request, response }) => `${name} ${kind} ${request.name} ${response.name}`,
      ),
      SPIFFE_METHODS,
    );
    const agent = await TestAgent.create(t);
    t.ok(
      agent.server.rpc.publicServices.every((name) =>
        /^(SpiffeWorkloadAPI|grpc\.|signet\.)/.test(name),
      ),
      agent.server.rpc.publicServices.join(", "),
    );
  },
);

t.test("EP-23 the Workload API is always there", async (t) => {
  const agent = await TestAgent.create(t, [], { unsynced: true });
  t.ok((await reflect(agent)).includes("SpiffeWorkloadAPI"));
  for (const key of ["disable_workload_api", "workload_api"]) {
    t.throws(() => agentConfigSchema.parse(settings({ [key]: true })), "no switch turns it off");
  }
});

t.test("EP-24 reflection lists the Workload API and no service of administration", async (t) => {
  const agent = await TestAgent.create(t);
  const services = await reflect(agent);
  t.ok(services.includes("SpiffeWorkloadAPI"));
  t.notOk(services.some((name) => name.startsWith("spire.")));
  const health = (await agent.channel(new TestPeer(), {})).client(HealthService);
  agent.server.setServing(true);
  t.equal((await health.check({ service: "" })).status, 1, "health needs no header either");
});

/** The names that reflection lists. Asked without the security header. */
async function reflect(agent: TestAgent): Promise<string[]> {
  const channel = await agent.channel(new TestPeer(), {});
  const call = channel.client(ServerReflectionService).serverReflectionInfo();
  await call.send({ host: "", listServices: "" });
  const answer = await first(call.responses);
  return (answer.listServicesResponse?.service ?? []).map(({ name }) => name);
}
