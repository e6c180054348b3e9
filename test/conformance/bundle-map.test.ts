// SPIFFE_Trust_Domain_and_Bundle.md, section 5: bundle maps, as `signet bundle list` prints them and as
// the client library trusts by them.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import t from "tap";
import { BundleMapFile } from "../../client/bundle-map.ts";
import { verifyPeer } from "../../client/verify.ts";
import { type Bundle, emptyBundle } from "../../pki/bundle/bundle.ts";
import { formatBundle } from "../../pki/bundle/format.ts";
import { formatBundleMap, parseBundleMap } from "../../pki/bundle/map.ts";
import { Status } from "../../pki/errors.ts";
import { BundleService } from "../../proto/schema.gen.ts";
import { bundleToWire } from "../../proto/types/bundle.ts";
import { settle, TestClock } from "../support/clock.ts";
import { command, serveOnSocket } from "../support/command.ts";
import { TestAuthority } from "../support/test-authority.ts";

const invalid = { reason: "BUNDLE_INVALID", code: Status.invalidArgument };
const unusable = { reason: "BUNDLE_MAP_UNUSABLE", code: Status.failedPrecondition };
const north = await TestAuthority.create("north.test");
const south = await TestAuthority.create("south.test");
const bundleOf = ({ trustDomain, root }: TestAuthority): Bundle => ({
  ...emptyBundle(trustDomain),
  x509Authorities: [{ der: root.der, tainted: false }],
  refreshHintSeconds: 300,
});
const both = formatBundleMap([bundleOf(north), bundleOf(south)]);
const [northJson, southJson] = [formatBundle(bundleOf(north)), formatBundle(bundleOf(south))];

/** What `signet bundle list` prints of a server that has these bundles. */
async function printed(t: Test, own: Bundle, pages: readonly Bundle[][]): Promise<string> {
  const path = await serveOnSocket(t, (server) =>
    server.add(BundleService, {
      getBundle: async () => bundleToWire(own),
      listFederatedBundles: async ({ pageToken }) => ({
        bundles: pages[Number(pageToken)]?.map((bundle) => bundleToWire(bundle)) ?? [],
        nextPageToken: Number(pageToken) + 1 < pages.length ? String(Number(pageToken) + 1) : "",
      }),
    }),
  );
  const { out } = await command("bundle", "list", "--format", "map", "--admin-socket", path);
  return out;
}

/** A consumer of a map file, and how a test replaces the file and has it looked at. */
async function consume(t: Test, text: string) {
  const path = join(t.testdir({}), "map.json");
  const put = (next: string): void => {
    writeFileSync(`${path}.new`, next);
    renameSync(`${path}.new`, path);
  };
  put(text);
  const clock = new TestClock(new Date());
  const errors: string[] = [];
  const map = await BundleMapFile.start({
    path,
    clock,
    onError: ({ reason }) => errors.push(reason),
  });
  t.teardown(() => map.close());
  const pass = async (ms: number): Promise<void> => {
    await clock.advance(ms);
    while (clock.timers === 0) await settle(1);
  };
  return { map, put, pass, errors, clock };
}

/** Whether a peer of a trust domain is verified by what the map says. */
async function trusts({ map, clock }: Awaited<ReturnType<typeof consume>>, peer: TestAuthority) {
  const { chain } = await peer.issue("/db");
  try {
    return verifyPeer(chain, map.anchorsOf, clock.now(), "server").id.path === "/db";
  } catch {
    return false;
  }
}

t.test("BND-23 a map has trust_domains, which may be empty", async (t) => {
  t.equal(parseBundleMap('{"trust_domains":{}}').size, 0);
  t.equal(formatBundleMap([]), '{"trust_domains":{}}');
  for (const text of ["{}", "[]", '{"trust_domains":[]}', '{"trust_domains":null}', northJson]) {
    t.throws(() => parseBundleMap(text), invalid, text.slice(0, 30));
  }
  const file = await consume(t, '{"trust_domains":{}}');
  t.notOk(await trusts(file, north), "an empty map trusts nobody");
  const path = join(t.testdir({ "bad.json": "{}" }), "bad.json");
  await t.rejects(BundleMapFile.start({ path }), unusable);
});

t.test("BND-24 its names are trust domains, its values bundles", async (t) => {
  t.strictSame([...parseBundleMap(both).keys()], ["north.test", "south.test"]);
  const out = await printed(t, bundleOf(north), [[bundleOf(south)]]);
  t.strictSame(Object.keys(JSON.parse(out).trust_domains), ["north.test", "south.test"]);
  for (const name of ["North.test", "spiffe://north.test", "spiffe://north.test/db", "", "a b"]) {
    t.throws(() => parseBundleMap(`{"trust_domains":{"${name}":${northJson}}}`), invalid, name);
  }
  for (const value of ["null", "[]", "7", '"x"', "{}"]) {
    t.throws(() => parseBundleMap(`{"trust_domains":{"north.test":${value}}}`), invalid, value);
  }
});

t.test("BND-25 a producer writes each name once", async (t) => {
  const pages = [[bundleOf(south)], [bundleOf(south), bundleOf(north)]];
  const out = await printed(t, bundleOf(north), pages);
  for (const name of ["north.test", "south.test"]) {
    t.equal(out.match(new RegExp(`"${name}"`, "g"))?.length, 1, name);
  }
  t.throws(() => formatBundleMap([bundleOf(south), bundleOf(south)]), invalid);
});

t.test("BND-26 a consumer refuses a name that comes twice, however it is spelt", async (t) => {
  t.equal(parseBundleMap(`{"trust_domains":{"\\u006eorth.test":${northJson}}}`).size, 1);
  const file = await consume(t, both);
  for (const again of ["north.test", "\\u006eorth.test", "north\\u002Etest"]) {
    const text = `{"trust_domains":{"north.test":${northJson},"${again}":{"keys":[]}}}`;
    t.throws(() => parseBundleMap(text), invalid, again);
    file.put(text);
    await file.pass(1000);
  }
  t.strictSame(file.errors[0], "BUNDLE_MAP_UNUSABLE");
  t.ok(await trusts(file, north), "and keeps what it had");
});

t.test("BND-27 bundles in a map are written without refresh hint", async (t) => {
  t.match(northJson, "spiffe_refresh_hint", "there is one in the bundle by itself");
  const out = await printed(t, bundleOf(north), [[bundleOf(south)]]);
  t.match(out, "south.test");
  t.notMatch(out, "refresh_hint");
  t.notMatch(both, "refresh_hint");
});

t.test("BND-28 hints in a map change nothing about when it is read", async (t) => {
  const hinted = (name: string, json: string) =>
    `{"trust_domains":{"${name}":${json.replace("}]", '}],"refresh_hint":1').replace(/hint":300/, 'hint":1')}}}`;
  t.match(hinted("north.test", northJson), /"refresh_hint":1.*"spiffe_refresh_hint":1}/);
  const slow = await consume(t, hinted("north.test", northJson));
  slow.put(hinted("south.test", southJson));
  await slow.pass(999);
  t.ok(await trusts(slow, north), "a second has not passed");
  await slow.pass(1);
  t.ok(await trusts(slow, south));
  const late = southJson.replace(/hint":300/, 'hint":86400');
  slow.put(`{"trust_domains":{"south.test":${late}}}`);
  await slow.pass(1000);
  slow.put(`{"trust_domains":{"north.test":${northJson}}}`);
  await slow.pass(1000);
  t.ok(await trusts(slow, north), "nor does a long one hold it up");
  t.equal(parseBundleMap(hinted("north.test", northJson)).get("north.test")?.refreshHintSeconds, 0);
});

t.test("BND-29 a map is the whole state, taken over at once or not at all", async (t) => {
  const file = await consume(t, both);
  t.ok((await trusts(file, north)) && (await trusts(file, south)));
  file.put(`{"trust_domains":{"north.test":${northJson},"south.test":{"keys":null}}}`);
  await file.pass(1000);
  file.put(`{"trust_domains":{"north.test":{"keys":[]},"south.te`);
  await file.pass(1000);
  t.equal(file.errors.length, 2);
  t.ok((await trusts(file, north)) && (await trusts(file, south)), "no part of a bad one");
  file.put(`{"trust_domains":{"north.test":${northJson}}}`);
  await file.pass(1000);
  t.ok(await trusts(file, north));
  t.notOk(await trusts(file, south), "a name that is missing is gone");
});
