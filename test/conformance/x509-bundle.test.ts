// X509-SVID s6: how a bundle carries the authorities of X509-SVIDs (X509-34 to 41).
import t from "tap";
import { type Bundle, emptyBundle } from "../../pki/bundle/bundle.ts";
import { formatBundle } from "../../pki/bundle/format.ts";
import { parseBundle } from "../../pki/bundle/parse.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import { formatPem } from "../../pki/x509/pem.ts";
import { validateX509Svid } from "../../pki/x509/svid.ts";
import { LaxAuthority } from "../support/lax-authority.ts";

type Jwk = Record<string, unknown>;

const now = new Date("2026-06-01T12:00:00Z");
const trustDomain = TrustDomain.parse("north.test");
const one = LaxAuthority.create();
const two = LaxAuthority.create({ keyKind: "rsa-2048" });
const bundleOf = (...authorities: LaxAuthority[]): Bundle => ({
  ...emptyBundle(trustDomain),
  x509Authorities: authorities.map(({ certificate }) => ({ der: certificate.der, tainted: false })),
});
const keysOf = (...authorities: LaxAuthority[]): Jwk[] =>
  JSON.parse(formatBundle(bundleOf(...authorities))).keys;
const read = (...keys: Jwk[]) => parseBundle(trustDomain, JSON.stringify({ keys }));
const base64 = ({ certificate }: LaxAuthority) => Buffer.from(certificate.der).toString("base64");

/** Whether an SVID of `authority` is accepted with this bundle. */
function isTrusted(bundle: Bundle, authority: LaxAuthority): boolean {
  const anchors = bundle.x509Authorities.map(({ der }) => parseCertificate(der));
  try {
    validateX509Svid(authority.issue("/db").chain, () => anchors, now);
    return true;
  } catch {
    return false;
  }
}

t.test("X509-34 publishes one JWK for each certificate", async (t) => {
  const keys = keysOf(one, two);
  t.equal(keys.length, 2);
  for (const key of keys) {
    t.equal(key["use"], "x509-svid");
    t.equal((key["x5c"] as string[]).length, 1, "never two certificates in one");
  }
});

t.test("X509-35 publishes no key ID on them", async (t) => {
  t.equal(keysOf(one, two).length, 2);
  for (const key of keysOf(one, two)) t.notOk("kid" in key, "not even an empty one");
});

t.test("X509-36 publishes the certificate in standard base64 of its DER", async (t) => {
  const [key] = keysOf(one);
  t.same(key?.["x5c"], [base64(one)]);
  const wrong = [
    formatPem("CERTIFICATE", one.certificate.der),
    Buffer.from(one.certificate.der).toString("base64url"),
    `${base64(one)}\n`,
  ];
  for (const x5c of wrong) {
    t.equal(read({ ...key, x5c: [x5c] }).x509Authorities.length, 0, "read by no other encoding");
  }
});

t.test("X509-37 publishes self-signed certificates, and uses others as anchors too", async (t) => {
  const { certificate } = one;
  t.same(certificate.issuerDer, certificate.subjectDer);
  t.ok(certificate.isSignedBy(certificate.publicKey));
  const below = one.intermediate();
  t.notOk(below.certificate.isSignedBy(below.certificate.publicKey));
  const bundle = read(...keysOf(below));
  t.ok(isTrusted(bundle, below));
  t.notOk(isTrusted(bundle, one), "what is above the anchor is not trusted");
});

t.test("X509-38 publishes the certificate's key in the JWK, and refuses another", async (t) => {
  const [ec, rsa] = keysOf(one, two);
  t.match(ec, { kty: "EC", crv: "P-256" });
  t.match(rsa, { kty: "RSA", e: "AQAB" });
  const { kty, crv, x, y } = one.certificate.publicKey.export({ format: "jwk" });
  t.match(ec, { kty, crv, x, y });
  t.equal(read({ ...rsa, x5c: ec?.["x5c"] }).x509Authorities.length, 0);
});

t.test("X509-39 skips an entry without certificate, and that entry only", async (t) => {
  const [first, second] = keysOf(one, two);
  const { x5c, ...none } = first ?? {};
  t.ok(x5c);
  for (const broken of [none, { ...first, x5c: [] }]) {
    const bundle = read(broken, second ?? {});
    t.notOk(isTrusted(bundle, one));
    t.ok(isTrusted(bundle, two));
  }
});

t.test("X509-40 uses the first of several certificates and ignores the others", async (t) => {
  const [key] = keysOf(one);
  const bundle = read({ ...key, x5c: [base64(one), base64(two)] });
  t.equal(bundle.x509Authorities.length, 1);
  t.ok(isTrusted(bundle, one));
  t.notOk(isTrusted(bundle, two));
});

t.test("X509-41 trusts every certificate of the bundle, and none without entries", async (t) => {
  const both = read(...keysOf(one, two));
  t.ok(isTrusted(both, one));
  t.ok(isTrusted(both, two));
  const empty = read();
  t.notOk(isTrusted(empty, one));
  t.notOk(isTrusted(empty, two));
});
