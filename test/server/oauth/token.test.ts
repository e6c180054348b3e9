// The token endpoint of a running server: every way to get a token, what stands in it, and what is refused.
import { createRemoteJWKSet, customFetch, jwtVerify } from "jose";
import t, { type Test } from "tap";
import { parseJson } from "../../../pki/json.ts";
import { parseJwtSvidInsecurely } from "../../../pki/jwt/svid.ts";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import {
  type AccessToken,
  parseAccessTokenInsecurely,
  validateAccessToken,
} from "../../../pki/token/access-token.ts";
import { issueDpopProof } from "../../../pki/token/dpop.ts";
import { parseJwks } from "../../../pki/token/jwks.ts";
import { certificateThumbprint, jwkThumbprint } from "../../../pki/token/thumbprint.ts";
import {
  AuditLogService,
  EntryService,
  RegistryService,
  RevocationService,
} from "../../../proto/schema.gen.ts";
import {
  AGENT,
  ISSUER,
  JWT_BEARER_GRANT,
  JWT_SPIFFE,
  type OAuthAnswer,
  OTHER_TOOL,
  TestOAuth,
  TOOL,
} from "../../support/test-oauth.ts";

const URL = `${ISSUER}/token`;

/** The token in an answer, validated with the keys as they are published. */
async function read(oauth: TestOAuth, { body, status, text }: OAuthAnswer): Promise<AccessToken> {
  if (status !== 200) throw new Error(text);
  const keys = parseJwks((await oauth.get("/jwks")).text);
  const { audience } = parseAccessTokenInsecurely(String(body["access_token"]));
  const expected = { issuer: ISSUER, audience, keys, now: new Date() };
  return validateAccessToken(String(body["access_token"]), expected);
}

const proofOf = (key: ReturnType<typeof generateP256KeyPair>, more: object = {}) =>
  issueDpopProof({
    key: { ...key, alg: "ES256" },
    method: "POST",
    url: URL,
    now: new Date(),
    ...more,
  });

/** What was recorded of this type. */
async function events(oauth: TestOAuth, type: string): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for await (const { events: page } of oauth.server.admin.client(AuditLogService).tail({ type })) {
    for (const { line } of page)
      found.push(parseJson(new Uint8Array(line)) as Record<string, unknown>);
  }
  return found;
}

t.test("gives a task a token for one service, with the mandate it has there", async (t) => {
  const oauth = await TestOAuth.start(t);
  const task = await oauth.open();
  const answer = await oauth.token(task);
  t.equal(answer.headers["cache-control"], "no-store");
  t.match(answer.body, { token_type: "Bearer", expires_in: Number });
  const token = await read(oauth, answer);
  t.match(token, {
    sub: AGENT,
    clientId: AGENT,
    audience: TOOL,
    txn: task.id,
    cnf: undefined,
    actors: [],
  });
  t.equal(String(token.taskId), task.spiffeId);
  t.match(token.taskDetails, { locations: [TOOL], actions: ["tools/**"], task: task.spiffeId });
  t.match(token.claims[`${ISSUER}/task`], {
    agent: AGENT,
    class: "standard",
    root: task.id,
    depth: 0,
  });
  t.same(
    answer.body["authorization_details"],
    token.details.map((one) => ({ ...one })),
  );
  const { status } = task.task;
  t.same(token.status, { idx: status?.index, uri: `${ISSUER}/status/${status?.list}` });
  t.ok(token.expiresAt.getTime() - token.issuedAt.getTime() <= 120_000);
  const [event] = await events(oauth, "access-token.issued");
  t.match(event, {
    agent: AGENT,
    task: task.spiffeId,
    resource: TOOL,
    credential: { name: token.jti },
  });
  t.notMatch(JSON.stringify(event), String(answer.body["access_token"]).slice(-40));
});

t.test("takes the JWT-SVID as a grant, and a certificate in place of it", async (t) => {
  const oauth = await TestOAuth.start(t);
  const task = await oauth.open({ principal: "https://idp.north.test/u/alice" });
  const assertion = await oauth.jwt(task);
  const form = { grant_type: JWT_BEARER_GRANT, assertion, resource: TOOL };
  const byGrant = await read(oauth, await oauth.post("/token", form));
  t.match(byGrant, {
    sub: "https://idp.north.test/u/alice",
    clientId: AGENT,
    actors: [{ sub: AGENT }],
  });
  const { svid } = task;
  const bound = { "x5t#S256": certificateThumbprint(svid.leaf.der) };
  for (const more of [{}, { client_id: task.spiffeId }, { client_id: AGENT }]) {
    const answer = await oauth.token(task, more, { svid });
    t.equal(answer.body["token_type"], "Bearer");
    t.same((await read(oauth, answer)).cnf, bound);
  }
  t.same((await read(oauth, await oauth.post("/token", form, { svid }))).cnf, bound, "both");
});

t.test("binds a token to the key of a proof, once for each proof", async (t) => {
  const before = new Date(Date.now() - 2000);
  const oauth = await TestOAuth.start(t);
  const task = await oauth.open();
  const key = generateP256KeyPair();
  const dpop = proofOf(key);
  const answer = await oauth.token(task, {}, { headers: { dpop } });
  t.equal(answer.body["token_type"], "DPoP");
  t.same((await read(oauth, answer)).cnf, { jkt: jwkThumbprint(key.spki) });
  const refused: [string, string, string][] = [
    ["again", dpop, "DPOP_PROOF_REPLAYED"],
    ["two", `${proofOf(key)}, ${proofOf(key)}`, "DPOP_PROOF_MALFORMED"],
    ["nonsense", "x", "DPOP_PROOF_MALFORMED"],
    ["for another method", proofOf(key, { method: "GET" }), "DPOP_PROOF_BINDING"],
    ["for another URL", proofOf(key, { url: `${ISSUER}/introspect` }), "DPOP_PROOF_BINDING"],
    ["of another token", proofOf(key, { accessToken: "a" }), "DPOP_PROOF_BINDING"],
    ["old", proofOf(key, { now: new Date(Date.now() - 120_000) }), "DPOP_PROOF_EXPIRED"],
    // Young enough: but a server that ran then may have taken it, and this one would not know.
    ["made before the start", proofOf(key, { now: before }), "DPOP_PROOF_EXPIRED"],
  ];
  for (const [name, proof, reason] of refused) {
    const { status, body } = await oauth.token(task, {}, { headers: { dpop: proof } });
    t.match({ status, body }, { status: 400, body: { error: "invalid_dpop_proof", reason } }, name);
  }
});

t.test("the record says what each token is bound to", async (t) => {
  const oauth = await TestOAuth.start(t);
  const task = await oauth.open();
  const key = generateP256KeyPair();
  const order = { taskId: task.id, resource: TOOL };
  const own = await oauth.nodeTasks.issueToken(order);
  t.equal(own.tokenType, "DPoP", "to the task's own key");
  await oauth.nodeTasks.issueToken({ ...order, confirmationJkt: jwkThumbprint(key.spki) });
  await oauth.nodeTasks.issueToken({ ...order, unbound: true });
  await oauth.token(task);
  await oauth.token(task, {}, { svid: task.svid });
  const recorded = await events(oauth, "access-token.issued");
  t.same(
    recorded.map(({ detail }) => detail),
    ["key", "key", "no", "no", "certificate"].map((bound) => ({ bound })),
  );
});

t.test("narrows a token, never widens it, and records who tries", async (t) => {
  const oauth = await TestOAuth.start(t);
  const task = await oauth.open();
  const ask = (detail: object, more: Record<string, string> = {}) =>
    oauth.token(task, {
      authorization_details: JSON.stringify([{ type: "agent_task", ...detail }]),
      ...more,
    });
  const narrow = await read(oauth, await ask({ actions: ["tools/read/*"], limits: { uses: 3 } }));
  t.match(narrow.taskDetails, {
    actions: ["tools/read/*"],
    limits: { uses: 3 },
    locations: [TOOL],
  });
  const rows: [string, Promise<OAuthAnswer>, string][] = [
    ["more actions", ask({ actions: ["resources/**"] }), "MANDATE_EXCEEDED"],
    ["more sensitive", ask({ limits: { max_sensitivity: 6 } }), "MANDATE_EXCEEDED"],
    ["anything", ask({ actions: { any: true } }), "MANDATE_ANY_REFUSED"],
    ["another type", ask({ type: "payment" }), "INVALID_AUTHORIZATION_DETAILS"],
    ["unknown fields", ask({ privileges: ["root"] }), "INVALID_AUTHORIZATION_DETAILS"],
    ["no JSON", oauth.token(task, { authorization_details: "[" }), "INVALID_AUTHORIZATION_DETAILS"],
    [
      "twice in JSON",
      oauth.token(task, { authorization_details: '[{"type":"agent_task","type":"agent_task"}]' }),
      "INVALID_AUTHORIZATION_DETAILS",
    ],
    [
      "no element",
      oauth.token(task, { authorization_details: "[]" }),
      "INVALID_AUTHORIZATION_DETAILS",
    ],
  ];
  for (const [name, asked, reason] of rows) {
    const { status, body } = await asked;
    t.equal(status, 400, name);
    t.equal(body["error"], "invalid_authorization_details", name);
    t.ok(
      [reason, "INVALID_AUTHORIZATION_DETAILS"].includes(String(body["reason"])),
      `${name}: ${body["reason"]}`,
    );
  }
  const targets: [string, OAuthAnswer][] = [
    ["another service", await oauth.token(task, { resource: "https://evil.test/mcp" })],
    ["a service that the details leave out", await ask({ locations: [OTHER_TOOL] })],
    ["no service", await oauth.token(task, { resource: "" })],
    ["no URI", await oauth.token(task, { resource: "tickets" })],
  ];
  for (const [name, { status, body }] of targets) {
    t.match(
      { status, body },
      { status: 400, body: { error: "invalid_target", reason: "OAUTH_RESOURCE_REFUSED" } },
      name,
    );
  }
  t.equal(
    (await read(oauth, await oauth.token(task, { resource: OTHER_TOOL }))).audience,
    OTHER_TOOL,
  );
  t.ok((await events(oauth, "escalation.mandate-exceeded")).length >= 2);
  const [wrong] = await events(oauth, "escalation.audience-not-in-mandate");
  t.match(wrong, {
    agent: AGENT,
    task: task.spiffeId,
    detail: { resource: "https://evil.test/mcp" },
  });
});

t.test("gives no bearer tokens to tasks of a class that needs proofs", async (t) => {
  const oauth = await TestOAuth.start(t);
  const task = await oauth.open({ taskClass: "sensitive" });
  const bearer = await oauth.token(task);
  t.match(bearer, {
    status: 400,
    body: { error: "invalid_request", reason: "OAUTH_POP_REQUIRED" },
  });
  const dpop = proofOf(generateP256KeyPair());
  t.equal((await oauth.token(task, {}, { headers: { dpop } })).status, 200);
  t.equal((await oauth.token(task, {}, { svid: task.svid })).status, 200);
});

t.test("answers ended and suspended tasks with nothing but why", async (t) => {
  const oauth = await TestOAuth.start(t);
  const task = await oauth.open();
  const client_assertion = await oauth.jwt(task);
  const form = {
    grant_type: "client_credentials",
    resource: TOOL,
    client_assertion,
    client_assertion_type: JWT_SPIFFE,
  };
  const ask = () => oauth.post("/token", form);
  t.equal((await ask()).status, 200);
  t.equal((await ask()).status, 200, "a JWT-SVID may be shown again while it lives");
  await oauth.control.suspendTask({ id: task.id, reason: "a look" });
  t.match(await ask(), {
    status: 401,
    body: { error: "invalid_client", reason: "TASK_SUSPENDED" },
  });
  await oauth.control.unsuspendTask({ id: task.id });
  t.equal((await ask()).status, 200);
  await oauth.control.revokeTask({ id: task.id, reason: "enough" });
  t.match(await ask(), { status: 401, body: { error: "invalid_client", reason: "TASK_ENDED" } });
  const byGrant = { grant_type: JWT_BEARER_GRANT, assertion: client_assertion, resource: TOOL };
  t.match(await oauth.post("/token", byGrant), {
    status: 400,
    body: { error: "invalid_grant", reason: "TASK_ENDED" },
  });
  const byCertificate = await oauth.token(task, {}, { svid: task.svid });
  t.match(byCertificate, { status: 401, body: { reason: "TASK_ENDED" } });
  t.equal((await events(oauth, "escalation.used-after-end")).length, 3);
});

t.test(
  "gives nothing to a task whose AI agent has no entry any more, or is held back",
  async (t) => {
    const oauth = await TestOAuth.start(t);
    const { admin } = oauth.server;
    const entries = admin.client(EntryService);
    const revocation = admin.client(RevocationService);
    const task = await oauth.open();
    const form = {
      ...{ grant_type: "client_credentials", resource: TOOL },
      ...{ client_assertion: await oauth.jwt(task), client_assertion_type: JWT_SPIFFE },
    };
    const refused = (reason: string) => ({
      status: 401,
      body: { error: "invalid_client", reason },
    });
    t.equal((await oauth.post("/token", form)).status, 200);

    t.comment("one of its SVIDs was revoked, and its holder is held back");
    const serial = task.svid.leaf.serialHex;
    const { revocation: held } = await revocation.revokeSVID({ serial });
    t.match(await oauth.post("/token", form), refused("SVID_HELD"));
    const asked = { taskId: task.id, resource: TOOL };
    await t.rejects(oauth.nodeTasks.issueToken(asked), {
      name: "IdentityError",
      reason: "SVID_HELD",
    });
    await revocation.releaseHold({ id: held?.id ?? "" });
    t.equal((await oauth.post("/token", form)).status, 200);

    t.comment("its AI agent's entry is deleted, while its JWT-SVID is good for a minute");
    const { entries: all } = await entries.listEntries({});
    const own = all.filter(({ spiffeId }) => spiffeId?.path === "/agent/researcher");
    await entries.batchDeleteEntry({ ids: own.map(({ id }) => id) });
    const answer = await oauth.post("/token", form);
    t.match(answer, refused("ENTRY_NOT_AUTHORIZED"));
    t.match(answer.body["error_description"], /while its AI agent has a registration entry/);
    const byGrant = {
      ...{ grant_type: JWT_BEARER_GRANT, resource: TOOL },
      assertion: form.client_assertion,
    };
    t.match(await oauth.post("/token", byGrant), { status: 400, body: { error: "invalid_grant" } });

    t.comment("whoever is held back learns nothing of tokens either");
    const other = await oauth.server.attest();
    const ask = () =>
      oauth.post("/introspect", { token: form.client_assertion }, { svid: other.svid });
    t.match(await ask(), { status: 200, body: { active: true } });
    const path = other.id.slice("spiffe://north.test".length);
    await revocation.revokeSVID({ spiffeId: { trustDomain: "north.test", path } });
    t.equal((await ask()).status, 401);
  },
);

t.test("knows the task of a JWT-SVID whose sub is the AI agent", async (t) => {
  const oauth = await TestOAuth.start(t);
  const registry = oauth.server.admin.client(RegistryService);
  const { taskClass } = await registry.getTaskClass({ name: "standard" });
  await registry.setTaskClass({ taskClass: { ...taskClass, identity: "agent" } });
  const task = await oauth.open();
  const assertion = await oauth.jwt(task);
  t.equal(parseJwtSvidInsecurely(assertion).id.toString(), AGENT);
  const token = await read(oauth, await oauth.token(task));
  t.equal(String(token.taskId), task.spiffeId);
  t.match((await oauth.introspect(assertion)).body, { active: true, sub: AGENT });
  await oauth.control.revokeTask({ id: task.id, reason: "enough" });
  t.same((await oauth.introspect(assertion)).body, { active: false });
});

t.test("is read by jose from the published keys", async (t) => {
  const oauth = await TestOAuth.start(t);
  const { body } = await oauth.token(await oauth.open());
  const metadata = (await oauth.get("/.well-known/oauth-authorization-server")).body;
  const keys = createRemoteJWKSet(new globalThis.URL(String(metadata["jwks_uri"])), {
    [customFetch]: oauth.fetchAs() as never,
  });
  const { payload } = await jwtVerify(String(body["access_token"]), keys, {
    issuer: ISSUER,
    audience: TOOL,
    typ: "at+jwt",
  });
  t.equal(payload["client_id"], AGENT);
});

t.test("does without the section, and says so", async (t: Test) => {
  const { TestServer } = await import("../../support/running-server.ts");
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  t.equal(server.running.documents.oauth, undefined);
});
