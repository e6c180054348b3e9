// The rows that bind those who use the Workload API: our client library, against a real Workload API
// whose answers the test sets. SPIFFE_Workload_Endpoint.md, SPIFFE_Workload_API.md. Rows of the client that
// need no Workload API: client-offline.test.ts.
import { createServer } from "node:net";
import type { Test } from "tap";
import t from "tap";
import { fetchX509Svid } from "../../client/fetch.ts";
import { JwtSource } from "../../client/jwt-source.ts";
import { verifyPeer } from "../../client/verify.ts";
import { WorkloadApi } from "../../client/workload-api.ts";
import { X509Source } from "../../client/x509-source.ts";
import { emptyBundle } from "../../pki/bundle/bundle.ts";
import { formatBundle, formatJwks } from "../../pki/bundle/format.ts";
import { IdentityError, Status } from "../../pki/errors.ts";
import { issueJwtSvid } from "../../pki/jwt/issue.ts";
import { generateP256KeyPair, signerOf } from "../../pki/keys.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { structFromJson } from "../../proto/types/struct.ts";
import { FakeWorkloadApi, x509Response, x509SvidToWire } from "../support/fake-workload-api.ts";
import { ImpatientClock } from "../support/impatient-clock.ts";
import { TestAuthority } from "../support/test-authority.ts";

const north = await TestAuthority.create("north.test");
const south = await TestAuthority.create("south.test");
const signer = signerOf("k1", generateP256KeyPair());
const failure = (code: Status, message = "the test says so") =>
  new IdentityError("TEST", code, message);

const jwks = Buffer.from(
  formatJwks({
    ...emptyBundle(north.trustDomain),
    jwtAuthorities: [{ keyId: "k1", spki: signer.spki, expiresAt: undefined, tainted: false }],
  }),
);

function tokenFor(audience: readonly string[]): string {
  return issueJwtSvid({
    signer,
    keyId: "k1",
    spiffeId: SpiffeId.of(north.trustDomain, "/db"),
    audience,
    issuedAt: new Date(),
    expiresAt: new Date(Date.now() + 300_000),
  }) as string;
}

async function start(t: Test) {
  const fake = await FakeWorkloadApi.start(t);
  fake.x509.set(await x509Response(north, ["/db"]));
  fake.x509Bundles.set({ bundles: { [north.trustDomain.id]: north.root.der } });
  fake.jwtBundles.set({ bundles: { [north.trustDomain.id]: jwks } });
  fake.jwt = async ({ audience }) => ({
    svids: [{ spiffeId: "spiffe://north.test/db", svid: tokenFor(audience) }],
  });
  fake.validation = async () => ({
    spiffeId: "spiffe://north.test/db",
    claims: structFromJson({ sub: "spiffe://north.test/db", aud: ["a"], exp: 1 }),
  });
  return fake;
}

async function source(t: Test, fake: FakeWorkloadApi) {
  const clock = new ImpatientClock();
  const errors: IdentityError[] = [];
  const onError = (error: IdentityError) => errors.push(error);
  const started = await X509Source.start({ endpoint: fake.endpoint, clock, onError });
  t.teardown(() => started.close());
  return { source: started, clock, errors };
}

/** Lets I/O happen until `done`. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise(setImmediate);
}

t.test("EP-02 the client speaks gRPC", async (t) => {
  const fake = await start(t);
  t.equal((await fetchX509Svid({ endpoint: fake.endpoint })).id.path, "/db");
  const path = `${fake.endpoint.slice("unix://".length)}.rest`;
  const rest = createServer((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n{}"));
  await new Promise<void>((resolve) => rest.listen(path, resolve));
  t.teardown(() => rest.close());
  await t.rejects(fetchX509Svid({ endpoint: `unix://${path}`, timeoutMs: 5000 }), {
    code: Status.unavailable,
    message: /./,
  });
});

t.test("EP-05 every request carries the security header, after a reconnect too", async (t) => {
  const fake = await start(t);
  const api = new WorkloadApi({ endpoint: fake.endpoint });
  t.teardown(() => api.close());
  const callAll = async () => {
    await api.fetchX509Svid();
    await api.fetchX509Bundles();
    await api.fetchJwtSvid({ audience: "a" });
    await api.fetchJwtBundles();
    await api.validateJwtSvid("x", "a");
  };
  await callAll();
  await fake.stop();
  await t.rejects(api.fetchX509Svid(), { code: Status.unavailable, message: /./ });
  await fake.start();
  await until(() => fake.calls.length >= 5);
  for (let done = false; !done; ) {
    done = await callAll().then(
      () => true,
      () => false,
    );
  }
  t.ok(fake.calls.length >= 10);
  t.strictSame(
    fake.calls.filter((call) => !call.endsWith(" true")),
    [],
  );
});

/** Follows the X.509 state until the watch ends; answers what ended it. */
async function endOfWatch(fake: FakeWorkloadApi): Promise<unknown> {
  const api = new WorkloadApi({ endpoint: fake.endpoint });
  try {
    for await (const _ of api.watchX509Context({ clock: new ImpatientClock() }));
    return undefined;
  } catch (error) {
    return error;
  } finally {
    api.close();
  }
}

t.test("EP-16 INVALID_ARGUMENT is reported and not retried", async (t) => {
  const fake = await start(t);
  fake.x509.set(failure(Status.invalidArgument));
  t.match(await endOfWatch(fake), { code: Status.invalidArgument });
  t.equal(fake.count("FetchX509SVID"), 1);
});

t.test(
  "EP-18 UNAVAILABLE and an endpoint that is away are retried, with growing delays",
  async (t) => {
    const fake = await start(t);
    const { source: held, clock, errors } = await source(t, fake);
    fake.x509.set(failure(Status.unavailable));
    await until(() => errors.length >= 4);
    await fake.stop();
    await until(() => errors.length >= 8);
    const [least, most] = [Math.min(...clock.sleeps), Math.max(...clock.sleeps)];
    t.ok(least >= 100, "no tight loop");
    t.ok(most >= 10 * least || most > 1000, `from ${least} to ${most} ms`);
    fake.x509.set(await x509Response(north, ["/back"]));
    await fake.start();
    await until(() => held.svid().id.path === "/back");
    t.pass("it came back");
  },
);

t.test("EP-20 PERMISSION_DENIED is retried: a later registration succeeds", async (t) => {
  const fake = await start(t);
  fake.x509.set(failure(Status.permissionDenied, "no identity issued"));
  const clock = new ImpatientClock();
  const started = X509Source.start({ endpoint: fake.endpoint, clock });
  await until(() => fake.count("FetchX509SVID") >= 3);
  fake.x509.set(await x509Response(north, ["/db"]));
  const held = await started;
  t.equal(held.svid().id.path, "/db");
  t.ok(Math.min(...clock.sleeps) >= 100, "with backoff");
  held.close();
});

t.test("EP-21 UNIMPLEMENTED is reported and not retried", async (t) => {
  const fake = await start(t);
  fake.x509.set(failure(Status.unimplemented));
  t.match(await endOfWatch(fake), { code: Status.unimplemented });
  t.equal(fake.count("FetchX509SVID"), 1);
});

t.test("EP-25 an endpoint without reflection is a Workload API like any other", async (t) => {
  const fake = await start(t); // serves the Workload API and nothing else
  t.equal((await fetchX509Svid({ endpoint: fake.endpoint })).id.path, "/db");
  t.strictSame(fake.calls, ["FetchX509SVID true"], "no other service was asked");
});

t.test("WL-07 a stream that ends is opened again", async (t) => {
  const fake = await start(t);
  const { source: held, errors } = await source(t, fake);
  await fake.stop();
  await until(() => errors.length > 0);
  fake.x509.set(await x509Response(north, ["/new"]));
  await fake.start();
  await until(() => held.svid().id.path === "/new");
  t.notOk(
    errors.some(({ code }) => code !== Status.unavailable),
    "no other error",
  );
  t.ok(fake.count("FetchX509SVID") >= 2);
});

t.test("WL-11 an empty field replaces what was there", async (t) => {
  const fake = await start(t);
  fake.x509.set(await x509Response(north, ["/db"], [south]));
  const { source: held } = await source(t, fake);
  t.equal(held.bundles().size, 2);
  fake.x509.set(await x509Response(north, ["/db"]));
  await until(() => held.bundles().size === 1);
  t.equal(held.anchorsOf(south.trustDomain), undefined);
});

t.test("WL-12 what is absent from a message is unloaded", async (t) => {
  const fake = await start(t);
  const west = await TestAuthority.create("west.test");
  fake.x509.set(await x509Response(north, ["/db", "/two"], [south, west]));
  const { source: held } = await source(t, fake);
  fake.x509.set(await x509Response(north, ["/db"], [west]));
  await until(() => held.svids().length === 1);
  t.equal(held.anchorsOf(south.trustDomain), undefined);
  t.equal(held.anchorsOf(west.trustDomain)?.length, 1);
});

t.test("WL-14 a message without a mandatory field is reported and discarded whole", async (t) => {
  const fake = await start(t);
  const { source: held, errors } = await source(t, fake);
  const good = await north.issue("/new");
  fake.x509.set({
    svids: [
      x509SvidToWire(good, [north]),
      { ...x509SvidToWire(good, [north]), bundle: Buffer.alloc(0) },
    ],
  });
  await until(() => errors.length > 0);
  t.equal(errors[0]?.reason, "WORKLOAD_API_RESPONSE_INVALID");
  t.equal(held.svid().id.path, "/db", "nothing of it was applied");
});

t.test(
  "WL-15 a peer's trust domain selects the bundle, and without one it is not trusted",
  async (t) => {
    const fake = await start(t);
    const { source: held } = await source(t, fake);
    const { chain } = await south.issue("/x");
    t.throws(() => verifyPeer(chain, held.anchorsOf, new Date(), "client"), {
      reason: "SVID_TRUST_DOMAIN_UNKNOWN",
      code: Status.invalidArgument,
    });
    fake.x509.set(await x509Response(north, ["/db"], [south]));
    await until(() => held.bundles().size === 2);
    t.equal(
      verifyPeer(chain, held.anchorsOf, new Date(), "client").id.toString(),
      "spiffe://south.test/x",
    );
    const response = await x509Response(north, ["/db"]);
    const none = { [south.trustDomain.id]: Buffer.alloc(0) };
    fake.x509.set({ ...response, federatedBundles: none });
    await until(() => (held.anchorsOf(south.trustDomain) ?? []).length === 0);
    t.throws(() => verifyPeer(chain, held.anchorsOf, new Date(), "client"), {
      code: Status.invalidArgument,
      message: /south\.test|authority/,
    });
    t.equal(held.svid().id.path, "/db", "a bundle without certificates spoils no message");
  },
);

async function hinted(fake: FakeWorkloadApi, hints: readonly string[]): Promise<void> {
  const svids = await Promise.all(
    hints.map(async (hint, i) => x509SvidToWire(await north.issue(`/${i}`), [north], hint)),
  );
  fake.x509.set({ svids });
}

t.test("WL-24 of two SVIDs with one hint the first stays; those without all stay", async (t) => {
  const fake = await start(t);
  await hinted(fake, ["a", "b", "a", "", ""]);
  const { source: held } = await source(t, fake);
  t.strictSame(
    held.svids().map(({ id }) => id.path),
    ["/0", "/1", "/3", "/4"],
  );
  t.equal((await fetchX509Svid({ endpoint: fake.endpoint, hint: "a" })).id.path, "/0");
  t.equal((await fetchX509Svid({ endpoint: fake.endpoint })).id.path, "/0", "a first-only fetch");
});

t.test("WL-27 SVIDs that were withdrawn are no longer used, on an open stream too", async (t) => {
  const fake = await start(t);
  const { source: held, errors } = await source(t, fake);
  t.equal(held.svid().id.path, "/db");
  fake.x509.set(failure(Status.permissionDenied));
  await until(() => errors.length > 0);
  t.throws(() => held.svid(), { reason: "IDENTITY_WITHDRAWN", code: Status.permissionDenied });
});

t.test("WL-28 bundles of one kind verify no SVID of another", async (t) => {
  const fake = await start(t);
  // A bundle whose only keys are of another kind holds no JWT authority.
  const [jwk] = JSON.parse(String(jwks)).keys;
  const x509Document = JSON.parse(
    formatBundle({
      ...emptyBundle(north.trustDomain),
      x509Authorities: [{ der: north.root.der, tainted: false }],
    }),
  );
  const bundles = (keys: unknown[]) => ({
    bundles: { [north.trustDomain.id]: Buffer.from(JSON.stringify({ keys })) },
  });
  const validate = async () => {
    const held = await JwtSource.start({ endpoint: fake.endpoint });
    t.teardown(() => held.close());
    return held.validateJwtSvid(tokenFor(["a"]), "a", { local: true });
  };
  await t.resolves(validate());
  for (const keys of [
    [{ ...jwk, use: "wit-svid" }],
    [{ ...jwk, use: "x509-svid" }],
    x509Document.keys,
  ]) {
    fake.jwtBundles.set(bundles(keys));
    await t.rejects(validate(), { reason: "JWT_SVID_UNTRUSTED", code: Status.invalidArgument });
  }
});

t.test("WL-31 bundles that were withdrawn are no longer used", async (t) => {
  const fake = await start(t);
  const { source: held, errors } = await source(t, fake);
  const jwt = await JwtSource.start({
    endpoint: fake.endpoint,
    clock: new ImpatientClock(),
    onError: (error) => errors.push(error),
  });
  t.teardown(() => jwt.close());
  const { chain } = await north.issue("/x");
  t.ok(verifyPeer(chain, held.anchorsOf, new Date(), "client"));
  await t.resolves(jwt.validateJwtSvid(tokenFor(["a"]), "a", { local: true }));
  fake.x509.set(failure(Status.permissionDenied));
  fake.jwtBundles.set(failure(Status.permissionDenied));
  await until(() => errors.length >= 4);
  const withdrawn = { reason: "IDENTITY_WITHDRAWN", code: Status.permissionDenied };
  t.throws(() => verifyPeer(chain, held.anchorsOf, new Date(), "client"), withdrawn);
  await t.rejects(jwt.validateJwtSvid(tokenFor(["a"]), "a", { local: true }), withdrawn);
});

t.test("WL-44 tokens are validated by the agent, and locally only when asked for", async (t) => {
  const fake = await start(t);
  const jwt = await JwtSource.start({ endpoint: fake.endpoint });
  t.teardown(() => jwt.close());
  await jwt.validateJwtSvid(tokenFor(["a"]), "a");
  t.equal(fake.count("ValidateJWTSVID"), 1);
  await jwt.validateJwtSvid(tokenFor(["a"]), "a", { local: true });
  t.equal(fake.count("ValidateJWTSVID"), 1);
});

t.test("WL-53 a hint that is not there is an error, never another identity", async (t) => {
  const fake = await start(t);
  await hinted(fake, ["internal", "external"]);
  const { endpoint } = fake;
  t.equal((await fetchX509Svid({ endpoint, hint: "external" })).id.path, "/1");
  t.equal((await fetchX509Svid({ endpoint })).id.path, "/0", "the default is the first");
  await t.rejects(fetchX509Svid({ endpoint, hint: "extern" }), {
    reason: "IDENTITY_NOT_FOUND",
    code: Status.notFound,
  });
});
