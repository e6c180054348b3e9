import { once } from "node:events";
import { type AddressInfo, connect as connectTcp } from "node:net";
import type { Test } from "tap";
import t from "tap";
import { JwtSource } from "../../client/jwt-source.ts";
import { authorizeId, authorizeMemberOf } from "../../client/tls/authorize.ts";
import { secureSocket } from "../../client/tls/connect.ts";
import { createTlsServer } from "../../client/tls/server.ts";
import { X509Source, type X509SourceOptions } from "../../client/x509-source.ts";
import { emptyBundle } from "../../pki/bundle/bundle.ts";
import { formatJwks } from "../../pki/bundle/format.ts";
import { IdentityError, Status } from "../../pki/errors.ts";
import { issueJwtSvid } from "../../pki/jwt/issue.ts";
import { generateP256KeyPair, signerOf } from "../../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { FakeWorkloadApi, x509Response, x509SvidToWire } from "../support/fake-workload-api.ts";
import { ImpatientClock } from "../support/impatient-clock.ts";
import { TestAuthority } from "../support/test-authority.ts";

const north = await TestAuthority.create("north.test");
const south = await TestAuthority.create("south.test");
const refusal = new IdentityError(
  "NO_IDENTITY_ISSUED",
  Status.permissionDenied,
  "no identity issued",
);
const withdrawn = { reason: "IDENTITY_WITHDRAWN", code: Status.permissionDenied };
const southTest = TrustDomain.parse("south.test");

/** Resolves after the next change that `until` is true for. */
function change(source: X509Source, until: () => boolean = () => true): Promise<void> {
  return new Promise((resolve) => {
    const stop = source.onChange(() => {
      if (!until()) return;
      stop();
      resolve();
    });
  });
}

async function start(t: Test, options: X509SourceOptions = {}) {
  const fake = await FakeWorkloadApi.start(t);
  fake.x509.set(await x509Response(north, ["/db"]));
  const clock = new ImpatientClock();
  const errors: IdentityError[] = [];
  const source = await X509Source.start({
    endpoint: fake.endpoint,
    clock,
    onError: (error) => errors.push(error),
    ...options,
  });
  t.teardown(() => source.close());
  return { fake, source, clock, errors };
}

t.test("holds the newest state: SVIDs and bundles are replaced whole", async (t) => {
  const { fake, source } = await start(t);
  t.equal(source.svid().id.path, "/db");
  t.equal(source.anchorsOf(southTest), undefined);
  let changed = change(source);
  fake.x509.set(await x509Response(north, ["/web", "/db"], [south]));
  await changed;
  t.strictSame(
    source.svids().map(({ id }) => id.path),
    ["/web", "/db"],
  );
  t.equal(source.anchorsOf(southTest)?.length, 1);
  changed = change(source);
  fake.x509.set(await x509Response(north, ["/db"]));
  await changed;
  t.equal(source.svids().length, 1);
  t.equal(source.anchorsOf(southTest), undefined, "what is not sent again is gone");
  t.equal(source.bundles().size, 1);
});

t.test("waits in start for a workload that is registered later", async (t) => {
  const fake = await FakeWorkloadApi.start(t);
  fake.x509.set(refusal);
  const clock = new ImpatientClock();
  const started = X509Source.start({ endpoint: fake.endpoint, clock });
  while (fake.count("FetchX509SVID") < 3) await new Promise(setImmediate);
  fake.x509.set(await x509Response(north, ["/db"]));
  const source = await started;
  t.equal(source.svid().id.path, "/db");
  source.close();
});

t.test("start gives up after its timeout and says what the agent said", async (t) => {
  const fake = await FakeWorkloadApi.start(t);
  fake.x509.set(refusal);
  const attempt = X509Source.start({ endpoint: fake.endpoint, timeoutMs: 100 });
  await t.rejects(attempt, {
    reason: "SOURCE_NOT_READY",
    code: Status.unavailable,
    message: /no identity issued/,
    cause: { reason: "NO_IDENTITY_ISSUED" },
  });
  const signal = AbortSignal.abort();
  await t.rejects(X509Source.start({ endpoint: fake.endpoint, signal }), {
    reason: "SOURCE_NOT_READY",
    code: Status.unavailable,
  });
  await fake.stop();
  await t.rejects(X509Source.start({ endpoint: fake.endpoint, timeoutMs: 100 }), {
    reason: "SOURCE_NOT_READY",
    code: Status.unavailable,
  });
});

t.test("a withdrawn identity is not used again, until it comes back", async (t) => {
  const { fake, source } = await start(t);
  let changed = change(source);
  fake.x509.set(refusal);
  await changed;
  t.throws(() => source.svid(), withdrawn);
  t.throws(() => source.svids(), withdrawn);
  t.throws(() => source.bundles(), withdrawn);
  t.throws(() => source.anchorsOf(southTest), withdrawn);
  changed = change(source);
  fake.x509.set(await x509Response(north, ["/db"]));
  await changed;
  t.equal(source.svid().id.path, "/db");
});

t.test(
  "keeps what it has while the agent is away, and follows again when it is back",
  async (t) => {
    const { fake, source, errors } = await start(t);
    await fake.stop();
    while (errors.length < 3) await new Promise(setImmediate);
    t.equal(source.svid().id.path, "/db");
    fake.x509.set(await x509Response(north, ["/web"]));
    const changed = change(source);
    await fake.start();
    await changed;
    t.equal(source.svid().id.path, "/web");
    t.ok(errors.every(({ code }) => code === Status.unavailable));
  },
);

t.test("an SVID that has expired meanwhile is not handed out", async (t) => {
  const { source, clock } = await start(t);
  clock.aheadMs = 2 * 3_600_000;
  t.throws(() => source.svid(), { reason: "IDENTITY_EXPIRED", code: Status.unavailable });
});

t.test("a message that cannot be read is told of and changes nothing", async (t) => {
  const { fake, source, errors } = await start(t);
  fake.x509.set({ svids: [{ spiffeId: "spiffe://north.test/db" }] });
  while (errors.length < 1) await new Promise(setImmediate);
  t.equal(errors[0]?.reason, "WORKLOAD_API_RESPONSE_INVALID");
  t.equal(source.svid().id.path, "/db");
  t.equal(fake.count("FetchX509SVID"), 1, "the stream stays open");
});

t.test(
  "an error that no retry repairs ends the source, which answers with it from then on",
  async (t) => {
    const { fake, source, errors } = await start(t);
    const changed = change(source);
    fake.x509.set(new IdentityError("TEST", Status.invalidArgument, "the header is missing"));
    await changed;
    t.throws(() => source.svid(), { reason: "TEST", code: Status.invalidArgument });
    t.match(errors, [{ reason: "TEST" }]);
  },
);

t.test("picks its identity by hint or by a choice of its own", async (t) => {
  const fake = await FakeWorkloadApi.start(t);
  const svids = await Promise.all(
    ["", "internal", "external"].map(async (hint) =>
      x509SvidToWire(await north.issue(`/${hint || "default"}`), [north], hint),
    ),
  );
  fake.x509.set({ svids });
  const path = async (pick?: X509SourceOptions["pick"]) => {
    const source = await X509Source.start({
      endpoint: fake.endpoint,
      ...(pick !== undefined && { pick }),
    });
    t.teardown(() => source.close());
    return () => source.svid().id.path;
  };
  t.equal((await path())(), "/default");
  t.equal((await path("external"))(), "/external");
  t.equal((await path((all) => all.at(-2)))(), "/internal");
  const notFound = { reason: "IDENTITY_NOT_FOUND", code: Status.notFound };
  t.throws(await path("missing"), notFound);
  t.throws(await path(() => undefined), notFound);
});

t.test("a closed source answers nothing, and closing twice does nothing", async (t) => {
  const { source } = await start(t);
  source.close();
  source.close();
  t.throws(() => source.svid(), { reason: "SOURCE_CLOSED", code: Status.failedPrecondition });
  {
    const fake = await FakeWorkloadApi.start(t);
    fake.x509.set(await x509Response(north, ["/db"]));
    using scoped = await X509Source.start({ endpoint: fake.endpoint });
    t.equal(scoped.svid().id.path, "/db");
  }
});

t.test("two sources talk over TLS, through rotation of SVIDs and authority", async (t) => {
  const { fake: serverApi, source: serverSource } = await start(t);
  const { fake: clientApi, source: clientSource } = await start(t);
  let changed = change(clientSource);
  clientApi.x509.set(await x509Response(north, ["/web"]));
  await changed;
  const server = createTlsServer({
    source: serverSource,
    authorize: authorizeMemberOf("north.test"),
    onConnection: (socket, peer) => {
      socket.on("error", () => {});
      socket.end(String(peer?.id));
    },
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const call = async () => {
    const tcp = connectTcp((server.address() as AddressInfo).port, "127.0.0.1");
    await once(tcp, "connect");
    const authorize = authorizeId("spiffe://north.test/db");
    const secured = await secureSocket(tcp, { source: clientSource, authorize });
    let text = "";
    for await (const chunk of secured) text += chunk;
    return text;
  };
  t.equal(await call(), "spiffe://north.test/web");
  // The new authority is published, then used by one side, then by the other, then the old one goes.
  const renewed = await TestAuthority.create("north.test");
  const both = [north, renewed];
  const steps = [
    [serverApi, serverSource, await north.issue("/db"), both],
    [clientApi, clientSource, await north.issue("/web"), both],
    [serverApi, serverSource, await renewed.issue("/db"), both],
    [clientApi, clientSource, await renewed.issue("/web"), both],
    [serverApi, serverSource, await renewed.issue("/db"), [renewed]],
    [clientApi, clientSource, await renewed.issue("/web"), [renewed]],
  ] as const;
  for (const [api, source, svid, bundle] of steps) {
    changed = change(source);
    api.x509.set({ svids: [x509SvidToWire(svid, bundle)] });
    await changed;
    t.equal(await call(), "spiffe://north.test/web");
  }
});

const signer = signerOf("k1", generateP256KeyPair());
const other = signerOf("k2", generateP256KeyPair());
const jwks = (...signers: (typeof signer)[]) =>
  Buffer.from(
    formatJwks({
      ...emptyBundle(north.trustDomain),
      jwtAuthorities: signers.map(({ keyId, spki }) => ({
        keyId,
        spki,
        expiresAt: undefined,
        tainted: false,
      })),
    }),
  );

async function startJwt(t: Test) {
  const fake = await FakeWorkloadApi.start(t);
  const clock = new ImpatientClock();
  fake.jwtBundles.set({ bundles: { [north.trustDomain.id]: jwks(signer) } });
  fake.jwt = async ({ audience }) => {
    const issuedAt = clock.now();
    const expiresAt = new Date(issuedAt.getTime() + 300_000);
    const spiffeId = SpiffeId.parse("spiffe://north.test/db");
    const jti = String(fake.count("FetchJWTSVID"));
    const request = { signer, keyId: "k1", spiffeId, audience, issuedAt, expiresAt, jti };
    return { svids: [{ spiffeId: spiffeId.toString(), svid: await issueJwtSvid(request) }] };
  };
  const source = await JwtSource.start({ endpoint: fake.endpoint, clock });
  t.teardown(() => source.close());
  return { fake, clock, source };
}

t.test("a token is kept until half of its life is over, one for each audience", async (t) => {
  const { fake, clock, source } = await startJwt(t);
  const first = await source.fetchJwtSvid({ audience: "ledger" });
  t.equal((await source.fetchJwtSvid({ audience: "ledger" })).token, first.token);
  t.not((await source.fetchJwtSvid({ audience: "mail" })).token, first.token);
  const fresh = await source.fetchJwtSvid({ audience: "ledger", fresh: true });
  t.not(fresh.token, first.token, "a service has refused the first one");
  t.equal((await source.fetchJwtSvid({ audience: "ledger" })).token, fresh.token);
  clock.aheadMs = 140_000;
  t.equal((await source.fetchJwtSvid({ audience: "ledger" })).token, fresh.token);
  clock.aheadMs = 160_000;
  const second = await source.fetchJwtSvid({ audience: "ledger" });
  t.not(second.token, fresh.token);
  await fake.stop();
  clock.aheadMs = 160_000 + 200_000;
  t.equal(
    (await source.fetchJwtSvid({ audience: "ledger" })).token,
    second.token,
    "the agent is away",
  );
  clock.aheadMs = 160_000 + 301_000;
  await t.rejects(source.fetchJwtSvid({ audience: "ledger" }), {
    code: Status.unavailable,
    message: /./,
  });
});

t.test("a JWT source that gets no answer says so and leaves nothing open", async (t) => {
  const fake = await FakeWorkloadApi.start(t);
  fake.jwtBundles.set(refusal);
  await t.rejects(JwtSource.start({ endpoint: fake.endpoint, timeoutMs: 100 }), {
    reason: "SOURCE_NOT_READY",
    code: Status.unavailable,
    message: /no identity issued/,
  });
  fake.jwtBundles.set(new IdentityError("TEST", Status.unimplemented, "not here"));
  await t.rejects(JwtSource.start({ endpoint: fake.endpoint }), { reason: "TEST", code: 12 });
});

t.test("callers who want the same token at the same time share one question", async (t) => {
  const { fake, source } = await startJwt(t);
  const wanted = Array.from({ length: 10 }, () => source.fetchJwtSvid({ audience: "ledger" }));
  t.equal(new Set((await Promise.all(wanted)).map(({ token }) => token)).size, 1);
  t.equal(fake.count("FetchJWTSVID"), 1);
  fake.jwt = async () => {
    throw new IdentityError("TEST", Status.resourceExhausted, "too many");
  };
  const other = { audience: "mail" };
  const failing = [source.fetchJwtSvid(other), source.fetchJwtSvid(other)];
  for (const attempt of failing) await t.rejects(attempt, { reason: "TEST", code: 8 });
  await t.rejects(source.fetchJwtSvid({ ...other, timeoutMs: 1000 }), { reason: "TEST", code: 8 });
  t.equal(fake.count("FetchJWTSVID"), 3, "a failure is not kept");
});

t.test("tokens are validated by the agent, or locally when asked for", async (t) => {
  const { fake, source } = await startJwt(t);
  const { token } = await source.fetchJwtSvid({ audience: "ledger" });
  await t.rejects(source.validateJwtSvid(token, "ledger"), {
    reason: "TEST_HAS_NO_ANSWER",
    code: Status.outOfRange,
  });
  t.equal(fake.count("ValidateJWTSVID"), 1, "the agent was asked");
  const local = await source.validateJwtSvid(token, "ledger", { local: true });
  t.equal(local.id.toString(), "spiffe://north.test/db");
  await t.rejects(source.validateJwtSvid(token, "mail", { local: true }), {
    reason: "JWT_SVID_AUDIENCE",
    code: Status.invalidArgument,
  });
  t.equal(fake.count("ValidateJWTSVID"), 1);
});

t.test("keys and tokens of a withdrawn JWT identity are not used again", async (t) => {
  const { fake, source } = await startJwt(t);
  const { token } = await source.fetchJwtSvid({ audience: "ledger" });
  fake.jwtBundles.set({ bundles: { [north.trustDomain.id]: jwks(other) } });
  while (source.authoritiesOf(north.trustDomain)?.[0]?.keyId !== "k2")
    await new Promise(setImmediate);
  await t.rejects(source.validateJwtSvid(token, "ledger", { local: true }), {
    reason: "JWT_SVID_UNTRUSTED",
    code: Status.invalidArgument,
  });
  t.not((await source.fetchJwtSvid({ audience: "ledger" })).token, token);
  fake.jwtBundles.set(refusal);
  const isWithdrawn = () => {
    try {
      source.authoritiesOf(north.trustDomain);
      return false;
    } catch {
      return true;
    }
  };
  while (!isWithdrawn()) await new Promise(setImmediate);
  t.throws(() => source.authoritiesOf(north.trustDomain), withdrawn);
  await t.rejects(source.fetchJwtSvid({ audience: "ledger" }), withdrawn);
});
