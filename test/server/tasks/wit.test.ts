// WIT-SVIDs of tasks: for a key, never past the task's end, for its node agent alone, and with the claims by which
// those who take them ask whether the task goes on.
import t from "tap";
import { generateKeyPair, generateP256KeyPair } from "../../../pki/keys.ts";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import { validateWitSvid, type WitSvid } from "../../../pki/wit/svid.ts";
import { serverError } from "../../../server/errors.ts";
import { tokenDigest } from "../../../server/ledger/document.ts";
import { AGENT, NODE, OTHER_NODE, refusal, TaskServer } from "../../support/task-server.ts";

const HOLDER = { by: NODE, nodeAgent: NODE };
const ISSUER = "https://id.north.test";

/** A WIT-SVID of a task, as anybody in the trust domain validates it. */
function validate(server: TaskServer, token: string): Promise<WitSvid> {
  const { witAuthorities } = server.ca.bundles.get("north.test") ?? { witAuthorities: [] };
  return validateWitSvid(token, { authoritiesOf: () => witAuthorities, now: server.clock.now() });
}

t.test("says which task it is of, for which key, and where it is asked about", async (t) => {
  const server = await TaskServer.start(t, { wit: true, oauthIssuer: ISSUER });
  const pair = generateP256KeyPair();
  const { task } = await server.open({}, { pair });
  const { token, expiresAt } = await server.tasks.newWitSvid(NODE, task.id, pair);
  t.equal(expiresAt.getTime(), server.clock.now().getTime() + 300_000);
  const { id, confirmation, claims } = await validate(server, token);
  t.equal(id.toString(), `${AGENT}/task/${task.id}`);
  t.same(confirmation.spki, pair.spki);
  t.equal(confirmation.alg, "ES256");
  t.match(claims, {
    jti: String,
    status: {
      status_list: { idx: task.status.index, uri: `${ISSUER}/status/${task.status.list}` },
    },
    [`${ISSUER}/task`]: {
      id: `${AGENT}/task/${task.id}`,
      agent: AGENT,
      class: "standard",
      grant_hash: task.grantHash,
      fail_mode: "ttl",
    },
  });
  t.notOk(
    "aud" in claims || "iss" in claims,
    "for nobody in particular, and no address to look at",
  );
  const [row] = server.ledger.find({ spiffeId: id.toString(), kind: "token" });
  t.same(row?.name, tokenDigest(token), "it is in the ledger");
});

t.test("never outlives the task, nor what its class said when it was opened", async (t) => {
  const server = await TaskServer.start(t, { wit: true });
  const pair = generateP256KeyPair();
  const short = (await server.open({ ttlSeconds: 30 })).task;
  const { expiresAt } = await server.tasks.newWitSvid(NODE, short.id, pair);
  t.equal(expiresAt.getTime(), short.expiresAtMs);
  const { task } = await server.open({ ttlSeconds: 3600 });
  await server.setClass("standard", { x509SvidTtlSeconds: 3600 });
  const long = await server.tasks.newWitSvid(NODE, task.id, pair);
  t.equal(long.expiresAt.getTime(), server.clock.now().getTime() + 300_000);
  await server.setClass("standard", { x509SvidTtlSeconds: 60 });
  const shorter = await server.tasks.newWitSvid(NODE, task.id, pair);
  t.equal(shorter.expiresAt.getTime(), server.clock.now().getTime() + 60_000);
  const { claims } = await validate(server, shorter.token);
  t.equal(claims["status"], undefined, "without a token issuer nobody serves lists");
  t.match(claims["spiffe://north.test/task"], { agent: AGENT });
});

t.test("an identity of agents names the AI agent, and the task in a claim", async (t) => {
  const server = await TaskServer.start(t, { wit: true });
  await server.setClass("standard", { identity: "agent" });
  const { task } = await server.open();
  const { token } = await server.tasks.newWitSvid(NODE, task.id, generateP256KeyPair());
  const { id, claims } = await validate(server, token);
  t.equal(id.toString(), AGENT);
  t.match(claims, { "spiffe://north.test/task": { id: `${AGENT}/task/${task.id}` } });
});

t.test("refuses what has no right to one", async (t) => {
  const server = await TaskServer.start(t, { wit: true });
  const pair = generateP256KeyPair();
  const { task } = await server.open();
  const ask = (node = NODE, id = task.id, key: { spki: Uint8Array; alg?: string } = pair) =>
    server.tasks.newWitSvid(node, id, key);
  await t.rejects(ask(OTHER_NODE), refusal("TASK_HELD_ELSEWHERE"));
  await t.rejects(ask(NODE, "nothing"), refusal("TASK_NOT_FOUND"));
  await t.rejects(ask(NODE, task.id, { spki: Uint8Array.of(1) }), refusal("KEY_INVALID"));
  await t.rejects(
    ask(NODE, task.id, { spki: Buffer.concat([pair.spki, Buffer.of(0)]) }),
    refusal("KEY_INVALID"),
    "a second spelling of a key",
  );
  await t.rejects(ask(NODE, task.id, { ...pair, alg: "RS256" }), refusal("WIT_SVID_CONFIRMATION"));
  const rsa = await generateKeyPair("rsa-2048");
  t.equal(
    (await validate(server, (await ask(NODE, task.id, rsa)).token)).confirmation.alg,
    "RS256",
  );
  server.unserved.add(AGENT);
  await t.rejects(ask(), refusal("ENTRY_NOT_AUTHORIZED"));
  server.unserved.delete(AGENT);
  server.held.set(AGENT, serverError("SVID_HELD", "held"));
  await t.rejects(ask(), refusal("SVID_HELD"));
  server.held.clear();
  await server.tasks.suspend(task.id, { by: "admin" }, "to see");
  await t.rejects(ask(), refusal("TASK_SUSPENDED"));
  await server.tasks.unsuspend(task.id, { by: "admin" }, "");
  await server.tasks.park(task.id, HOLDER, "");
  await t.rejects(ask(), refusal("TASK_PARKED"));
  await server.tasks.resume(task.id, HOLDER);
  await t.resolves(ask());
  await server.disable(AGENT);
  await t.rejects(ask(), refusal("AI_AGENT_DISABLED"));
  await server.tasks.end(task.id, HOLDER, { state: "COMPLETED", reason: "" });
  await t.rejects(ask(), refusal("TASK_ENDED"));
});

t.test("a task that ends while one is signed gets none", async (t) => {
  const server = await TaskServer.start(t, { wit: true });
  const pair = generateP256KeyPair();
  for (let i = 0; i < 5; i++) {
    const { task } = await server.open();
    const asked = server.tasks.newWitSvid(NODE, task.id, pair).catch((error) => error);
    await server.tasks.end(task.id, HOLDER, { state: "COMPLETED", reason: "" });
    const answer = await asked;
    if ("token" in answer) {
      const { claims } = await validate(server, answer.token);
      t.equal(SpiffeId.parse(String(claims["sub"])).path.endsWith(task.id), true);
    } else t.match(answer, refusal("TASK_ENDED"));
  }
});

t.test("a server that issues no WIT-SVIDs says so", async (t) => {
  const server = await TaskServer.start(t);
  const { task } = await server.open();
  const key = generateP256KeyPair();
  await t.rejects(server.tasks.newWitSvid(NODE, task.id, key), refusal("NOT_SUPPORTED"));
});
