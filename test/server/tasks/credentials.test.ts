// What tasks are issued: never past their end, for their node agent alone, for what the mandate names.
import t from "tap";
import { parseJwtSvidInsecurely } from "../../../pki/jwt/svid.ts";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import { serverError } from "../../../server/errors.ts";
import { AGENT, NODE, refusal, TaskServer, TOOLS } from "../../support/task-server.ts";

const HOLDER = { by: NODE, nodeAgent: NODE };
const ISSUER = "https://id.north.test";

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

t.test("signs for whatever key the node agent shows, and cuts at the task's end", async (t) => {
  const server = await TaskServer.start(t);
  const { task } = await server.open({ ttlSeconds: 400 });
  const pair = generateP256KeyPair();
  const sign = async () => {
    const [svid] = await server.tasks.signX509(NODE, [{ id: task.id, csr: createCsr(pair) }]);
    if (svid === undefined || "reason" in svid) throw svid;
    return parseCertificate(svid.chain[0] ?? new Uint8Array());
  };
  const first = await sign();
  t.same(first.spki, pair.spki);
  t.same(first.uris, [`${AGENT}/task/${task.id}`]);
  t.equal(first.notAfter.getTime(), server.clock.now().getTime() + 300_000);
  await server.clock.advance(150_500);
  const later = await sign();
  t.ok(later.notAfter.getTime() <= task.expiresAtMs, "never past the end");
  t.ok(later.notAfter.getTime() >= task.expiresAtMs - 1000);
  t.equal(server.tasks.serialsOf(task.id).length, 3);
  await server.clock.advance(249_000);
  await t.rejects(sign(), refusal("TASK_ENDED"));
  t.equal(server.tasks.serialsOf(task.id).length, 0, "what has expired is forgotten");
});

t.test("a task whose AI agent has no entry there any more gets nothing", async (t) => {
  const server = await TaskServer.start(t);
  const { task } = await server.open();
  const csr = createCsr(generateP256KeyPair());
  server.unserved.add(AGENT);
  t.match(await server.tasks.signX509(NODE, [{ id: task.id, csr }]), [
    { reason: "ENTRY_NOT_AUTHORIZED" },
  ]);
  await t.rejects(server.tasks.newJwtSvid(NODE, task.id, [TOOLS]), refusal("ENTRY_NOT_AUTHORIZED"));
  t.throws(() => server.tasks.held(task.id, NODE), refusal("ENTRY_NOT_AUTHORIZED"));
  t.match(server.tasks.get(task.id), { state: "ACTIVE" }, "an entry may come back");
  server.unserved.delete(AGENT);
  t.match(await server.tasks.signX509(NODE, [{ id: task.id, csr }]), [{ chain: Array }]);
});

t.test("answers each of a batch", async (t) => {
  const server = await TaskServer.start(t);
  const good = (await server.open()).task;
  const over = (await server.open()).task;
  await server.tasks.end(over.id, HOLDER, { state: "FAILED", reason: "" });
  const csr = createCsr(generateP256KeyPair());
  const answers = await server.tasks.signX509(NODE, [
    { id: over.id, csr },
    { id: good.id, csr: Uint8Array.of(1) },
    { id: "nothing", csr },
    { id: good.id, csr },
  ]);
  t.match(answers, [
    { reason: "TASK_ENDED" },
    { reason: "CSR_INVALID" },
    { reason: "TASK_NOT_FOUND" },
    { chain: Array },
  ]);
});

t.test(
  "a class that allows longer credentials does not lengthen those of open tasks",
  async (t) => {
    const server = await TaskServer.start(t);
    const { task } = await server.open({ ttlSeconds: 3600 });
    await server.setClass("standard", { x509SvidTtlSeconds: 3600, jwtSvidTtlSeconds: 3600 });
    const csr = createCsr(generateP256KeyPair());
    const [svid] = await server.tasks.signX509(NODE, [{ id: task.id, csr }]);
    if (svid === undefined || "reason" in svid) throw svid;
    t.equal(svid.notAfter.getTime(), server.clock.now().getTime() + 300_000);
    await server.setClass("standard", { x509SvidTtlSeconds: 60 });
    const [shorter] = await server.tasks.signX509(NODE, [{ id: task.id, csr }]);
    if (shorter === undefined || "reason" in shorter) throw shorter;
    t.equal(shorter.notAfter.getTime(), server.clock.now().getTime() + 60_000);
  },
);

t.test("a task that ends while something is signed for it gets nothing", async (t) => {
  const server = await TaskServer.start(t);
  for (let i = 0; i < 10; i++) {
    const { task } = await server.open();
    const csr = createCsr(generateP256KeyPair());
    const signing = server.tasks.signX509(NODE, [{ id: task.id, csr }]);
    const token = server.tasks.newJwtSvid(NODE, task.id, [TOOLS]).catch((error) => error);
    await server.tasks.end(task.id, HOLDER, { state: "COMPLETED", reason: "" });
    const [svid] = await signing;
    const serials = server.tasks.serialsOf(task.id);
    // It left before the end, or it did not leave; what left is among the task's serials.
    if (svid !== undefined && "chain" in svid) {
      const { serialHex } = parseCertificate(svid.chain[0] ?? new Uint8Array());
      t.ok(serials.some(({ serial }) => serial === serialHex));
    } else t.match(svid, { reason: "TASK_ENDED" });
    await token;
  }
});

t.test("a JWT-SVID is for one audience of the mandate, and says what task it is", async (t) => {
  const server = await TaskServer.start(t, { oauthIssuer: ISSUER });
  const { task } = await server.open();
  const { token, expiresAt } = await server.tasks.newJwtSvid(NODE, task.id, [TOOLS]);
  const nowMs = server.clock.now().getTime();
  t.equal(expiresAt.getTime(), nowMs + 60_000);
  const parsed = parseJwtSvidInsecurely(token);
  t.equal(parsed.id.toString(), `${AGENT}/task/${task.id}`);
  t.match(claimsOf(token), {
    aud: [TOOLS],
    jti: String,
    status: {
      status_list: { idx: task.status.index, uri: `${ISSUER}/status/${task.status.list}` },
    },
    [`${ISSUER}/task`]: {
      id: `${AGENT}/task/${task.id}`,
      agent: AGENT,
      class: "standard",
      root: task.id,
      depth: 0,
      grant_hash: task.grantHash,
      fail_mode: "ttl",
    },
  });
  await t.resolves(server.tasks.newJwtSvid(NODE, task.id, [ISSUER]), "to show itself there");
  for (const audience of ["https://elsewhere.test", `${TOOLS}/more`, "https://tools.test"]) {
    await t.rejects(
      server.tasks.newJwtSvid(NODE, task.id, [audience]),
      refusal("TASK_AUDIENCE_REFUSED"),
      audience,
    );
    t.match(server.reports.at(-1), { kind: "audience-not-in-mandate", task: task.id });
  }
  for (const audience of [[], [TOOLS, "https://files.test"]]) {
    await t.rejects(
      server.tasks.newJwtSvid(NODE, task.id, audience),
      refusal("TASK_REQUEST_INVALID"),
    );
  }
  await server.tasks.narrow(task.id, HOLDER, { locations: ["https://files.test"] });
  await t.rejects(
    server.tasks.newJwtSvid(NODE, task.id, [TOOLS]),
    refusal("TASK_AUDIENCE_REFUSED"),
    "what was given up is gone",
  );
});

t.test(
  "without a token issuer there is no status, and the claim has the trust domain's name",
  async (t) => {
    const server = await TaskServer.start(t);
    const { task } = await server.open({ ttlSeconds: 30 });
    const { token, expiresAt } = await server.tasks.newJwtSvid(NODE, task.id, [TOOLS]);
    const claims = claimsOf(token);
    t.equal(claims["status"], undefined);
    t.match(claims["spiffe://north.test/task"], { agent: AGENT });
    t.equal(expiresAt.getTime(), task.expiresAtMs);
  },
);

t.test(
  "a class of agents' identities names the AI agent in tokens, the task in certificates",
  async (t) => {
    const server = await TaskServer.start(t);
    await server.setClass("standard", { identity: "agent" });
    const { task, svid } = await server.open();
    const { token } = await server.tasks.newJwtSvid(NODE, task.id, [TOOLS]);
    t.equal(parseJwtSvidInsecurely(token).id.toString(), AGENT);
    t.match(claimsOf(token), { "spiffe://north.test/task": { id: `${AGENT}/task/${task.id}` } });
    const leaf = parseCertificate(svid.chain[0] ?? new Uint8Array());
    t.same(leaf.uris, [`${AGENT}/task/${task.id}`]);
  },
);

t.test("who is held back by a revocation gets nothing for tasks either", async (t) => {
  const server = await TaskServer.start(t);
  const { task } = await server.open();
  server.held.set(AGENT, serverError("SVID_HELD", "held"));
  const csr = createCsr(generateP256KeyPair());
  t.match(await server.tasks.signX509(NODE, [{ id: task.id, csr }]), [{ reason: "SVID_HELD" }]);
  await t.rejects(server.tasks.newJwtSvid(NODE, task.id, [TOOLS]), refusal("SVID_HELD"));
});
