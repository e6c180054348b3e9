import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import t from "tap";
import { Status } from "../../../pki/errors.ts";
import { importSpki } from "../../../pki/keys.ts";
import { findTokens, type HttpRequest, WIT_FIELD } from "../../../pki/wit/http-request.ts";
import {
  hasRequestSignature,
  signRequest,
  verifyRequestSignature,
} from "../../../pki/wit/http-signature.ts";
import { proofKey, TestWit } from "../../support/test-wit.ts";

const now = new Date("2030-01-01T00:00:00Z");
const seconds = now.getTime() / 1000;
const audience = "https://ledger.internal/accounts";
const refusal = (reason: string) => ({ reason, code: Status.invalidArgument });
const key = proofKey();
const svid = new TestWit().issue("/db", { now, key });
const confirmation = { key: importSpki(key.spki), alg: key.alg, spki: key.spki };
const body = Buffer.from('{"amount":1}');

const request = (...fields: (readonly [string, string])[]): HttpRequest => ({
  method: "POST",
  target: "/accounts?id=1",
  fields: [["Workload-Identity-Token", svid.token], ...fields],
});
const adding = (of: HttpRequest, fields: Readonly<Record<string, string>>): HttpRequest => ({
  ...of,
  fields: [...of.fields, ...Object.entries(fields)],
});

const signed = (of: HttpRequest = request(), more: object = {}) =>
  adding(of, signRequest({ request: of, key, audience, now, ...more }));
const verify = (of: HttpRequest, more: object = {}, otherNames: readonly string[] = []) =>
  verifyRequestSignature({
    wit: svid.token,
    confirmation,
    isAudience: (value) => value === audience,
    request: of,
    tokens: findTokens(of, otherNames),
    now,
    ...more,
  });

/** A signature by hand: input as it stands in the field, and the lines of its base. */
function byHand(
  of: HttpRequest,
  input: string,
  lines: readonly string[],
  { label = "wimse", by = key.privateKey, canonical = input } = {},
): HttpRequest {
  const base = [...lines, `"@signature-params": ${canonical}`].join("\n");
  const options = { key: by as KeyObject, dsaEncoding: "ieee-p1363" } as const;
  const signature = sign("sha256", Buffer.from(base), options).toString("base64");
  return adding(of, {
    "signature-input": `${label}=${input}`,
    signature: `${label}=:${signature}:`,
  });
}
const COVERED = '("@method" "@request-target" "workload-identity-token")';
const LINES = [
  '"@method": POST',
  '"@request-target": /accounts?id=1',
  `"workload-identity-token": ${svid.token}`,
];
const PARAMS = {
  created: String(seconds),
  expires: String(seconds + 60),
  nonce: '"n"',
  tag: '"wimse-workload-to-workload"',
  "wimse-aud": `"${audience}"`,
};
const params = (change: Readonly<Record<string, string | undefined>> = {}) =>
  Object.entries({ ...PARAMS, ...change })
    .map(([name, value]) => (value === undefined ? "" : `;${name}=${value}`))
    .join("");
const withParams = (change: Readonly<Record<string, string | undefined>>, input = "") =>
  byHand(request(), `${COVERED}${params(change)}${input}`, LINES);

t.test("a signed request is verified, its base put together by hand is the same", async (t) => {
  const of = signed();
  const { id, expiresAt } = verify(of);
  t.equal(Buffer.from(id, "base64url").length, 16);
  t.equal(expiresAt.getTime(), now.getTime() + 60_000);
  const [, input] = of.fields.find(([name]) => name === "signature-input") ?? [];
  t.match(
    input,
    /^wimse=\("@method" "@request-target" "workload-identity-token"\);created=\d+;expires=\d+;nonce="[\w-]{22}";tag="wimse-workload-to-workload";wimse-aud="https:\/\/ledger.internal\/accounts"$/,
  );
  t.equal(verify(byHand(request(), COVERED + params(), LINES)).id, "n");
  // The parameters are signed in the order and with the values they came in, spaces aside.
  const spaced =
    '( "@method"  "@request-target" "workload-identity-token" );more=1.50;a;b=?0;c=tok';
  const canonical = `${COVERED};more=1.5;a;b=?0;c=tok${params()}`;
  t.equal(verify(byHand(request(), spaced + params(), LINES, { canonical })).id, "n");
  const more = '("@method" "@request-target" "workload-identity-token" "@path" "@query")';
  const lines = [...LINES, '"@path": /accounts', '"@query": ?id=1'];
  t.equal(verify(byHand(request(), more + params(), lines)).id, "n");
  t.ok(hasRequestSignature(of));
  t.notOk(hasRequestSignature(request(["signature-input", 'sig1=("@method");created=1'])));
});

t.test("the label does not matter, and other signatures are not looked at", async (t) => {
  const of = byHand(request(), COVERED + params(), LINES, { label: "x-1" });
  const other = { "signature-input": 'sig2=("date");keyid="k"', signature: "sig2=:AAAA:" };
  t.equal(verify(adding(of, other)).id, "n");
});

t.test("what is there and matters must be covered", async (t) => {
  const rows = [
    ["Content-Type", "text/plain"],
    ["Authorization", "Bearer abc"],
    ["Txn-Token", "xyz"],
    ["X-User-Token", "u"],
  ] as const;
  const names = ["x-user-token"];
  for (const field of rows) {
    const of = signed(request(field), { otherNames: names });
    t.equal(verify(of, {}, names).id.length, 22, field[0]);
    t.throws(
      () => verify(adding(signed(), Object.fromEntries([field])), {}, names),
      refusal("WIT_PROOF_BINDING"),
    );
    const changed = {
      ...of,
      fields: of.fields.map(
        ([name, value]) => [name, name === field[0] ? `${value}x` : value] as const,
      ),
    };
    t.throws(() => verify(changed, {}, names), refusal("WIT_PROOF_UNTRUSTED"));
    const twice = adding(of, { [field[0].toLowerCase()]: field[1] });
    t.throws(() => verify(twice, {}, names), refusal("WIT_PROOF_BINDING"));
    const gone = { ...of, fields: of.fields.filter(([name]) => name !== field[0]) };
    t.throws(() => verify(gone, {}, names), refusal("WIT_PROOF_BINDING"));
  }
  for (const missing of LINES.map((_, i) => i)) {
    const covered = `(${["@method", "@request-target", WIT_FIELD]
      .filter((_, i) => i !== missing)
      .map((name) => `"${name}"`)
      .join(" ")})`;
    const of = byHand(
      request(),
      covered + params(),
      LINES.filter((_, i) => i !== missing),
    );
    t.throws(() => verify(of), refusal("WIT_PROOF_BINDING"));
  }
});

t.test("the body is covered by its digest", async (t) => {
  const of = signed(request(), { body });
  t.equal(verify(of, { body }).id.length, 22);
  const unbound = refusal("WIT_PROOF_BINDING");
  t.throws(() => verify(of, { body: Buffer.from("other") }), unbound);
  t.throws(() => verify(of), unbound, "the body was taken away");
  t.throws(() => verify(signed(), { body }), unbound, "a body was added");
  const of512 = createHash("sha512").update(body).digest("base64");
  const of256 = createHash("sha256").update(body).digest("base64");
  const digests: readonly (readonly [string, boolean])[] = [
    [`sha-512=:${of512}:`, true],
    [`sha-256=:${of256}:, sha-512=:${of512}:, md5=:AAAA:`, true],
    [`sha-256=:${of256}:, sha-512=:${of256}:`, false],
    ["md5=:AAAA:", false],
    ["", false],
    [`sha-256=${of256}`, false],
    [`sha-256=:${of256}`, false],
    ["sha-256", false],
    [`sha-256=:${of256}:, sha-256=:${of256}:`, false],
  ];
  for (const [digest, isGood] of digests) {
    const given = signed(request(["content-digest", digest]));
    if (isGood) t.ok(verify(given, { body }), digest);
    else t.throws(() => verify(given, { body }), unbound, digest);
  }
  const empty = signed(
    request(["content-digest", `sha-256=:${createHash("sha256").digest("base64")}:`]),
  );
  t.ok(verify(empty), "the digest of no body");
});

t.test("method, target, audience and key are bound", async (t) => {
  const of = signed();
  t.throws(() => verify({ ...of, method: "PUT" }), refusal("WIT_PROOF_UNTRUSTED"));
  t.throws(() => verify({ ...of, target: "/accounts?id=2" }), refusal("WIT_PROOF_UNTRUSTED"));
  t.throws(
    () => verify(signed(request(), { audience: "https://x.test/" })),
    refusal("WIT_PROOF_AUDIENCE"),
  );
  t.throws(() => verify(signed(request(), { key: proofKey() })), refusal("WIT_PROOF_UNTRUSTED"));
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const ps = signed(request(), { key: proofKey(rsa, "PS256") });
  const expected = (alg: string) => ({ confirmation: { key: rsa.publicKey, alg, spki: key.spki } });
  t.ok(verify(ps, expected("PS256")));
  t.throws(() => verify(ps, expected("RS256")), refusal("WIT_PROOF_UNTRUSTED"));
  t.throws(() => signed(request(), { audience: "https://\u00fc.test/" }), TypeError);
});

t.test("parameters: some must be there, two must not", async (t) => {
  const rows: readonly (readonly [string, HttpRequest, string])[] = [
    ...Object.keys(PARAMS).map(
      (name) =>
        [
          `no ${name}`,
          withParams({ [name]: undefined }),
          name === "tag" ? "WIT_PROOF_MALFORMED" : "WIT_PROOF_CLAIMS",
        ] as const,
    ),
    ["keyid", withParams({}, ';keyid="k"'), "WIT_PROOF_CLAIMS"],
    ["alg", withParams({}, ';alg="ecdsa-p256-sha256"'), "WIT_PROOF_CLAIMS"],
    ["a response to sign", withParams({}, ";wimse-sign-response"), "WIT_PROOF_CLAIMS"],
    ["a tag of somebody else", withParams({ tag: '"x"' }), "WIT_PROOF_MALFORMED"],
    [
      "a tag that is no string",
      withParams({ tag: "wimse-workload-to-workload" }),
      "WIT_PROOF_MALFORMED",
    ],
    ["created as text", withParams({ created: '"1"' }), "WIT_PROOF_CLAIMS"],
    ["created with a fraction", withParams({ created: `${seconds}.5` }), "WIT_PROOF_CLAIMS"],
    ["an empty nonce", withParams({ nonce: '""' }), "WIT_PROOF_CLAIMS"],
    ["a long nonce", withParams({ nonce: `"${"n".repeat(257)}"` }), "WIT_PROOF_CLAIMS"],
    ["a nonce of bytes", withParams({ nonce: ":AAAA:" }), "WIT_PROOF_CLAIMS"],
    [
      "expired",
      withParams({ created: String(seconds - 60), expires: String(seconds - 10) }),
      "WIT_PROOF_EXPIRED",
    ],
    ["of the future", withParams({ created: String(seconds + 11) }), "WIT_PROOF_NOT_YET_VALID"],
    ["over before it began", withParams({ expires: String(seconds) }), "WIT_PROOF_CLAIMS"],
    ["an hour to live", withParams({ expires: String(seconds + 3600) }), "WIT_PROOF_CLAIMS"],
    ["a parameter twice", withParams({}, ';nonce="m"'), "WIT_PROOF_MALFORMED"],
  ];
  for (const [name, of, reason] of rows) t.throws(() => verify(of), refusal(reason), name);
  t.ok(verify(withParams({}, ";wimse-sign-response=?0")), "a response need not be signed");
});

t.test("inputs that two readers could read in two ways are refused", async (t) => {
  const of = byHand(request(), COVERED + params(), LINES);
  const again = adding(of, { "signature-input": `b=${COVERED}${params()}`, signature: "b=:AAAA:" });
  const rows: readonly (readonly [string, HttpRequest, string])[] = [
    ["two signatures of the profile", again, "WIT_PROOF_MALFORMED"],
    ["a label twice", adding(of, { "signature-input": `wimse=${COVERED}` }), "WIT_PROOF_MALFORMED"],
    [
      "no signature",
      { ...of, fields: of.fields.filter(([name]) => name !== "signature") },
      "WIT_PROOF_MALFORMED",
    ],
    [
      "no input",
      { ...of, fields: of.fields.filter(([name]) => name !== "signature-input") },
      "WIT_PROOF_MALFORMED",
    ],
    [
      "a component twice",
      byHand(
        request(),
        `("@method" "@method" "@request-target" "workload-identity-token")${params()}`,
        [LINES[0] ?? "", ...LINES],
      ),
      "WIT_PROOF_BINDING",
    ],
    [
      "an unknown derived component",
      byHand(
        request(),
        `("@method" "@request-target" "workload-identity-token" "@authority")${params()}`,
        [...LINES, '"@authority": x'],
      ),
      "WIT_PROOF_BINDING",
    ],
    [
      "a component in another form",
      byHand(
        request(),
        `("@method" "@request-target" "workload-identity-token";bs)${params()}`,
        LINES,
      ),
      "WIT_PROOF_BINDING",
    ],
    [
      "a component in upper case",
      byHand(
        request(),
        `("@method" "@request-target" "workload-identity-token" "X")${params()}`,
        LINES,
      ),
      "WIT_PROOF_BINDING",
    ],
    [
      "a component that is absent",
      byHand(
        request(),
        `("@method" "@request-target" "workload-identity-token" "x")${params()}`,
        LINES,
      ),
      "WIT_PROOF_BINDING",
    ],
    [
      "an item in place of the list",
      withSignature(`wimse="@method"${params()}`, "wimse=:AAAA:"),
      "WIT_PROOF_MALFORMED",
    ],
    [
      "a signature that is no bytes",
      withSignature(`wimse=${COVERED}${params()}`, "wimse=1"),
      "WIT_PROOF_MALFORMED",
    ],
    ["a value with a line break", signedLines(), "WIT_PROOF_BINDING"],
  ];
  for (const [name, bad, reason] of rows) t.throws(() => verify(bad), refusal(reason), name);
  for (const broken of [
    "",
    "wimse",
    "wimse=(",
    'wimse=("a"',
    'wimse=("a""b")',
    "wimse=();",
    "Wimse=()",
    "wimse=(),",
    "wimse=() x",
    'wimse=("\u00fc")',
    'wimse=("\\a")',
    "wimse=(1.);a=1.2345",
    `wimse=${"(".repeat(20_000)}`,
    "wimse=:A:",
    "=1",
    `a=${"1".repeat(16)}`,
  ]) {
    t.throws(
      () => verify(withSignature(broken, "wimse=:AAAA:")),
      refusal("WIT_PROOF_MALFORMED"),
      broken.slice(0, 30),
    );
  }
});

function withSignature(input: string, signature: string): HttpRequest {
  return adding(request(), { "signature-input": input, signature });
}

/** A field that would speak for another one, if its value could hold a line break. */
function signedLines(): HttpRequest {
  const of = request(["x", 'a\n"y": b']);
  return byHand(of, `("@method" "@request-target" "workload-identity-token" "x")${params()}`, [
    ...LINES,
    '"x": a',
    '"y": b',
  ]);
}
