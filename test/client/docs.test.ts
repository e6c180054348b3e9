import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { emptyBundle } from "../../pki/bundle/bundle.ts";
import { formatJwks } from "../../pki/bundle/format.ts";
import { formatBundleMap } from "../../pki/bundle/map.ts";
import { issueJwtSvid } from "../../pki/jwt/issue.ts";
import { generateP256KeyPair, signerOf } from "../../pki/keys.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { structFromJson } from "../../proto/types/struct.ts";
import { FakeWorkloadApi, x509Response } from "../support/fake-workload-api.ts";
import { TestAuthority } from "../support/test-authority.ts";
import { TestWit, witResponse } from "../support/test-wit.ts";

const page = readFileSync(new URL("../../docs/client.md", import.meta.url), "utf8");
const client = new URL("../../client/index.ts", import.meta.url).href;

t.test("the code of docs/client.md runs as it stands", async (t) => {
  const north = await TestAuthority.create("north.test");
  const signer = signerOf("k1", generateP256KeyPair());
  const spiffeId = SpiffeId.of(north.trustDomain, "/db");
  const fake = await FakeWorkloadApi.start(t);
  fake.x509.set(await x509Response(north, ["/db"]));
  const key = { keyId: "k1", spki: signer.spki, expiresAt: undefined, tainted: false };
  const bundle = { ...emptyBundle(north.trustDomain), jwtAuthorities: [key] };
  const jwks = formatJwks(bundle);
  fake.jwtBundles.set({ bundles: { [north.trustDomain.id]: Buffer.from(jwks) } });
  fake.jwt = async ({ audience }) => {
    const times = { issuedAt: new Date(), expiresAt: new Date(Date.now() + 300_000) };
    const svid = await issueJwtSvid({ signer, keyId: "k1", spiffeId, audience, ...times });
    return { svids: [{ spiffeId: spiffeId.toString(), svid }] };
  };
  const wit = new TestWit();
  fake.wit.set(witResponse(wit.issue("/db")));
  fake.witBundles.set(wit.bundles());
  fake.validation = async () => ({
    spiffeId: spiffeId.toString(),
    claims: structFromJson({ sub: spiffeId.toString() }),
  });

  // One program of all blocks, between what they leave open and what shows that they worked.
  const blocks = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code ?? "");
  t.equal(blocks.length, 7);
  const [hold = "", serve = "", call = "", jwt = "", present = "", verify = "", map = ""] = blocks;
  const program = [
    hold,
    serve,
    'import { once } from "node:events";',
    'await once(server, "listening");',
    "const serverId = source.svid().id;",
    'const url = "https://localhost:" + server.address().port;',
    call,
    jwt,
    present,
    verify,
    "const rawHeaders = Object.entries(proof).flat();",
    'const request = { method: "GET", url: "/accounts?id=1", rawHeaders, socket: { encrypted: true } };',
    'console.log("sent by " + (await whoSent(request)).id);',
    map,
    'console.log("from the map " + claims.sub);',
    'console.log("validated " + id + ", sent in " + Object.keys(headers));',
    "setTimeout(() => process.exit(0), 500);",
  ].join("\n");
  const folder = t.testdir({ "bundles.json": formatBundleMap([bundle]) });
  const file = join(folder, "program.ts");
  writeFileSync(
    file,
    program
      .replaceAll('"@signet-identity/signet/client"', JSON.stringify(client))
      .replace('"/etc/spiffe/bundles.json"', JSON.stringify(join(folder, "bundles.json"))),
  );
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, SPIFFE_ENDPOINT_SOCKET: fake.endpoint },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  for await (const chunk of child.stdout) output += chunk;
  t.match(output, "I am spiffe://north.test/db\n");
  t.match(output, "hello spiffe://north.test/db\n");
  t.match(output, "sent by spiffe://north.test/db\n");
  t.match(output, "from the map spiffe://north.test/db\n");
  t.match(output, "validated spiffe://north.test/db, sent in authorization\n");
});
