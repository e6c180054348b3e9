// Access tokens: what is issued is read as it was meant, by us and by jose; each one with something wrong
// in it is refused for that.
import { createHash } from "node:crypto";
import { compactVerify, importJWK, jwtVerify, SignJWT } from "jose";
import t from "tap";
import { spkiToJwk } from "../../../pki/bundle/jwk.ts";
import { generateKeyPair, generateP256KeyPair, signerOf } from "../../../pki/keys.ts";
import {
  type AccessTokenExpectation,
  MAX_ACCESS_TOKEN_BYTES,
  parseAccessTokenInsecurely,
  validateAccessToken,
} from "../../../pki/token/access-token.ts";
import {
  type AccessTokenRequest,
  issueAccessToken,
} from "../../../pki/token/issue-access-token.ts";
import { formatJwks, parseJwks } from "../../../pki/token/jwks.ts";
import {
  certificateThumbprint,
  isConfirmedBy,
  isThumbprint,
  jwkThumbprint,
} from "../../../pki/token/thumbprint.ts";

const now = new Date("2026-06-01T12:00:00Z");
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const issuer = "https://id.north.test";
const audience = "https://mcp.north.test/tickets";
const agent = "spiffe://north.test/agent/researcher";
const task = `${agent}/task/01JD0000000000000000000001`;
const pair = generateP256KeyPair();
const signer = signerOf("k1", pair);
const keys = [{ keyId: "k1", spki: pair.spki }];
const thumbprint = createHash("sha256").update("key").digest("base64url");
const detail = { type: "agent_task", locations: [audience], actions: ["tools/read/**"], task };

const issue = (changes: Partial<AccessTokenRequest> = {}) =>
  issueAccessToken({
    signer,
    keyId: "k1",
    issuer,
    subject: agent,
    clientId: agent,
    audience,
    jti: "j1",
    issuedAt: now,
    expiresAt: later(120),
    details: [detail],
    ...changes,
  });
const validate = async (
  token: string | Promise<string>,
  changes: Partial<AccessTokenExpectation> = {},
) =>
  validateAccessToken(await token, { issuer, audience, keys, now, leewaySeconds: 0, ...changes });

/** Signs whatever is asked for: good claims with changes, under a header with changes. */
const forge = (claims: object, header: object = {}): Promise<string> => {
  const good = {
    iss: issuer,
    sub: agent,
    client_id: agent,
    aud: audience,
    iat: now.getTime() / 1000,
    exp: now.getTime() / 1000 + 120,
    jti: "j1",
    authorization_details: [detail],
  };
  return new SignJWT({ ...good, ...claims } as Record<string, unknown>)
    .setProtectedHeader({ alg: "ES256", kid: "k1", typ: "at+jwt", ...header })
    .sign(pair.privateKey);
};

t.test("says what it was issued for", async (t) => {
  const act = { sub: agent, iss: "spiffe://north.test", sub_profile: "ai_agent" };
  const read = await validate(
    issue({
      subject: "https://idp.north.test/u/alice",
      txn: "01JD0000000000000000000001",
      cnf: { jkt: thumbprint },
      status: { idx: 7, uri: `${issuer}/status/2026-06-01T12` },
      act,
      more: { [`${issuer}/task`]: { class: "standard" }, iss: "https://other.test" },
    }),
  );
  t.match(read, {
    iss: issuer,
    sub: "https://idp.north.test/u/alice",
    clientId: agent,
    audience,
    jti: "j1",
    txn: "01JD0000000000000000000001",
    cnf: { jkt: thumbprint },
    status: { idx: 7, uri: `${issuer}/status/2026-06-01T12` },
    actors: [{ sub: agent, iss: "spiffe://north.test" }],
  });
  t.equal(String(read.taskId), task);
  t.same(read.taskDetails, detail);
  t.same(read.expiresAt, later(120));
  t.same((await validate(issue())).cnf, undefined, "a bearer token");
});

t.test("is read by jose with the keys as they are published", async (t) => {
  const [jwk] = JSON.parse(formatJwks(keys)).keys;
  const { payload, protectedHeader } = await jwtVerify(await issue(), await importJWK(jwk), {
    issuer,
    audience,
    typ: "at+jwt",
    currentDate: now,
    requiredClaims: ["client_id", "jti", "sub"],
  });
  t.same(protectedHeader, { alg: "ES256", kid: "k1", typ: "at+jwt" });
  t.equal(payload["client_id"], agent);
  for (const type of ["ec-p384", "rsa-2048"] as const) {
    const other = await generateKeyPair(type);
    const token = await issue({ signer: signerOf("k2", other), keyId: "k2" });
    const own = parseJwks(formatJwks([{ keyId: "k2", spki: other.spki }]));
    t.equal((await validate(token, { keys: own })).jti, "j1", type);
    t.ok(await compactVerify(token, other.publicKey), type);
  }
});

t.test("refuses each token with one thing wrong", async (t) => {
  const none = `${Buffer.from('{"alg":"none","kid":"k1","typ":"at+jwt"}').toString("base64url")}.e30.`;
  const token = await issue();
  const [header = "", payload = "", signature = ""] = token.split(".");
  const twice = Buffer.from(`{"iss":"x",${Buffer.from(payload, "base64url").toString().slice(1)}`);
  const critical = Buffer.from('{"alg":"ES256","kid":"k1","typ":"at+jwt","crit":["x"]}').toString(
    "base64url",
  );
  const rows: [string, () => unknown, string][] = [
    ["no token", () => validate(""), "MALFORMED"],
    ["two parts", () => validate(`${header}.${payload}`), "MALFORMED"],
    ["four parts", () => validate(`${token}.x`), "MALFORMED"],
    ["algorithm none", () => validate(none), "MALFORMED"],
    ["algorithm none, signed", () => validate(`${none}AA`), "ALGORITHM"],
    ["a member twice", () => validate(`${header}.${twice.toString("base64url")}.AA`), "MALFORMED"],
    ["a signature changed", () => validate(`${header}.${payload}.${"A".repeat(86)}`), "UNTRUSTED"],
    [
      "a signature cut",
      () => validate(`${header}.${payload}.${signature.slice(0, -2)}`),
      "UNTRUSTED",
    ],
    ["too long", () => validate(`${token}${"A".repeat(MAX_ACCESS_TOKEN_BYTES)}`), "MALFORMED"],
    ["no key ID", () => validate(forge({}, { kid: undefined })), "MALFORMED"],
    ["a key ID that is a path", () => validate(forge({}, { kid: "../k1" })), "UNTRUSTED"],
    ["an empty key ID", () => validate(forge({}, { kid: "" })), "MALFORMED"],
    ["a critical header", () => validate(`${critical}.${payload}.AA`), "MALFORMED"],
    ["another issuer", () => validate(forge({ iss: `${issuer}/` })), "UNTRUSTED"],
    ["no keys", () => validate(token, { keys: [] }), "UNTRUSTED"],
    ["two keys of one ID", () => validate(token, { keys: [...keys, ...keys] }), "UNTRUSTED"],
    ["another audience", () => validate(token, { audience: `${audience}/x` }), "AUDIENCE"],
    ["no audience expected", () => validate(token, { audience: [] }), "AUDIENCE"],
    ["two audiences", () => validate(forge({ aud: [audience, issuer] })), "CLAIMS"],
    ["an empty audience", () => validate(forge({ aud: "" }), { audience: "" }), "CLAIMS"],
    ["no expiry", () => validate(forge({ exp: undefined })), "CLAIMS"],
    ["expired", () => validate(token, { now: later(120) }), "EXPIRED"],
    ["not valid yet", () => validate(forge({ nbf: later(60).getTime() / 1000 })), "NOT_YET_VALID"],
    ["from the future", () => validate(token, { now: later(-1) }), "NOT_YET_VALID"],
    ["no issue date", () => validate(forge({ iat: undefined })), "CLAIMS"],
    ["a long life", () => validate(forge({ exp: later(3601).getTime() / 1000 })), "CLAIMS"],
    ["dates as text", () => validate(forge({ exp: "2026" })), "CLAIMS"],
    ["no subject", () => validate(forge({ sub: undefined })), "CLAIMS"],
    ["no client", () => validate(forge({ client_id: undefined })), "CLAIMS"],
    ["no jti", () => validate(forge({ jti: undefined })), "CLAIMS"],
    ["a long jti", () => validate(forge({ jti: "x".repeat(257) })), "CLAIMS"],
    ["details that are no list", () => validate(forge({ authorization_details: {} })), "CLAIMS"],
    ["a detail without type", () => validate(forge({ authorization_details: [{}] })), "CLAIMS"],
    ["two mandates", () => validate(forge({ authorization_details: [detail, detail] })), "CLAIMS"],
    [
      "the task of another agent",
      () => validate(forge({ client_id: "spiffe://north.test/agent/r" })),
      "CLAIMS",
    ],
    [
      "a task that is no SPIFFE ID",
      () => validate(forge({ authorization_details: [{ ...detail, task: `${agent}/task/a//b` }] })),
      "CLAIMS",
    ],
    [
      "a task of an AI agent below this one",
      () =>
        validate(
          forge({
            authorization_details: [
              { ...detail, task: `${agent}/task/b${task.slice(agent.length)}` },
            ],
          }),
        ),
      "CLAIMS",
    ],
    [
      "something below the AI agent that is no task",
      () => validate(forge({ authorization_details: [{ ...detail, task: `${agent}/task/a` }] })),
      "CLAIMS",
    ],
    ["a bound token, how is not known", () => validate(forge({ cnf: { jwk: {} } })), "CLAIMS"],
    ["a confirmation of nothing", () => validate(forge({ cnf: {} })), "CLAIMS"],
    ["no confirmation, by name", () => validate(forge({ cnf: null })), "CLAIMS"],
    ["a short thumbprint", () => validate(forge({ cnf: { jkt: "AAAA" } })), "CLAIMS"],
    [
      "two confirmations",
      () => validate(forge({ cnf: { jkt: thumbprint, "x5t#S256": thumbprint } })),
      "CLAIMS",
    ],
    ["a status of unknown kind", () => validate(forge({ status: { other: 1 } })), "CLAIMS"],
    ["an actor without issuer", () => validate(forge({ act: { sub: agent } })), "CLAIMS"],
    ["an actor within that is none", () => validate(forge({ act: chain(1, "x") })), "CLAIMS"],
    ["a long chain of actors", () => validate(forge({ act: chain(9) })), "CLAIMS"],
  ];
  for (const [name, run, reason] of rows) {
    await t.rejects(async () => run(), { reason: `ACCESS_TOKEN_${reason}`, code: 16 }, name);
  }
  t.equal((await validate(forge({ act: chain(8) }))).actors.length, 8);
  t.equal((await validate(forge({ aud: [audience] }))).audience, audience);
  t.equal((await validate(forge({}, { typ: "application/at+jwt" }))).jti, "j1");
  const hmac = await new SignJWT({})
    .setProtectedHeader({ alg: "HS256", kid: "k1", typ: "at+jwt" })
    .sign(pair.spki);
  await t.rejects(
    validate(hmac),
    { reason: "ACCESS_TOKEN_ALGORITHM", code: 16 },
    "the public key as secret",
  );
});

t.test("leaves nothing that it would refuse itself", async (t) => {
  for (const [name, changes] of [
    ["no audience", { audience: "" }],
    ["another's task", { clientId: "spiffe://north.test/agent/x" }],
    ["a confirmation that is none", { cnf: { jkt: "short" } }],
  ] as [string, Partial<AccessTokenRequest>][]) {
    await t.rejects(async () => issue(changes), { reason: "ACCESS_TOKEN_CLAIMS", code: 16 }, name);
  }
  await t.rejects(async () => issue({ expiresAt: now }), TypeError, "no life");
  t.equal(parseAccessTokenInsecurely(await issue()).jti, "j1");
});

t.test("key sets: keys for signatures that have an ID, and no two of one", async (t) => {
  const jwk = { ...spkiToJwk(pair.spki), kid: "k1", use: "sig" };
  const read = (...list: object[]) => parseJwks(JSON.stringify({ keys: list }));
  t.same(read(jwk), keys);
  for (const [name, other] of [
    ["of a SPIFFE bundle", { ...jwk, use: "jwt-svid" }],
    ["without use", { ...jwk, use: undefined }],
    ["without ID", { ...jwk, kid: undefined }],
    ["for encryption", { ...jwk, use: "enc" }],
    ["symmetric", { kty: "oct", k: "AAAA", kid: "k1", use: "sig" }],
  ] as const) {
    t.same(read(other), [], name);
  }
  const invalid = { reason: "JWKS_INVALID", code: 3 };
  t.throws(() => read(jwk, jwk), invalid);
  for (const text of [
    "",
    "[]",
    "{}",
    '{"keys":{}}',
    '{"keys":[],"keys":[]}',
    "x".repeat(262_145),
  ]) {
    t.throws(() => parseJwks(text), invalid, text.slice(0, 30));
  }
  t.throws(() => read(...Array.from({ length: 65 }, () => jwk)), invalid, "too many");
  t.throws(() => read({ ...jwk, x: "AA" }), invalid, "a broken key");
});

t.test("names keys and certificates by their hashes", async (t) => {
  // The example of RFC 7638 s3.1.
  const n =
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
  const [key] = parseJwks(
    JSON.stringify({ keys: [{ kty: "RSA", n, e: "AQAB", kid: "x", use: "sig" }] }),
  );
  t.equal(jwkThumbprint(key?.spki ?? pair.spki), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  const der = Buffer.from("certificate");
  const byCertificate = { "x5t#S256": certificateThumbprint(der) };
  t.equal(isConfirmedBy(byCertificate, { certificate: der }), true);
  t.equal(isConfirmedBy(byCertificate, { certificate: Buffer.from("other") }), false);
  t.equal(isConfirmedBy(byCertificate, { jkt: byCertificate["x5t#S256"] }), false);
  t.equal(isConfirmedBy({ jkt: thumbprint }, { jkt: thumbprint }), true);
  t.equal(isConfirmedBy({ jkt: thumbprint }, {}), false);
  for (const text of [undefined, 1, "", "A".repeat(43), `${thumbprint}=`]) {
    t.equal(isThumbprint(text), text === "A".repeat(43), String(text));
  }
});

/** Actors in actors. */
function chain(length: number, end?: unknown): unknown {
  if (length === 0) return end;
  const inner = chain(length - 1, end);
  return { sub: agent, iss: issuer, ...(inner !== undefined && { act: inner }) };
}
