// What counts as a credential of a task when a guard shows it to its node agent, over a whole server.
import { randomBytes } from "node:crypto";
import t from "tap";
import { generateP256KeyPair, signerOf } from "../../../pki/keys.ts";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import { issueAccessToken } from "../../../pki/token/issue-access-token.ts";
import { RegistryService } from "../../../proto/schema.gen.ts";
import { TestClock } from "../../support/clock.ts";
import { TestAuthority } from "../../support/test-authority.ts";
import { ISSUER, TestOAuth, TOOL } from "../../support/test-oauth.ts";

t.test("tells credentials of a task from whatever else is shown", async (t) => {
  const clock = new TestClock();
  const site = await TestOAuth.start(t, { clock, config: "feature_flags: [wit-svid]" });
  const { nodeTasks } = site;
  const task = await site.open();
  const other = await site.open();
  const check = async (shown: string | Uint8Array, taskId = task.id) => {
    const answer = await nodeTasks.checkShown({ taskId, shown: Buffer.from(shown) });
    return answer.isCredential;
  };
  const jwt = await site.jwt(task, TOOL);
  const { accessToken } = await nodeTasks.issueToken({ taskId: task.id, resource: TOOL });
  const leaf = task.svid.leaf.der;
  t.ok(await check(leaf), "its X509-SVID");
  t.ok(await check(jwt), "its JWT-SVID");
  t.ok(await check(accessToken), "its access token");
  t.ok(await check(await site.wit(task)), "its WIT-SVID");

  const impostor = await TestAuthority.create();
  const forged = await impostor.issueId(SpiffeId.parse(task.spiffeId));
  const keys = generateP256KeyPair();
  const now = clock.now();
  const ownToken = await issueAccessToken({
    signer: signerOf("mine", keys),
    keyId: "mine",
    issuer: ISSUER,
    subject: task.task.aiAgent,
    clientId: task.task.aiAgent,
    audience: TOOL,
    jti: randomBytes(8).toString("hex"),
    issuedAt: now,
    expiresAt: new Date(now.getTime() + 60_000),
    details: [{ type: "agent_task", task: task.spiffeId }],
  });
  const rows: readonly (readonly [string, string | Uint8Array])[] = [
    ["nothing", ""],
    ["the X509-SVID of another task", other.svid.leaf.der],
    ["the JWT-SVID of another task", await site.jwt(other, TOOL)],
    ["the WIT-SVID of another task", await site.wit(other)],
    ["the ID of the task", task.id],
    ["the SPIFFE ID of the task", task.spiffeId],
    ["a certificate of another authority", forged.leaf.der],
    ["the certificate with a bit turned", turned(leaf)],
    ["the node agent's own SVID", site.nodeAgent.svid.leaf.der],
    ["a token of the guard's own making", ownToken],
    ["a JWT-SVID without its signature", `${jwt.slice(0, jwt.lastIndexOf("."))}.`],
    ["an access token with another end", `${accessToken.slice(0, -8)}AAAAAAAA`],
    ["bytes", randomBytes(200)],
    ["DER that is no certificate", Buffer.from([0x30, 0x03, 0x02, 0x01, 0x01])],
  ];
  for (const [name, shown] of rows) t.notOk(await check(shown), name);
  await t.rejects(check(randomBytes(40_000)), {
    name: "IdentityError",
    reason: "TASK_REQUEST_INVALID",
  });

  t.comment("what a guard whose clock is behind has just accepted is not held against it");
  const { notAfter } = task.svid.leaf;
  await clock.advance(notAfter.getTime() - clock.now().getTime() + 30_000);
  t.ok(await check(leaf));
  t.notOk(await check(turned(leaf)));
  await clock.advance(31_000);
  t.notOk(await check(leaf));

  t.comment("what has expired shows nothing");
  await clock.advance(5 * 60_000);
  for (const shown of [leaf, jwt, accessToken]) t.notOk(await check(shown));
});

t.test("an SVID that names the AI agent is of the task in its claim", async (t) => {
  const site = await TestOAuth.start(t, { config: "feature_flags: [wit-svid]" });
  const registry = site.server.admin.client(RegistryService);
  const { taskClass } = await registry.getTaskClass({ name: "standard" });
  await registry.setTaskClass({ taskClass: { ...taskClass, name: "standard", identity: "agent" } });
  const [task, other] = [await site.open(), await site.open()];
  for (const shown of [await site.jwt(task, TOOL), await site.wit(task)].map((one) =>
    Buffer.from(one),
  )) {
    const check = ({ id: taskId }: { id: string }) => site.nodeTasks.checkShown({ taskId, shown });
    t.match(await check(task), { isCredential: true });
    t.match(await check(other), { isCredential: false });
  }
});

function turned(der: Uint8Array): Uint8Array {
  const copy = Buffer.from(der);
  copy[copy.length - 5] = (copy.at(-5) ?? 0) ^ 1;
  return copy;
}
