import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { jwtVerify } from "jose";
import t from "tap";
import type { JwtAuthority } from "../../../pki/bundle/bundle.ts";
import { Status } from "../../../pki/errors.ts";
import { checkAudience, issueJwtSvid, type JwtSvidRequest } from "../../../pki/jwt/issue.ts";
import { validateJwtSvid } from "../../../pki/jwt/svid.ts";
import {
  generateKeyPair,
  KEY_TYPES,
  type KeyType,
  type Signer,
  signerOf,
} from "../../../pki/keys.ts";
import { SpiffeId } from "../../../pki/spiffe-id.ts";

const now = new Date("2030-01-01T00:00:00Z");
const inFiveMinutes = new Date(now.getTime() + 300_000);
const spiffeId = SpiffeId.parse("spiffe://north.test/db");

async function signer(type: KeyType): Promise<Signer> {
  return signerOf("k1", await generateKeyPair(type));
}

function authority(of: Signer, keyId = "k1"): JwtAuthority {
  return { keyId, spki: of.spki, expiresAt: undefined, tainted: false };
}

const base = {
  keyId: "k1",
  spiffeId,
  audience: ["ledger"],
  issuedAt: now,
  expiresAt: inFiveMinutes,
};
const refusal = (reason: string) => ({ reason, code: Status.invalidArgument });
const p256 = await signer("ec-p256");
const expectation = { audience: ["ledger"], authoritiesOf: () => [authority(p256)], now };

for (const type of KEY_TYPES.filter((type) => type !== "rsa-4096")) {
  t.test(`issues with ${type} what a JOSE library and our validator accept`, async (t) => {
    const key = await signer(type);
    const token = await issueJwtSvid({ ...base, signer: key });
    const { payload, protectedHeader } = await jwtVerify(token, key.publicKey, {
      currentDate: now,
      audience: "ledger",
    });
    t.strictSame(payload, {
      sub: "spiffe://north.test/db",
      aud: ["ledger"],
      exp: 1893456300,
      iat: 1893456000,
    });
    t.strictSame(Object.keys(protectedHeader), ["alg", "kid", "typ"]);
    const svid = await validateJwtSvid(token, {
      ...expectation,
      authoritiesOf: () => [authority(key)],
    });
    t.ok(svid.id.equals(spiffeId));
    t.strictSame(svid.audience, ["ledger"]);
    t.same(svid.expiresAt, inFiveMinutes);
    t.same(svid.issuedAt, now);
    t.equal(svid.keyId, "k1");
  });
}

t.test(
  "answers at once with a key that can sign at once, and puts R and S in fixed places",
  async (t) => {
    for (let i = 0; i < 300; i++) {
      const token = issueJwtSvid({ ...base, signer: p256, jti: String(i) });
      if (typeof token !== "string") throw new Error("expected a token at once");
      await validateJwtSvid(token, expectation);
    }
    t.pass("300 signatures of all lengths of R and S verify");
  },
);

t.test("writes issuer and jti when they are given", async (t) => {
  const token = await issueJwtSvid({ ...base, signer: p256, issuer: "https://i.test", jti: "j1" });
  const { claims } = await validateJwtSvid(token, expectation);
  t.same({ ...claims }, { ...claims, iss: "https://i.test", jti: "j1" });
});

t.test("refuses to issue what no validator would take", async (t) => {
  const reasons = (change: Partial<JwtSvidRequest>, reason: string, name: string) =>
    t.throws(
      () => issueJwtSvid({ ...base, signer: p256, ...change }),
      {
        reason,
        code: Status.invalidArgument,
      },
      name,
    );
  reasons({ audience: [] }, "JWT_SVID_AUDIENCE", "no audience");
  reasons({ audience: ["a", ""] }, "JWT_SVID_AUDIENCE", "an empty audience");
  reasons({ audience: Array(33).fill("a") }, "JWT_SVID_AUDIENCE", "too many audiences");
  reasons({ audience: ["a".repeat(2049)] }, "JWT_SVID_AUDIENCE", "an audience that is too long");
  reasons({ expiresAt: now }, "JWT_SVID_CLAIMS", "expires when issued");
  reasons({ spiffeId: SpiffeId.parse("spiffe://north.test") }, "JWT_SVID_CLAIMS", "no path");
  t.throws(() => issueJwtSvid({ ...base, signer: p256, keyId: "" }), TypeError);
  t.doesNotThrow(() => checkAudience(["a", "b"]));
});

/** A token over any header and payload, signed rightly. */
function forge(header: unknown, payload: unknown): string {
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  const part = (value: unknown) => Buffer.from(text(value)).toString("base64url");
  const input = `${part(header)}.${part(payload)}`;
  const key = p256.privateKey;
  if (key === undefined) throw new Error("the key is in this process");
  const signature = sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" });
  return `${input}.${signature.toString("base64url")}`;
}

const header = { alg: "ES256", kid: "k1", typ: "JWT" };
const claims = { sub: "spiffe://north.test/db", aud: ["ledger"], exp: 1893456300, iat: 1893456000 };

t.test("tolerates what the standard leaves open", async (t) => {
  for (const [name, token] of [
    ["no typ", forge({ alg: "ES256", kid: "k1" }, claims)],
    ["typ JOSE", forge({ ...header, typ: "JOSE" }, claims)],
    ["unknown header parameters", forge({ ...header, "x.test/a": 1, cty: "x" }, claims)],
    ["aud as a string", forge(header, { ...claims, aud: "ledger" })],
    ["our audience last", forge(header, { ...claims, aud: ["a", "ledger"] })],
    ["unknown claims", forge(header, { ...claims, role: "x", big: { a: [1] } })],
    ["no iat", forge(header, { ...claims, iat: undefined })],
    ["iat slightly ahead", forge(header, { ...claims, iat: 1893456030 })],
    ["nbf within the leeway", forge(header, { ...claims, nbf: 1893456059 })],
    ["a fraction of a second", forge(header, { ...claims, exp: 1893456300.5 })],
    ["a subject without path", forge(header, { ...claims, sub: "spiffe://north.test" })],
  ] as const) {
    await t.resolves(validateJwtSvid(token, expectation), name);
  }
});

const good = forge(header, claims);
const [h = "", p = "", s = ""] = good.split(".");
const rejects: readonly (readonly [name: string, token: string, reason: string])[] = [
  ["free text", "hello", "JWT_SVID_MALFORMED"],
  ["nothing", "", "JWT_SVID_MALFORMED"],
  ["two parts", `${h}.${p}`, "JWT_SVID_MALFORMED"],
  ["four parts", `${good}.x`, "JWT_SVID_MALFORMED"],
  ["an encrypted token", `${good}.x.y`, "JWT_SVID_MALFORMED"],
  [
    "JSON serialization",
    JSON.stringify({ payload: p, protected: h, signature: s }),
    "JWT_SVID_MALFORMED",
  ],
  ["an empty signature", `${h}.${p}.`, "JWT_SVID_MALFORMED"],
  ["padding", `${h}.${p}.${s}==`, "JWT_SVID_MALFORMED"],
  [
    "a header that is not JSON",
    `${Buffer.from("x").toString("base64url")}.${p}.${s}`,
    "JWT_SVID_MALFORMED",
  ],
  ["a payload that is an array", forge(header, []), "JWT_SVID_MALFORMED"],
  [
    "a payload that names a claim twice",
    forge(header, '{"sub":"spiffe://north.test/a","sub":"spiffe://north.test/db"}'),
    "JWT_SVID_MALFORMED",
  ],
  ["a token that is too long", `${good}${"A".repeat(65_536)}`, "JWT_SVID_MALFORMED"],
  ["typ jwt", forge({ ...header, typ: "jwt" }, claims), "JWT_SVID_MALFORMED"],
  ["typ wit+jwt", forge({ ...header, typ: "wit+jwt" }, claims), "JWT_SVID_MALFORMED"],
  ["an empty typ", forge({ ...header, typ: "" }, claims), "JWT_SVID_MALFORMED"],
  ["a typ that is a number", forge({ ...header, typ: 1 }, claims), "JWT_SVID_MALFORMED"],
  [
    "critical parameters",
    forge({ ...header, crit: ["exp"], exp: 1 }, claims),
    "JWT_SVID_MALFORMED",
  ],
  ["no kid", forge({ alg: "ES256", typ: "JWT" }, claims), "JWT_SVID_MALFORMED"],
  ["an empty kid", forge({ ...header, kid: "" }, claims), "JWT_SVID_MALFORMED"],
  ...["none", "None", "HS256", "EdDSA", "ES256K", "es256", 7, null, undefined, ["ES256"]].map(
    (alg) => [`alg ${alg}`, forge({ ...header, alg }, claims), "JWT_SVID_ALGORITHM"] as const,
  ),
  [
    "an algorithm of another curve",
    forge({ ...header, alg: "ES384" }, claims),
    "JWT_SVID_ALGORITHM",
  ],
  [
    "an algorithm of another key type",
    forge({ ...header, alg: "RS256" }, claims),
    "JWT_SVID_ALGORITHM",
  ],
  ["no sub", forge(header, { ...claims, sub: undefined }), "JWT_SVID_CLAIMS"],
  ["a sub that is no ID", forge(header, { ...claims, sub: "db" }), "JWT_SVID_CLAIMS"],
  [
    "a sub in upper case",
    forge(header, { ...claims, sub: "spiffe://North.test/db" }),
    "JWT_SVID_CLAIMS",
  ],
  ["a sub that is a number", forge(header, { ...claims, sub: 1 }), "JWT_SVID_CLAIMS"],
  ["no aud", forge(header, { ...claims, aud: undefined }), "JWT_SVID_CLAIMS"],
  ["an empty aud", forge(header, { ...claims, aud: [] }), "JWT_SVID_CLAIMS"],
  ["an aud with a number", forge(header, { ...claims, aud: ["ledger", 1] }), "JWT_SVID_CLAIMS"],
  [
    "an endless aud",
    forge(header, { ...claims, aud: Array(65).fill("ledger") }),
    "JWT_SVID_CLAIMS",
  ],
  [
    "another aud",
    forge(header, { ...claims, aud: ["ledge", "Ledger", "ledger "] }),
    "JWT_SVID_AUDIENCE",
  ],
  ...[undefined, "1893456300", null, 1e300, Number.MAX_SAFE_INTEGER].map(
    (exp) => [`exp ${exp}`, forge(header, { ...claims, exp }), "JWT_SVID_CLAIMS"] as const,
  ),
  [
    "an exp beyond 2^53",
    forge(header, `{"sub":"${claims.sub}","aud":"ledger","exp":99999999999999999999}`),
    "JWT_SVID_CLAIMS",
  ],
  ["an exp that has passed", forge(header, { ...claims, exp: 1893455939 }), "JWT_SVID_EXPIRED"],
  ["a negative exp", forge(header, { ...claims, exp: -1 }), "JWT_SVID_EXPIRED"],
  ["an nbf in an hour", forge(header, { ...claims, nbf: 1893459600 }), "JWT_SVID_NOT_YET_VALID"],
  ["an nbf that is text", forge(header, { ...claims, nbf: "1" }), "JWT_SVID_CLAIMS"],
  ["an unknown kid", forge({ ...header, kid: "k2" }, claims), "JWT_SVID_UNTRUSTED"],
  [
    "another payload",
    `${h}.${forge(header, { ...claims, sub: "spiffe://north.test/a" }).split(".")[1]}.${s}`,
    "JWT_SVID_UNTRUSTED",
  ],
  [
    "another header",
    `${forge({ ...header, typ: "JOSE" }, claims).split(".")[0]}.${p}.${s}`,
    "JWT_SVID_UNTRUSTED",
  ],
  [
    "a signature of zeros",
    `${h}.${p}.${Buffer.alloc(64).toString("base64url")}`,
    "JWT_SVID_UNTRUSTED",
  ],
  [
    "a short signature",
    `${h}.${p}.${Buffer.alloc(63, 1).toString("base64url")}`,
    "JWT_SVID_UNTRUSTED",
  ],
];

for (const [name, token, reason] of rejects) {
  t.test(`rejects ${name}`, async (t) => {
    await t.rejects(validateJwtSvid(token, expectation), { reason, code: Status.invalidArgument });
  });
}

t.test("rejects a DER signature and other spellings of the same bytes", async (t) => {
  const key = p256.privateKey;
  if (key === undefined) throw new Error("the key is in this process");
  const der = sign("sha256", Buffer.from(`${h}.${p}`), key).toString("base64url");
  await t.rejects(validateJwtSvid(`${h}.${p}.${der}`, expectation), refusal("JWT_SVID_UNTRUSTED"));
  // The last character carries two bits that belong to no byte.
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet[alphabet.indexOf(s.slice(-1)) ^ 1];
  await t.rejects(
    validateJwtSvid(`${good.slice(0, -1)}${last}`, expectation),
    refusal("JWT_SVID_MALFORMED"),
  );
});

t.test(
  "rejects an HMAC made with the public key, the classic confusion of algorithms",
  async (t) => {
    const input = `${Buffer.from('{"alg":"HS256","kid":"k1"}').toString("base64url")}.${p}`;
    for (const secret of [
      Buffer.from(p256.spki),
      p256.publicKey.export({ type: "spki", format: "pem" }),
    ]) {
      const mac = createHmac("sha256", secret).update(input).digest("base64url");
      await t.rejects(
        validateJwtSvid(`${input}.${mac}`, expectation),
        refusal("JWT_SVID_ALGORITHM"),
      );
    }
  },
);

t.test("never uses a key that the token brings along", async (t) => {
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = other.publicKey.export({ format: "jwk" });
  const forged = { ...header, jwk, jku: "https://evil.test/keys", x5c: ["MIIB"] };
  const input = [forged, claims]
    .map((v) => Buffer.from(JSON.stringify(v)).toString("base64url"))
    .join(".");
  const signature = sign("sha256", Buffer.from(input), {
    key: other.privateKey,
    dsaEncoding: "ieee-p1363",
  });
  await t.rejects(
    validateJwtSvid(`${input}.${signature.toString("base64url")}`, expectation),
    refusal("JWT_SVID_UNTRUSTED"),
  );
});

t.test("trusts only the keys of the subject's own trust domain", async (t) => {
  const asked: string[] = [];
  const authoritiesOf = (trustDomain: { name: string }) => {
    asked.push(trustDomain.name);
    return trustDomain.name === "south.test" ? [authority(p256)] : [];
  };
  await t.rejects(
    validateJwtSvid(good, { ...expectation, authoritiesOf }),
    refusal("JWT_SVID_UNTRUSTED"),
  );
  t.strictSame(asked, ["north.test"]);
  await t.rejects(
    validateJwtSvid(good, { ...expectation, authoritiesOf: () => undefined }),
    refusal("JWT_SVID_UNTRUSTED"),
  );
  const twice = [authority(p256), authority(p256)];
  await t.rejects(
    validateJwtSvid(good, { ...expectation, authoritiesOf: () => twice }),
    refusal("JWT_SVID_UNTRUSTED"),
  );
});

t.test("an empty list of expected audiences is an error, not a wildcard", async (t) => {
  for (const audience of [[], [""]]) {
    await t.rejects(
      validateJwtSvid(good, { ...expectation, audience }),
      refusal("JWT_SVID_AUDIENCE"),
    );
  }
});

t.test("grants clocks a minute, or what the caller says", async (t) => {
  const at = (seconds: number, leewaySeconds?: number) =>
    validateJwtSvid(good, {
      ...expectation,
      now: new Date(inFiveMinutes.getTime() + seconds * 1000),
      ...(leewaySeconds !== undefined && { leewaySeconds }),
    });
  await t.resolves(at(59));
  await t.rejects(at(61), refusal("JWT_SVID_EXPIRED"));
  await t.resolves(at(-1, 0));
  await t.rejects(at(0, 0), refusal("JWT_SVID_EXPIRED"));
});
