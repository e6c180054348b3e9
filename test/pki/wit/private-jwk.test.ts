import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { importJWK } from "jose";
import t from "tap";
import { Status } from "../../../pki/errors.ts";
import { exportSpki } from "../../../pki/keys.ts";
import { formatPrivateJwk, parsePrivateJwk } from "../../../pki/wit/private-jwk.ts";

const invalid = { reason: "KEY_INVALID", code: Status.invalidArgument };
const unsupported = { reason: "KEY_UNSUPPORTED", code: Status.invalidArgument };
const ec = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const p256 = ec("P-256");
const pairs = [
  ["ES256", p256],
  ["ES384", ec("P-384")],
  ["ES512", ec("P-521")],
  ["RS256", rsa],
] as const;

t.test("a private key survives being written and read, as others read it", async (t) => {
  for (const [alg, { privateKey, publicKey }] of pairs) {
    const text = formatPrivateJwk(privateKey);
    const jwk = JSON.parse(text);
    t.match(jwk, { ...privateKey.export({ format: "jwk" }), alg });
    const read = parsePrivateJwk(text);
    t.ok(read.privateKey.equals(privateKey), alg);
    t.equal(read.alg, alg);
    t.same(Buffer.from(read.spki), Buffer.from(exportSpki(publicKey)));
    t.ok(createPrivateKey({ key: jwk, format: "jwk" }).equals(privateKey));
    await t.resolves(importJWK(jwk));
    const foreign = JSON.stringify({ ...privateKey.export({ format: "jwk" }), alg, kid: "x" });
    t.ok(parsePrivateJwk(foreign).privateKey.equals(privateKey), "another library's text");
  }
  t.equal(parsePrivateJwk(formatPrivateJwk(rsa.privateKey, "PS512")).alg, "PS512");
});

t.test("a key that cannot prove is not written", async (t) => {
  const ed25519 = generateKeyPairSync("ed25519").privateKey;
  t.throws(() => formatPrivateJwk(ed25519), unsupported);
  t.throws(() => formatPrivateJwk(p256.privateKey, "ES384"), unsupported);
});

t.test("what is not a sound private JWK is refused, and not quoted", async (t) => {
  const jwk = { ...p256.privateKey.export({ format: "jwk" }), alg: "ES256" };
  const other = ec("P-256").privateKey.export({ format: "jwk" });
  const numbers = { ...rsa.privateKey.export({ format: "jwk" }), alg: "RS256" };
  const strange = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { p, d } = strange.privateKey.export({ format: "jwk" });
  const rows: readonly (readonly [string, unknown])[] = [
    ["no object", []],
    ["a public JWK", { ...jwk, d: undefined }],
    ["no algorithm", { ...jwk, alg: undefined }],
    ["an algorithm of another key", { ...jwk, alg: "ES384" }],
    ["HS256", { ...jwk, alg: "HS256" }],
    ["the private half of another key", { ...jwk, d: other.d }],
    ["the public half of another key", { ...jwk, x: other.x, y: other.y }],
    ["no public half", { ...jwk, x: undefined }],
    ["zero", { ...jwk, d: Buffer.alloc(32).toString("base64url") }],
    ["too short", { ...jwk, d: "AAAA" }],
    ["an unknown curve", { ...jwk, crv: "secp256k1" }],
    ["an unknown type", { ...jwk, kty: "OKP" }],
    ["symmetric", { kty: "oct", k: "AAAA", alg: "HS256" }],
    ["RSA without primes", { ...numbers, p: undefined }],
    ["RSA with all of another key but n", { ...numbers, d, p }],
  ];
  for (const [name, key] of rows)
    t.throws(() => parsePrivateJwk(JSON.stringify(key)), invalid, name);
  for (const text of ["", "not JSON", '{"d":"a","d":"b"}', " ".repeat(16_385)]) {
    t.throws(() => parsePrivateJwk(text), invalid, text.slice(0, 20));
  }
  try {
    parsePrivateJwk(JSON.stringify({ ...jwk, alg: "ES384" }));
  } catch (error) {
    t.notMatch((error as Error).message, new RegExp(jwk.d as string));
  }
});
