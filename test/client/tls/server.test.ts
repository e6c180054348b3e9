import { once } from "node:events";
import { type AddressInfo, connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Test } from "tap";
import t from "tap";
import { peerOf } from "../../../client/tls/admit.ts";
import { authorizeId, authorizeMemberOf } from "../../../client/tls/authorize.ts";
import { type ConnectOptions, secureSocket } from "../../../client/tls/connect.ts";
import { contextOptions } from "../../../client/tls/context.ts";
import { createTlsServer, type ProtectOptions } from "../../../client/tls/server.ts";
import type { IdentityError } from "../../../pki/errors.ts";
import { TestAuthority } from "../../support/test-authority.ts";
import { TestTlsSource } from "../../support/tls-source.ts";

const north = await TestAuthority.create("north.test");
const south = await TestAuthority.create("south.test");
const northAndSouth = TestAuthority.anchorsOf(north, south);
const db = await north.issue("/db");
const web = await north.issue("/web");
const HOUR_MS = 3_600_000;

const dbSource = (anchorsOf = TestAuthority.anchorsOf(north)) => new TestTlsSource(db, anchorsOf);
const webSource = (anchorsOf = TestAuthority.anchorsOf(north)) => new TestTlsSource(web, anchorsOf);

interface Listening {
  readonly port: number;
  readonly refused: IdentityError[];
  /** Resolves with the next refusal. */
  nextRefusal(): Promise<IdentityError>;
  readonly served: TLSSocket[];
}

/** A server that greets each admitted peer with its ID and echoes what it says. */
async function listen(t: Test, options: Partial<ProtectOptions> = {}): Promise<Listening> {
  const refused: IdentityError[] = [];
  const waiting: ((error: IdentityError) => void)[] = [];
  const served: TLSSocket[] = [];
  const server = createTlsServer({
    source: dbSource(),
    authorize: authorizeMemberOf("north.test"),
    onRefused: (error) => {
      refused.push(error);
      waiting.shift()?.(error);
    },
    ...options,
    onConnection: (socket, peer) => {
      served.push(socket);
      socket.on("error", () => {});
      socket.write(`hello ${peer?.id ?? "stranger"}`);
      socket.pipe(socket);
    },
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    for (const socket of served) socket.destroy();
    server.close();
  });
  const nextRefusal = () => new Promise<IdentityError>((resolve) => waiting.push(resolve));
  return { port: (server.address() as AddressInfo).port, refused, nextRefusal, served };
}

async function dial(port: number): Promise<Socket> {
  const socket = connectTcp(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

async function greet(
  t: Test,
  port: number,
  options: Partial<ConnectOptions> = {},
): Promise<string> {
  const secured = await secureSocket(await dial(port), {
    source: webSource(),
    authorize: authorizeId("spiffe://north.test/db"),
    ...options,
  });
  t.teardown(() => secured.destroy());
  return new Promise((resolve, reject) => {
    secured.once("data", (data) => resolve(String(data)));
    secured.once("error", reject);
    secured.once("close", () => reject(new Error("closed")));
  });
}

t.test("both sides learn each other's SPIFFE ID", async (t) => {
  const { port, served } = await listen(t);
  const secured = await secureSocket(await dial(port), {
    source: webSource(),
    authorize: authorizeId("spiffe://north.test/db"),
  });
  t.teardown(() => secured.destroy());
  const [data] = await once(secured, "data");
  t.equal(String(data), "hello spiffe://north.test/web");
  t.equal(peerOf(secured)?.id.toString(), "spiffe://north.test/db");
  t.equal(peerOf(served[0] as TLSSocket)?.id.toString(), "spiffe://north.test/web");
  t.equal(secured.getProtocol(), "TLSv1.3");
  t.same(secured.getPeerX509Certificate()?.raw, Buffer.from(db.chain[0] as Uint8Array));
});

t.test("intermediates travel with the leaf in both directions", async (t) => {
  const below = await north.createBelow();
  const source = new TestTlsSource(await below.issue("/db"), TestAuthority.anchorsOf(north));
  const { port } = await listen(t, { source });
  const client = new TestTlsSource(await below.issue("/web"), TestAuthority.anchorsOf(north));
  t.equal(await greet(t, port, { source: client }), "hello spiffe://north.test/web");
});

t.test("RSA and P-384 SVIDs work, and TLS 1.2 peers", async (t) => {
  for (const keyType of ["rsa-2048", "ec-p384"] as const) {
    const source = new TestTlsSource(
      await north.issue("/db", { keyType }),
      TestAuthority.anchorsOf(north),
    );
    const { port } = await listen(t, { source });
    t.equal(await greet(t, port), "hello spiffe://north.test/web");
  }
  const { port } = await listen(t);
  const old = connectTls({
    ...contextOptions(web),
    port,
    host: "127.0.0.1",
    maxVersion: "TLSv1.2",
    rejectUnauthorized: false,
  });
  t.teardown(() => old.destroy());
  t.equal(String((await once(old, "data"))[0]), "hello spiffe://north.test/web");
  t.equal(old.getProtocol(), "TLSv1.2");
});

t.test("the server refuses peers, with the reason, before any data is passed on", async (t) => {
  const past = new Date(Date.now() - 1000);
  const before = new Date(past.getTime() - HOUR_MS);
  const peers: readonly (readonly [string, TestTlsSource, string])[] = [
    ["no certificate", new TestTlsSource(undefined, northAndSouth), "PEER_CERTIFICATE_MISSING"],
    [
      "expired",
      new TestTlsSource(
        await north.issue("/web", { notBefore: before, notAfter: past }),
        northAndSouth,
      ),
      "SVID_EXPIRED",
    ],
    [
      "foreign trust domain",
      new TestTlsSource(await south.issue("/web"), northAndSouth),
      "SVID_TRUST_DOMAIN_UNKNOWN",
    ],
    [
      "same name, other authority",
      new TestTlsSource(
        await (await TestAuthority.create("north.test")).issue("/web"),
        northAndSouth,
      ),
      "SVID_UNTRUSTED",
    ],
  ];
  for (const [name, source, reason] of peers) {
    const { port, served, nextRefusal } = await listen(t);
    const refusal = nextRefusal();
    // In TLS 1.3 the client is done before the server looks: it may learn of the refusal only later.
    await greet(t, port, { source }).then(
      () => t.fail(`${name}: data was passed on`),
      () => {},
    );
    t.equal((await refusal).reason, reason, name);
    t.equal(served.length, 0, name);
  }
});

t.test("a certificate of the authority itself is no identity", async (t) => {
  const { port, nextRefusal } = await listen(t);
  const refusal = nextRefusal();
  const authority = {
    ...web,
    chain: [north.root.der],
    privateKey: north.keyPair.privateKey,
  };
  const source = new TestTlsSource(authority, TestAuthority.anchorsOf(north));
  await greet(t, port, { source }).catch(() => {});
  t.match((await refusal).reason, /^SVID_/);
});

t.test("the server refuses a valid peer that is not authorised", async (t) => {
  for (const authorize of [
    authorizeId("spiffe://north.test/other"),
    authorizeMemberOf("south.test"),
    () => {
      throw new Error("predicates may fail");
    },
    (async () => false) as unknown as () => boolean,
  ]) {
    const { port, nextRefusal, served } = await listen(t, { authorize });
    const refusal = nextRefusal();
    await greet(t, port).catch(() => {});
    t.equal((await refusal).reason, "PEER_NOT_AUTHORIZED");
    t.equal(served.length, 0);
  }
});

t.test("the client refuses servers, with the reason, and sends them nothing", async (t) => {
  const past = new Date(Date.now() - 1000);
  const before = new Date(past.getTime() - HOUR_MS);
  const servers = [
    ["wrong ID", web, "PEER_NOT_AUTHORIZED"],
    ["expired", await north.issue("/db", { notBefore: before, notAfter: past }), "SVID_EXPIRED"],
    ["foreign", await south.issue("/db"), "SVID_TRUST_DOMAIN_UNKNOWN"],
    [
      "not yet valid",
      await north.issue("/db", { notBefore: new Date(Date.now() + HOUR_MS / 2) }),
      "SVID_NOT_YET_VALID",
    ],
  ] as const;
  for (const [name, svid, reason] of servers) {
    const { port, served } = await listen(t, {
      source: new TestTlsSource(svid, northAndSouth),
      authorize: () => true,
    });
    let received = 0;
    const tcp = await dial(port);
    const attempt = secureSocket(tcp, {
      source: webSource(),
      authorize: authorizeId("spiffe://north.test/db"),
    });
    await t.rejects(attempt, { reason, message: /./ }, name);
    t.ok(tcp.destroyed, name);
    for (const socket of served) socket.on("data", () => received++);
    t.equal(received, 0, name);
  }
});

t.test(
  "with an optional client certificate, no certificate is served and a bad one is not",
  async (t) => {
    const { port, nextRefusal } = await listen(t, { clientCertificate: "optional" });
    const anonymous = new TestTlsSource(undefined, TestAuthority.anchorsOf(north));
    t.equal(await greet(t, port, { source: anonymous }), "hello stranger");
    t.equal(await greet(t, port), "hello spiffe://north.test/web");
    const refusal = nextRefusal();
    const foreign = new TestTlsSource(await south.issue("/web"), northAndSouth);
    await greet(t, port, { source: foreign }).catch(() => {});
    t.equal((await refusal).reason, "SVID_TRUST_DOMAIN_UNKNOWN");
  },
);

t.test("new connections see the rotated SVID, old ones stay, nothing restarts", async (t) => {
  const source = dbSource();
  const { port } = await listen(t, { source });
  const leafOf = (socket: TLSSocket) => socket.getPeerX509Certificate()?.serialNumber;
  const open = async () => {
    const secured = await secureSocket(await dial(port), {
      source: webSource(),
      authorize: authorizeId("spiffe://north.test/db"),
    });
    t.teardown(() => secured.destroy());
    await once(secured, "data");
    return secured;
  };
  const first = await open();
  const next = await north.issue("/db");
  source.rotate(next);
  const second = await open();
  t.not(leafOf(first), leafOf(second));
  first.write("still here");
  t.equal(String((await once(first, "data"))[0]), "still here");
});

t.test("a new authority counts from the next handshake on, an old one no longer", async (t) => {
  const source = dbSource();
  const { port, nextRefusal } = await listen(t, { source });
  const renewed = await TestAuthority.create("north.test");
  const client = new TestTlsSource(await renewed.issue("/web"), TestAuthority.anchorsOf(north));
  const refusal = nextRefusal();
  await greet(t, port, { source: client }).catch(() => {});
  t.equal((await refusal).reason, "SVID_UNTRUSTED");
  source.anchorsOf = TestAuthority.anchorsOf(north, renewed);
  t.equal(await greet(t, port, { source: client }), "hello spiffe://north.test/web");
  source.anchorsOf = TestAuthority.anchorsOf(renewed);
  const second = nextRefusal();
  await greet(t, port).catch(() => {});
  t.equal((await second).reason, "SVID_UNTRUSTED");
});

t.test("a peer that insists on the post-quantum group gets it", async (t) => {
  const { port } = await listen(t);
  const socket = connectTls({
    ...contextOptions(web),
    port,
    host: "127.0.0.1",
    ecdhCurve: "X25519MLKEM768",
    rejectUnauthorized: false,
  });
  t.teardown(() => socket.destroy());
  t.equal(String((await once(socket, "data"))[0]), "hello spiffe://north.test/web");
});

t.test("no session is ever resumed", async (t) => {
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const { port } = await listen(t);
    let session: Buffer | undefined;
    const open = async () => {
      const socket = connectTls({
        ...contextOptions(web),
        port,
        host: "127.0.0.1",
        maxVersion,
        rejectUnauthorized: false,
        ...(session && { session }),
      });
      socket.on("session", (ticket) => {
        session = ticket;
      });
      await once(socket, "data");
      session ??= socket.getSession();
      socket.destroy();
      return socket.isSessionReused();
    };
    await open();
    t.notOk(await open(), maxVersion);
  }
});

t.test("a withdrawn identity is not shown to new connections", async (t) => {
  const source = dbSource();
  const { port } = await listen(t, { source });
  await greet(t, port);
  source.rotate(undefined);
  await t.rejects(greet(t, port), { reason: "TLS_HANDSHAKE_FAILED", message: /./, hint: /SVID/ });
  source.rotate(db);
  t.equal(await greet(t, port), "hello spiffe://north.test/web");
});

t.test(
  "a server without an SVID does not start, and one that closes stops following",
  async (t) => {
    const options = { authorize: () => true, onConnection: () => {} };
    const none = new TestTlsSource(undefined, TestAuthority.anchorsOf(north));
    t.throws(() => createTlsServer({ source: none, ...options }), {
      reason: "SOURCE_NOT_READY",
      message: /SVID/,
    });
    const source = dbSource();
    const server = createTlsServer({ source, ...options });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.equal(source.listenerCount, 1);
    server.close();
    await once(server, "close");
    t.equal(source.listenerCount, 0);
  },
);

t.test(
  "a peer that does not speak TLS, hangs up or says nothing is an error with a hint",
  async (t) => {
    const { createServer } = await import("node:net");
    const behaviours: ((socket: Socket) => void)[] = [
      (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
      (socket) => socket.destroy(),
      () => {},
    ];
    for (const behave of behaviours) {
      const sockets: Socket[] = [];
      const server = createServer((socket) => {
        sockets.push(socket.on("error", () => {}));
        behave(socket);
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const tcp = await dial((server.address() as AddressInfo).port);
      const attempt = secureSocket(tcp, {
        source: webSource(),
        authorize: () => true,
        handshakeTimeoutMs: 100,
      });
      await t.rejects(attempt, { reason: "TLS_HANDSHAKE_FAILED", message: /./, hint: /TLS/ });
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  },
);

t.test("only with insecureBootstrap is a server that nobody vouches for accepted", async (t) => {
  const { port } = await listen(t, { clientCertificate: "optional" });
  const nobody = new TestTlsSource(undefined, () => undefined);
  await t.rejects(greet(t, port, { source: nobody }), {
    reason: "SVID_TRUST_DOMAIN_UNKNOWN",
    message: /./,
  });
  t.equal(await greet(t, port, { source: nobody, insecureBootstrap: true }), "hello stranger");
});
