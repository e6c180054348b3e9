// Revoked peers: refused in the handshake, and closed when they are connected already.
import { once } from "node:events";
import { connect as connectHttp2, createSecureServer } from "node:http2";
import { createServer as createHttps, get } from "node:https";
import { type AddressInfo, connect as connectTcp } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import type { Test } from "tap";
import t from "tap";
import { authorizeId, authorizeMemberOf } from "../../../client/tls/authorize.ts";
import { type ConnectOptions, secureSocket } from "../../../client/tls/connect.ts";
import { httpsAgent } from "../../../client/tls/https.ts";
import {
  createTlsServer,
  type ProtectOptions,
  protectServer,
  serverTlsOptions,
} from "../../../client/tls/server.ts";
import { IdentityError, Status } from "../../../pki/errors.ts";
import { CrlSet } from "../../../pki/x509/crl-set.ts";
import type { X509Svid } from "../../../pki/x509/svid.ts";
import { TestClock } from "../../support/clock.ts";
import { TestAuthority } from "../../support/test-authority.ts";
import { crlOf } from "../../support/test-revocation.ts";
import { TestTlsSource } from "../../support/tls-source.ts";

const north = await TestAuthority.create("north.test");
const db = await north.issue("/db");
const code = Status.invalidArgument;

/** A source whose lists a test sets. */
class Source extends TestTlsSource {
  readonly crls = (): CrlSet | undefined => this.set;
  set: CrlSet | undefined;

  static of(svid: X509Svid): Source {
    return new Source(svid, TestAuthority.anchorsOf(north));
  }

  async revoke(...svids: readonly X509Svid[]): Promise<void> {
    const crl = await crlOf(
      north.asIssuer(),
      svids.map(({ leaf }) => leaf.serialHex),
    );
    this.set = new CrlSet([crl]);
    this.changed();
  }

  changed(): void {
    this.rotate(this.svid());
  }
}

interface Listening {
  readonly port: number;
  readonly refused: IdentityError[];
  readonly closed: IdentityError[];
  readonly source: Source;
}

async function listen(t: Test, options: Partial<ProtectOptions> = {}): Promise<Listening> {
  const refused: IdentityError[] = [];
  const closed: IdentityError[] = [];
  const source = Source.of(db);
  const served: TLSSocket[] = [];
  const server = createTlsServer({
    source,
    authorize: authorizeMemberOf("north.test"),
    onRefused: (error) => refused.push(error),
    onClosed: (error) => closed.push(error),
    ...options,
    onConnection: (socket) => {
      served.push(socket);
      socket.on("error", () => {});
      socket.write("hello");
      socket.pipe(socket);
    },
  });
  const port = await listenOn(t, server);
  t.teardown(() => {
    for (const socket of served) socket.destroy();
  });
  return { port, refused, closed, source };
}

async function listenOn(t: Test, server: Server | ReturnType<typeof createSecureServer>) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function open(
  t: Test,
  port: number,
  svid: X509Svid,
  options: Partial<ConnectOptions> = {},
): Promise<TLSSocket> {
  const tcp = connectTcp(port, "127.0.0.1");
  await once(tcp, "connect");
  const authorize = authorizeId("spiffe://north.test/db");
  const secured = await secureSocket(tcp, { source: Source.of(svid), authorize, ...options });
  secured.on("error", () => {});
  t.teardown(() => secured.destroy());
  const refused = once(secured, "close").then(() => {
    throw new Error("closed");
  });
  await Promise.race([once(secured, "data"), refused]);
  refused.catch(() => {}); // later, that is for the test to see
  return secured;
}

/** Whether the connection still carries data both ways. */
async function answers(socket: TLSSocket): Promise<boolean> {
  if (socket.destroyed) return false;
  socket.write("still there?");
  const closed = once(socket, "close").then(() => false);
  return Promise.race([once(socket, "data").then(() => true), closed]);
}

t.test("the connections of a revoked peer are closed, and no new one is let in", async (t) => {
  const { port, refused, closed, source } = await listen(t);
  const [bad, good] = [await north.issue("/web"), await north.issue("/web")];
  const [lost, kept] = [await open(t, port, bad), await open(t, port, good)];
  const gone = once(lost, "close");
  await source.revoke(bad);
  await gone;
  t.match(closed, [{ reason: "SVID_REVOKED" }]);
  t.ok(await answers(kept), "the same SPIFFE ID with another SVID stays");
  await open(t, port, bad).catch(() => undefined);
  t.match(refused, [{ reason: "SVID_REVOKED", code }]);
});

t.test("a client leaves a server whose SVID is revoked", async (t) => {
  const { port } = await listen(t);
  const source = Source.of(await north.issue("/web"));
  const told = Promise.withResolvers<IdentityError>();
  const socket = await open(t, port, db, { source, onClosed: told.resolve });
  const gone = once(socket, "close");
  await source.revoke(db);
  await gone;
  t.equal((await told.promise).reason, "SVID_REVOKED");
  await t.rejects(open(t, port, db, { source }), { reason: "SVID_REVOKED", code });
  t.equal(source.listenerCount, 0, "nobody listens for what is over");
});

t.test("when an authority or a trust domain goes, so do the connections below it", async (t) => {
  const south = await TestAuthority.create("south.test");
  const { port, closed, source } = await listen(t, { authorize: () => true });
  source.anchorsOf = TestAuthority.anchorsOf(north, south);
  const own = await open(t, port, await north.issue("/web"));
  const anchorsOf = TestAuthority.anchorsOf(north, south);
  const foreign = await open(t, port, db, {
    source: new Source(await south.issue("/web"), anchorsOf),
  });
  source.changed();
  t.ok(await answers(foreign), "nothing has changed");
  const more = await TestAuthority.create("south.test");
  source.anchorsOf = TestAuthority.anchorsOf(north, more, south);
  source.changed();
  t.ok(await answers(foreign), "one more is no harm");
  const gone = once(foreign, "close");
  source.anchorsOf = TestAuthority.anchorsOf(north);
  source.changed();
  await gone;
  t.match(closed, [{ reason: "SVID_TRUST_DOMAIN_UNKNOWN" }]);
  t.ok(await answers(own));
  const last = once(own, "close");
  source.anchorsOf = TestAuthority.anchorsOf(await TestAuthority.create("north.test"));
  source.changed();
  await last;
  t.equal(closed[1]?.reason, "SVID_UNTRUSTED");
});

t.test("an SVID that has only expired closes nothing, unless that is asked for", async (t) => {
  for (const closeAtExpiry of [false, true]) {
    const clock = new TestClock(new Date());
    const { port, closed, source } = await listen(t, { clock, closeAtExpiry });
    const socket = await open(t, port, await north.issue("/web"));
    const gone = once(socket, "close");
    await clock.advance(2 * 3_600_000);
    if (closeAtExpiry) {
      await gone;
      t.match(closed, [{ reason: "IDENTITY_EXPIRED" }]);
    } else {
      await source.revoke(await north.issue("/other"));
      t.ok(await answers(socket), "another one's revocation makes it no worse");
    }
  }
});

t.test(
  "a withdrawn identity trusts nobody; a closed source leaves what is open alone",
  async (t) => {
    for (const reason of ["IDENTITY_WITHDRAWN", "SOURCE_CLOSED"]) {
      const { port, closed, source } = await listen(t);
      const socket = await open(t, port, await north.issue("/web"));
      source.anchorsOf = () => {
        throw new IdentityError(reason, Status.permissionDenied, "no more");
      };
      const gone = once(socket, "close");
      source.changed();
      if (reason === "IDENTITY_WITHDRAWN") {
        await gone;
        t.match(closed, [{ reason }]);
      } else {
        t.ok(await answers(socket));
      }
    }
  },
);

t.test("a change during the check is not lost", async (t) => {
  const { port, closed, source } = await listen(t);
  const svids = await Promise.all(Array.from({ length: 40 }, () => north.issue("/web")));
  const sockets = await Promise.all(svids.map((svid) => open(t, port, svid)));
  const [first, , , last] = svids;
  if (first === undefined || last === undefined) throw new Error("no SVIDs");
  const gone = Promise.all(
    [sockets[0], sockets[3]].map((socket) => socket && once(socket, "close")),
  );
  const lists = await Promise.all([
    crlOf(north.asIssuer(), [first.leaf.serialHex], 1n),
    crlOf(north.asIssuer(), [first.leaf.serialHex, last.leaf.serialHex], 2n),
  ]);
  for (const list of lists) {
    source.set = new CrlSet([list]);
    source.changed();
  }
  await gone;
  t.equal(closed.length, 2);
});

t.test("HTTPS and HTTP/2 on both sides end with the trust in their peer", async (t) => {
  const source = Source.of(db);
  const authorize = authorizeMemberOf("north.test");
  const https = protectServer(
    createHttps(serverTlsOptions(), (_request, response) => response.write("begun")),
    { source, authorize },
  );
  const web = await north.issue("/web");
  const client = Source.of(web);
  const port = await listenOn(t, https);
  const agent = httpsAgent({ source: client, authorize });
  const begin = () =>
    new Promise<{ ended: Promise<string> }>((resolve, reject) => {
      get({ host: "127.0.0.1", port, agent }, (response) => {
        const ended = new Promise<string>((done) => {
          response.on("error", (error: NodeJS.ErrnoException) => done(String(error.code)));
          response.on("end", () => done("ended"));
        });
        response.once("data", () => resolve({ ended }));
      }).on("error", reject);
    });
  const byServer = await begin();
  await source.revoke(web);
  t.equal(await byServer.ended, "ECONNRESET");
  source.set = undefined;
  source.changed();
  const byClient = await begin();
  await client.revoke(db);
  t.equal(await byClient.ended, "ECONNRESET");
  await t.rejects(begin(), { reason: "SVID_REVOKED", code });
  agent.destroy();

  const http2 = createSecureServer(serverTlsOptions());
  protectServer(http2 as unknown as Server, { source, authorize });
  const http2Port = await listenOn(t, http2);
  const tcp = connectTcp(http2Port, "127.0.0.1");
  await once(tcp, "connect");
  const secured = await secureSocket(tcp, {
    source: Source.of(web),
    authorize,
    alpnProtocols: ["h2"],
  });
  const session = connectHttp2("https://127.0.0.1", { createConnection: () => secured });
  session.on("error", () => {});
  await once(session, "remoteSettings");
  const gone = once(session, "close");
  await source.revoke(web);
  await gone;
  t.ok(session.destroyed);
});
