// Task proofs: for one method, one task, one minute and one key, and nothing else passes for one.
import { generateKeyPairSync } from "node:crypto";
import t from "tap";
import { Status } from "../../pki/errors.ts";
import { signWith } from "../../pki/jwt/signature.ts";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { issueTaskProof, TASK_PROOF_TYPE, validateTaskProof } from "../../pki/task-proof.ts";

const NOW = new Date("2030-01-01T00:00:00Z");
const TASK = "01JD0000000000000000000000";
const pair = generateP256KeyPair();
const expected = { method: "WatchTask", taskId: TASK, publicKey: pair.publicKey, now: NOW };
const request = { method: "WatchTask", taskId: TASK, now: NOW };

function forge(header: object, claims: object, key = pair.privateKey): string {
  const encode = (value: object): string =>
    Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${Buffer.from(signWith("ES256", key, Buffer.from(input))).toString("base64url")}`;
}

const header = { alg: "ES256", typ: TASK_PROOF_TYPE };
const claims = { aud: "WatchTask", sub: TASK, iat: NOW.getTime() / 1000, jti: "a" };

t.test(
  "a proof holds for its method, its task and its key, and says until when to remember it",
  async (t) => {
    for (const type of ["P-256", "P-384", "P-521"]) {
      const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: type });
      const proof = issueTaskProof(privateKey, { ...request, jti: "one" });
      t.strictSame(validateTaskProof(proof, { ...expected, publicKey }), {
        jti: "one",
        until: new Date("2030-01-01T00:01:00Z"),
      });
    }
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    t.ok(validateTaskProof(issueTaskProof(privateKey, request), { ...expected, publicKey }).jti);
    const [a, b] = [
      issueTaskProof(pair.privateKey, request),
      issueTaskProof(pair.privateKey, request),
    ];
    t.not(validateTaskProof(a, expected).jti, validateTaskProof(b, expected).jti);
  },
);

const { jti: _jti, ...noJti } = claims;
const { iat: _iat, ...noIat } = claims;
const REFUSED = [
  {
    name: "another method",
    jws: forge(header, { ...claims, aud: "Complete" }),
    reason: "TASK_PROOF_CLAIMS",
  },
  {
    name: "a list of methods",
    jws: forge(header, { ...claims, aud: ["WatchTask"] }),
    reason: "TASK_PROOF_CLAIMS",
  },
  {
    name: "another task",
    jws: forge(header, { ...claims, sub: "other" }),
    reason: "TASK_PROOF_CLAIMS",
  },
  { name: "no jti", jws: forge(header, noJti), reason: "TASK_PROOF_CLAIMS" },
  { name: "an empty jti", jws: forge(header, { ...claims, jti: "" }), reason: "TASK_PROOF_CLAIMS" },
  {
    name: "a huge jti",
    jws: forge(header, { ...claims, jti: "x".repeat(65) }),
    reason: "TASK_PROOF_CLAIMS",
  },
  { name: "no iat", jws: forge(header, noIat), reason: "TASK_PROOF_CLAIMS" },
  {
    name: "an iat that is text",
    jws: forge(header, { ...claims, iat: "now" }),
    reason: "TASK_PROOF_CLAIMS",
  },
  {
    name: "an old proof",
    jws: forge(header, { ...claims, iat: claims.iat - 61 }),
    reason: "TASK_PROOF_EXPIRED",
  },
  {
    name: "a proof of the future",
    jws: forge(header, { ...claims, iat: claims.iat + 61 }),
    reason: "TASK_PROOF_NOT_YET_VALID",
  },
  {
    name: "another key",
    jws: forge(header, claims, generateP256KeyPair().privateKey),
    reason: "TASK_PROOF_UNTRUSTED",
  },
  {
    name: "a JWT-SVID",
    jws: forge({ ...header, typ: "JWT" }, claims),
    reason: "TASK_PROOF_MALFORMED",
  },
  {
    name: "a token without a type",
    jws: forge({ alg: "ES256" }, claims),
    reason: "TASK_PROOF_MALFORMED",
  },
  {
    name: "a critical extension",
    jws: forge({ ...header, crit: ["x"] }, claims),
    reason: "TASK_PROOF_MALFORMED",
  },
  {
    name: "another algorithm of the standard",
    jws: forge({ ...header, alg: "ES384" }, claims),
    reason: "TASK_PROOF_ALGORITHM",
  },
  {
    name: "no algorithm",
    jws: forge({ ...header, alg: "none" }, claims),
    reason: "TASK_PROOF_ALGORITHM",
  },
  {
    name: "a secret as key",
    jws: forge({ ...header, alg: "HS256" }, claims),
    reason: "TASK_PROOF_ALGORITHM",
  },
  {
    name: "a signature spelt otherwise",
    jws: `${forge(header, claims)}=`,
    reason: "TASK_PROOF_MALFORMED",
  },
  { name: "no token", jws: "", reason: "TASK_PROOF_MALFORMED" },
];

for (const { name, jws, reason } of REFUSED) {
  t.test(`refuses ${name}`, async (t) => {
    t.throws(() => validateTaskProof(jws, expected), { name: "IdentityError", reason });
  });
}

t.test("a wrong key is not authenticated, whatever the claims say", async (t) => {
  const other = generateP256KeyPair().privateKey;
  const jws = forge(header, { ...claims, sub: "other" }, other);
  t.throws(() => validateTaskProof(jws, expected), { code: Status.unauthenticated });
});

t.test("takes no proof with one byte changed", async (t) => {
  const proof = issueTaskProof(pair.privateKey, request);
  for (let i = 0; i < proof.length; i += 7) {
    const other = proof[i] === "A" ? "B" : "A";
    t.throws(() => validateTaskProof(proof.slice(0, i) + other + proof.slice(i + 1), expected));
  }
});

t.test("a key that cannot prove is a mistake of ours", async (t) => {
  const { privateKey } = generateKeyPairSync("ed25519");
  t.throws(() => issueTaskProof(privateKey, request), TypeError);
});
