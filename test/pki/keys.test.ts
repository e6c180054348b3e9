import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import t from "tap";
import {
  exportPkcs8,
  exportSpki,
  generateKeyPair,
  generateP256KeyPair,
  importPkcs8,
  importSpki,
  isP256Spki,
  KEY_TYPES,
  keyPairOf,
  keyTypeOf,
  signerOf,
} from "../../pki/keys.ts";
import { testKeyPair } from "../support/test-certificate.ts";

const DATA = Buffer.from("what is signed");

t.test("makes each kind of key, and a signer whose signatures node:crypto verifies", async (t) => {
  for (const type of KEY_TYPES) {
    const pair = await generateKeyPair(type);
    t.equal(keyTypeOf(pair.publicKey), type);
    t.same(pair.spki, exportSpki(pair.publicKey));
    const signer = signerOf("k1", pair);
    t.match(signer, { keyId: "k1", keyType: type });
    const signature = await signer.sign(DATA, "sha256");
    t.ok(verify("sha256", DATA, pair.publicKey, signature), type);
    t.equal(signer.signSync !== undefined, type === "ec-p256", "signs at once where that is cheap");
  }
  const pair = generateP256KeyPair();
  const signature = signerOf("k", pair).signSync?.(DATA, "sha256") ?? new Uint8Array();
  t.ok(verify("sha256", DATA, pair.publicKey, signature));
});

t.test("passes on the failure of a signature made in the thread pool", async (t) => {
  const signer = signerOf("k", await generateKeyPair("ec-p384"));
  await t.rejects(signer.sign(DATA, "sha-none" as "sha256"));
});

t.test("exports and imports keys", async (t) => {
  for (const kind of ["ec-p256", "ec-p384", "ec-p521", "rsa-2048", "ed25519"] as const) {
    const pair = testKeyPair(kind);
    t.ok(importSpki(pair.spki).equals(pair.publicKey), kind);
    const again = importPkcs8(exportPkcs8(pair.privateKey));
    t.ok(again.equals(pair.privateKey), kind);
    t.same(keyPairOf(again).spki, pair.spki, kind);
    t.equal(isP256Spki(pair.spki), kind === "ec-p256");
  }
});

t.test("tells the kinds of key that it makes from others", async (t) => {
  t.equal(keyTypeOf(testKeyPair("ec-p521").publicKey), undefined);
  t.equal(keyTypeOf(testKeyPair("ed25519").publicKey), undefined);
  t.equal(keyTypeOf(testKeyPair("rsa-1024").publicKey), undefined);
  t.throws(() => signerOf("k", testKeyPair("ed25519")), { reason: "KEY_UNSUPPORTED", code: 3 });
});

t.test("refuses public keys that are not keys, or not of a kind that may sign", async (t) => {
  const p256 = testKeyPair().spki;
  const offCurve = Uint8Array.from(p256);
  offCurve[90] = (offCurve[90] ?? 0) ^ 1;
  const invalid: [string, Uint8Array][] = [
    ["nothing", new Uint8Array(0)],
    ["junk", Uint8Array.of(1, 2, 3)],
    ["cut short", p256.subarray(0, 90)],
    ["too long", new Uint8Array(2049)],
    ["a point off the curve", offCurve],
  ];
  for (const [name, spki] of invalid) {
    t.throws(() => importSpki(spki), { reason: "KEY_INVALID", code: 3 }, name);
  }
  const brainpool = generateKeyPairSync("ec", { namedCurve: "brainpoolP256r1" }).publicKey;
  const x25519 = generateKeyPairSync("x25519").publicKey;
  const hugeExponent = createPublicKey({
    key: {
      kty: "RSA",
      n: Buffer.alloc(256, 0xff).toString("base64url"),
      e: Buffer.from("010000000000000001", "hex").toString("base64url"),
    },
    format: "jwk",
  });
  for (const key of [brainpool, x25519, testKeyPair("rsa-1024").publicKey, hugeExponent]) {
    t.throws(() => importSpki(exportSpki(key)), { reason: "KEY_UNSUPPORTED", code: 3 });
  }
  const huge = createPublicKey({
    key: { kty: "RSA", n: Buffer.alloc(1025, 0xff).toString("base64url"), e: "AQAB" },
    format: "jwk",
  });
  t.throws(
    () => importSpki(exportSpki(huge)),
    { reason: "KEY_UNSUPPORTED", code: 3 },
    "RSA over 8192 bits",
  );
});

t.test("refuses private keys that are not PKCS #8, or of another kind", async (t) => {
  const sec1 = testKeyPair().privateKey.export({ type: "sec1", format: "der" });
  t.throws(() => importPkcs8(sec1), { reason: "KEY_INVALID", code: 3 });
  t.throws(() => importPkcs8(new Uint8Array(0)), { reason: "KEY_INVALID", code: 3 });
  const x25519 = generateKeyPairSync("x25519").privateKey;
  t.throws(() => importPkcs8(exportPkcs8(x25519)), { reason: "KEY_UNSUPPORTED", code: 3 });
});
