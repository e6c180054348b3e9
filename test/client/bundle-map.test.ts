// Trust from a file, without an agent: what BundleMapFile takes over, what it keeps, and TLS with it.
import { once } from "node:events";
import { chmodSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import type { Test } from "tap";
import t from "tap";
import { BundleMapFile, type BundleMapOptions } from "../../client/bundle-map.ts";
import { peerOf } from "../../client/tls/admit.ts";
import { authorizeId } from "../../client/tls/authorize.ts";
import { secureSocket } from "../../client/tls/connect.ts";
import { createTlsServer } from "../../client/tls/server.ts";
import { type Bundle, emptyBundle } from "../../pki/bundle/bundle.ts";
import { formatBundleMap, MAX_BUNDLE_MAP_BYTES } from "../../pki/bundle/map.ts";
import { Status } from "../../pki/errors.ts";
import { issueJwtSvid } from "../../pki/jwt/issue.ts";
import { generateP256KeyPair, signerOf } from "../../pki/keys.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { CrlSet } from "../../pki/x509/crl-set.ts";
import { settle, TestClock } from "../support/clock.ts";
import { TestAuthority } from "../support/test-authority.ts";
import { TestTlsSource } from "../support/tls-source.ts";

const north = await TestAuthority.create("north.test");
const south = await TestAuthority.create("south.test");
const signer = signerOf("k1", generateP256KeyPair());
const unusable = { reason: "BUNDLE_MAP_UNUSABLE", code: Status.failedPrecondition };
const untrusted = { reason: "JWT_SVID_UNTRUSTED", code: Status.invalidArgument };
const closed = { reason: "SOURCE_CLOSED", code: Status.failedPrecondition };

function bundleOf(authority: TestAuthority): Bundle {
  const key = { keyId: "k1", spki: signer.spki, expiresAt: undefined, tainted: false };
  return {
    ...emptyBundle(authority.trustDomain),
    x509Authorities: [{ der: authority.root.der, tainted: false }],
    jwtAuthorities: [key],
    witAuthorities: [{ ...key, keyId: "w1" }],
  };
}

async function start(t: Test, options: Partial<BundleMapOptions> = {}) {
  const path = join(t.testdir({}), "map.json");
  const write = (text: string): void => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  write(formatBundleMap([bundleOf(north), bundleOf(south)]));
  const clock = new TestClock(new Date());
  const errors: string[] = [];
  const skipped: string[] = [];
  const source = await BundleMapFile.start({
    path,
    clock,
    onError: ({ message }) => errors.push(message),
    onSkip: (reason) => skipped.push(reason),
    ...options,
  });
  t.teardown(() => source.close());
  let changes = 0;
  source.onChange(() => changes++);
  /** Lets a second pass, and the look that is due then come to its end. */
  const look = async (): Promise<void> => {
    await clock.advance(1000);
    while (clock.timers === 0) await settle(1);
  };
  return { path, write, source, look, clock, errors, skipped, changes: () => changes };
}

const tokenOf = async (id: string, issuedAt: Date): Promise<string> =>
  issueJwtSvid({
    signer,
    keyId: "k1",
    spiffeId: SpiffeId.parse(id),
    audience: ["ledger"],
    issuedAt,
    expiresAt: new Date(issuedAt.getTime() + 300_000),
  });

t.test("holds the authorities of each trust domain, of every kind", async (t) => {
  const { source, clock } = await start(t);
  t.strictSame(source.trustDomains(), ["north.test", "south.test"]);
  t.same(source.anchorsOf(north.trustDomain)?.[0]?.der, north.root.der);
  t.equal(source.authoritiesOf(south.trustDomain)?.[0]?.keyId, "k1");
  t.equal(source.witAuthoritiesOf(south.trustDomain)?.[0]?.keyId, "w1");
  const { id } = await source.validateJwtSvid(
    await tokenOf("spiffe://south.test/db", clock.now()),
    "ledger",
  );
  t.equal(id.toString(), "spiffe://south.test/db");
  const foreign = tokenOf("spiffe://west.test/db", clock.now());
  await t.rejects(source.validateJwtSvid(await foreign, "ledger"), untrusted);
  t.equal(source.svid(), undefined, "a map has no identity to show");
});

t.test("takes over a new map whole: a name that is missing is trusted no more", async (t) => {
  const { source, write, look, changes, clock } = await start(t);
  const token = await tokenOf("spiffe://south.test/db", clock.now());
  write(formatBundleMap([bundleOf(north)]));
  await look();
  t.equal(changes(), 1);
  t.strictSame(source.trustDomains(), ["north.test"]);
  t.equal(source.anchorsOf(south.trustDomain), undefined);
  await t.rejects(source.validateJwtSvid(token, "ledger"), untrusted);
  write('{"trust_domains":{}}');
  await look();
  t.equal(source.anchorsOf(north.trustDomain), undefined, "an empty map trusts nobody");
  t.equal(changes(), 2);
});

t.test("keeps what it had when the new file cannot be used, and reports it once", async (t) => {
  const { path, source, write, look, errors, changes } = await start(t);
  const bad: readonly (readonly [string, () => void, RegExp])[] = [
    ["half a document", () => write('{"trust_domains":{"north.test":{"ke'), /not a bundle map/],
    [
      "one bad bundle among good ones",
      () => write('{"trust_domains":{"north.test":{"keys":[]},"south.test":{}}}'),
      /"south.test" cannot be used/,
    ],
    [
      "a name twice",
      () => write('{"trust_domains":{"a":{"keys":[]},"\\u0061":{"keys":[]}}}'),
      /appears twice/,
    ],
    ["too large", () => write(" ".repeat(MAX_BUNDLE_MAP_BYTES + 1)), /larger than/],
    ["no file", () => rmSync(path), /ENOENT/],
  ];
  for (const [name, spoil, message] of bad) {
    spoil();
    const before = errors.length;
    for (let i = 0; i < 3; i++) await look();
    t.equal(errors.length, before + 1, name);
    t.match(errors.at(-1), message, name);
    t.strictSame(source.trustDomains(), ["north.test", "south.test"], name);
  }
  t.equal(changes(), 0);
  write(formatBundleMap([bundleOf(south)]));
  await look();
  t.strictSame(source.trustDomains(), ["south.test"], "and it goes on from there");
});

t.test("a file that is written again as it was changes nothing", async (t) => {
  const { path, write, look, errors, changes } = await start(t);
  write(formatBundleMap([bundleOf(south), bundleOf(north)]));
  await look();
  utimesSync(path, new Date(), new Date());
  chmodSync(path, 0o640);
  await look();
  t.equal(changes(), 0);
  t.strictSame(errors, []);
});

t.test("a change that leaves the file's size and time as they were is seen", async (t) => {
  const { path, source, look } = await start(t, {});
  const [a, b] = ["aaaa.test", "bbbb.test"].map(
    (name) => `{"trust_domains":{"${name}":{"keys":[]}}}`,
  );
  writeFileSync(path, a ?? "");
  utimesSync(path, 1, 1);
  await look();
  writeFileSync(path, b ?? ""); // as within one tick of a coarse file system
  utimesSync(path, 1, 1);
  await look();
  t.strictSame(source.trustDomains(), ["bbbb.test"]);
});

t.test("looks when it is told to, whatever the bundles say", async (t) => {
  const { source, write, clock } = await start(t, { pollMs: 10_000 });
  write('{"trust_domains":{"a.test":{"keys":[],"spiffe_refresh_hint":1,"refresh_hint":1}}}');
  await clock.advance(9_999);
  t.equal(source.trustDomains().length, 2);
  await clock.advance(1);
  while (clock.timers === 0) await settle(1);
  t.strictSame(source.trustDomains(), ["a.test"]);
  write('{"trust_domains":{}}');
  await clock.advance(9_999);
  t.strictSame(source.trustDomains(), ["a.test"], "a hint of one second hurries nobody");
});

t.test("tells of keys it skips", async (t) => {
  const { source, write, look, skipped } = await start(t);
  write('{"trust_domains":{"a.test":{"keys":[{"kty":"AKP","use":"x"}]}}}');
  await look();
  t.match(skipped, [/"a.test".*use is unknown/]);
  t.strictSame(source.trustDomains(), ["a.test"]);
});

t.test("does not start without a file it can use, and ends when it is closed", async (t) => {
  const folder = t.testdir({ "bad.json": "{}" });
  await t.rejects(BundleMapFile.start({ path: join(folder, "none.json") }), {
    ...unusable,
    hint: /bundle list --format map/,
  });
  await t.rejects(BundleMapFile.start({ path: join(folder, "bad.json") }), unusable);
  await t.rejects(BundleMapFile.start({ path: folder }), unusable, "a folder");
  const { source, clock, changes } = await start(t);
  source.close();
  t.equal(changes(), 1);
  t.equal(clock.timers, 0);
  t.throws(() => source.anchorsOf(north.trustDomain), closed);
  t.throws(() => source.trustDomains(), closed);
  const token = tokenOf("spiffe://south.test/db", clock.now());
  await t.rejects(source.validateJwtSvid(await token, "ledger"), closed);
});

t.test("the revocation lists of the identity count: a map has none", async (t) => {
  const { source, path } = await start(t);
  t.equal(source.crls(), undefined);
  const lists = new CrlSet([]);
  const identity = { svid: () => undefined, onChange: () => () => {}, crls: () => lists };
  const listed = await BundleMapFile.start({ path, identity });
  t.teardown(() => listed.close());
  t.equal(listed.crls(), lists);
});

t.test(
  "verifies servers over TLS, and peers of a server that shows an SVID of its own",
  async (t) => {
    const { source: trust, write, look } = await start(t);
    const identity = new TestTlsSource(await north.issue("/db"), () => undefined);
    const source = await BundleMapFile.start({ path: join(t.testdirName, "map.json"), identity });
    t.teardown(() => source.close());
    const refused: string[] = [];
    const server = createTlsServer({
      source,
      authorize: authorizeId("spiffe://south.test/web"),
      clientCertificate: "optional",
      onRefused: ({ reason }) => refused.push(reason),
      onConnection: (socket, peer) => socket.end(`hello ${peer?.id ?? "nobody"}`),
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.teardown(() => server.close());
    const connect = (as: Parameters<typeof secureSocket>[1]["source"]): Promise<TLSSocket> => {
      const { port } = server.address() as AddressInfo;
      const socket = connectTcp(port, "127.0.0.1");
      return secureSocket(socket, { source: as, authorize: authorizeId("spiffe://north.test/db") });
    };
    const textOf = async (socket: TLSSocket): Promise<string> => {
      let text = "";
      for await (const chunk of socket) text += chunk;
      return text;
    };

    const anonymous = await connect(trust);
    t.equal(peerOf(anonymous)?.id.toString(), "spiffe://north.test/db");
    t.equal(await textOf(anonymous), "hello nobody");
    const web = new TestTlsSource(await south.issue("/web"), trust.anchorsOf);
    t.equal(await textOf(await connect(web)), "hello spiffe://south.test/web");

    let changes = 0;
    const stop = source.onChange(() => changes++);
    identity.rotate(await north.issue("/db"));
    t.equal(changes, 1, "a new identity is a change too");
    stop();
    identity.rotate(await north.issue("/db"));
    t.equal(changes, 1);

    write(formatBundleMap([bundleOf(south)]));
    await look();
    await t.rejects(connect(trust), {
      reason: "SVID_TRUST_DOMAIN_UNKNOWN",
      code: Status.invalidArgument,
    });
    t.strictSame(refused, []);
  },
);
