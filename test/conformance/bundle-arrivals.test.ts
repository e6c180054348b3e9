// Where bundles of others come in: set by hand with `signet bundle set`, and fetched from an endpoint. Both
// ways read a document by the same rules, at a running server. And where its bundles go out as a map.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { BundleMapFile } from "../../client/bundle-map.ts";
import { peerOf } from "../../client/tls/admit.ts";
import { authorizeId } from "../../client/tls/authorize.ts";
import { secureSocket } from "../../client/tls/connect.ts";
import { verifyPeer } from "../../client/verify.ts";
import { Status } from "../../pki/errors.ts";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { settle, TestClock } from "../support/clock.ts";
import { command } from "../support/command.ts";
import { TestServer } from "../support/running-server.ts";
import { TestAuthority } from "../support/test-authority.ts";
import { TestBundleEndpoint } from "../support/test-bundle-endpoint.ts";
import { documentOf } from "../support/test-federation.ts";

const south = await TestAuthority.create("south.test");
const next = await TestAuthority.create("south.test");
const [good] = JSON.parse(documentOf([south])).keys as Record<string, unknown>[];
const [another] = JSON.parse(documentOf([next])).keys as Record<string, unknown>[];
const jwt = (kid: string, change: object = {}) => {
  const { x, y } = generateP256KeyPair().publicKey.export({ format: "jwk" });
  return { use: "jwt-svid", kty: "EC", crv: "P-256", kid, x, y, ...change };
};
const without = (key: object | undefined, name: string) =>
  Object.fromEntries(Object.entries(key ?? {}).filter(([one]) => one !== name));

/** A server with a bundle of south.test, and the two ways to give it another one: the exit codes. */
async function setUp(t: Test) {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  const endpoint = await TestBundleEndpoint.start(t, await south.issue("/spire/server"));
  const file = join(t.testdir({ "bundle.json": documentOf([south]) }), "bundle.json");
  const signet = (line: string) =>
    command(...line.split(" "), "--admin-socket", server.running.adminSocket);
  const set = async (document: string) => {
    writeFileSync(file, document);
    return (await signet(`bundle set --id south.test --format spiffe --path ${file}`)).code;
  };
  const fetch = async (document: string) => {
    endpoint.document = document;
    return (await signet("federation refresh --id south.test")).code;
  };
  endpoint.document = documentOf([south]);
  const created = await signet(
    `federation create --trust-domain south.test --bundle-endpoint-url ${endpoint.url()} --bundle-endpoint-profile https_spiffe --endpoint-spiffe-id spiffe://south.test/spire/server --trust-domain-bundle-format spiffe --trust-domain-bundle-path ${file}`,
  );
  t.equal(created.code, 0, created.err);
  const shown = async () =>
    (await signet("bundle list --id south.test --format spiffe")).out.replace(/^# .*\n/, "");
  return { server, signet, ways: { set, fetch }, shown };
}

const keysOf = (document: string) => JSON.parse(document).keys as Record<string, unknown>[];

t.test(
  "BND-02, BND-05 unknown members are ignored, and the sequence number is exact",
  async (t) => {
    const { ways, shown } = await setUp(t);
    let sequence = 9007199254740993n;
    for (const [way, give] of Object.entries(ways)) {
      sequence += 2n;
      const document = `{"x.test/more":{"a":[1]},"keys":[${JSON.stringify(good)}],"spiffe_sequence":${sequence}}`;
      t.equal(await give(document), 0, way);
      t.match(await shown(), `"spiffe_sequence":${sequence}`, way);
      t.notMatch(await shown(), "x.test/more");
      t.not(await give(document.replace(/(\d+)}$/, "$1.0}")), 0, `${way}: rounded already`);
      t.match(await shown(), `"spiffe_sequence":${sequence}`, `${way}: so it stays`);
    }
  },
);

t.test(
  "BND-10, BND-13, BND-14, BND-15 what is not known is skipped whole, the rest kept",
  async (t) => {
    const { ways, shown } = await setUp(t);
    for (const [way, give] of Object.entries(ways)) {
      const kid = `${way}-1`;
      const keys = [
        ...[{ kty: "AKP", use: "jwt-svid", kid: "a" }, { ...another, use: "tls" }, 7, null, {}],
        ...[without(another, "use"), without(another, "kty"), { ...another, x5c: [] }],
        ...[jwt("b", { use: "JWT-SVID" }), jwt("c", { crv: "P-999" }), without(jwt("d"), "kid")],
        ...[good, jwt(kid)],
      ];
      t.equal(await give(JSON.stringify({ keys })), 0, way);
      const held = keysOf(await shown());
      t.strictSame(
        held.map(({ use, kid, x5c }) => kid ?? [use, x5c]),
        [["x509-svid", good?.["x5c"]], kid],
        way,
      );
    }
  },
);

t.test("BND-01, BND-09 what is no bundle, or says something twice, changes nothing", async (t) => {
  const { ways, shown } = await setUp(t);
  const before = await shown();
  t.equal(keysOf(before).length, 1);
  const key = JSON.stringify(another);
  const documents = [
    ...["[]", "{}", '{"keys":{}}', '{"keys":null}', "-----BEGIN CERTIFICATE-----"],
    `{"keys":[${key}],"keys":[${key}]}`,
    `{"keys":[${key}],"k\\u0065ys":[]}`,
    `{"keys":[${key.replace('"kty"', '"kty":"RSA","k\\u0074y"')}]}`,
    `{"keys":[${key}],"spiffe_sequence":1,"spiffe_sequence":2}`,
    `{"keys":[${key}]}x`,
  ];
  for (const document of documents) {
    for (const [way, give] of Object.entries(ways)) {
      t.not(await give(document), 0, `${way}: ${document.slice(0, 30)}`);
    }
  }
  t.equal(await shown(), before);
});

t.test("BND-10 of two keys under one ID neither is taken", async (t) => {
  const { ways, shown } = await setUp(t);
  for (const [way, give] of Object.entries(ways)) {
    const keys = [good, jwt("twice"), jwt("twice"), jwt("twice", { use: "wit-svid" }), jwt(way)];
    t.equal(await give(JSON.stringify({ keys })), 0, way);
    t.strictSame(
      keysOf(await shown()).flatMap(({ kid }) => kid ?? []),
      [way],
    );
  }
});

t.test("BND-11, BND-12 nothing usable is an empty bundle: nobody there is trusted", async (t) => {
  const { ways, shown } = await setUp(t);
  t.equal(keysOf(await shown()).length, 1);
  t.equal(await ways.set('{"keys":[]}'), 0);
  t.strictSame(keysOf(await shown()), []);
});

t.test(
  "BND-25, BND-27, BND-29 by the map of a server a client without an agent knows whom to trust",
  async (t) => {
    const { server, signet, ways } = await setUp(t);
    const path = join(t.testdir({}), "map.json");
    const { out } = await signet("bundle list --format map");
    t.strictSame(Object.keys(JSON.parse(out).trust_domains), ["north.test", "south.test"]);
    t.notMatch(out, "refresh_hint");
    writeFileSync(path, out);
    const clock = new TestClock(new Date());
    const map = await BundleMapFile.start({ path, clock });
    t.teardown(() => map.close());
    const connect = async () => {
      const authorize = authorizeId("spiffe://north.test/spire/server");
      const socket = await secureSocket(await server.dial(), { source: map, authorize });
      socket.destroy();
      return peerOf(socket)?.id.toString();
    };
    t.equal(await connect(), "spiffe://north.test/spire/server");
    const { chain } = await south.issue("/db");
    const isSouth = () => verifyPeer(chain, map.anchorsOf, clock.now(), "server").id.toString();
    t.equal(isSouth(), "spiffe://south.test/db");

    t.equal(await ways.set(documentOf([next])), 0);
    writeFileSync(path, (await signet("bundle list --format map")).out);
    await clock.advance(1000);
    while (clock.timers === 0) await settle(1);
    t.throws(isSouth, { reason: "SVID_UNTRUSTED", code: Status.invalidArgument });
    t.equal(await connect(), "spiffe://north.test/spire/server", "the other one stays");
  },
);
