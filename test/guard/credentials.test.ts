// What is shown to a guard and is no credential of a task for this service: each refused for the one thing
// that is wrong with it, and on record where it is an attempt.

import { createHmac, randomBytes } from "node:crypto";
import { request } from "node:https";
import t, { type Test } from "tap";
import type { TlsSource } from "../../client/tls/source.ts";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { issueDpopProof } from "../../pki/token/dpop.ts";
import { jwkThumbprint } from "../../pki/token/thumbprint.ts";
import { AI_AGENT, FakeGuardNode, ISSUER } from "../support/fake-guard-node.ts";
import { type GuardedMcp, startGuardedMcp } from "../support/guarded-mcp.ts";

const RESOURCE = "https://localhost/mcp";

interface Answer {
  readonly status: number;
  readonly challenge: string;
  readonly body: { readonly error?: unknown; readonly [name: string]: unknown };
}

/** An initialize request with these header lines, name by name, as they are. */
async function send(
  mcp: GuardedMcp,
  headers: readonly string[],
  source?: TlsSource,
  target = "/mcp",
): Promise<Answer> {
  const agent = await mcp.agentOf(source);
  const body = JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "x", version: "1" },
    },
  });
  return new Promise((resolve, reject) => {
    const call = request(
      {
        agent,
        host: "localhost",
        port: mcp.url.port,
        path: target,
        method: "POST",
        headers: [
          ...["host", "localhost", "content-type", "application/json"],
          ...["accept", "application/json, text/event-stream"],
          ...["content-length", String(Buffer.byteLength(body)), ...headers],
        ],
      },
      (response) => {
        let text = "";
        response.on("data", (piece: Buffer) => {
          text += piece.toString();
        });
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            challenge: response.headers["www-authenticate"] ?? "",
            body: text.startsWith("{") ? JSON.parse(text) : {},
          }),
        );
      },
    );
    call.on("error", reject);
    call.end(body);
  });
}

async function setUp(t: Test): Promise<{ node: FakeGuardNode; mcp: GuardedMcp }> {
  const node = await FakeGuardNode.start(t);
  return { node, mcp: await startGuardedMcp(t, node) };
}

const reencode = (part: string, change: (json: Record<string, unknown>) => object): string =>
  Buffer.from(
    JSON.stringify(change(JSON.parse(Buffer.from(part, "base64url").toString()))),
  ).toString("base64url");

t.test("whoever shows nothing is told where to ask, and for what", async (t) => {
  const { mcp } = await setUp(t);
  const answer = await send(mcp, []);
  t.equal(answer.status, 401);
  t.equal(
    answer.challenge,
    'Bearer resource_metadata="https://localhost/.well-known/oauth-protected-resource/mcp", ' +
      'scope="tools/** resources/** prompts/**"',
  );
  const agent = await mcp.agentOf();
  const metadata = await new Promise<string>((resolve) => {
    const path = "/.well-known/oauth-protected-resource/mcp";
    const options = { agent, host: "localhost", port: mcp.url.port, path };
    request(options, (response) => {
      let text = "";
      response.on("data", (piece: Buffer) => (text += piece.toString()));
      response.on("end", () => resolve(text));
    }).end();
  });
  t.match(JSON.parse(metadata), {
    resource: RESOURCE,
    authorization_servers: [ISSUER],
    bearer_methods_supported: ["header"],
    authorization_details_types_supported: ["agent_task"],
  });
});

t.test("tokens that are not good for this are refused as invalid_token", async (t) => {
  const { node, mcp } = await setUp(t);
  const task = node.open();
  const good = await node.accessToken(task);
  const [header = "", payload = "", signature = ""] = good.split(".");
  const past = new Date(Date.now() - 600_000);
  const rows: [string, string | Promise<string>, string][] = [
    [
      "of another issuer",
      node.accessToken(task, { issuer: "https://x.test" }),
      "ACCESS_TOKEN_UNTRUSTED",
    ],
    [
      "expired",
      node.accessToken(task, { issuedAt: past, expiresAt: new Date(past.getTime() + 1000) }),
      "ACCESS_TOKEN_EXPIRED",
    ],
    [
      "from the future",
      node.accessToken(task, {
        issuedAt: new Date(Date.now() + 600_000),
        expiresAt: new Date(Date.now() + 700_000),
      }),
      "ACCESS_TOKEN_NOT_YET_VALID",
    ],
    [
      "that lives for a day",
      node.accessToken(task, { expiresAt: new Date(Date.now() + 86_400_000) }),
      "ACCESS_TOKEN_CLAIMS",
    ],
    [
      "for another service",
      node.accessToken(task, { audience: "https://x.test/mcp" }),
      "ACCESS_TOKEN_AUDIENCE",
    ],
    [
      "for a path below",
      node.accessToken(task, { audience: `${RESOURCE}/` }),
      "ACCESS_TOKEN_AUDIENCE",
    ],
    [
      "with another signature",
      `${header}.${payload}.${randomBytes(64).toString("base64url")}`,
      "ACCESS_TOKEN_UNTRUSTED",
    ],
    ["without a signature", `${header}.${payload}.`, "ACCESS_TOKEN_MALFORMED"],
    [
      "with alg none",
      `${reencode(header, (json) => ({ ...json, alg: "none" }))}.${payload}.`,
      "ACCESS_TOKEN_MALFORMED",
    ],
    [
      "signed with the public key as a secret",
      hmacWith(
        node.oauthKeys.spki,
        reencode(header, (json) => ({ ...json, alg: "HS256" })),
        payload,
      ),
      "ACCESS_TOKEN_ALGORITHM",
    ],
    [
      "with a key of its own in the header",
      `${reencode(header, (json) => ({ ...json, jwk: { kty: "EC" } }))}.${payload}.${signature}`,
      "ACCESS_TOKEN_UNTRUSTED",
    ],
    [
      "that names another key",
      `${reencode(header, (json) => ({ ...json, kid: "other" }))}.${payload}.${signature}`,
      "ACCESS_TOKEN_UNTRUSTED",
    ],
    [
      "whose claims were changed",
      `${header}.${reencode(payload, (json) => ({ ...json, sub: "x" }))}.${signature}`,
      "ACCESS_TOKEN_UNTRUSTED",
    ],
    ["of no task", node.accessToken(task, { details: [] }), "GUARD_TASK_REQUIRED"],
    [
      "bound to a key, without a proof",
      node.accessToken(task, { cnf: { jkt: "A".repeat(43) } }),
      "GUARD_PROOF_MISSING",
    ],
    [
      "a JWT-SVID for another service",
      node.jwtSvid(task.spiffeId, { aud: ["https://x.test"] }),
      "JWT_SVID_AUDIENCE",
    ],
    [
      "a JWT-SVID for two services",
      node.jwtSvid(task.spiffeId, { aud: [RESOURCE, "https://x.test"] }),
      "JWT_SVID_AUDIENCE",
    ],
    [
      "an expired JWT-SVID",
      node.jwtSvid(task.spiffeId, { exp: Math.floor(past.getTime() / 1000) }),
      "JWT_SVID_EXPIRED",
    ],
    ["a WIT-SVID", node.jwtSvid(task.spiffeId, {}, "wit+jwt"), "TOKEN_KIND_WRONG"],
    [
      "a JWT-SVID with the type of an access token",
      node.jwtSvid(task.spiffeId, {}, "at+jwt"),
      "ACCESS_TOKEN_CLAIMS",
    ],
    ["no JWT", "abcdef", "TOKEN_KIND_WRONG"],
  ];
  for (const [name, token, reason] of rows) {
    const answer = await send(mcp, ["authorization", `Bearer ${await token}`]);
    const status = reason === "GUARD_TASK_REQUIRED" ? 403 : 401;
    t.equal(answer.status, status, name);
    t.equal(mcp.refused.pop(), reason, name);
    const error = status === 401 ? "invalid_token" : "insufficient_scope";
    t.match(answer.challenge, `error="${error}"`, name);
    t.match(answer.challenge, "resource_metadata=", name);
    t.notMatch(JSON.stringify(answer.body), await token, "a token is not said back");
  }
  t.equal((await send(mcp, ["authorization", `Bearer ${good}`])).status, 200, "the good one is");

  const attempts = node.eventsOf("escalation").map(({ type, task: of }) => [type, of]);
  t.strictSame(attempts, [
    ["escalation.wrong-audience", task.spiffeId],
    ["escalation.wrong-audience", task.spiffeId],
    ["escalation.wrong-audience", task.spiffeId],
    ["escalation.wrong-audience", task.spiffeId],
    ["escalation.token-kind-confused", ""],
    ["escalation.token-kind-confused", ""],
  ]);
});

t.test("credentials that could be read in two ways are refused", async (t) => {
  const { node, mcp } = await setUp(t);
  const task = node.open();
  const token = await node.accessToken(task);
  const other = await node.accessToken(node.open());
  const rows: [string, string[], string, string?][] = [
    [
      "two tokens",
      ["authorization", `Bearer ${token}`, "Authorization", `Bearer ${other}`],
      "GUARD_CREDENTIAL_AMBIGUOUS",
    ],
    [
      "the same token twice",
      ["authorization", `Bearer ${token}`, "authorization", `Bearer ${token}`],
      "GUARD_CREDENTIAL_AMBIGUOUS",
    ],
    [
      "two in one line",
      ["authorization", `Bearer ${token}, Bearer ${other}`],
      "GUARD_CREDENTIAL_AMBIGUOUS",
    ],
    ["a password", ["authorization", "Basic dXNlcjpwYXNz"], "GUARD_CREDENTIAL_AMBIGUOUS"],
    ["nothing after Bearer", ["authorization", "Bearer "], "GUARD_CREDENTIAL_AMBIGUOUS"],
    ["a token in the URL", [], "GUARD_CREDENTIAL_AMBIGUOUS", `/mcp?access_token=${token}`],
    ["a proof without a token", ["dpop", "x"], "GUARD_CREDENTIAL_AMBIGUOUS"],
    [
      "a proof beside a bearer token",
      ["authorization", `Bearer ${token}`, "dpop", "x"],
      "GUARD_CREDENTIAL_AMBIGUOUS",
    ],
    [
      "a WIT-SVID beside it",
      ["authorization", `Bearer ${token}`, "workload-identity-token", "x"],
      "TOKEN_KIND_WRONG",
    ],
    ["a transaction token", ["txn-token", "x"], "TOKEN_KIND_WRONG"],
    ["a token without end", ["authorization", `Bearer ${"a".repeat(15_000)}`], "TOKEN_KIND_WRONG"],
  ];
  for (const [name, headers, reason, target] of rows) {
    const answer = await send(mcp, headers, undefined, target);
    t.equal(answer.status, 401, name);
    t.equal(mcp.refused.pop(), reason, name);
  }
  const huge = await send(mcp, ["authorization", `Bearer ${"a".repeat(40_000)}`]).catch(
    () => undefined,
  );
  t.not(huge?.status, 200, "what no server of HTTP takes is not taken here");
});

t.test("an SVID that is not one of a task is refused: require_task", async (t) => {
  const { node, mcp } = await setUp(t);
  for (const id of [AI_AGENT, "spiffe://north.test/db", "spiffe://north.test/task/x"]) {
    const answer = await send(mcp, [], await node.tlsOf(id));
    t.equal(answer.status, 403, id);
    t.equal(mcp.refused.pop(), "GUARD_TASK_REQUIRED");
    const jwt = await node.jwtSvid(id);
    t.equal((await send(mcp, ["authorization", `Bearer ${jwt}`])).status, 403, id);
    t.equal(mcp.refused.pop(), "GUARD_TASK_REQUIRED");
  }
});

t.test(
  "the token of one task under the SVID of another is a token that was passed on",
  async (t) => {
    const { node, mcp } = await setUp(t);
    const [task, other] = [node.open(), node.open()];
    const token = await node.accessToken(task);
    const answer = await send(
      mcp,
      ["authorization", `Bearer ${token}`],
      await node.tlsOf(other.spiffeId),
    );
    t.equal(answer.status, 401);
    t.match(node.eventsOf("escalation.key-mismatch"), [{ task: other.spiffeId }]);
    const own = await send(
      mcp,
      ["authorization", `Bearer ${token}`],
      await node.tlsOf(task.spiffeId),
    );
    t.equal(own.status, 200);
    const agent = await send(mcp, ["authorization", `Bearer ${token}`], await node.tlsOf(AI_AGENT));
    t.equal(agent.status, 200, "its AI agent may bring it");
  },
);

t.test("a proof is good once, for one request, by one key", async (t) => {
  const { node, mcp } = await setUp(t);
  const task = node.open();
  const key = { ...generateP256KeyPair(), alg: "ES256" };
  const token = await node.accessToken(task, { cnf: { jkt: jwkThumbprint(key.spki) } });
  const proofOf = (change: Partial<Parameters<typeof issueDpopProof>[0]> = {}): string =>
    issueDpopProof({
      key,
      method: "POST",
      url: RESOURCE,
      accessToken: token,
      now: new Date(),
      ...change,
    });
  const present = (proof: string): Promise<Answer> =>
    send(mcp, ["authorization", `DPoP ${token}`, "dpop", proof]);

  const proof = proofOf();
  t.equal((await present(proof)).status, 200);
  const again = await present(proof);
  t.equal(again.status, 401);
  t.match(again.challenge, 'DPoP algs="');
  t.equal(mcp.refused.pop(), "GUARD_PROOF_REPLAYED");

  const stranger = { ...generateP256KeyPair(), alg: "ES256" };
  const rows: [string, string, string][] = [
    ["another key", proofOf({ key: stranger }), "GUARD_PROOF_MISSING"],
    ["another method", proofOf({ method: "GET" }), "DPOP_PROOF_BINDING"],
    ["another path", proofOf({ url: "https://localhost/other" }), "DPOP_PROOF_BINDING"],
    ["another host", proofOf({ url: "https://x.test/mcp" }), "DPOP_PROOF_BINDING"],
    ["another token", proofOf({ accessToken: `${token}x` }), "DPOP_PROOF_BINDING"],
    ["an old one", proofOf({ now: new Date(Date.now() - 600_000) }), "DPOP_PROOF_EXPIRED"],
    // A process that ran then may have taken it, and this one would not know.
    [
      "from before the start",
      proofOf({ now: new Date(Date.now() - 30_000) }),
      "DPOP_PROOF_EXPIRED",
    ],
    ["the token itself", token, "TOKEN_KIND_WRONG"],
  ];
  for (const [name, wrong, reason] of rows) {
    t.equal((await present(wrong)).status, 401, name);
    t.equal(mcp.refused.pop(), reason, name);
  }
  t.match(node.eventsOf("escalation.key-mismatch"), [{ task: task.spiffeId }]);
  t.equal(
    (await send(mcp, ["authorization", `Bearer ${token}`])).status,
    401,
    "not as a bearer token",
  );
});

function hmacWith(key: Uint8Array, header: string, payload: string): string {
  const mac = createHmac("sha256", key).update(`${header}.${payload}`).digest("base64url");
  return `${header}.${payload}.${mac}`;
}

t.test("what a task shows is shown to the node agent, which asks for nothing less", async (t) => {
  const { node, mcp } = await setUp(t);
  const task = node.open();
  const token = await node.accessToken(task);
  t.equal((await send(mcp, ["authorization", `Bearer ${token}`])).status, 200);
  t.same(node.shown.map(String), [token], "an access token");
  node.shown.length = 0;
  const jwt = await node.jwtSvid(task.spiffeId);
  t.equal((await send(mcp, ["authorization", `Bearer ${jwt}`])).status, 200);
  t.same(node.shown.map(String), [jwt], "a JWT-SVID");
  node.shown.length = 0;
  const source = await node.tlsOf(task.spiffeId);
  t.equal((await send(mcp, [], source)).status, 200);
  const { chain = [] } = source.svid() ?? {};
  t.same(node.shown, [Buffer.concat(chain)], "the chain of an X509-SVID");
});
