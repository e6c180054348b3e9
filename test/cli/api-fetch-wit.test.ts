// `signet api fetch wit` against a running agent: tokens are shown, keys are written and never shown.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parsePrivateJwk } from "../../pki/wit/private-jwk.ts";
import { parseWitSvidInsecurely } from "../../pki/wit/svid.ts";
import { command } from "../support/command.ts";
import { eventually, TestTrustDomain } from "../support/trust-domain.ts";

const flag = { feature_flags: ["wit-svid"] };
const domain = new TestTrustDomain(t, { server: flag, agent: flag });
await domain.start();
const socket = ["--socket", `unix://${domain.folder}/agent.sock`];
const fetch = (...flags: string[]) => command("api", "fetch", "wit", ...flags, ...socket);

t.test("a process without an identity is told so", async (t) => {
  t.match(await fetch(), { code: 1, err: /no identity issued \(NO_IDENTITY_ISSUED\)/ });
});

t.test("tokens are printed, keys written for this user alone", async (t) => {
  await domain.createEntry({ path: "/db", hint: "internal" });
  await domain.createEntry({ path: "/web" });
  const folder = join(t.testdir(), "out");
  const { out } = await eventually(async () => {
    const ran = await fetch("--write", folder);
    if (!/\/web/.test(ran.out)) throw new Error(ran.err);
    return ran;
  });
  t.match(
    out,
    /SPIFFE ID {2}spiffe:\/\/north.test\/db\n.*Proof by {3}ES256\njti {8}\S+\nHint {7}internal\n/s,
  );
  t.match(out, /\n\nwrote .*svid\.0\.wit\nwrote .*svid\.0\.jwk\nwrote/);
  t.notMatch(out, /"d"/, "no private key");
  t.strictSame(readdirSync(folder).sort(), [
    "svid.0.jwk",
    "svid.0.wit",
    "svid.1.jwk",
    "svid.1.wit",
  ]);
  for (const name of readdirSync(folder)) t.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
  const read = (name: string) => readFileSync(join(folder, name), "utf8").trim();
  const { spki } = parsePrivateJwk(read("svid.1.jwk"));
  t.strictSame(parseWitSvidInsecurely(read("svid.1.wit")).confirmation.spki, spki);
  const only = await fetch("--spiffe-id", "spiffe://north.test/web", "--output", "json");
  const { svids } = JSON.parse(only.out) as { svids: Record<string, string>[] };
  t.equal(svids.length, 1);
  t.match(svids[0], { spiffeId: "spiffe://north.test/web", algorithm: "ES256", hint: "" });
  t.strictSame(Object.keys(svids[0] ?? {}).length, 6);
  const { claims } = parseWitSvidInsecurely(svids[0]?.["witSvid"] ?? "");
  t.equal(svids[0]?.["jti"], claims["jti"], "what it can be revoked by");
});

t.test("what it refuses", async (t) => {
  t.match(await fetch("--spiffe-id", "db"), { code: 2, err: /--spiffe-id/ });
  t.match(await fetch("--spiffe-id", "spiffe://north.test/other"), { code: 1, err: /NO_IDENTITY/ });
});
