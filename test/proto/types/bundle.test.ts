import t from "tap";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { codecOf, type spire } from "../../../proto/schema.gen.ts";
import { bundleFromWire, bundleToWire, MAX_AUTHORITIES } from "../../../proto/types/bundle.ts";

type Wire = spire.api.types.Bundle;
const codec = codecOf("spire.api.types.Bundle");
const { spki } = generateP256KeyPair();
const KEY = { publicKey: spki, keyId: "k1", expiresAt: 1_900_000_000, tainted: true };
const decode = (bundle: Parameters<typeof codec.encode>[0]): Wire =>
  codec.decode(codec.encode(bundle));

t.test("a bundle goes to the wire and back unchanged", async (t) => {
  const wire = decode({
    trustDomain: "a.test",
    jwtAuthorities: [KEY],
    witAuthorities: [{ ...KEY, keyId: "w1", tainted: false }],
    refreshHint: 300,
    sequenceNumber: 7,
  });
  const bundle = bundleFromWire(wire);
  t.equal(bundle.sequence, 7n);
  t.equal(bundle.refreshHintSeconds, 300);
  t.match(bundle.jwtAuthorities[0], { keyId: "k1", tainted: true });
  t.match(bundle.witAuthorities, [{ keyId: "w1", tainted: false }]);
  t.equal(bundle.jwtAuthorities[0]?.expiresAt?.getTime(), 1_900_000_000_000);
  t.strictSame(bundleFromWire(decode(bundleToWire(bundle))), bundle);
});

t.test("a mask keeps the trust domain and what it names", async (t) => {
  const witAuthorities = [{ ...KEY, keyId: "w1" }];
  const bundle = bundleFromWire(
    decode({ trustDomain: "a.test", jwtAuthorities: [KEY], witAuthorities }),
  );
  t.match(bundleToWire(bundle, { sequenceNumber: true }), {
    trustDomain: "a.test",
    jwtAuthorities: [],
    witAuthorities: [],
    refreshHint: 0,
  });
  const wire = bundleToWire(bundle, { witAuthorities: true });
  t.match(wire, { jwtAuthorities: [], witAuthorities: [{ keyId: "w1", publicKey: spki }] });
});

const BAD: { name: string; bundle: Parameters<typeof decode>[0]; reason: string }[] = [
  { name: "no trust domain", bundle: {}, reason: "TRUST_DOMAIN_INVALID" },
  {
    name: "a key without ID",
    bundle: { trustDomain: "a.test", jwtAuthorities: [{ ...KEY, keyId: "" }] },
    reason: "AUTHORITY_MALFORMED",
  },
  {
    name: "a WIT key without ID",
    bundle: { trustDomain: "a.test", witAuthorities: [{ ...KEY, keyId: "" }] },
    reason: "AUTHORITY_MALFORMED",
  },
  {
    name: "a JWT key and a WIT key under one ID",
    bundle: { trustDomain: "a.test", jwtAuthorities: [KEY], witAuthorities: [KEY] },
    reason: "BUNDLE_INVALID",
  },
  {
    name: "a key that is none",
    bundle: { trustDomain: "a.test", jwtAuthorities: [{ ...KEY, publicKey: new Uint8Array(9) }] },
    reason: "KEY_INVALID",
  },
  {
    name: "a certificate that is none",
    bundle: { trustDomain: "a.test", x509Authorities: [{ asn1: new Uint8Array(9) }] },
    reason: "CERTIFICATE_INVALID",
  },
  {
    name: "too many authorities",
    bundle: { trustDomain: "a.test", jwtAuthorities: Array(MAX_AUTHORITIES + 1).fill(KEY) },
    reason: "AUTHORITY_MALFORMED",
  },
];
for (const { name, bundle, reason } of BAD) {
  t.test(`refuses ${name}`, async (t) => {
    t.throws(() => bundleFromWire(decode(bundle)), { reason, code: 3 });
  });
}
