// SVIDs minted by an administrator, and the commands about WIT-SVIDs, against a running server.
import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parseJwtSvidInsecurely } from "../../pki/jwt/svid.ts";
import { parsePrivateJwk } from "../../pki/wit/private-jwk.ts";
import { parseWitSvidInsecurely } from "../../pki/wit/svid.ts";
import { command } from "../support/command.ts";
import { TestServer } from "../support/running-server.ts";

const server = await TestServer.start({ config: "feature_flags: [wit-svid]" });
t.teardown(() => server.stop());
const socket = ["--admin-socket", server.running.adminSocket];
const TOOL = "spiffe://north.test/tool";
const modeOf = (path: string) => statSync(path).mode & 0o777;

t.test("x509 mint writes an SVID, its key for this user alone, and the bundle", async (t) => {
  const folder = join(t.testdir(), "out");
  const { code, out } = await command(
    ...["x509", "mint", "-spiffeID", TOOL, "-dns", "tool.test", "-ttl", "60"],
    ...["-write", folder, ...socket],
  );
  t.equal(code, 0);
  t.match(
    out,
    /wrote .*svid\.pem\n.*key\.pem\n.*bundle\.pem\nserial [0-9a-f]+\nvalid until \d{4}-/s,
  );
  const read = (name: string) => readFileSync(join(folder, name));
  const [leaf, root] = ["svid.pem", "bundle.pem"].map((name) => new X509Certificate(read(name)));
  t.equal(leaf?.subjectAltName, `URI:${TOOL}, DNS:tool.test`);
  t.match(out, `serial ${leaf?.serialNumber.toLowerCase()}`, "what it can be revoked by");
  t.ok(root && leaf?.verify(root.publicKey));
  t.ok(Date.parse(leaf?.validTo ?? "") - Date.now() < 61_000);
  t.match(read("key.pem").toString(), /^-----BEGIN PRIVATE KEY/);
  t.equal(modeOf(join(folder, "key.pem")), 0o600);
  t.equal(modeOf(folder), 0o700);
  t.notMatch(out, /PRIVATE KEY/);
});

t.test("jwt mint prints the token alone, or writes it for this user alone", async (t) => {
  const flags = ["jwt", "mint", "--spiffe-id", TOOL, "--audience", "a,b", ...socket];
  const { code, out } = await command(...flags);
  t.equal(code, 0);
  t.match(parseJwtSvidInsecurely(out.trim()).audience, ["a", "b"]);
  const file = join(t.testdir(), "token");
  const written = await command(...flags, "--write", file);
  t.match(written.out, /^wrote .*token\nvalid until /);
  t.equal(parseJwtSvidInsecurely(readFileSync(file, "utf8").trim()).id.toString(), TOOL);
  t.equal(modeOf(file), 0o600);
});

t.test("wit mint writes the token and the key that it names", async (t) => {
  for (const [type, alg, flags] of [
    ["ec-p256", "ES256", []],
    ["rsa-2048", "PS256", ["--signing-algorithm", "PS256"]],
  ] as const) {
    const folder = join(t.testdir(), "out");
    const { code } = await command(
      ...["wit", "mint", "--spiffe-id", TOOL, "--key-type", type, ...flags],
      ...["--ttl", "5m", "--write", folder, ...socket],
    );
    t.equal(code, 0);
    const wit = parseWitSvidInsecurely(readFileSync(join(folder, "svid.wit"), "utf8").trim());
    const key = parsePrivateJwk(readFileSync(join(folder, "key.jwk"), "utf8").trim());
    t.equal(wit.id.toString(), TOOL);
    t.equal(wit.confirmation.alg, alg);
    t.strictSame(key.spki, wit.confirmation.spki);
    for (const name of ["svid.wit", "key.jwk"]) t.equal(modeOf(join(folder, name)), 0o600);
  }
});

t.test("what they refuse", async (t) => {
  const dir = t.testdir();
  const rows: [string[], number, RegExp][] = [
    [["x509", "mint", "--spiffe-id", TOOL], 2, /--write is missing/],
    [["x509", "mint", "--write", dir], 2, /--spiffe-id is missing/],
    [["x509", "mint", "--spiffe-id", "spiffe://South.test/x", "--write", dir], 2, /--spiffe-id/],
    [["x509", "mint", "--spiffe-id", "spiffe://south.test/x", "--write", dir], 1, /SVID_REQUEST/],
    [["jwt", "mint", "--spiffe-id", TOOL], 2, /--audience is missing/],
    [["wit", "mint", "--spiffe-id", TOOL], 2, /--write is missing/],
    [["wit", "mint", "--spiffe-id", TOOL, "--write", dir, "--key-type", "dsa"], 2, /--key-type/],
    [
      ["wit", "mint", "--spiffe-id", TOOL, "--write", dir, "--signing-algorithm", "RS256"],
      2,
      /--signing-algorithm/,
    ],
  ];
  for (const [words, expected, says] of rows) {
    const { code, err } = await command(...words, ...socket);
    t.equal(code, expected, words.join(" "));
    t.match(err, says);
  }
});

t.test("WIT authorities are shown and replaced as the others are", async (t) => {
  const wit = (...words: string[]) => command("localauthority", "wit", ...words, ...socket);
  const idOf = (out: string, state: string) => new RegExp(`${state} +(\\S+)`).exec(out)?.[1] ?? "";
  const first = idOf((await wit("show")).out, "active");
  t.match(first, /^[A-Za-z0-9_-]{32}$/);
  const prepared = idOf((await wit("prepare")).out, "prepared");
  t.equal((await wit("activate", "--authority-id", prepared)).code, 0);
  t.equal((await wit("taint", "--authority-id", first)).code, 0);
  t.equal((await wit("revoke", "--authority-id", first)).code, 0);
  t.equal(idOf((await wit("show")).out, "active"), prepared);
  const bundle = await command("bundle", "show", "--format", "spiffe", ...socket);
  const { keys } = JSON.parse(bundle.out) as { keys: { use: string; kid?: string }[] };
  t.strictSame(
    keys.filter(({ use }) => use === "wit-svid").map(({ kid }) => kid),
    [prepared],
  );
});

t.test("without the flag there is none of it", async (t) => {
  const plain = await TestServer.start();
  t.teardown(() => plain.stop());
  const flags = ["--admin-socket", plain.running.adminSocket];
  const shown = await command("localauthority", "wit", "show", ...flags);
  t.match(shown, { code: 1, err: /NOT_SUPPORTED.*hint: .*feature_flags/s });
  const folder = join(t.testdir(), "out");
  const minted = await command("wit", "mint", "--spiffe-id", TOOL, "--write", folder, ...flags);
  t.match(minted, { code: 1, err: /NOT_SUPPORTED/ });
  t.throws(() => statSync(folder), { code: "ENOENT" }, "no key is left behind");
});
