import { sign } from "node:crypto";
import t from "tap";
import { pkiError } from "../../../pki/errors.ts";
import { contextTag, Tag } from "../../../pki/x509/der.ts";
import { derElement, derObjectIdentifier, derSequence } from "../../../pki/x509/der-writer.ts";
import { HashOid, MGF1_OID, SignatureOid } from "../../../pki/x509/oid.ts";
import {
  isSignedBy,
  parseSignatureAlgorithm,
  SIGNING_SCHEMES,
  type SignatureAlgorithm,
} from "../../../pki/x509/signature.ts";
import { testKeyPair } from "../../support/test-certificate.ts";

const data = Buffer.from("what is signed");
const parse = (...fields: Uint8Array[]) =>
  parseSignatureAlgorithm(derSequence(...fields), (problem) => pkiError("CSR_INVALID", problem));

t.test("knows its algorithms, and no others", async (t) => {
  for (const oid of Object.values(SignatureOid)) {
    // RSA-PSS alone says nothing without its parameters: path.test.ts.
    const isKnown = parse(derObjectIdentifier(oid)) !== undefined;
    t.equal(isKnown, oid !== SignatureOid.rsaPss, oid);
  }
  const old = ["1.2.840.113549.1.1.5", "1.2.840.113549.1.1.4", "1.2.840.10045.4.1", "1.3.101.113"];
  for (const oid of old) t.equal(parse(derObjectIdentifier(oid)), undefined, oid);
});

t.test("takes NULL or no parameters for RSA and none for the others", async (t) => {
  const [rsa, ecdsa] = [SignatureOid.rsaSha256, SignatureOid.ecdsaSha256].map(derObjectIdentifier);
  const none = derElement(Tag.null);
  const invalid = { reason: "CSR_INVALID", code: 3 };
  if (rsa === undefined || ecdsa === undefined) throw new Error("no algorithms");
  t.equal(parse(rsa, none)?.hash, "sha256");
  t.throws(() => parse(rsa, derElement(Tag.null, Uint8Array.of(0))), invalid);
  t.throws(() => parse(rsa, none, none), invalid);
  t.throws(() => parse(rsa, derSequence()), invalid);
  t.throws(() => parse(ecdsa, none), invalid);
});

t.test("takes the parameters of RSA-PSS that are in use, and no others", async (t) => {
  const nothing = derElement(Tag.null);
  const hash = (oid: string, ...more: Uint8Array[]) =>
    derSequence(derObjectIdentifier(oid), ...more);
  const field = (number: number, value: Uint8Array) => derElement(contextTag(number, true), value);
  const number = (value: number) => derElement(Tag.integer, Uint8Array.of(value));
  const { sha256, sha384 } = HashOid;
  const of = (digest: Uint8Array, mask: Uint8Array, ...more: Uint8Array[]) =>
    parse(
      derObjectIdentifier(SignatureOid.rsaPss),
      derSequence(
        field(0, digest),
        field(1, derSequence(derObjectIdentifier(MGF1_OID), mask)),
        ...more,
      ),
    )?.name;
  const good = hash(sha256, nothing);
  const salt = field(2, number(32));
  const known = "RSA-PSS with sha256";
  t.equal(of(good, good, salt), known);
  t.equal(of(hash(sha256), hash(sha256), salt), known, "without NULL");
  t.equal(of(good, good, salt, field(3, number(1))), known, "the default, written out");
  t.equal(of(good, good, salt, field(3, number(2))), undefined, "another trailer");
  t.equal(of(good, good), undefined, "the default salt, 20");
  t.equal(of(good, hash(sha384, nothing), salt), undefined);
  t.equal(of(hash("1.2.3", nothing), good, salt), undefined);
  t.equal(of(hash(sha256, nothing, nothing), good, salt), undefined);
  t.equal(of(hash(sha256, derElement(Tag.null, Uint8Array.of(0))), good, salt), undefined);
  t.throws(() => of(good, good, salt, salt), { reason: "CSR_INVALID", code: 3 });
});

t.test("verifies with the right kind of key only, and never throws", async (t) => {
  const pair = testKeyPair();
  const signature = sign("sha256", data, pair.privateKey);
  const ecdsa: SignatureAlgorithm = { name: "ECDSA", keyKind: "ec", hash: "sha256" };
  t.ok(isSignedBy(pair.publicKey, ecdsa, data, signature));
  t.notOk(isSignedBy(pair.publicKey, ecdsa, Buffer.from("other"), signature));
  t.notOk(isSignedBy(pair.publicKey, ecdsa, data, signature.subarray(1)));
  t.notOk(isSignedBy(testKeyPair("rsa-2048").publicKey, ecdsa, data, signature));
  const unknownHash = { ...ecdsa, hash: "sha-none" as "sha256" };
  t.notOk(isSignedBy(pair.publicKey, unknownHash, data, signature));
});

t.test("signs with a hash as strong as the key", async (t) => {
  t.equal(SIGNING_SCHEMES["ec-p256"].hash, "sha256");
  t.equal(SIGNING_SCHEMES["ec-p384"].hash, "sha384");
  t.equal(SIGNING_SCHEMES["rsa-4096"].hash, "sha256");
});
