// WIT-SVID.md: the token and its validators, one test per row, accept and reject. What the issuer makes:
// wit-issuer.test.ts. How WIT-SVIDs are presented: wit-presentation.test.ts.
import { constants, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import t from "tap";
import { type Bundle, emptyBundle, type WitAuthority } from "../../pki/bundle/bundle.ts";
import { formatBundle, formatJwks, formatWitJwks } from "../../pki/bundle/format.ts";
import { parseBundle, parseWitJwks } from "../../pki/bundle/parse.ts";
import { Status } from "../../pki/errors.ts";
import { issueJwtSvid } from "../../pki/jwt/issue.ts";
import { validateJwtSvid } from "../../pki/jwt/svid.ts";
import { exportSpki, generateP256KeyPair, signerOf } from "../../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { validateWitSvid, type WitSvidExpectation } from "../../pki/wit/svid.ts";
import { TestWit } from "../support/test-wit.ts";

const now = new Date("2030-01-01T00:00:00Z");
const seconds = now.getTime() / 1000;
const north = TrustDomain.parse("north.test");
const wit = new TestWit("north.test", "k1");
const { signer } = wit;
const good = wit.issue("/db", { now }).token;

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (token: string, index: number) =>
  JSON.parse(Buffer.from(token.split(".")[index] ?? "", "base64url").toString());
const header = decode(good, 0);
const claims = decode(good, 1);
const { jwk } = claims.cnf;

const ieee = (input: Buffer) =>
  sign("sha256", input, { key: signer.privateKey as KeyObject, dsaEncoding: "ieee-p1363" });
function forge(head: object, body: object, by: (input: Buffer) => Buffer = ieee): string {
  const input = `${part({ ...header, ...head })}.${part({ ...claims, ...body })}`;
  return `${input}.${by(Buffer.from(input)).toString("base64url")}`;
}

const validate = (token: string, more: Partial<WitSvidExpectation> = {}) =>
  validateWitSvid(token, { authoritiesOf: wit.witAuthoritiesOf, now, ...more });
const refusal = (reason: string) => ({ reason, code: Status.invalidArgument });
t.test("WIT-01 only JWS compact serialization", async (t) => {
  const [head, payload, signature] = good.split(".");
  t.equal((await validate(good)).id.toString(), "spiffe://north.test/db");
  const json = { payload, protected: head, signature };
  for (const other of [
    JSON.stringify(json),
    JSON.stringify({ payload, signatures: [json] }),
    `${good}.a`,
    `${good}.a.b`,
    `${head}.${payload}`,
    `${head}.${payload}.`,
  ]) {
    await t.rejects(validate(other), refusal("WIT_SVID_MALFORMED"));
  }
});

t.test("WIT-03 kid is there and not empty", async (t) => {
  await t.resolves(validate(forge({}, {})));
  for (const kid of [undefined, "", null, 1]) {
    await t.rejects(validate(forge({ kid }, {})), refusal("WIT_SVID_MALFORMED"));
  }
});

t.test("WIT-04 kid is compared byte by byte", async (t) => {
  await t.resolves(validate(forge({ kid: "k1" }, {})));
  for (const kid of ["K1", "k1 ", "k", "k\u0031\u0000"]) {
    await t.rejects(validate(forge({ kid }, {})), refusal("WIT_SVID_UNTRUSTED"), kid);
  }
});

t.test("WIT-06 typ is wit+jwt, to the letter", async (t) => {
  await t.resolves(validate(forge({ typ: "wit+jwt" }, {})));
  for (const typ of [undefined, "JWT", "JOSE", "WIT+JWT", "application/wit+jwt", "", 1]) {
    await t.rejects(validate(forge({ typ }, {})), refusal("WIT_SVID_MALFORMED"));
  }
});

const pss = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
};
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve });
const raw = { dsaEncoding: "ieee-p1363" } as const;
const ALGORITHMS = [
  ...["256", "384", "512"].map((size) => [`RS${size}`, rsa, {}] as const),
  ...["256", "384", "512"].map((size) => [`PS${size}`, rsa, pss] as const),
  ["ES256", ec("P-256"), raw],
  ["ES384", ec("P-384"), raw],
  ["ES512", ec("P-521"), raw],
] as const;

t.test("WIT-07 nine algorithms are accepted, any other is refused", async (t) => {
  for (const [alg, { publicKey, privateKey }, options] of ALGORITHMS) {
    const by = (input: Buffer) =>
      sign(`sha${alg.slice(2)}`, input, { key: privateKey, ...options });
    const authority = { ...wit.authority, spki: exportSpki(publicKey) };
    await t.resolves(validate(forge({ alg }, {}, by), { authoritiesOf: () => [authority] }), alg);
  }
  for (const alg of ["none", "None", "HS256", "EdDSA", "ES256K", "es256", undefined, 7]) {
    await t.rejects(validate(forge({ alg }, {})), refusal("WIT_SVID_ALGORITHM"), String(alg));
  }
});

t.test("WIT-09 unknown headers are ignored, unless they are critical", async (t) => {
  await t.resolves(validate(forge({ foo: 1, jku: "https://evil.test", jwk }, {})));
  for (const crit of [["foo"], [], "foo"]) {
    await t.rejects(validate(forge({ foo: 1, crit }, {})), refusal("WIT_SVID_MALFORMED"));
  }
});

t.test("WIT-10 a sub that is no SPIFFE ID is refused", async (t) => {
  await t.resolves(validate(forge({}, { sub: "spiffe://north.test/web" })));
  await t.resolves(
    validate(forge({}, { sub: "spiffe://north.test" })),
    "of others, also without path",
  );
  for (const sub of [
    undefined,
    "",
    "db",
    "spiffe://North.test/db",
    "spiffe://north.test/",
    1,
    null,
  ]) {
    await t.rejects(validate(forge({}, { sub })), refusal("WIT_SVID_CLAIMS"));
  }
});

const confirmation = refusal("WIT_SVID_CONFIRMATION");

t.test("WIT-11 a token without cnf is refused", async (t) => {
  await t.resolves(validate(forge({}, { cnf: { jwk } })));
  for (const cnf of [undefined, null, "jwk", 1, [], [jwk]]) {
    await t.rejects(validate(forge({}, { cnf })), confirmation);
  }
});

t.test("WIT-12 cnf.jwk is the holder's public key, as an object", async (t) => {
  const rsaJwk = { ...rsa.publicKey.export({ format: "jwk" }), alg: "PS256" };
  for (const key of [jwk, rsaJwk, { ...jwk, kid: "x", use: "sig" }]) {
    t.equal((await validate(forge({}, { cnf: { jwk: key } }))).confirmation.alg, key.alg);
  }
  for (const cnf of [
    {},
    { jwk: JSON.stringify(jwk) },
    { jwk: null },
    { kid: "k1" },
    { jku: "https://evil.test" },
    { jwk: {} },
    { jwk: { ...jwk, kty: undefined } },
    { jwk: { ...jwk, y: undefined } },
    { jwk: { ...jwk, kty: "OKP" } },
  ]) {
    await t.rejects(validate(forge({}, { cnf })), confirmation, JSON.stringify(cnf));
  }
});

t.test("WIT-13 that key says its algorithm, one of the nine", async (t) => {
  for (const [alg, { publicKey }] of ALGORITHMS) {
    const key = { ...publicKey.export({ format: "jwk" }), alg };
    t.equal((await validate(forge({}, { cnf: { jwk: key } }))).confirmation.alg, alg);
  }
  for (const alg of [undefined, 1, "", "HS256", "EdDSA", "none", "ES384", "RSA-OAEP"]) {
    await t.rejects(validate(forge({}, { cnf: { jwk: { ...jwk, alg } } })), confirmation);
  }
});

t.test("WIT-14 that key is public", async (t) => {
  await t.resolves(validate(forge({}, { cnf: { jwk } })));
  const secrets = [
    { ...jwk, d: "AAAA" },
    { ...jwk, d: null },
    { ...rsa.privateKey.export({ format: "jwk" }), alg: "RS256" },
    { ...rsa.publicKey.export({ format: "jwk" }), alg: "RS256", p: "AAAA" },
    { ...jwk, k: "AAAA" },
    { kty: "oct", k: "AAAA", alg: "HS256" },
    { kty: "oct", k: "AAAA", alg: "ES256" },
  ];
  for (const key of secrets)
    await t.rejects(validate(forge({}, { cnf: { jwk: key } })), confirmation);
});

t.test("WIT-15 exp is there, and a token past it is refused", async (t) => {
  await t.resolves(validate(forge({}, { exp: seconds + 1 })));
  for (const exp of [undefined, null, "9999999999"]) {
    await t.rejects(validate(forge({}, { exp })), refusal("WIT_SVID_CLAIMS"));
  }
  for (const exp of [0, seconds - 61]) {
    await t.rejects(validate(forge({}, { exp })), refusal("WIT_SVID_EXPIRED"));
  }
});

t.test("WIT-16 the allowance for clocks is two minutes at most", async (t) => {
  const past = (ago: number) => forge({}, { exp: seconds - ago });
  await t.resolves(validate(past(59)));
  await t.rejects(validate(past(60)), refusal("WIT_SVID_EXPIRED"));
  await t.resolves(validate(past(119), { leewaySeconds: 120 }));
  await t.rejects(validate(past(1), { leewaySeconds: 0 }), refusal("WIT_SVID_EXPIRED"));
  for (const leewaySeconds of [121, -1, Number.NaN]) {
    await t.rejects(validate(good, { leewaySeconds }), TypeError);
  }
});

t.test("WIT-17 a token whose nbf is still to come is refused", async (t) => {
  for (const nbf of [undefined, seconds - 60, seconds])
    await t.resolves(validate(forge({}, { nbf })));
  await t.rejects(validate(forge({}, { nbf: seconds + 3600 })), refusal("WIT_SVID_NOT_YET_VALID"));
});

t.test("WIT-19 lifetimes above a limit are refused, if there is one", async (t) => {
  const year = forge({}, { nbf: seconds, exp: seconds + 365 * 86_400 });
  await t.resolves(validate(year));
  await t.resolves(validate(good, { maxLifetimeSeconds: 3600 }));
  const limit = { maxLifetimeSeconds: 3600 };
  await t.rejects(validate(year, limit), refusal("WIT_SVID_CLAIMS"));
  const endless = forge({}, { nbf: undefined, exp: seconds + 365 * 86_400 });
  await t.rejects(validate(endless, limit), refusal("WIT_SVID_CLAIMS"), "nor without nbf");
});

t.test("WIT-20 iat decides nothing about when a token starts to count", async (t) => {
  for (const iat of [undefined, seconds + 600, 0]) {
    await t.resolves(validate(forge({}, { iat, nbf: undefined })), String(iat));
  }
  const later = { iat: seconds - 600, nbf: seconds + 600 };
  await t.rejects(validate(forge({}, later)), refusal("WIT_SVID_NOT_YET_VALID"));
});

t.test("WIT-22 a token is accepted again, whatever its jti", async (t) => {
  for (const jti of ["same", "same", undefined]) {
    const token = forge({}, { jti });
    await t.resolves(validate(token));
    await t.resolves(validate(token));
  }
});

t.test("WIT-24 a token with aud is refused", async (t) => {
  await t.resolves(validate(forge({}, {})));
  for (const aud of ["ledger", ["ledger"], [], "", null]) {
    await t.rejects(validate(forge({}, { aud })), refusal("WIT_SVID_CLAIMS"));
  }
});

t.test("WIT-25 unknown claims are ignored, and change nothing", async (t) => {
  const more = {
    "https://x.test/role": "admin",
    id: "spiffe://north.test/root",
    act: { sub: "x" },
  };
  const { id, confirmation, ...rest } = await validate(forge({}, more));
  t.equal(id.toString(), "spiffe://north.test/db");
  t.ok(confirmation.key.equals((await validate(good)).confirmation.key));
  t.notOk("role" in rest);
});

const bundle: Bundle = {
  ...emptyBundle(north),
  jwtAuthorities: [{ ...wit.authority, keyId: "j1", spki: generateP256KeyPair().spki }],
  witAuthorities: [wit.authority, { ...wit.authority, keyId: "k2" }],
};
interface Key {
  readonly [name: string]: unknown;
}
const keysOf = (document: string): Key[] => JSON.parse(document).keys;
const read = (keys: readonly Key[]) => parseBundle(north, JSON.stringify({ keys }));

t.test("WIT-35, BND-14 each WIT key is one entry with use wit-svid and kid", async (t) => {
  t.strictSame(
    keysOf(formatBundle(bundle)).map(({ use, kid }) => [use, kid]),
    [
      ["jwt-svid", "j1"],
      ["wit-svid", "k1"],
      ["wit-svid", "k2"],
    ],
  );
  t.strictSame(
    keysOf(formatWitJwks(bundle)).map(({ use, kid }) => [use, kid]),
    [
      ["wit-svid", "k1"],
      ["wit-svid", "k2"],
    ],
  );
  const nameless = { ...bundle, witAuthorities: [{ ...wit.authority, keyId: "" }] };
  t.throws(() => formatBundle(nameless), refusal("BUNDLE_INVALID"));
  const [key = {}] = keysOf(formatWitJwks(bundle));
  t.equal(read([key]).witAuthorities.length, 1);
  for (const use of ["WIT-SVID", "wit", "sig", undefined]) {
    t.equal(read([{ ...key, use }]).witAuthorities.length, 0, String(use));
  }
  t.equal(read([{ ...key, kid: undefined }]).witAuthorities.length, 0);
});

t.test("WIT-36 kid is unique over the whole bundle, JWT keys included", async (t) => {
  t.equal(keysOf(formatBundle(bundle)).length, 3);
  const shared = { ...bundle, jwtAuthorities: [{ ...wit.authority, keyId: "k1" }] };
  t.throws(() => formatBundle(shared), refusal("BUNDLE_INVALID"));
  const [jwt = {}, k1 = {}, k2 = {}] = keysOf(formatBundle(bundle));
  const both = read([{ ...jwt, kid: "k1" }, k1, k2]);
  t.strictSame(
    [both.jwtAuthorities.length, both.witAuthorities.map(({ keyId }) => keyId)],
    [0, ["k2"]],
    "of two readers one would take the other key: neither counts",
  );
});

t.test("WIT-37 only WIT keys verify WIT-SVIDs", async (t) => {
  const [key = {}] = keysOf(formatWitJwks(bundle));
  const authorities = (use: string) => read([{ ...key, use }]).witAuthorities;
  const by = (list: readonly WitAuthority[]) => validate(good, { authoritiesOf: () => list });
  await t.resolves(by(authorities("wit-svid")));
  for (const use of ["jwt-svid", "x509-svid", "sig"]) {
    await t.rejects(by(authorities(use)), refusal("WIT_SVID_UNTRUSTED"), use);
  }
  await t.rejects(by(read([]).witAuthorities), refusal("WIT_SVID_UNTRUSTED"), "no WIT keys at all");
  await t.rejects(
    by(parseWitJwks(JSON.stringify({ keys: [{ ...key, use: "jwt-svid" }] }))),
    refusal("WIT_SVID_UNTRUSTED"),
  );
  await t.resolves(by(parseWitJwks(JSON.stringify({ keys: [{ ...key, use: undefined }] }))));
  await t.rejects(
    validate(good, { authoritiesOf: new TestWit("south.test").witAuthoritiesOf }),
    refusal("WIT_SVID_UNTRUSTED"),
  );
  t.equal(keysOf(formatJwks(bundle)).length, 1, "and no WIT key gets into a JWT bundle");
});

t.test("WIT-38, JWT-07, JWT-29 neither kind of token passes for the other", async (t) => {
  const jwtSigner = signerOf("k1", generateP256KeyPair());
  // The worst case: one key for both, so that only what the tokens say tells them apart.
  const issueJwt = (by = signer) =>
    issueJwtSvid({
      ...{ signer: by, keyId: "k1", spiffeId: SpiffeId.of(north, "/db"), audience: ["ledger"] },
      ...{ issuedAt: now, expiresAt: new Date(now.getTime() + 300_000) },
    }) as string;
  const asJwt = (token: string, authorities: readonly WitAuthority[] = [wit.authority]) =>
    validateJwtSvid(token, { audience: ["ledger"], authoritiesOf: () => authorities, now });
  await t.resolves(validate(good));
  await t.resolves(asJwt(issueJwt()));
  await t.rejects(asJwt(good), refusal("JWT_SVID_MALFORMED"), "its type");
  await t.rejects(asJwt(forge({ typ: "JWT" }, {})), refusal("JWT_SVID_CLAIMS"), "no aud");
  await t.rejects(validate(issueJwt()), refusal("WIT_SVID_MALFORMED"), "its type");
  await t.rejects(
    validate(forge({}, { cnf: undefined, aud: ["ledger"] })),
    refusal("WIT_SVID_CLAIMS"),
  );
  await t.rejects(validate(forge({}, { cnf: undefined })), confirmation);
  const jwtAuthority = { ...wit.authority, spki: jwtSigner.spki };
  const mixed = { ...emptyBundle(north), jwtAuthorities: [jwtAuthority], witAuthorities: [] };
  await t.rejects(
    validate(good, { authoritiesOf: () => mixed.witAuthorities }),
    refusal("WIT_SVID_UNTRUSTED"),
  );
  await t.rejects(asJwt(issueJwt(), mixed.jwtAuthorities), refusal("JWT_SVID_UNTRUSTED"));
});
