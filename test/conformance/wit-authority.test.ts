// WIT authorities keep the laws of the others: published before they sign, each with a key and a key ID of
// its own, over restarts too.
import t from "tap";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { parseWitSvidInsecurely } from "../../pki/wit/svid.ts";
import { startTestCa, type TestCa } from "../support/test-ca.ts";

const WIT = { ca: { witKeyType: "ec-p256" } } as const;
const db = SpiffeId.parse("spiffe://north.test/db");
const published = (ca: TestCa) => ca.authorities.bundle().witAuthorities.map(({ keyId }) => keyId);

async function signedBy(ca: TestCa): Promise<string> {
  const order = { spiffeId: db, spki: generateP256KeyPair().spki, ttlSeconds: 0 };
  return parseWitSvidInsecurely((await ca.issuer.issueWit(order)).token).keyId;
}

t.test("FED-01 a new WIT key is published before it signs anything", async (t) => {
  const ca = await startTestCa(t, WIT);
  t.ok(published(ca).includes(await signedBy(ca)));
  const before = ca.authorities.bundle().sequence;
  ca.agents.connect(before);
  const { authorityId } = await ca.authorities.prepare("wit");
  t.ok(published(ca).includes(authorityId), "in the bundle");
  t.ok(ca.authorities.bundle().sequence > before);
  t.not(await signedBy(ca), authorityId, "and signs nothing");
  const activate = () => ca.authorities.activate("wit", authorityId, { forced: false });
  await t.rejects(activate(), { reason: "AUTHORITY_NOT_READY", message: /acknowledged/ });
  t.not(await signedBy(ca), authorityId);
  ca.agents.acknowledge(ca.authorities.bundle().sequence);
  await new Promise((resolve) => setImmediate(resolve));
  await activate();
  t.equal(await signedBy(ca), authorityId);
  t.equal(published(ca).length, 2, "the former one stays for what it signed");
});

t.test("WIT-05 no two keys have one key ID, of whatever kind they are", async (t) => {
  const ca = await startTestCa(t, WIT);
  for (let i = 0; i < 5; i++) {
    for (const kind of ["jwt", "wit"] as const) {
      const { authorityId } = await ca.authorities.prepare(kind);
      await ca.authorities.activate(kind, authorityId, { forced: true });
    }
  }
  const { jwtAuthorities, witAuthorities } = ca.authorities.bundle();
  const keys = [...jwtAuthorities, ...witAuthorities];
  t.equal(keys.length, 12);
  t.equal(new Set(keys.map(({ keyId }) => keyId)).size, 12);
  t.equal(new Set(keys.map(({ spki }) => Buffer.from(spki).toString("hex"))).size, 12);
  const wit = ca.authorities.kinds.find(({ name }) => name === "wit");
  const { active } = ca.authorities.slots("wit");
  if (active === undefined) throw new Error("there is none");
  const authorityId = jwtAuthorities[0]?.keyId ?? "";
  const reused = () => wit?.publish(ca.authorities.bundle(), { ...active, authorityId });
  t.throws(reused, { name: "IdentityError", reason: "AUTHORITY_CONFLICT" }, "nor could one have");
});
