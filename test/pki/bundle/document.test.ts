import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { importJWK } from "jose";
import t from "tap";
import {
  type Bundle,
  emptyBundle,
  equalBundles,
  type JwtAuthority,
} from "../../../pki/bundle/bundle.ts";
import { formatBundle, formatJwks, formatWitJwks } from "../../../pki/bundle/format.ts";
import { jwkToSpki, spkiToJwk } from "../../../pki/bundle/jwk.ts";
import {
  MAX_BUNDLE_BYTES,
  parseBundle,
  parseJwks,
  parseWitJwks,
} from "../../../pki/bundle/parse.ts";
import { Status } from "../../../pki/errors.ts";
import { type JsonObject, parseJson } from "../../../pki/json.ts";
import { exportSpki, generateP256KeyPair } from "../../../pki/keys.ts";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import { TestAuthority } from "../../support/test-authority.ts";

const north = TrustDomain.parse("north.test");
const invalid = { reason: "BUNDLE_INVALID", code: Status.invalidArgument };
const authorities = [
  await TestAuthority.create(),
  await TestAuthority.create("north.test", "rsa-2048"),
];

const jwtAuthority = (keyId: string): JwtAuthority => ({
  keyId,
  spki: generateP256KeyPair().spki,
  expiresAt: undefined,
  tainted: false,
});

const bundle: Bundle = {
  trustDomain: north,
  x509Authorities: authorities.map(({ root }) => ({ der: root.der, tainted: false })),
  jwtAuthorities: [jwtAuthority("a"), jwtAuthority("b")],
  witAuthorities: [jwtAuthority("w")],
  sequence: 18446744073709551615n,
  refreshHintSeconds: 300,
};

const document = () => JSON.parse(formatBundle(bundle).replace(/,"spiffe_sequence":\d+/, ""));

t.test("a bundle survives being written and read", async (t) => {
  const read = parseBundle(north, formatBundle(bundle));
  t.ok(equalBundles(read, bundle));
  t.equal(read.sequence, bundle.sequence);
  t.ok(equalBundles(parseBundle(north, Buffer.from(formatBundle(bundle))), bundle));
  t.ok(equalBundles(parseBundle(north, formatBundle(emptyBundle(north))), emptyBundle(north)));
});

t.test("the document has the members of the standard and no others", async (t) => {
  const { keys, ...rest } = parseJson(formatBundle(bundle)) as JsonObject;
  t.same({ ...rest }, { spiffe_sequence: 18446744073709551615n, spiffe_refresh_hint: 300 });
  t.strictSame(
    (keys as JsonObject[]).map((key) => Object.keys(key).sort().join()),
    [
      "crv,kty,use,x,x5c,y",
      "e,kty,n,use,x5c",
      "crv,kid,kty,use,x,y",
      "crv,kid,kty,use,x,y",
      "crv,kid,kty,use,x,y",
    ],
  );
  t.strictSame(
    JSON.parse(formatJwks(bundle)).keys.map((key: object) => Object.keys(key).sort().join()),
    ["crv,kid,kty,x,y", "crv,kid,kty,x,y"],
  );
  t.equal(formatBundle(emptyBundle(north)), '{"keys":[],"spiffe_sequence":0}');
  t.equal(formatJwks(emptyBundle(north)), '{"keys":[]}');
  t.strictSame(
    JSON.parse(formatWitJwks(bundle)).keys.map((key: JsonObject) => [key["use"], key["kid"]]),
    [["wit-svid", "w"]],
  );
  t.equal(formatWitJwks(emptyBundle(north)), '{"keys":[]}');
});

t.test("keys become JWKs and back, as Node and a JOSE library read them", async (t) => {
  const pairs = [
    ...["P-256", "P-384", "P-521"].map((namedCurve) => generateKeyPairSync("ec", { namedCurve })),
    generateKeyPairSync("rsa", { modulusLength: 2048 }),
    generateKeyPairSync("ed25519"),
  ];
  for (const { publicKey } of pairs) {
    const spki = exportSpki(publicKey);
    const jwk = spkiToJwk(spki);
    t.same(
      createPublicKey({ key: jwk as never, format: "jwk" }).export({ type: "spki", format: "der" }),
      Buffer.from(spki),
    );
    await t.resolves(
      importJWK(
        jwk as never,
        jwk.kty === "OKP"
          ? "EdDSA"
          : jwk.kty === "RSA"
            ? "RS256"
            : `ES${jwk.crv === "P-521" ? "512" : jwk.crv.slice(2)}`,
      ),
    );
    t.same(Buffer.from(jwkToSpki(jwk) as Uint8Array), Buffer.from(spki), jwk.kty);
  }
  for (const spki of [
    exportSpki(generateKeyPairSync("x25519").publicKey),
    exportSpki(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey),
    Uint8Array.of(1),
  ]) {
    t.throws(() => spkiToJwk(spki), invalid);
  }
});

t.test("documents that are no bundle are refused", async (t) => {
  for (const text of [
    ...["", "[]", "null", "{}", '{"keys":null}', '{"keys":{}}', '{"keys":[],"keys":[]}'],
    ...['{"keys":[],"spiffe_sequence":1.5}', '{"keys":[],"spiffe_sequence":"1"}'],
    ...['{"keys":[],"spiffe_sequence":-1}', '{"keys":[],"spiffe_sequence":18446744073709551616}'],
    ...['{"keys":[],"spiffe_refresh_hint":300.5}', '{"keys":[],"spiffe_refresh_hint":"300"}'],
    ...['{"keys":[],"spiffe_refresh_hint":-1}', '{"keys":[],"spiffe_refresh_hint":null}'],
    `{"keys":[${Array(2001).fill("1").join()}]}`,
    `{"keys":[]${" ".repeat(MAX_BUNDLE_BYTES)}}`,
  ]) {
    t.throws(() => parseBundle(north, text), invalid, text.slice(0, 50));
  }
  t.throws(() => parseJwks("{}"), invalid);
});

t.test("unusable elements are skipped whole, told of, and the rest is kept", async (t) => {
  const [x509, rsa, jwt] = document().keys;
  const x5c: string = x509.x5c[0];
  const rows: readonly (readonly [name: string, key: unknown])[] = [
    ["no object", "text"],
    ["unknown use", { ...jwt, use: "sig" }],
    ["use in another case", { ...jwt, use: "JWT-SVID" }],
    ["no use", { ...jwt, use: undefined }],
    ["no kty", { ...jwt, kty: undefined }],
    ["unknown kty", { ...jwt, kty: "AKP" }],
    ["unknown curve", { ...jwt, crv: "secp256k1" }],
    [
      "a JWT key of a kind that signs no JWT-SVID",
      {
        kid: "e",
        use: "jwt-svid",
        ...spkiToJwk(exportSpki(generateKeyPairSync("ed25519").publicKey)),
      },
    ],
    ["no kid", { ...jwt, kid: undefined }],
    ["an empty kid", { ...jwt, kid: "" }],
    ["a kid that is a number", { ...jwt, kid: 1 }],
    ["a kid that is too long", { ...jwt, kid: "k".repeat(1025) }],
    ["a point that is not on the curve", { ...jwt, y: Buffer.alloc(32, 1).toString("base64url") }],
    ["a coordinate that is too short", { ...jwt, x: "AAAA" }],
    ["a coordinate with padding", { ...jwt, x: `${jwt.x}=` }],
    [
      "an RSA key of 1024 bits",
      {
        use: "jwt-svid",
        kid: "r",
        ...spkiToJwk(exportSpki(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey)),
      },
    ],
    ["no x5c", { ...x509, x5c: undefined }],
    ["an empty x5c", { ...x509, x5c: [] }],
    ["x5c with PEM", { ...x509, x5c: [`-----BEGIN CERTIFICATE-----\n${x5c}`] }],
    [
      "x5c in the url alphabet",
      { ...x509, x5c: [Buffer.from(x5c, "base64").toString("base64url")] },
    ],
    ["corrupt DER in x5c", { ...x509, x5c: [Buffer.from("3003020101", "hex").toString("base64")] }],
    ["the key of another certificate", { ...x509, x: rsa.n, x5c: rsa.x5c }],
  ];
  for (const [name, key] of rows) {
    const told: string[] = [];
    const keys = [key, ...document().keys];
    const read = parseBundle(north, JSON.stringify({ keys }), (why) => told.push(why));
    t.ok(equalBundles({ ...read, refreshHintSeconds: 300 }, bundle), name);
    t.equal(told.length, 1, name);
    t.match(told[0], /^key 0 of the bundle is skipped: /, name);
  }
});

t.test(
  "of several certificates in x5c the first counts, and a repeated authority is one",
  async (t) => {
    const [x509, rsa] = document().keys;
    const keys = [{ ...x509, x5c: [...x509.x5c, ...rsa.x5c] }, x509, { ...x509, kid: "x" }];
    const read = parseBundle(north, JSON.stringify({ keys }));
    t.equal(read.x509Authorities.length, 1);
    t.same(read.x509Authorities[0]?.der, authorities[0]?.root.der);
  },
);

t.test("two keys under one ID count neither", async (t) => {
  const keys = document().keys;
  const told: string[] = [];
  const read = parseBundle(
    north,
    JSON.stringify({ keys: [...keys, { ...keys[3], kid: "a" }] }),
    (why) => told.push(why),
  );
  t.strictSame(
    read.jwtAuthorities.map(({ keyId }) => keyId),
    ["b"],
  );
  t.match(told, [/"a" appears more than once/]);
  const same = { ...bundle, jwtAuthorities: [jwtAuthority("a"), jwtAuthority("a")] };
  t.throws(() => formatBundle(same), invalid);
  t.throws(() => formatJwks({ ...bundle, jwtAuthorities: [jwtAuthority("")] }), invalid);
});

t.test("a key ID is taken once, whatever the key is for", async (t) => {
  const [, , , , wit] = document().keys;
  for (const kid of ["a", "w"]) {
    const keys = [...document().keys, { ...wit, kid }];
    const read = parseBundle(north, JSON.stringify({ keys }));
    t.strictSame(
      [...read.jwtAuthorities, ...read.witAuthorities].map(({ keyId }) => keyId),
      ["a", "b", "w"].filter((keyId) => keyId !== kid),
    );
    const same = { ...bundle, witAuthorities: [jwtAuthority("w"), jwtAuthority(kid)] };
    for (const format of [formatBundle, formatJwks, formatWitJwks]) {
      t.throws(() => format(same), invalid);
    }
  }
});

t.test(
  "a JWT bundle of the Workload API is read with and without use, JWT keys only",
  async (t) => {
    const [x509, , jwt] = document().keys;
    const { use, ...bare } = jwt;
    t.equal(use, "jwt-svid");
    const keys = [bare, { ...jwt, kid: "c" }, { ...jwt, kid: "w", use: "wit-svid" }, x509];
    const read = parseJwks(JSON.stringify({ keys, more: true }));
    t.strictSame(
      read.map(({ keyId }) => keyId),
      ["a", "c"],
    );
    t.same(parseJwks(formatJwks(bundle)), bundle.jwtAuthorities);
  },
);

t.test(
  "a WIT bundle of the Workload API is read with and without use, WIT keys only",
  async (t) => {
    const [x509, , jwt, , wit] = document().keys;
    const { use, ...bare } = wit;
    t.equal(use, "wit-svid");
    const keys = [bare, { ...wit, kid: "c" }, jwt, x509];
    const read = parseWitJwks(JSON.stringify({ keys, more: true }));
    t.strictSame(
      read.map(({ keyId }) => keyId),
      ["w", "c"],
    );
    t.same(parseWitJwks(formatWitJwks(bundle)), bundle.witAuthorities);
    t.strictSame(parseWitJwks(formatJwks({ ...bundle, witAuthorities: [] })).length, 2);
    t.throws(() => parseWitJwks("{}"), invalid);
  },
);

t.test("bundles are compared by content: order and sequence do not count, taints do", async (t) => {
  const reversed = {
    ...bundle,
    x509Authorities: [...bundle.x509Authorities].reverse(),
    jwtAuthorities: [...bundle.jwtAuthorities].reverse(),
    sequence: 1n,
  };
  t.ok(equalBundles(bundle, reversed));
  const [first, ...rest] = bundle.x509Authorities;
  for (const other of [
    { ...bundle, x509Authorities: rest },
    {
      ...bundle,
      x509Authorities: [{ ...first, der: first?.der ?? new Uint8Array(), tainted: true }, ...rest],
    },
    { ...bundle, jwtAuthorities: bundle.jwtAuthorities.slice(1) },
    {
      ...bundle,
      jwtAuthorities: bundle.jwtAuthorities.map((a) => ({ ...a, expiresAt: new Date(0) })),
    },
    { ...bundle, witAuthorities: [] },
    { ...bundle, witAuthorities: bundle.witAuthorities.map((w) => ({ ...w, tainted: true })) },
    { ...bundle, refreshHintSeconds: 60 },
    { ...bundle, trustDomain: TrustDomain.parse("south.test") },
  ]) {
    t.notOk(equalBundles(bundle, other));
  }
});
