// What clients send to the token issuer: forms, the assertions in them, and tokens to be looked at. Texts in braces
// that stand where a token belongs are signed as one. A second reader of forms is the platform's own.
import type { Bundle } from "../../../pki/bundle/bundle.ts";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import type { Post } from "../../../server/documents/post.ts";
import { oauthAddresses } from "../../../server/oauth/addresses.ts";
import { Callers } from "../../../server/oauth/callers.ts";
import { readForm } from "../../../server/oauth/form.ts";
import { Introspection } from "../../../server/oauth/introspection.ts";
import type { AccessTokenOrder } from "../../../server/oauth/issue.ts";
import { TokenEndpoint } from "../../../server/oauth/token-endpoint.ts";
import type { TaskRecord } from "../../../server/store/task-record.ts";
import { TestClock } from "../../support/clock.ts";
import { fixedKey, signedToken } from "../signed-token.ts";
import { bytesOf, type FuzzTarget, holds, parsedOrRefused, textOf } from "../target.ts";

const ISSUER = "https://id.north.test";
const AGENT = "spiffe://north.test/agent/researcher";
const ULID = "01JD0000000000000000000000";
const TASK = `${AGENT}/task/${ULID}`;
const TOOL = "https://mcp.north.test/tickets";
const clock = new TestClock("2030-01-01T00:00:00Z");
const NOW_SECONDS = clock.now().getTime() / 1000;
const trustDomain = TrustDomain.parse("north.test");
const key = fixedKey("jwt authority");
const oauthKey = fixedKey("issuer");
const addresses = oauthAddresses(ISSUER);
const bundle: Bundle = {
  trustDomain,
  x509Authorities: [],
  jwtAuthorities: [{ keyId: "j", spki: key.spki, expiresAt: undefined, tainted: false }],
  witAuthorities: [],
  sequence: 1n,
  refreshHintSeconds: 0,
};
const held = { refusal: () => undefined, tokenRefusal: () => undefined };
const record = { id: ULID, agentId: AGENT, state: "ACTIVE" } as TaskRecord;
const get = (id: string): TaskRecord | undefined => (id === ULID ? record : undefined);
const common = { trustDomain, bundle: () => bundle, held, clock, addresses };
const callers = new Callers({
  ...common,
  issuer: ISSUER,
  taskClaim: addresses.taskClaim,
  anchorsOf: () => undefined,
  isRevoked: () => false,
});
const keys = { published: () => [{ keyId: "k", spki: oauthKey.spki }] };

/** What was ordered for one request. */
const orders: AccessTokenOrder[] = [];
const endpoint = new TokenEndpoint({
  ...common,
  keys,
  callers,
  tasks: { get, noteUse: () => record },
  issuer: {
    async issueAccessToken(order) {
      orders.push(order);
      const expiresAt = new Date(clock.now().getTime() + 60_000);
      return { token: "token", expiresAt, tokenType: "Bearer", jti: "j", details: [] };
    },
  },
  report: async () => undefined,
  onEnd: () => {},
});
const introspection = new Introspection({ ...common, keys, callers, tasks: { get } });

const svid = { sub: TASK, aud: [ISSUER], iat: NOW_SECONDS, exp: NOW_SECONDS + 60 };
const token = {
  iss: ISSUER,
  sub: AGENT,
  client_id: AGENT,
  aud: TOOL,
  jti: "j",
  iat: NOW_SECONDS,
  exp: NOW_SECONDS + 60,
  authorization_details: [{ type: "agent_task", task: TASK }],
};
const details = [{ type: "agent_task", actions: ["tools/read/*"], task: TASK }];
const grant = "client_credentials";
const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe";

function form(fields: Record<string, string | object>): Uint8Array {
  const pairs = Object.entries(fields).map(([name, value]): [string, string] => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return bytesOf(new URLSearchParams(pairs).toString());
}

/** The form with what is in braces signed: by the issuer's key what says that it is from it. */
function withSigned(body: Uint8Array): Uint8Array {
  const fields = new URLSearchParams(textOf(body));
  for (const name of ["client_assertion", "assertion", "token"]) {
    const value = fields.get(name);
    if (value?.startsWith("{") !== true) continue;
    const isOwn = value.includes("client_id");
    const header = isOwn
      ? '{"alg":"ES256","kid":"k","typ":"at+jwt"}'
      : '{"alg":"ES256","kid":"j","typ":"JWT"}';
    fields.set(name, signedToken(bytesOf(header), bytesOf(value), isOwn ? oauthKey : key));
  }
  return bytesOf(fields.toString());
}

function postOf(body: Uint8Array): Post {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return { path: "/", query: "", headers, body, certificates: [], remoteAddress: undefined };
}

export const oauthForm: FuzzTarget = {
  name: "oauth-form",
  reads: "requests to /token and /introspect, with client assertions and tokens in them",
  maxBytes: 2048,
  seeds: () => [
    form({
      grant_type: grant,
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: svid,
      client_id: AGENT,
      resource: TOOL,
      authorization_details: details,
    }),
    form({ grant_type: JWT_BEARER, assertion: svid, resource: TOOL, scope: "" }),
    form({ grant_type: JWT_BEARER, assertion: token, resource: TOOL }),
    form({
      grant_type: JWT_BEARER,
      assertion: { ...svid, sub: AGENT, [`${ISSUER}/task`]: { id: TASK } },
      resource: TOOL,
    }),
    form({ client_assertion_type: ASSERTION_TYPE, client_assertion: svid, token }),
    form({ client_assertion_type: ASSERTION_TYPE, client_assertion: svid, token: svid }),
    bytesOf("a=%C3%A9+b&c&=d&%3D=%26&&"),
  ],
  async run(data) {
    readTwice(data);
    const body = withSigned(data);
    for (const one of [data, body]) {
      await askForToken(one);
      await introspect(one);
    }
  },
};

/** The platform reads the same of what we accept. */
function readTwice(body: Uint8Array): void {
  const fields = parsedOrRefused(() => readForm(postOf(body)));
  if (fields === undefined) return;
  // It cuts off a "?" at the beginning.
  const theirs = new URLSearchParams(`&${textOf(body)}`);
  for (const [name, value] of theirs) {
    if (name === "") continue;
    holds(theirs.getAll(name).length === 1, "a parameter comes twice");
    holds((fields.get(name) ?? "") === value, "a parameter has another value");
  }
  for (const name of fields.keys()) holds(theirs.has(name), "a parameter appears");
}

async function askForToken(body: Uint8Array): Promise<void> {
  orders.length = 0;
  const { status, body: answer } = await endpoint.answer(postOf(body));
  const said = JSON.parse(Buffer.from(answer ?? "").toString()) as Record<string, unknown>;
  if (status !== 200) {
    holds((status === 400 || status === 401) && typeof said["error"] === "string", "no refusal");
    holds(/^[\x20-\x7e]*$/.test(String(said["error_description"])), "not printable");
    return;
  }
  const fields = new URLSearchParams(textOf(body));
  const assertion = fields.get("client_assertion") || fields.get("assertion") || "";
  const claims = payloadOf(assertion);
  const about = claims[addresses.taskClaim] as { id?: unknown } | undefined;
  holds(claims["sub"] === TASK || about?.id === TASK, "a token of a task that did not ask");
  const [order] = orders;
  holds(order?.task.id === ULID && orders.length === 1, "a token of another task");
  holds(order.resource === fields.get("resource"), "a token for another service");
  holds(order.unbound === true, "a key that nobody showed");
  holds(isGood(claims), "an SVID that is not good");
}

async function introspect(body: Uint8Array): Promise<void> {
  const { status, body: answer } = await introspection.answer(postOf(body));
  const said = JSON.parse(Buffer.from(answer ?? "").toString()) as Record<string, unknown>;
  holds([200, 400, 401].includes(status), `the status is ${status}`);
  if (said["active"] !== true) return;
  const fields = new URLSearchParams(textOf(body));
  const claims = payloadOf(fields.get("token") ?? "");
  holds(isGood(payloadOf(fields.get("client_assertion") ?? "")), "an SVID that is not good");
  holds(Number(claims["exp"]) > NOW_SECONDS - 6, "a token that has expired is active");
  for (const [name, value] of Object.entries(claims)) {
    const told = name === "active" || name === "token_type" ? undefined : value;
    holds(
      told === undefined || JSON.stringify(said[name]) === JSON.stringify(told),
      "other claims",
    );
  }
}

function isGood({ aud, exp }: Record<string, unknown>): boolean {
  const audiences = Array.isArray(aud) ? aud : [aud];
  return audiences.length === 1 && audiences[0] === ISSUER && Number(exp) > NOW_SECONDS - 11;
}

function payloadOf(jwt: string): Record<string, unknown> {
  const payload = Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString();
  return JSON.parse(payload) as Record<string, unknown>;
}
