// How the server's bundles are printed, above all as a bundle map.
import t from "tap";
import { type Bundle, emptyBundle } from "../../pki/bundle/bundle.ts";
import { parseBundleMap } from "../../pki/bundle/map.ts";
import { parseBundle } from "../../pki/bundle/parse.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import { BundleService } from "../../proto/schema.gen.ts";
import { bundleToWire } from "../../proto/types/bundle.ts";
import { command, serveOnSocket } from "../support/command.ts";
import { TestAuthority } from "../support/test-authority.ts";

async function bundleOf(name: string): Promise<Bundle> {
  const { root } = await TestAuthority.create(name);
  return {
    ...emptyBundle(TrustDomain.parse(name)),
    x509Authorities: [{ der: root.der, tainted: false }],
    sequence: 9007199254740993n,
    refreshHintSeconds: 60,
  };
}
const [north, south, west] = [
  await bundleOf("north.test"),
  await bundleOf("south.test"),
  await bundleOf("west.test"),
];

async function serve(t: Parameters<typeof serveOnSocket>[0]): Promise<readonly string[]> {
  const path = await serveOnSocket(t, (server) =>
    server.add(BundleService, {
      getBundle: async () => bundleToWire(north),
      getFederatedBundle: async () => bundleToWire(south),
      // South comes on both pages, as when the list changes in between.
      listFederatedBundles: async ({ pageToken }) =>
        pageToken === ""
          ? { bundles: [bundleToWire(south)], nextPageToken: "south.test" }
          : { bundles: [bundleToWire(south), bundleToWire(west)], nextPageToken: "" },
    }),
  );
  return ["--admin-socket", path];
}

t.test("a map has the own and every federated bundle once, without hints", async (t) => {
  const socket = await serve(t);
  const { code, out } = await command("bundle", "list", "--format", "map", ...socket);
  t.equal(code, 0);
  t.strictSame([...parseBundleMap(out).keys()], ["north.test", "south.test", "west.test"]);
  t.equal(out.match(/"south.test"/g)?.length, 1);
  t.notMatch(out, "refresh_hint");
  t.equal(out.match(/"spiffe_sequence":9007199254740993/g)?.length, 3, "exact");
});

t.test("a map of one trust domain has that alone", async (t) => {
  const socket = await serve(t);
  const one = await command("bundle", "list", "--id", "south.test", "--format", "map", ...socket);
  t.strictSame([...parseBundleMap(one.out).keys()], ["south.test"]);
});

t.test("a map is JSON already, and other formats stay what they were", async (t) => {
  const socket = await serve(t);
  const both = ["--format", "map", "--output", "json", ...socket];
  t.match(await command("bundle", "list", ...both), { code: 2, err: /leave --output out/ });
  const unknown = await command("bundle", "list", "--format", "der", ...socket);
  t.match(unknown, { code: 2, err: /not one of pem, spiffe, map/ });
  const own = await command("bundle", "show", "--format", "map", ...socket);
  t.match(own, { code: 2, err: /not one of pem, spiffe/ }, "one bundle is no map");
  const listed = await command("bundle", "list", "--format", "spiffe", ...socket);
  t.notMatch(listed.out, "north.test");
  const shown = await command("bundle", "show", "--format", "spiffe", ...socket);
  t.equal(parseBundle(north.trustDomain, shown.out).refreshHintSeconds, 60);
});

t.test("a bundle in the other format is told apart from a broken one", async (t) => {
  const socket = await serve(t);
  const folder = t.testdir({ json: ' {"keys":[]}', pem: "-----BEGIN CERTIFICATE-----\n" });
  for (const [file, format, hint] of [
    ["json", "pem", "--format spiffe"],
    ["pem", "spiffe", "--format pem"],
  ] as const) {
    const set = ["bundle", "set", "--id", "far.test", "--path", `${folder}/${file}`];
    const { code, err } = await command(...set, "--format", format, ...socket);
    t.equal(code, 2, file);
    t.match(err, `say so with ${hint}`, file);
  }
});
