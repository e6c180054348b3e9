// JWT-SVID.md: one test per row, accept and reject. Rows that bind clients (JWT-24 to JWT-26) are in
// client.test.ts; rows that bind the issuer as a whole are also in issuer.test.ts.
import { constants, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import t from "tap";
import { type Bundle, emptyBundle, type JwtAuthority } from "../../pki/bundle/bundle.ts";
import { formatBundle } from "../../pki/bundle/format.ts";
import { parseBundle } from "../../pki/bundle/parse.ts";
import { Status } from "../../pki/errors.ts";
import { issueJwtSvid, type JwtSvidRequest } from "../../pki/jwt/issue.ts";
import { validateJwtSvid } from "../../pki/jwt/svid.ts";
import {
  exportSpki,
  generateKeyPair,
  generateP256KeyPair,
  KEY_TYPES,
  signerOf,
} from "../../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { TestAuthority } from "../support/test-authority.ts";

const now = new Date("2030-01-01T00:00:00Z");
const nowSeconds = now.getTime() / 1000;
const north = TrustDomain.parse("north.test");
const signer = signerOf("k1", generateP256KeyPair());
const spiffeId = SpiffeId.of(north, "/db");
const header = { alg: "ES256", kid: "k1", typ: "JWT" };
const claims = {
  sub: "spiffe://north.test/db",
  aud: ["ledger"],
  exp: nowSeconds + 300,
  iat: nowSeconds,
};

const refusal = (reason: string) => ({ reason, code: Status.invalidArgument });

function authority(spki: Uint8Array, keyId = "k1"): JwtAuthority {
  return { keyId, spki, expiresAt: undefined, tainted: false };
}

function issue(change: Partial<JwtSvidRequest> = {}): string {
  const times = { issuedAt: now, expiresAt: new Date(now.getTime() + 300_000) };
  const request = { signer, keyId: "k1", spiffeId, audience: ["ledger"], ...times, ...change };
  return issueJwtSvid(request) as string;
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (token: string, index: number) =>
  JSON.parse(Buffer.from(token.split(".")[index] ?? "", "base64url").toString()) as Record<
    string,
    unknown
  >;

/** A token with any header and claims, signed with our key, or as `signInput` says. */
function forge(
  head: unknown,
  body: unknown,
  signInput: (input: Buffer) => Buffer = (input) =>
    sign("sha256", input, { key: signer.privateKey as KeyObject, dsaEncoding: "ieee-p1363" }),
): string {
  const input = `${part(head)}.${part(body)}`;
  return `${input}.${signInput(Buffer.from(input)).toString("base64url")}`;
}

const validate = (token: string, authorities: readonly JwtAuthority[] = [authority(signer.spki)]) =>
  validateJwtSvid(token, { audience: ["ledger"], authoritiesOf: () => authorities, now });

t.test("JWT-01 only JWS compact serialization", async (t) => {
  const token = issue();
  const [head, payload, signature] = token.split(".");
  await t.resolves(validate(token));
  const json = { payload, protected: head, signature };
  for (const other of [
    JSON.stringify(json),
    JSON.stringify({ payload, signatures: [json] }),
    `${token}.a.b`,
    `${head}.${payload}`,
    `${token}.a`,
  ]) {
    await t.rejects(validate(other), refusal("JWT_SVID_MALFORMED"));
  }
});

t.test(
  "JWT-02 the header holds alg, kid and typ, and nothing that came in could add to it",
  async (t) => {
    t.strictSame(Object.keys(decode(issue(), 0)), ["alg", "kid", "typ"]);
    const more = { ...{ jku: "x", cty: "x" }, issuer: "i", jti: "j" } as Partial<JwtSvidRequest>;
    t.strictSame(Object.keys(decode(issue(more), 0)), ["alg", "kid", "typ"]);
  },
);

t.test("JWT-03 issued with an algorithm of the list, whatever key there is", async (t) => {
  const algorithms = new Set([
    "RS256",
    "RS384",
    "RS512",
    "ES256",
    "ES384",
    "ES512",
    "PS256",
    "PS384",
    "PS512",
  ]);
  for (const type of KEY_TYPES.filter((type) => type !== "rsa-4096")) {
    const key = signerOf("k1", await generateKeyPair(type));
    t.ok(algorithms.has(decode(await issueWith(key), 0)["alg"] as string), type);
  }
  const pair = generateKeyPairSync("ed25519");
  t.throws(
    () => signerOf("k1", { ...pair, spki: exportSpki(pair.publicKey) }),
    refusal("KEY_UNSUPPORTED"),
  );
});

const pss = (hash: string) => (input: Buffer, key: KeyObject) =>
  sign(hash, input, {
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  });
const rsa = (hash: string) => (input: Buffer, key: KeyObject) => sign(hash, input, key);
const ecdsa = (hash: string) => (input: Buffer, key: KeyObject) =>
  sign(hash, input, { key, dsaEncoding: "ieee-p1363" });
const rsaPair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve });
const algorithms = [
  ["RS256", rsaPair, rsa("sha256")],
  ["RS384", rsaPair, rsa("sha384")],
  ["RS512", rsaPair, rsa("sha512")],
  ["PS256", rsaPair, pss("sha256")],
  ["PS384", rsaPair, pss("sha384")],
  ["PS512", rsaPair, pss("sha512")],
  ["ES256", ec("P-256"), ecdsa("sha256")],
  ["ES384", ec("P-384"), ecdsa("sha384")],
  ["ES512", ec("P-521"), ecdsa("sha512")],
] as const;

t.test(
  "JWT-04 nine algorithms are accepted, any other is refused before anything else",
  async (t) => {
    for (const [alg, { publicKey, privateKey }, signWith] of algorithms) {
      const token = forge({ ...header, alg }, claims, (input) => signWith(input, privateKey));
      await t.resolves(validate(token, [authority(exportSpki(publicKey))]), alg);
    }
    for (const alg of ["none", "None", "HS256", "EdDSA", "ES256K", "es256", undefined, 7]) {
      await t.rejects(
        validate(forge({ ...header, alg }, "no claims")),
        refusal("JWT_SVID_ALGORITHM"),
      );
    }
  },
);

t.test("JWT-05 every token names its key", async (t) => {
  t.equal(decode(issue(), 0)["kid"], "k1");
  t.throws(() => issue({ keyId: "" }), TypeError);
});

t.test("JWT-06 a token without kid is refused: no key is tried at random", async (t) => {
  await t.resolves(validate(forge(header, claims)));
  await t.rejects(
    validate(forge({ ...header, kid: undefined }, claims)),
    refusal("JWT_SVID_MALFORMED"),
  );
});

t.test("JWT-07 typ is absent, JWT or JOSE", async (t) => {
  for (const typ of [undefined, "JWT", "JOSE"])
    await t.resolves(validate(forge({ ...header, typ }, claims)));
  for (const typ of ["jwt", "at+jwt", "wit+jwt", "", 1]) {
    await t.rejects(validate(forge({ ...header, typ }, claims)), refusal("JWT_SVID_MALFORMED"));
  }
});

t.test("JWT-08 sub is the SPIFFE ID that was asked for, with a path", async (t) => {
  t.equal(decode(issue(), 1)["sub"], "spiffe://north.test/db");
  t.throws(
    () => issue({ spiffeId: SpiffeId.parse("spiffe://north.test") }),
    refusal("JWT_SVID_CLAIMS"),
  );
});

t.test("JWT-09 a sub that is no SPIFFE ID is refused", async (t) => {
  t.equal((await validate(issue())).id.toString(), "spiffe://north.test/db");
  for (const sub of [
    undefined,
    "",
    "db",
    "spiffe://North.test/db",
    "spiffe://north.test/",
    1,
    null,
  ]) {
    await t.rejects(validate(forge(header, { ...claims, sub })), refusal("JWT_SVID_CLAIMS"));
  }
});

t.test("JWT-10 aud has at least one value, none of them empty", async (t) => {
  t.strictSame(decode(issue(), 1)["aud"], ["ledger"]);
  t.strictSame(decode(issue({ audience: ["a", "b"] }), 1)["aud"], ["a", "b"]);
  for (const audience of [[], [""], ["a", ""]])
    t.throws(() => issue({ audience }), refusal("JWT_SVID_AUDIENCE"));
});

t.test("JWT-11 the validator's own name must be an element of aud", async (t) => {
  for (const aud of [["ledger"], ["ledger", "x"], ["x", "ledger"]])
    await t.resolves(validate(forge(header, { ...claims, aud })));
  for (const aud of [["x"], ["ledge"], ["Ledger"], ["ledgers"], [""]]) {
    await t.rejects(validate(forge(header, { ...claims, aud })), refusal("JWT_SVID_AUDIENCE"));
  }
  for (const aud of [undefined, [], null]) {
    await t.rejects(validate(forge(header, { ...claims, aud })), refusal("JWT_SVID_CLAIMS"));
  }
});

t.test(
  "JWT-12 a token names exactly the audiences asked for: one unless more are asked for",
  async (t) => {
    t.strictSame(decode(issue(), 1)["aud"], ["ledger"]);
    t.throws(() => issue({ audience: Array(33).fill("a") }), refusal("JWT_SVID_AUDIENCE"));
  },
);

t.test("JWT-11 an audience is compared whole, so that no name covers another", async (t) => {
  await t.resolves(validate(issue({ audience: ["ledger"] })));
  for (const wide of ["spiffe://north.test", "*", "ledger/*"]) {
    await t.rejects(validate(issue({ audience: [wide] })), refusal("JWT_SVID_AUDIENCE"));
  }
});

t.test("JWT-14 exp is set, in seconds, and demanded", async (t) => {
  t.equal(decode(issue(), 1)["exp"], nowSeconds + 300);
  for (const exp of [undefined, String(claims.exp), null]) {
    await t.rejects(validate(forge(header, { ...claims, exp })), refusal("JWT_SVID_CLAIMS"));
  }
});

t.test("JWT-15 a token that has expired is refused, with a small leeway", async (t) => {
  for (const exp of [nowSeconds + 1, nowSeconds - 59])
    await t.resolves(validate(forge(header, { ...claims, exp })));
  await t.rejects(
    validate(forge(header, { ...claims, exp: nowSeconds - 61 })),
    refusal("JWT_SVID_EXPIRED"),
  );
});

t.test("JWT-16 a validator imposes no maximum of its own on the lifetime", async (t) => {
  await t.resolves(validate(forge(header, { ...claims, exp: nowSeconds + 10 * 365 * 86_400 })));
  t.throws(() => issue({ expiresAt: now }), refusal("JWT_SVID_CLAIMS"));
});

t.test("JWT-17 unknown claims are tolerated, and none are added", async (t) => {
  const svid = await validate(
    forge(header, { ...claims, "https://x.test/role": "admin", nested: { a: [1] } }),
  );
  t.equal(svid.claims["https://x.test/role"], "admin");
  t.strictSame(Object.keys(decode(issue(), 1)), ["sub", "aud", "exp", "iat"]);
});

t.test("JWT-18 jti may be there, and the same token is accepted twice", async (t) => {
  const token = issue({ jti: "j1" });
  t.equal((await validate(token)).claims["jti"], "j1");
  await t.resolves(validate(token));
  t.notOk("jti" in (await validate(issue())).claims);
});

t.test("JWT-19 the signature is verified over header and payload", async (t) => {
  const token = issue();
  await t.resolves(validate(token));
  const bytes = Buffer.from(token);
  for (const dot of [0, token.indexOf(".") + 1, token.lastIndexOf(".") + 1]) {
    for (const offset of [5, 20]) {
      const flipped = Buffer.from(bytes);
      flipped[dot + offset] = flipped[dot + offset] === 0x41 ? 0x42 : 0x41;
      await t.rejects(validate(flipped.toString()), { code: Status.invalidArgument });
    }
  }
  await t.rejects(
    validate(token.slice(0, token.lastIndexOf(".") + 1)),
    refusal("JWT_SVID_MALFORMED"),
  );
});

t.test("JWT-20 nbf in the future is refused", async (t) => {
  await t.resolves(validate(forge(header, { ...claims, nbf: nowSeconds - 10 })));
  await t.rejects(
    validate(forge(header, { ...claims, nbf: nowSeconds + 3600 })),
    refusal("JWT_SVID_NOT_YET_VALID"),
  );
});

t.test("JWT-21 the algorithm must fit the key", async (t) => {
  const p384 = authority(exportSpki(ec("P-384").publicKey));
  const rsa2048 = authority(exportSpki(rsaPair.publicKey));
  await t.resolves(validate(issue()));
  await t.rejects(validate(issue(), [p384]), refusal("JWT_SVID_ALGORITHM"));
  await t.rejects(validate(issue(), [rsa2048]), refusal("JWT_SVID_ALGORITHM"));
  await t.rejects(
    validate(forge({ ...header, alg: "RS256" }, claims)),
    refusal("JWT_SVID_ALGORITHM"),
  );
  const short = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const token = forge({ ...header, alg: "RS256" }, claims, (input) =>
    sign("sha256", input, short.privateKey),
  );
  await t.rejects(
    validate(token, [authority(exportSpki(short.publicKey))]),
    refusal("KEY_UNSUPPORTED"),
  );
});

t.test("JWT-22 an ECDSA signature is R and S, 64 or 96 bytes, not DER", async (t) => {
  const lengthOf = (token: string) => Buffer.from(token.split(".")[2] ?? "", "base64url").length;
  t.equal(lengthOf(issue()), 64);
  t.equal(lengthOf(await issueWith(signerOf("k1", await generateKeyPair("ec-p384")))), 96);
  const der = forge(header, claims, (input) =>
    sign("sha256", input, signer.privateKey as KeyObject),
  );
  await t.rejects(validate(der), refusal("JWT_SVID_UNTRUSTED"));
});

t.test("JWT-23 aud is a string or an array of strings", async (t) => {
  await t.resolves(validate(forge(header, { ...claims, aud: "ledger" })));
  await t.resolves(validate(forge(header, { ...claims, aud: ["ledger"] })));
  for (const aud of [["ledger", 1], [["ledger"]], { ledger: true }, 1]) {
    await t.rejects(validate(forge(header, { ...claims, aud })), refusal("JWT_SVID_CLAIMS"));
  }
});

const bundle: Bundle = {
  ...emptyBundle(north),
  jwtAuthorities: [authority(signer.spki, "k1"), authority(generateP256KeyPair().spki, "k2")],
};
const keysOf = (document: string) => JSON.parse(document).keys as Record<string, unknown>[];

t.test("JWT-27 the bundle has one JWK per signing key, with use jwt-svid", async (t) => {
  t.strictSame(
    keysOf(formatBundle(bundle)).map(({ use }) => use),
    ["jwt-svid", "jwt-svid"],
  );
  const keys = keysOf(formatBundle(bundle)).map((key) => ({ ...key, use: "sig" }));
  t.equal(parseBundle(north, JSON.stringify({ keys })).jwtAuthorities.length, 0);
});

t.test("JWT-28 each JWT key of the bundle has its ID", async (t) => {
  t.strictSame(
    keysOf(formatBundle(bundle)).map(({ kid }) => kid),
    ["k1", "k2"],
  );
  const nameless = { ...bundle, jwtAuthorities: [authority(signer.spki, "")] };
  t.throws(() => formatBundle(nameless), refusal("BUNDLE_INVALID"));
});

t.test("JWT-29 only keys for JWT-SVIDs verify JWT-SVIDs", async (t) => {
  const [key] = keysOf(formatBundle(bundle));
  const read = (use: string) =>
    parseBundle(north, JSON.stringify({ keys: [{ ...key, use }] })).jwtAuthorities;
  await t.resolves(validate(issue(), read("jwt-svid")));
  for (const use of ["wit-svid", "x509-svid", "sig"]) {
    await t.rejects(validate(issue(), read(use)), refusal("JWT_SVID_UNTRUSTED"));
  }
});

t.test(
  "JWT-30 without a JWT key in the bundle, no token of that trust domain is valid",
  async (t) => {
    const authorityOfNorth = await TestAuthority.create("north.test");
    const x509Only = {
      ...emptyBundle(north),
      x509Authorities: [{ der: authorityOfNorth.root.der, tainted: false }],
    };
    await t.resolves(validate(issue(), parseBundle(north, formatBundle(bundle)).jwtAuthorities));
    const { jwtAuthorities } = parseBundle(north, formatBundle(x509Only));
    await t.rejects(validate(issue(), jwtAuthorities), refusal("JWT_SVID_UNTRUSTED"));
  },
);

t.test("JWT-31 keys are those of the subject's own trust domain", async (t) => {
  const southKey = signerOf("k1", generateP256KeyPair());
  const keysOf: Record<string, JwtAuthority[]> = {
    "north.test": [authority(signer.spki)],
    "south.test": [authority(southKey.spki)],
  };
  const authoritiesOf = ({ name }: TrustDomain) => keysOf[name];
  const expectation = { audience: ["ledger"], authoritiesOf, now };
  t.equal((await validateJwtSvid(issue(), expectation)).id.trustDomain.name, "north.test");
  const forged = issue({ signer: southKey });
  await t.rejects(validateJwtSvid(forged, expectation), refusal("JWT_SVID_UNTRUSTED"));
  for (const name of ["south.test", "west.test"]) {
    const spiffeId = SpiffeId.parse(`spiffe://${name}/db`);
    const foreign = validateJwtSvid(issue({ spiffeId }), expectation);
    await t.rejects(foreign, refusal("JWT_SVID_UNTRUSTED"), `no key of ours speaks for ${name}`);
  }
});

function issueWith(key: JwtSvidRequest["signer"]): Promise<string> {
  return Promise.resolve(issue({ signer: key }));
}
