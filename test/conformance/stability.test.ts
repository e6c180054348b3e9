// STABILITY.md: what is incubating is off unless it is asked for, at a running server and at an agent; and
// which revision of the standards was followed is on record.
import { readFileSync } from "node:fs";
import t, { type Test } from "tap";
import { agentConfigSchema } from "../../agent/config.ts";
import { parseBundle } from "../../pki/bundle/parse.ts";
import { Status } from "../../pki/errors.ts";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import { SvidService } from "../../proto/schema.gen.ts";
import { parseConfig } from "../../runtime/config.ts";
import { FEATURE_FLAGS, STANDARDS_REVISION } from "../../runtime/feature-flags.ts";
import { serverConfigSchema } from "../../server/config.ts";
import { command } from "../support/command.ts";
import { TestServer } from "../support/running-server.ts";
import { entryOf, TestAgent } from "../support/test-agent.ts";

const invalid = { reason: "CONFIG_INVALID", code: Status.invalidArgument };
const unimplemented = { code: Status.unimplemented };
const north = TrustDomain.parse("north.test");

/** What a server with this configuration publishes, and whether it mints a WIT-SVID. */
async function serverWith(t: Test, config: string) {
  const server = await TestServer.start({ config });
  t.teardown(() => server.stop());
  const socket = ["--admin-socket", server.running.adminSocket];
  const { out } = await command("bundle", "show", "--format", "spiffe", ...socket);
  const publicKey = generateP256KeyPair().spki;
  const id = { trustDomain: "north.test", path: "/db" };
  const mint = server.admin
    .client(SvidService)
    .mintWITSVID({ id, publicKey, signingAlgorithm: "ES256", ttl: 60 });
  return { bundle: parseBundle(north, out), mint };
}

async function first<T>(stream: AsyncIterable<T>): Promise<T | undefined> {
  for await (const message of stream) return message;
  return undefined;
}

t.test("STB-01 what is incubating is off by default, and on when it is asked for", async (t) => {
  const plain = await serverWith(t, "");
  t.equal(plain.bundle.x509Authorities.length, 1);
  t.strictSame(plain.bundle.witAuthorities, [], "no key for WIT-SVIDs is made");
  await t.rejects(plain.mint, unimplemented);
  const incubating = await serverWith(t, "feature_flags: [wit-svid]");
  t.equal(incubating.bundle.witAuthorities.length, 1);
  t.ok((await incubating.mint).svid?.token);

  const agentConfig = (flags: string) =>
    parseConfig(
      `trust_domain: x.test\ndata_dir: /tmp/x\nserver: { address: localhost }\n${flags}\n`,
      agentConfigSchema,
    );
  t.equal(agentConfig("").featureFlags.size, 0);
  t.strictSame([...agentConfig("feature_flags: [wit-svid]").featureFlags], ["wit-svid"]);
  const off = await (await TestAgent.create(t, [entryOf("db")])).connect();
  await t.rejects(first(off.fetchWITSVID({})), unimplemented);
  await t.rejects(first(off.fetchWITBundles({})), unimplemented);
  const on = await (await TestAgent.create(t, [entryOf("db")], { wit: true })).connect();
  t.equal((await first(on.fetchWITSVID({})))?.svids.length, 1);

  const config = (flags: string) =>
    parseConfig(`trust_domain: x.test\ndata_dir: /tmp/x\n${flags}\n`, serverConfigSchema);
  t.throws(() => config("feature_flags: [broker]"), invalid, "not built");
  t.doesNotThrow(() => config("feature_flags: []"));
});

t.test("STB-02 the revision that was followed is on record", async (t) => {
  const { out } = await command("version", "--output", "json");
  const { standards, incubating } = JSON.parse(out) as {
    standards: string;
    incubating: { feature_flag: string; revision: string }[];
  };
  t.match(standards, /^[0-9a-f]{7,40} of \d{4}-\d{2}-\d{2}$/);
  t.strictSame(
    incubating.map(({ feature_flag }) => feature_flag),
    Object.keys(FEATURE_FLAGS),
    "of each feature that has a flag",
  );
  for (const { revision } of incubating) t.match(revision, /^[0-9a-f]{7,40} of \d{4}-\d{2}-\d{2}$/);
  t.match((await command("version", "--verbose")).out, standards);
  t.notMatch((await command("version")).out, standards, "who asks for the version alone gets it");
  const page = readFileSync(`${import.meta.dirname}/../../docs/conformance.md`, "utf8");
  t.match(page, STANDARDS_REVISION.split(" ")[0]);
});

t.test("STB-03 of the Workload API the WIT profile alone is incubating", async (t) => {
  const client = await (await TestAgent.create(t, [entryOf("db")])).connect();
  t.equal((await first(client.fetchX509SVID({})))?.svids.length, 1);
  t.ok(await first(client.fetchX509Bundles({})));
  const { svids } = await client.fetchJWTSVID({ audience: ["a"] });
  t.equal(svids.length, 1);
  t.ok(await first(client.fetchJWTBundles({})));
  t.ok(await client.validateJWTSVID({ audience: "a", svid: svids[0]?.svid ?? "" }));
  await t.rejects(first(client.fetchWITSVID({})), unimplemented);
  await t.rejects(first(client.fetchWITBundles({})), unimplemented);
});
