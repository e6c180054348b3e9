// WIT-SVIDs of tasks at a guard: taken with a proof of their key that was made for this service, and never as bearer
// tokens. Each refusal for the one thing that is wrong.

import { request } from "node:https";
import t, { type Test } from "tap";
import type { TlsSource } from "../../client/tls/source.ts";
import { type PresentWitOptions, presentWit } from "../../client/wit/present.ts";
import type { WorkloadWitSvid } from "../../client/wit/wit-context.ts";
import type { GuardOptions } from "../../guard/index.ts";
import { AI_AGENT, FakeGuardNode } from "../support/fake-guard-node.ts";
import { type GuardedMcp, startGuardedMcp } from "../support/guarded-mcp.ts";
import { proofKey, TestWit } from "../support/test-wit.ts";
import { eventually } from "../support/trust-domain.ts";

const RESOURCE = "https://localhost/mcp";
const WIT = "workload-identity-token";
const PROOF = "workload-proof-token";
const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "x", version: "1" },
  },
});

interface Answer {
  readonly status: number;
  readonly challenge: string;
  readonly body: string;
}

/** An initialize request with these header lines, name by name, as they are. */
async function send(
  mcp: GuardedMcp,
  headers: readonly string[],
  { source, method = "POST" }: { source?: TlsSource; method?: string } = {},
): Promise<Answer> {
  const agent = await mcp.agentOf(source);
  const body = method === "POST" ? INITIALIZE : "";
  return new Promise((resolve, reject) => {
    const fixed = ["host", "localhost", "accept", "application/json, text/event-stream"];
    const ofBody = ["content-type", "application/json", "content-length", String(body.length)];
    const call = request(
      {
        ...{ agent, host: "localhost", port: mcp.url.port, path: "/mcp", method },
        headers: [...fixed, ...(body === "" ? [] : ofBody), ...headers],
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
            body: text,
          }),
        );
      },
    );
    call.on("error", reject);
    call.end(body);
  });
}

async function setUp(
  t: Test,
  options: Partial<GuardOptions> = {},
): Promise<{ node: FakeGuardNode; mcp: GuardedMcp }> {
  const node = await FakeGuardNode.start(t);
  return { node, mcp: await startGuardedMcp(t, node, options) };
}

/** The fields that present a WIT-SVID to this service. */
function present(
  svid: WorkloadWitSvid,
  more: Partial<PresentWitOptions> = {},
): Record<string, string> {
  return presentWit({ svid, method: "POST", url: RESOURCE, ...more });
}

const lines = (fields: Readonly<Record<string, string>>): string[] => Object.entries(fields).flat();

t.test("a task calls with its WIT-SVID and a proof, over a connection of nobody", async (t) => {
  const { node, mcp } = await setUp(t);
  const task = node.open();
  const svid = node.witSvid(task.spiffeId);
  const { client } = await mcp.connect(undefined, (_, method) => present(svid, { method }));
  await client.callTool({ name: "read_ticket", arguments: {} });
  t.same(mcp.ran, ["read_ticket"]);
  t.match(node.eventsOf("tool_call"), [
    { task: task.spiffeId, agent: AI_AGENT, credential: { kind: "wit-svid", name: /./ } },
  ]);
  t.same([...new Set(node.shown.map(String))], [svid.token], "the node agent is shown it");
  t.notMatch(JSON.stringify(node.events), svid.token, "and nobody else");

  node.narrow(task, { actions: ["tools/read/*"] });
  await t.rejects(
    client.callTool({ name: "delete_ticket", arguments: {} }),
    /GUARD_ACTION_REFUSED/,
  );
  t.match(node.eventsOf("escalation.mandate-exceeded"), [{ task: task.spiffeId }]);

  node.end(task);
  await eventually(async () => {
    if (mcp.guard.connections.size > 0) throw new Error("connections of a task that has ended");
  });
  const late = await send(mcp, lines(present(svid)));
  t.equal(late.status, 401);
  t.match(late.body, "TASK_ENDED");
  t.match(node.eventsOf("escalation.used-after-end"), [{ task: task.spiffeId }]);
});

t.test(
  "the proof may stand in Authorization, as drafts have it; or the request be signed",
  async (t) => {
    const { node, mcp } = await setUp(t);
    const svid = node.witSvid(node.open().spiffeId);
    const { [WIT]: wit = "", [PROOF]: proof = "" } = present(svid);
    t.equal((await send(mcp, [WIT, wit, "authorization", `WPT ${proof}`])).status, 200);
    const signed = present(svid, { method: "GET", proof: "http-signature" });
    // Who it is was understood; what it wants has no session.
    t.match(await send(mcp, lines(signed), { method: "GET" }), { status: 400, body: /session/ });
    const digest = present(svid, {
      proof: "http-signature",
      body: INITIALIZE,
      headers: { "content-type": "application/json" },
    });
    const answer = await send(mcp, lines(digest));
    t.equal(answer.status, 400, "the body is not read before it is known whose it is");
    t.match(answer.body, PROOF);
  },
);

t.test("is refused for the one thing that is wrong, with no word of Authorization", async (t) => {
  const { node, mcp } = await setUp(t);
  const task = node.open();
  const svid = node.witSvid(task.spiffeId);
  const past = new Date(Date.now() - 3_600_000);
  const [wit, other] = [svid.token, node.witSvid(node.open().spiffeId)];
  const [head = "", claims = "", signature = ""] = wit.split(".");
  const { [PROOF]: proof = "" } = present(svid);
  const proofOf = (more: Partial<PresentWitOptions>) => [
    WIT,
    wit,
    PROOF,
    present(svid, more)[PROOF] ?? "",
  ];
  const forged = new TestWit().issue(task.spiffeId.slice("spiffe://north.test".length));
  const rows: [string, readonly string[], string][] = [
    ["no proof", [WIT, wit], "WIT_PROOF_MISSING"],
    ["a proof of another key", lines(present({ ...svid, key: proofKey() })), "WIT_PROOF_UNTRUSTED"],
    [
      "a proof for another WIT-SVID",
      [WIT, wit, PROOF, present(other)[PROOF] ?? ""],
      "WIT_PROOF_UNTRUSTED",
    ],
    ["a proof for another service", proofOf({ url: "https://x.test/mcp" }), "WIT_PROOF_AUDIENCE"],
    ["a proof for another path", proofOf({ url: "https://localhost/" }), "WIT_PROOF_AUDIENCE"],
    [
      "an old proof",
      lines(present(svid, { clock: { now: () => past } as never })),
      "WIT_PROOF_EXPIRED",
    ],
    [
      "two proofs",
      [WIT, wit, PROOF, proof, "authorization", `WPT ${proof}`],
      "WIT_PRESENTATION_INVALID",
    ],
    [
      "an expired one",
      lines(
        present(node.witSvid(task.spiffeId, { now: past }), {
          clock: { now: () => past } as never,
        }),
      ),
      "WIT_SVID_EXPIRED",
    ],
    ["of another authority", lines(present(forged)), "WIT_SVID_UNTRUSTED"],
    [
      "with claims that were changed",
      [WIT, `${head}.${claims.slice(0, -4)}AAAA.${signature}`, PROOF, proof],
      "WIT_SVID",
    ],
  ];
  for (const [name, headers, reason] of rows) {
    const answer = await send(mcp, headers);
    t.equal(answer.status, 400, name);
    t.equal(answer.challenge, "", name);
    t.match(mcp.refused.pop() ?? "", reason, name);
    t.notMatch(answer.body, wit, name);
  }
  t.match(
    node.eventsOf("escalation").map(({ type, task: of }) => [type, of]),
    [
      // Whoever was called by the task has its WIT-SVID, and must not have it suspended with that.
      ["escalation.key-mismatch", ""],
      ["escalation.key-mismatch", ""],
      ["escalation.wrong-audience", task.spiffeId],
      ["escalation.wrong-audience", task.spiffeId],
    ],
  );
});

t.test("a proof is good once, and for the tokens that came with it", async (t) => {
  const { node, mcp } = await setUp(t);
  const task = node.open();
  const svid = node.witSvid(task.spiffeId);
  const fields = lines(present(svid));
  t.equal((await send(mcp, fields)).status, 200);
  t.equal((await send(mcp, fields)).status, 400);
  t.equal(mcp.refused.pop(), "WIT_PROOF_REPLAYED");

  const token = `Bearer ${await node.accessToken(task)}`;
  const bound = present(svid, { headers: { authorization: token } });
  t.equal((await send(mcp, [...lines(bound), "authorization", token])).status, 200);
  const rows: [string, string[]][] = [
    ["a token that the proof does not name", [...lines(present(svid)), "authorization", token]],
    [
      "without the token that it names",
      lines(present(svid, { headers: { authorization: token } })),
    ],
    [
      "another token than the one that it names",
      [
        ...lines(present(svid, { headers: { authorization: token } })),
        ...["authorization", `Bearer ${await node.accessToken(task)}`],
      ],
    ],
  ];
  for (const [name, headers] of rows) {
    t.equal((await send(mcp, headers)).status, 400, name);
    t.equal(mcp.refused.pop(), "WIT_PROOF_BINDING", name);
  }
});

t.test("the credentials of one request are of one task", async (t) => {
  const { node, mcp } = await setUp(t);
  const [task, other] = [node.open(), node.open()];
  const svid = node.witSvid(task.spiffeId);
  const token = `Bearer ${await node.accessToken(other)}`;
  const passedOn = present(svid, { headers: { authorization: token } });
  t.equal((await send(mcp, [...lines(passedOn), "authorization", token])).status, 401);
  const source = await node.tlsOf(other.spiffeId);
  t.equal((await send(mcp, lines(present(svid)), { source })).status, 401);
  t.same(mcp.refused, ["GUARD_CREDENTIAL_AMBIGUOUS", "GUARD_CREDENTIAL_AMBIGUOUS"]);
  t.match(node.eventsOf("escalation.key-mismatch"), [
    { task: task.spiffeId },
    { task: other.spiffeId },
  ]);
  const own = await node.tlsOf(task.spiffeId);
  t.equal((await send(mcp, lines(present(svid)), { source: own })).status, 200);
  const agent = await node.tlsOf(AI_AGENT);
  t.equal(
    (await send(mcp, lines(present(svid)), { source: agent })).status,
    200,
    "its AI agent may",
  );
});

t.test("the table of kinds: each where another is expected", async (t) => {
  const { node, mcp } = await setUp(t);
  const task = node.open();
  const svid = node.witSvid(task.spiffeId);
  const { [PROOF]: proof = "" } = present(svid);
  const rows: [string, string[], string][] = [
    ["a WIT-SVID as bearer token", ["authorization", `Bearer ${svid.token}`], "TOKEN_KIND_WRONG"],
    [
      "with its proof beside it",
      ["authorization", `Bearer ${svid.token}`, PROOF, proof],
      "GUARD_CREDENTIAL_AMBIGUOUS",
    ],
    [
      "in both fields",
      ["authorization", `Bearer ${svid.token}`, ...lines(present(svid))],
      "TOKEN_KIND_WRONG",
    ],
    ["as DPoP token", ["authorization", `DPoP ${svid.token}`, "dpop", "x"], "TOKEN_KIND_WRONG"],
    ["its proof as bearer token", ["authorization", `Bearer ${proof}`], "TOKEN_KIND_WRONG"],
    [
      "an access token in its field",
      [WIT, await node.accessToken(task), PROOF, proof],
      "TOKEN_KIND_WRONG",
    ],
    [
      "a JWT-SVID in its field",
      [WIT, await node.jwtSvid(task.spiffeId), PROOF, proof],
      "TOKEN_KIND_WRONG",
    ],
    ["its proof in its field", [WIT, proof, PROOF, proof], "TOKEN_KIND_WRONG"],
    ["a proof alone", [PROOF, proof], "GUARD_CREDENTIAL_AMBIGUOUS"],
    [
      "a proof alone in Authorization",
      ["authorization", `WPT ${proof}`],
      "GUARD_CREDENTIAL_AMBIGUOUS",
    ],
    [
      "two WIT-SVIDs",
      [WIT, svid.token, WIT, svid.token, PROOF, proof],
      "GUARD_CREDENTIAL_AMBIGUOUS",
    ],
    [
      "two proofs in two fields",
      [WIT, svid.token, PROOF, proof, PROOF, proof],
      "GUARD_CREDENTIAL_AMBIGUOUS",
    ],
  ];
  for (const [name, headers, reason] of rows) {
    t.equal((await send(mcp, headers)).status, 401, name);
    t.equal(mcp.refused.pop(), reason, name);
  }
  // As many as are written down of nobody in particular in a second.
  const confused = node.eventsOf("escalation.token-kind-confused");
  t.ok(confused.length >= 5, `${confused.length} of 8 are on record`);
  const asProof = await send(mcp, [WIT, svid.token, PROOF, svid.token]);
  t.equal(asProof.status, 400, "a WIT-SVID is no proof of itself");
  t.equal(mcp.refused.pop(), "WIT_PROOF_MALFORMED");
  const huge = await send(mcp, [WIT, "a".repeat(20_000), PROOF, "x"]).catch(() => undefined);
  t.not(huge?.status, 200);
});

t.test("one that is not of a task, or of a task of another trust domain, is refused", async (t) => {
  const { node, mcp } = await setUp(t);
  for (const id of [AI_AGENT, "spiffe://north.test/db"]) {
    t.equal((await send(mcp, lines(present(node.witSvid(id))))).status, 403, id);
    t.equal(mcp.refused.pop(), "GUARD_TASK_REQUIRED");
  }
  const foreign = new TestWit("south.test").issue("/agent/x/task/01JD9Z5QSA7X8M3V4N2K1P0RTE");
  t.equal((await send(mcp, lines(present(foreign)))).status, 400);
  t.equal(mcp.refused.pop(), "WIT_SVID_UNTRUSTED");
});

t.test(
  "one with the AI agent's ID is of the task that its claim names, below that AI agent",
  async (t) => {
    const { node, mcp } = await setUp(t);
    const task = node.open();
    const claims = { "https://id.north.test/task": { id: task.spiffeId, fail_mode: "ttl" } };
    const svid = node.witSvid(AI_AGENT, { claims });
    t.equal((await send(mcp, lines(present(svid)))).status, 200);
    const stranger = node.witSvid("spiffe://north.test/agent/other", { claims });
    t.equal((await send(mcp, lines(present(stranger)))).status, 403);
    t.equal(mcp.refused.pop(), "GUARD_TASK_REQUIRED");
  },
);

t.test(
  "is as good as a certificate where a class wants a key shown, and closes where it must",
  async (t) => {
    const { node, mcp } = await setUp(t);
    const task = node.open({ taskClass: "sensitive" });
    const svid = node.witSvid(task.spiffeId);
    t.equal((await send(mcp, lines(present(svid)))).status, 200);
    const jwt = await node.jwtSvid(task.spiffeId);
    t.equal(
      (await send(mcp, ["authorization", `Bearer ${jwt}`])).status,
      401,
      "a bearer token is not",
    );
  },
);

t.test("where the node agent has no WIT profile, none are taken", async (t) => {
  const { node, mcp } = await setUp(t);
  node.servesWit = false;
  const svid = node.witSvid(node.open().spiffeId);
  t.equal((await send(mcp, lines(present(svid)))).status, 401);
  t.equal(mcp.refused.pop(), "TOKEN_KIND_WRONG");
  t.same(node.eventsOf("escalation"), [], "that is no attempt of anybody's");
});
