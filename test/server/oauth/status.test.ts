// What the token issuer tells of tokens after they were issued: status lists and introspection, and its own
// metadata, read by openid-client and by us.
import * as openid from "openid-client";
import t from "tap";
import * as client from "../../../client/index.ts";
import { validateJwtSvid } from "../../../pki/jwt/svid.ts";
import { parseJwks } from "../../../pki/token/jwks.ts";
import { TokenStatus } from "../../../pki/token/status-list.ts";
import { validateStatusListToken } from "../../../pki/token/status-list-token.ts";
import { oauthAddresses } from "../../../server/oauth/addresses.ts";
import { OAuthKeys } from "../../../server/oauth/keys.ts";
import { StatusLists } from "../../../server/oauth/status-lists.ts";
import type { ReplicaHandler } from "../../../server/store/replica.ts";
import type { KnownTask } from "../../../server/store/task-record.ts";
import { TestClock } from "../../support/clock.ts";
import { startTestCa } from "../../support/test-ca.ts";
import { ISSUER, JWT_SPIFFE, type OAuthTask, TestOAuth, TOOL } from "../../support/test-oauth.ts";

async function statusOf(oauth: TestOAuth, { task }: OAuthTask): Promise<number> {
  const path = `/status/${task.status?.list}`;
  const { status, headers, text } = await oauth.get(path);
  if (status !== 200) throw new Error(text);
  t.equal(headers["content-type"], "application/statuslist+jwt");
  const keys = parseJwks((await oauth.get("/jwks")).text);
  const { list, ttlSeconds } = await validateStatusListToken(text, {
    uri: ISSUER + path,
    keys,
    now: new Date(),
  });
  t.equal(headers["cache-control"], `max-age=${ttlSeconds}`);
  return list.get(task.status?.index ?? -1);
}

t.test(
  "a service checks a token, its holder and its task with the client library alone",
  async (t) => {
    const oauth = await TestOAuth.start(t);
    const task = await oauth.open();
    const textOf = async (url: string) => (await oauth.get(url.slice(ISSUER.length))).text;
    const { svid } = task;
    const token = String((await oauth.token(task, {}, { svid })).body["access_token"]);
    const keys = client.parseJwks(await textOf(`${ISSUER}/jwks`));
    const expected = { issuer: ISSUER, audience: TOOL, keys, now: new Date() };
    const { taskId, cnf, status } = await client.validateAccessToken(token, expected);
    t.equal(String(taskId), task.spiffeId);
    if (cnf === undefined || status === undefined) throw new Error("no cnf, or no status");
    t.ok(client.isConfirmedBy(cnf, { certificate: svid.leaf.der }));
    t.notOk(client.isConfirmedBy(cnf, { certificate: oauth.nodeAgent.svid.leaf.der }));
    const isValid = async (): Promise<boolean> => {
      const text = await textOf(status.uri);
      const { list } = await client.validateStatusListToken(text, {
        ...status,
        keys,
        now: new Date(),
      });
      return list.get(status.idx) === client.TokenStatus.valid;
    };
    t.ok(await isValid());
    await oauth.control.revokeTask({ id: task.id, reason: "enough" });
    t.notOk(await isValid());
  },
);

t.test("tells of a task in its status list, at once", async (t) => {
  const oauth = await TestOAuth.start(t);
  const one = await oauth.open();
  const other = await oauth.open();
  t.equal(await statusOf(oauth, one), TokenStatus.valid);
  await oauth.control.suspendTask({ id: one.id, reason: "a look" });
  t.equal(await statusOf(oauth, one), TokenStatus.suspended);
  await oauth.control.unsuspendTask({ id: one.id });
  t.equal(await statusOf(oauth, one), TokenStatus.valid);
  await oauth.control.revokeTask({ id: one.id, reason: "enough" });
  t.equal(await statusOf(oauth, one), TokenStatus.invalid);
  t.equal(await statusOf(oauth, other), TokenStatus.valid);
  const path = `/status/${one.task.status?.list}`;
  const { headers } = await oauth.get(path);
  const again = await oauth.get(path, { "if-none-match": String(headers.etag) });
  t.equal(again.status, 304);
  for (const name of [
    "",
    "x",
    "2026-01-01T00",
    "..%2f",
    "2026-01-01T00-1234567",
    "2026-01-01T00/",
  ]) {
    t.equal((await oauth.get(`/status/${name}`)).status, 404, name);
  }
});

t.test("says of a token whether it counts, to whoever has an SVID", async (t) => {
  const oauth = await TestOAuth.start(t, { config: "feature_flags: [wit-svid]" });
  const task = await oauth.open();
  const token = String((await oauth.token(task)).body["access_token"]);
  const svidToken = await oauth.jwt(task, TOOL);
  const active = (await oauth.introspect(token)).body;
  t.match(active, { active: true, token_type: "Bearer", aud: TOOL, client_id: task.task.aiAgent });
  t.match((await oauth.introspect(svidToken)).body, {
    active: true,
    sub: task.spiffeId,
    aud: [TOOL],
  });
  for (const [name, other] of [
    ["nonsense", "x"],
    ["three parts", "a.b.c"],
    ["a WIT-SVID, which is no token to be shown by itself", await oauth.wit(task)],
    ["a changed signature", `${token.slice(0, -8)}AAAAAAAA`],
    ["a status list", (await oauth.get(`/status/${task.task.status?.list}`)).text],
  ] as const) {
    t.same((await oauth.introspect(other)).body, { active: false }, name);
  }
  await oauth.control.suspendTask({ id: task.id, reason: "a look" });
  t.same((await oauth.introspect(token)).body, { active: false }, "suspended");
  await oauth.control.unsuspendTask({ id: task.id });
  t.match((await oauth.introspect(token)).body, { active: true }, "let go on");
  await oauth.control.revokeTask({ id: task.id, reason: "enough" });
  t.same((await oauth.introspect(token)).body, { active: false }, "revoked");
  t.same((await oauth.introspect(svidToken)).body, { active: false }, "its SVID too");
});

t.test("answers nobody who does not say who asks", async (t) => {
  const oauth = await TestOAuth.start(t);
  const task = await oauth.open();
  const ended = await oauth.open();
  const assertionOfEnded = await oauth.jwt(ended);
  await oauth.control.revokeTask({ id: ended.id, reason: "enough" });
  const token = String((await oauth.token(task)).body["access_token"]);
  const assertion = { client_assertion_type: JWT_SPIFFE, client_assertion: await oauth.jwt(task) };
  t.match((await oauth.post("/introspect", { token, ...assertion })).body, { active: true });
  const bearer = { authorization: `Bearer ${await oauth.jwt(task)}` };
  t.match((await oauth.post("/introspect", { token }, { headers: bearer })).body, { active: true });
  const rows: [string, Promise<{ status: number; body: object; headers: object }>, string][] = [
    ["nobody", oauth.post("/introspect", { token }), "OAUTH_CLIENT_INVALID"],
    [
      "the token itself",
      oauth.post("/introspect", { token }, { headers: { authorization: `Bearer ${token}` } }),
      "TOKEN_KIND_WRONG",
    ],
    [
      "a password",
      oauth.post("/introspect", { token }, { headers: { authorization: "Basic YTpi" } }),
      "OAUTH_CLIENT_INVALID",
    ],
    [
      "an ended task",
      oauth.post("/introspect", { token, ...assertion, client_assertion: assertionOfEnded }),
      "OAUTH_CLIENT_INVALID",
    ],
    [
      "an ended task's certificate",
      oauth.post("/introspect", { token }, { svid: ended.svid }),
      "OAUTH_CLIENT_INVALID",
    ],
  ];
  for (const [name, asked, reason] of rows) {
    const { status, body, headers } = await asked;
    t.match({ status, body }, { status: 401, body: { error: "invalid_client", reason } }, name);
    t.match(headers, { "www-authenticate": "Bearer" });
  }
  t.match(await oauth.post("/introspect", {}, { svid: oauth.nodeAgent.svid }), {
    status: 400,
    body: { error: "invalid_request" },
  });
});

t.test("openid-client finds it, and gets and inspects a token", async (t) => {
  const oauth = await TestOAuth.start(t);
  const task = await oauth.open();
  const svid = task.svid;
  const discover = (auth: openid.ClientAuth, shown?: typeof svid) =>
    openid.discovery(new URL(ISSUER), task.spiffeId, undefined, auth, {
      algorithm: "oauth2",
      [openid.customFetch]: oauth.fetchAs(shown) as never,
    });
  const config = await discover(openid.TlsClientAuth(), svid);
  t.match(config.serverMetadata(), {
    issuer: ISSUER,
    token_endpoint: `${ISSUER}/token`,
    authorization_details_types_supported: ["agent_task"],
    tls_client_certificate_bound_access_tokens: true,
  });
  const granted = await openid.clientCredentialsGrant(config, { resource: TOOL });
  t.match(granted, { token_type: "bearer", expires_in: Number });
  t.match(await openid.tokenIntrospection(config, granted.access_token), {
    active: true,
    aud: TOOL,
  });
  const assertion = await oauth.jwt(task);
  const byAssertion = await discover((_as, _client, body) => {
    body.set("client_id", task.spiffeId);
    body.set("client_assertion_type", JWT_SPIFFE);
    body.set("client_assertion", assertion);
  });
  const DPoP = openid.getDPoPHandle(byAssertion, await openid.randomDPoPKeyPair("ES256"));
  const bound = await openid.clientCredentialsGrant(byAssertion, { resource: TOOL }, { DPoP });
  t.equal(bound.token_type, "dpop");
  await t.rejects(openid.clientCredentialsGrant(byAssertion, { resource: "https://evil.test" }), {
    name: "ResponseBodyError",
    error: "invalid_target",
  } as never);
});

t.test(
  "keeps its keys out of the bundle, and those of the bundle out of its key set",
  async (t) => {
    const oauth = await TestOAuth.start(t, {
      config:
        "oidc: { issuer: 'https://oidc.north.test', address: 127.0.0.1, port: 0, http: true }\njwt_issuer: https://oidc.north.test",
    });
    const task = await oauth.open();
    const keys = parseJwks((await oauth.get("/jwks")).text);
    t.equal(keys.length, 1);
    const { port = 0 } = oauth.server.running.documents.oidc ?? {};
    const jwtKeys = (await (await fetch(`http://127.0.0.1:${port}/keys`)).json()) as {
      keys: { kid: string }[];
    };
    const ids = jwtKeys.keys.map(({ kid }) => kid);
    t.notOk(keys.some(({ keyId }) => ids.includes(keyId)));
    // What verifies access tokens verifies no JWT-SVID.
    const authorities = keys.map((key) => ({ ...key, expiresAt: undefined, tainted: false }));
    await t.rejects(
      validateJwtSvid(await oauth.jwt(task), {
        audience: [ISSUER],
        authoritiesOf: () => authorities,
        now: new Date(),
      }),
      { reason: "JWT_SVID_UNTRUSTED", code: 3 },
    );
  },
);

t.test("status lists: signed a few times a second at most, whatever is asked", async (t) => {
  const clock = new TestClock();
  const ca = await startTestCa(t, { clock, ca: { oauthKeyType: "ec-p256" } });
  const keys = new OAuthKeys({ authorities: ca.authorities, maxAgeSeconds: 60 });
  let tell: ReplicaHandler<KnownTask> = () => undefined;
  const task = (state: string, index = 5) =>
    ({ id: "1", state, status: { list: "2026-06-01T12", index } }) as unknown as KnownTask;
  let signed = 0;
  const lists = new StatusLists({
    tasks: {
      values: () => [task("ACTIVE")],
      onChange: (handler) => {
        tell = handler;
        return () => undefined;
      },
    },
    keys: {
      active: () => {
        signed++;
        return keys.active();
      },
    },
    addresses: oauthAddresses(ISSUER),
    clock,
  });
  t.teardown(() => lists.stop());
  const name = "2026-06-01T12";
  const statusNow = async (): Promise<number> => {
    const document = await lists.current(name);
    const read = await validateStatusListToken(Buffer.from(document?.body ?? []).toString(), {
      uri: `${ISSUER}/status/${name}`,
      keys: keys.published(),
      now: clock.now(),
    });
    return read.list.get(5);
  };
  const change = (before: string, after: string) =>
    tell([{ id: "1", before: task(before), after: task(after) }] as never, 1);
  t.equal(await statusNow(), 0);
  t.equal(await lists.current(name), await lists.current(name), "the same while nothing changes");
  t.equal(signed, 1);
  change("ACTIVE", "SUSPENDED");
  change("SUSPENDED", "ACTIVE");
  change("ACTIVE", "COMPLETED");
  const many = Promise.all(Array.from({ length: 20 }, statusNow));
  await clock.advance(250);
  t.same(
    await many,
    Array.from({ length: 20 }, () => 1),
  );
  t.equal(signed, 2, "all of them wait for the same signature");
  await clock.advance(31_000);
  t.equal(await statusNow(), 1);
  t.equal(signed, 3, "signed anew before it gets old");
  tell([{ id: "1", before: task("COMPLETED"), after: undefined }] as never, 2);
  t.equal(await lists.current(name), undefined, "nobody can ask for it any more");
  t.same(lists.size, { lists: 0, marked: 0 });
});
