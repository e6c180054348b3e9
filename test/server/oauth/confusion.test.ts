// The table of confusions, at the doors of a running server: each kind of credential presented where another
// is expected, and what the attempt is recorded as.
import t from "tap";
import { parseJson } from "../../../pki/json.ts";
import { issueJwtSvid } from "../../../pki/jwt/issue.ts";
import { generateP256KeyPair, signerOf } from "../../../pki/keys.ts";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import { issueTaskProof } from "../../../pki/task-proof.ts";
import { issueDpopProof } from "../../../pki/token/dpop.ts";
import { AuditLogService, SvidService } from "../../../proto/schema.gen.ts";
import {
  AGENT,
  ISSUER,
  JWT_BEARER_GRANT,
  JWT_SPIFFE,
  type OAuthAnswer,
  TestOAuth,
  TOOL,
} from "../../support/test-oauth.ts";
import { TestWit } from "../../support/test-wit.ts";

const proofOf = (url = `${ISSUER}/token`): string => {
  const pair = generateP256KeyPair();
  return issueDpopProof({ key: { ...pair, alg: "ES256" }, method: "POST", url, now: new Date() });
};

/** A JWT-SVID that an administrator made for a workload that is no task. */
async function minted(oauth: TestOAuth, path: string, audience = ISSUER): Promise<string> {
  const { svid } = await oauth.server.admin.client(SvidService).mintJWTSVID({
    id: { trustDomain: "north.test", path },
    audience: [audience],
  });
  return svid?.token ?? "";
}

async function escalations(oauth: TestOAuth, kind: string): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  const tail = oauth.server.admin.client(AuditLogService).tail({ type: `escalation.${kind}` });
  for await (const { events } of tail) {
    for (const { line } of events) found.push(parseJson(new Uint8Array(line)) as never);
  }
  return found;
}

t.test("nothing but a JWT-SVID of an active task for this issuer alone gets a token", async (t) => {
  const oauth = await TestOAuth.start(t, { config: "feature_flags: [wit-svid]" });
  const task = await oauth.open();
  const accessToken = String((await oauth.token(task)).body["access_token"]);
  const list = (await oauth.get(`/status/${task.task.status?.list}`)).text;
  const now = new Date();
  const stranger = generateP256KeyPair();
  const forged = await issueJwtSvid({
    signer: signerOf("k1", stranger),
    keyId: "k1",
    spiffeId: SpiffeId.parse(task.spiffeId),
    audience: [ISSUER],
    issuedAt: now,
    expiresAt: new Date(now.getTime() + 60_000),
  });
  const [header = "", payload = ""] = (await oauth.jwt(task)).split(".");
  const none = `${Buffer.from('{"alg":"none","kid":"k1","typ":"JWT"}').toString("base64url")}.${payload}.AA`;
  const rows: [string, string, string][] = [
    ["an access token", accessToken, "TOKEN_KIND_WRONG"],
    ["a status list", list, "TOKEN_KIND_WRONG"],
    ["the task's own WIT-SVID", await oauth.wit(task), "TOKEN_KIND_WRONG"],
    ["a WIT-SVID", new TestWit().issue("/agent/researcher").token, "TOKEN_KIND_WRONG"],
    ["a DPoP proof", proofOf(), "TOKEN_KIND_WRONG"],
    [
      "a task proof",
      issueTaskProof(task.key.privateKey, { method: "IssueToken", taskId: task.id, now }),
      "TOKEN_KIND_WRONG",
    ],
    [
      "the AI agent's own JWT-SVID",
      await minted(oauth, "/agent/researcher"),
      "OAUTH_CLIENT_INVALID",
    ],
    ["a workload's JWT-SVID", await minted(oauth, "/web"), "OAUTH_CLIENT_INVALID"],
    ["a JWT-SVID for a tool", await oauth.jwt(task, TOOL), "JWT_SVID_AUDIENCE"],
    ["a JWT-SVID with another key", forged, "JWT_SVID_UNTRUSTED"],
    ["algorithm none", none, "JWT_SVID_ALGORITHM"],
    ["half a JWT-SVID", `${header}.${payload}`, "JWT_SVID_MALFORMED"],
    ["nonsense", "x", "JWT_SVID_MALFORMED"],
  ];
  for (const [name, token, reason] of rows) {
    const asAssertion = { client_assertion_type: JWT_SPIFFE, client_assertion: token };
    const client = await oauth.post("/token", {
      grant_type: "client_credentials",
      resource: TOOL,
      ...asAssertion,
    });
    t.match(client, { status: 401, body: { error: "invalid_client", reason } }, name);
    const grant = await oauth.post("/token", {
      grant_type: JWT_BEARER_GRANT,
      resource: TOOL,
      assertion: token,
    });
    t.match(
      grant,
      { status: 400, body: { error: "invalid_grant", reason } },
      `${name}, as a grant`,
    );
  }
  const [confused] = await escalations(oauth, "token-kind-confused");
  t.match(confused, { agent: AGENT, task: task.spiffeId, detail: { presented: "access token" } });
  const [wrong] = await escalations(oauth, "wrong-audience");
  t.match(wrong, { agent: AGENT, task: task.spiffeId, detail: { audience: TOOL } });
  const all = [
    ...(await escalations(oauth, "token-kind-confused")),
    ...(await escalations(oauth, "wrong-audience")),
  ];
  t.equal(
    all.filter(({ task: of }) => of !== task.spiffeId).length,
    0,
    "nobody accuses anybody else",
  );
  const header2 = (token: string) => oauth.token(task, {}, { headers: { dpop: token } });
  for (const [name, token] of rows.filter(([one]) => one !== "a DPoP proof")) {
    t.match(
      await header2(token),
      { status: 400, body: { error: "invalid_dpop_proof" } },
      `${name}, as a proof`,
    );
  }
});

t.test("beside a sound JWT-SVID for another service, a forged one accuses nobody", async (t) => {
  const oauth = await TestOAuth.start(t);
  const victim = await oauth.open();
  const own = await oauth.open();
  const now = new Date();
  const forged = await issueJwtSvid({
    signer: signerOf("k1", generateP256KeyPair()),
    keyId: "k1",
    spiffeId: SpiffeId.parse(victim.spiffeId),
    audience: [TOOL],
    issuedAt: now,
    expiresAt: new Date(now.getTime() + 60_000),
  });
  const sound = await oauth.jwt(own, TOOL);
  for (const [assertion, client_assertion] of [
    [sound, forged],
    [forged, sound],
  ]) {
    const answer = await oauth.post("/token", {
      grant_type: JWT_BEARER_GRANT,
      resource: TOOL,
      assertion: assertion ?? "",
      client_assertion_type: JWT_SPIFFE,
      client_assertion: client_assertion ?? "",
    });
    t.match(answer, { status: 400, body: { error: "invalid_grant" } });
  }
  const accused = (await escalations(oauth, "wrong-audience")).map(({ task }) => task);
  t.same([...new Set(accused)], [own.spiffeId]);
});

t.test("certificates of others than the task open nothing", async (t) => {
  const oauth = await TestOAuth.start(t);
  const task = await oauth.open();
  const other = await oauth.open();
  const assertion = { client_assertion_type: JWT_SPIFFE, client_assertion: await oauth.jwt(task) };
  const form = { grant_type: "client_credentials", resource: TOOL };
  const web = await oauth.server.mint("/web");
  const aiAgent = await oauth.server.mint("/agent/researcher");
  const unknown = await oauth.server
    .mint(`/agent/researcher/task/01JD0000000000000000000001`)
    .catch(() => undefined);
  const rows: [string, Promise<OAuthAnswer>][] = [
    ["a node agent's", oauth.post("/token", form, { svid: oauth.nodeAgent.svid })],
    ["a workload's", oauth.post("/token", form, { svid: web })],
    ["the AI agent's own", oauth.post("/token", form, { svid: aiAgent })],
    [
      "another task's beside the assertion",
      oauth.post("/token", { ...form, ...assertion }, { svid: other.svid }),
    ],
    [
      "a node agent's beside the assertion",
      oauth.post("/token", { ...form, ...assertion }, { svid: oauth.nodeAgent.svid }),
    ],
    [
      "another client_id",
      oauth.post("/token", { ...form, client_id: other.spiffeId }, { svid: task.svid }),
    ],
    [
      "a client_id that only begins so",
      oauth.post("/token", { ...form, client_id: AGENT.slice(0, -1) }, { svid: task.svid }),
    ],
    [
      "the grant of another task",
      oauth.post(
        "/token",
        { ...form, grant_type: JWT_BEARER_GRANT, assertion: await oauth.jwt(other) },
        { svid: task.svid },
      ),
    ],
    ...(unknown === undefined
      ? []
      : ([["a task that never was", oauth.post("/token", form, { svid: unknown })]] as [
          string,
          Promise<OAuthAnswer>,
        ][])),
  ];
  for (const [name, asked] of rows) {
    const { status, body } = await asked;
    t.ok(status === 401 || status === 400, name);
    t.match(body, { error: /^invalid_(client|grant)$/, reason: "OAUTH_CLIENT_INVALID" }, name);
  }
  const foreign = await TestOAuth.start(t);
  const stranger = await foreign.open();
  const answer = await oauth.post("/token", form, { svid: stranger.svid });
  t.match(
    answer,
    { status: 401, body: { error: "invalid_client", reason: "SVID_UNTRUSTED" } },
    "another server's task",
  );
});
