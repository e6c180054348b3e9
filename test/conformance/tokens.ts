// Good and bad JWT-SVIDs, each bad one wrong in a single way: the table that every validator of the product
// is held to (jwt-validators.test.ts). Tokens are put together here, not by the product's issuing code.
import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

export interface TokenMaker {
  /** P-256; its public key is in the bundle under `keyId`. */
  readonly privateKey: KeyObject;
  readonly keyId: string;
  /** A SPIFFE ID of the bundle's trust domain. */
  readonly subject: string;
  readonly audience: string;
  readonly now: Date;
}

export interface TestTokens {
  readonly good: readonly (readonly [name: string, token: string])[];
  /** With the row that is broken. */
  readonly bad: readonly (readonly [row: string, name: string, token: string])[];
}

type Claims = Record<string, unknown>;
type Sign = (input: Buffer) => Buffer;

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const ieee = (key: KeyObject): Sign => {
  return (input) => sign("sha256", input, { key, dsaEncoding: "ieee-p1363" });
};
const stranger = ieee(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);

/** Makes the table for one validator: its keys, its clock, its audience. */
export function testTokens(maker: TokenMaker): TestTokens {
  const { keyId: kid, subject: sub, audience, privateKey } = maker;
  const now = Math.floor(maker.now.getTime() / 1000);
  const own = ieee(privateKey);
  const baseHeader = { alg: "ES256", kid, typ: "JWT" };
  const baseClaims = { sub, aud: [audience], exp: now + 300, iat: now };
  const forge = (header: Claims, claims: Claims, by: Sign = own): string => {
    const input = `${part({ ...baseHeader, ...header })}.${part({ ...baseClaims, ...claims })}`;
    return `${input}.${by(Buffer.from(input)).toString("base64url")}`;
  };
  const plain = forge({}, {});
  const [head = "", payload = "", signature = ""] = plain.split(".");
  const withHeader = (row: string, changes: readonly Claims[]) =>
    changes.map((change) => [row, JSON.stringify(change), forge(change, {})] as const);
  const withClaims = (row: string, changes: readonly Claims[]) =>
    changes.map((change) => [row, JSON.stringify(change), forge({}, change)] as const);
  const json = { payload, protected: head, signature };
  return {
    good: [
      ["plain", plain],
      ["typ JOSE", forge({ typ: "JOSE" }, {})],
      ["no typ", forge({ typ: undefined }, {})],
      ["aud as a string", forge({}, { aud: audience })],
      ["our audience last", forge({}, { aud: ["x", audience] })],
      ["59 s after its end", forge({}, { exp: now - 59 })],
      ["nbf in the past", forge({}, { nbf: now - 10 })],
      ["iat a little ahead", forge({}, { iat: now + 30 })],
      ["unknown claims", forge({}, { "https://x.test/role": "admin" })],
      ["unknown header parameters", forge({ "x.test/a": 1 }, {})],
      ["ten years to live", forge({}, { exp: now + 10 * 365 * 86_400 })],
    ],
    bad: [
      ["JWT-01", "free text", "hello"],
      ["JWT-01", "two parts", `${head}.${payload}`],
      ["JWT-01", "four parts", `${plain}.x`],
      ["JWT-01", "five parts", `${plain}.x.y`],
      ["JWT-01", "flattened JSON", JSON.stringify(json)],
      ["JWT-01", "general JSON", JSON.stringify({ payload, signatures: [json] })],
      ["JWT-01", "padding", `${plain}==`],
      ["JWT-04", "none, unsigned", `${part({ alg: "none", kid })}.${payload}.`],
      ["JWT-04", "HS256 under the public key", forge({ alg: "HS256" }, {}, hmac(privateKey))],
      ...withHeader(
        "JWT-04",
        ["none", "None", "EdDSA", "ES256K", "es256", "", 7, null, undefined].map((alg) => ({
          alg,
        })),
      ),
      ...withHeader("JWT-06", [{ kid: undefined }, { kid: "" }]),
      ...withHeader(
        "JWT-07",
        ["jwt", "at+jwt", "wit+jwt", "", 1].map((typ) => ({ typ })),
      ),
      ...withClaims(
        "JWT-09",
        [undefined, "", "db", 1, null, "spiffe://North.test/db", `${sub}/`].map((sub) => ({ sub })),
      ),
      ...withClaims(
        "JWT-11",
        [undefined, null, [], [""], ["x"], [audience.toUpperCase()], [audience.slice(1)]].map(
          (aud) => ({ aud }),
        ),
      ),
      ...withClaims(
        "JWT-14",
        [undefined, null, String(now + 300)].map((exp) => ({ exp })),
      ),
      ...withClaims("JWT-15", [{ exp: now - 61 }, { exp: 0 }]),
      ["JWT-19", "another key", forge({}, {}, stranger)],
      ["JWT-19", "no signature", `${head}.${payload}.`],
      [
        "JWT-19",
        "another payload",
        `${head}.${part({ ...baseClaims, sub: `${sub}x` })}.${signature}`,
      ],
      ["JWT-19", "another header", `${part({ ...baseHeader, x: 1 })}.${payload}.${signature}`],
      ["JWT-19", "a flipped bit", `${head}.${payload}.${flipped(signature)}`],
      ["JWT-20", "nbf in an hour", forge({}, { nbf: now + 3600 })],
      ...withHeader("JWT-21", [{ alg: "ES384" }, { alg: "RS256" }, { alg: "PS256" }]),
      ["JWT-22", "DER", forge({}, {}, (input) => sign("sha256", input, privateKey))],
      ...withClaims("JWT-23", [{ aud: [audience, 1] }, { aud: { [audience]: true } }]),
      ["JWT-31", "an unknown key", forge({ kid: `${kid}x` }, {})],
      ["JWT-31", "no such trust domain", forge({}, { sub: "spiffe://nowhere.test/db" })],
      ["S11", "crit", forge({ crit: ["b64"], b64: true }, {})],
    ],
  };
}

/** The mistake of taking a public key for a shared secret. */
function hmac(privateKey: KeyObject): Sign {
  const secret = privateKey.export({ format: "jwk" }).x ?? "";
  return (input) => createHmac("sha256", Buffer.from(secret, "base64url")).update(input).digest();
}

function flipped(signature: string): string {
  const bytes = Buffer.from(signature, "base64url");
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  return bytes.toString("base64url");
}
