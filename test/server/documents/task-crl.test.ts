// The revocation list of tasks of a running server: named by the SVIDs of tasks alone, fetched over HTTP, and
// applied by whoever verifies them.
import t from "tap";
import { parseCrl } from "../../../pki/x509/crl.ts";
import { CrlSet } from "../../../pki/x509/crl-set.ts";
import { crlPointsOf } from "../../../pki/x509/distribution-point.ts";
import { validateX509Svid } from "../../../pki/x509/svid.ts";
import { TestOAuth } from "../../support/test-oauth.ts";

t.test("a task's SVID is refused by its list from the moment the task ends", async (t) => {
  const oauth = await TestOAuth.start(t, {
    config: "crl: { address: 127.0.0.1, port: 0, url: 'http://crl.north.test:8080' }",
  });
  const task = await oauth.open();
  const other = await oauth.open();
  const [point = ""] = crlPointsOf(task.svid.leaf);
  t.match(point, /^http:\/\/crl\.north\.test:8080\/crl\/[0-9a-f]{40}\/tasks\.crl$/);
  const [plain = ""] = crlPointsOf((await oauth.server.mint("/web")).leaf);
  t.equal(plain, point.replace("/tasks.crl", ".crl"));
  const { port = 0 } = oauth.server.running.documents.crl ?? {};
  const fetched = async (url: string) => {
    const answer = await fetch(
      url.replace("http://crl.north.test:8080", `http://127.0.0.1:${port}`),
    );
    t.equal(answer.headers.get("content-type"), "application/pkix-crl");
    return parseCrl(new Uint8Array(await answer.arrayBuffer()));
  };
  const anchors = await oauth.server.anchors();
  const validate = async ({ svid }: typeof task) => {
    const crls = new CrlSet([await fetched(point), await fetched(plain)]);
    return validateX509Svid(svid.chain, () => anchors, new Date(), "client", crls);
  };
  t.equal((await validate(task)).id.toString(), task.spiffeId);
  await oauth.control.revokeTask({ id: task.id, reason: "enough" });
  await t.rejects(validate(task), { reason: "SVID_REVOKED", code: 3 });
  t.equal((await validate(other)).id.toString(), other.spiffeId, "no other one");
  t.equal((await fetched(plain)).size, 0, "the authority's own list says nothing of it");
  for (const path of ["/crl/00/tasks.crl", `/crl/${"ab".repeat(20)}/tasks.crl`, "/crl/tasks.crl"]) {
    t.equal((await fetch(`http://127.0.0.1:${port}${path}`)).status, 404, path);
  }
});
