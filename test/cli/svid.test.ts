// `signet svid ...`: what each command asks of the server, what it prints, and what it refuses.
import t, { type Test } from "tap";
import { protoError } from "../../proto/errors.ts";
import { RevocationService, type signet } from "../../proto/schema.gen.ts";
import { command, serveOnSocket } from "../support/command.ts";

const web = { trustDomain: "a.test", path: "/web" };
const agent = { trustDomain: "a.test", path: "/spire/agent/x" };
const record = {
  id: "3f9a",
  serial: "7f03",
  reason: 1,
  revokedAt: 1_800_000_000,
  revokedBy: "local",
  hold: { spiffeId: web, agentId: agent },
  x509Svids: 1,
};

async function serve(t: Test) {
  const calls: signet.revocation.v1.RevokeSVIDRequest[] = [];
  const path = await serveOnSocket(t, (server) =>
    server.add(RevocationService, {
      revokeSVID: async (request) => {
        calls.push(request);
        const revocation =
          request.spiffeId === undefined
            ? { ...record, ...(request.replace && { hold: undefined }) }
            : { id: "77", spiffeId: web, tokens: 2, x509Svids: 3, hold: { spiffeId: web } };
        return { revocation };
      },
      listRevocations: async ({ heldOnly, pageToken }) => {
        const held = { ...record, id: `${record.id}${pageToken}` };
        if (heldOnly) return { revocations: [held] };
        const free = { id: "1", jti: "j\u001b[31m", hold: { releasedAt: 1, spiffeId: web } };
        return { revocations: [held, free], nextPageToken: pageToken === "" ? "b" : "" };
      },
      releaseHold: async ({ id }) => {
        if (id !== "3f9a") throw protoError("OBJECT_NOT_FOUND", "none", { hint: "list them" });
        return { revocation: { ...record, hold: { spiffeId: web, releasedAt: 9 } } };
      },
    }),
  );
  const run = (...words: string[]) => command("svid", ...words, "--admin-socket", path);
  return { calls, run };
}

t.test("revokes by serial number, however it is written", async (t) => {
  const { calls, run } = await serve(t);
  for (const text of ["7f03", "7F:03", "0x7F03", "00:7f:03", "dec:32515", "0007f03"]) {
    t.match(await run("revoke", "--serial", text, "--reason", "key-compromise"), { code: 0 }, text);
    t.match(calls.at(-1), { serial: "7f03", reason: 1, replace: false, force: false }, text);
  }
  const { out } = await run("revoke", "--serial", "7f03");
  t.match(out, /revoked serial 7f03: 1 X509-SVID, 0 tokens \(revocation 3f9a\)/);
  t.match(out, /no new SVIDs for .*\/web through .*\/x until 'signet svid release --id 3f9a'/);
  const replaced = await run("revoke", "--serial", "7f03", "--replace", "--force");
  t.match(replaced.out, /nothing is held back by this/);
  t.match(calls.at(-1), { replace: true, force: true });
});

t.test("revokes by jti and by SPIFFE ID, also in SPIRE's spelling", async (t) => {
  const { calls, run } = await serve(t);
  t.match(await run("revoke", "--jti", "abc"), { code: 0 });
  t.match(calls.at(-1), { jti: "abc", serial: undefined, spiffeId: undefined });
  const { out } = await run("revoke", "-spiffeID", "spiffe://a.test/web");
  t.match(out, /3 X509-SVIDs, 2 tokens, and every token issued until now/);
  t.match(calls.at(-1)?.spiffeId, web);
  const json = JSON.parse((await run("revoke", "--jti", "abc", "--output", "json")).out);
  t.match(json, { revocation: { id: "3f9a", serial: "7f03" } });
});

for (const [words, err] of [
  [[], /what to revoke is missing/],
  [["--serial", "1", "--jti", "2"], /only one of/],
  [["--serial", "xyz"], /no serial number.*\n.*hexadecimal/],
  [["--serial", ""], /no serial number/],
  [["--serial", "7f:3"], /no serial number/],
  [["--serial", "-7f"], /./],
  [["--serial", "0"], /1 to 20 octets/],
  [["--serial", "ff".repeat(21)], /1 to 20 octets/],
  [["--serial", "dec:7f"], /not a number/],
  [["--serial", "9".repeat(38)], /decimal or hexadecimal.*\n.*dec:999/],
  [["--jti", ""], /empty/],
  [["--spiffe-id", "a.test/web"], /--spiffe-id/],
  [["--spiffe-id", "spiffe://a.test/web", "--replace"], /--replace goes with/],
  [["--serial", "1", "--reason", "ca-compromise"], /not one of unspecified, key-compromise/],
] as const) {
  t.test(`refuses to revoke with ${JSON.stringify(words)}`, async (t) => {
    const { calls, run } = await serve(t);
    t.match(await run("revoke", ...words), { code: 2, err });
    t.same(calls, [], "and asks nothing of the server");
  });
}

t.test("lists all pages, and says how far it is", async (t) => {
  const { run } = await serve(t);
  const { out, err } = await run("revocations");
  t.match(out, /^ID +REVOKED +WHAT +REASON +COVERS +HELD BACK\n3f9a +2027-01-15T08:00:00Z +serial/);
  t.match(out, /3f9ab/);
  t.match(out, /released/);
  t.notOk(out.includes("\u001b"), "no control character of a jti reaches the terminal");
  t.match(err, /2 revocations so far/);
  const held = JSON.parse((await run("revocations", "--held", "--output", "json")).out);
  t.equal(held.revocations.length, 1);
});

t.test("releases a holder", async (t) => {
  const { run } = await serve(t);
  t.match(await run("release", "--id", "3f9a"), { code: 0, out: /released .*\/web/ });
  t.match(await run("release", "--id", "no"), { code: 1, err: /none.*\nhint: list them/ });
  t.match(await run("release", "3f9a"), { code: 0, out: /released .*\/web/ });
  t.match(await run("release"), { code: 2, err: /ID of the revocation.*\nhint: .*--held/ });
});
