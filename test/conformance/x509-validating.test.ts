// X509-SVID: the rows that bind whoever validates (X509-03, 04, 07, 26, 28 to 33, 43).
import t from "tap";
import { KeyUsage, parseCertificate } from "../../pki/x509/certificate.ts";
import { parseX509Svid, validateX509Svid } from "../../pki/x509/svid.ts";
import { LaxAuthority, type LaxLeafOptions, type LaxSvid } from "../support/lax-authority.ts";

const now = new Date("2026-06-01T12:00:00Z");
const north = LaxAuthority.create();
const south = LaxAuthority.create({ trustDomain: "south.test" });
const validate = (chain: readonly Uint8Array[], anchors = [north.certificate]) =>
  validateX509Svid(chain, ({ name }) => (name === "north.test" ? anchors : []), now);
const withLeaf = (options: LaxLeafOptions) => validate(north.issue("/db", options).chain);
const refusal = (reason: string) => ({ reason, code: 3 });

t.test("X509-03 rejects more than one URI name", async (t) => {
  const id = "spiffe://north.test/db";
  t.doesNotThrow(() => withLeaf({ uris: [id] }));
  for (const second of ["spiffe://north.test/web", "https://north.test/db", id]) {
    t.throws(() => withLeaf({ uris: [id, second] }), refusal("SVID_URI_SAN_COUNT"), second);
    t.throws(() => withLeaf({ uris: [second, id] }), refusal("SVID_URI_SAN_COUNT"), second);
  }
});

t.test("X509-04 rejects a leaf without URI name", async (t) => {
  t.doesNotThrow(() => withLeaf({ dnsNames: ["db.north.test"] }));
  const missing = refusal("SVID_URI_SAN_COUNT");
  t.throws(() => withLeaf({ uris: [], dnsNames: ["db.north.test"] }), missing);
  t.throws(() => withLeaf({ uris: [] }), missing, "no alternative name at all");
});

t.test("X509-07 rejects a leaf whose ID has no path", async (t) => {
  t.equal(validate(north.issue("/db").chain).id.path, "/db");
  const root = north.issue("", {});
  t.same(root.leaf.uris, ["spiffe://north.test"]);
  t.throws(() => validate(root.chain), refusal("SVID_PATH_MISSING"));
  t.throws(() => parseX509Svid(root.chain, root.privateKey), refusal("SVID_PATH_MISSING"));
});

t.test("X509-26 rejects an authority's certificate as an identity", async (t) => {
  t.doesNotThrow(() => validate(north.issue("/db").chain));
  t.throws(() => validate([north.certificate.der]), refusal("SVID_LEAF_IS_CA"));
  t.throws(() => validate(north.intermediate().chain), refusal("SVID_LEAF_IS_CA"));
});

t.test("X509-28 validates the path as RFC 5280 says", async (t) => {
  const middle = north.intermediate();
  t.doesNotThrow(() => validate(north.issue("/db").chain));
  t.doesNotThrow(() => validate(middle.issue("/db").chain));
  t.doesNotThrow(() => validate(middle.intermediate().issue("/db").chain));
  const past = new Date("2026-01-01T00:00:00Z");
  const future = new Date("2027-01-01T00:00:00Z");
  const stranger = LaxAuthority.create().keyPair.privateKey;
  const unknown = { oid: "1.3.6.1.4.1.65980.9", critical: true, value: Uint8Array.of(5, 0) };
  const noCa = north.intermediate({ isCa: false });
  const noSign = north.intermediate({ keyUsage: KeyUsage.cRLSign });
  const limited = north.intermediate({ pathLen: 0 });
  const over = north.intermediate({ notAfter: past });
  const early = north.intermediate({ notBefore: future });
  const rows: [string, LaxSvid, string][] = [
    ["expired", north.issue("/db", { notAfter: past }), "SVID_EXPIRED"],
    ["not yet valid", north.issue("/db", { notBefore: future }), "SVID_NOT_YET_VALID"],
    ["a bad signature", north.issue("/db", { signWith: stranger }), "SVID_UNTRUSTED"],
    ["another issuer", north.issue("/db", { issuerName: { commonName: "x" } }), "SVID_UNTRUSTED"],
    ["an intermediate without cA", noCa.issue("/db"), "SVID_INTERMEDIATE_NOT_CA"],
    ["an intermediate without keyCertSign", noSign.issue("/db"), "SVID_INTERMEDIATE_NOT_CA"],
    ["an intermediate that has expired", over.issue("/db"), "SVID_EXPIRED"],
    ["an intermediate that is not valid yet", early.issue("/db"), "SVID_NOT_YET_VALID"],
    ["too many below", limited.intermediate().issue("/db"), "SVID_PATH_LENGTH"],
    ["an unknown extension", north.issue("/db", { extra: [unknown] }), "SVID_CRITICAL_EXTENSION"],
  ];
  for (const [name, { chain }, reason] of rows)
    t.throws(() => validate(chain), refusal(reason), name);
  for (const [options, reason] of [
    [{ notAfter: past }, "SVID_EXPIRED"],
    [{ notBefore: future }, "SVID_NOT_YET_VALID"],
    [{ extra: [unknown] }, "SVID_CRITICAL_EXTENSION"],
    [{ isCa: false }, "SVID_INTERMEDIATE_NOT_CA"],
  ] as const) {
    const root = LaxAuthority.create(options);
    const { chain } = root.issue("/db");
    t.throws(
      () => validate(chain, [root.certificate]),
      refusal(reason),
      `an authority with ${reason}`,
    );
  }
  const [leaf = new Uint8Array()] = middle.issue("/db").chain;
  t.throws(() => validate([leaf]), refusal("SVID_UNTRUSTED"), "a missing intermediate");
  t.throws(() => validate([]), refusal("SVID_CHAIN_EMPTY"), "no certificate");
});

t.test("X509-29 rejects a leaf that is an authority", async (t) => {
  t.doesNotThrow(() => withLeaf({ isCa: false }));
  t.doesNotThrow(() => withLeaf({ isCa: null }), "no basic constraints");
  t.throws(() => withLeaf({ isCa: true }), refusal("SVID_LEAF_IS_CA"));
});

t.test("X509-30 rejects a leaf with keyCertSign", async (t) => {
  t.doesNotThrow(() => withLeaf({ keyUsage: KeyUsage.digitalSignature }));
  const keyUsage = KeyUsage.digitalSignature | KeyUsage.keyCertSign;
  t.throws(() => withLeaf({ keyUsage }), refusal("SVID_KEY_USAGE"));
});

t.test("X509-31 rejects a leaf with cRLSign", async (t) => {
  t.doesNotThrow(() => withLeaf({ keyUsage: KeyUsage.digitalSignature }));
  const keyUsage = KeyUsage.digitalSignature | KeyUsage.cRLSign;
  t.throws(() => withLeaf({ keyUsage }), refusal("SVID_KEY_USAGE"));
});

t.test("X509-32 rejects a URI name that is no SPIFFE ID", async (t) => {
  t.doesNotThrow(() => withLeaf({ uris: ["spiffe://north.test/db"] }));
  const others = ["https://north.test/db", "sp1ffe://north.test/db", "spiffe://North.test/db"];
  for (const uri of [...others, "SPIFFE://north.test/db", "spiffe://north.test/a/../b", ""]) {
    t.throws(() => withLeaf({ uris: [uri] }), refusal("SVID_SPIFFE_ID_INVALID"), uri);
  }
});

t.test("X509-33 trusts only the authorities of the leaf's own trust domain", async (t) => {
  const { chain } = north.issue("/db");
  t.doesNotThrow(() => validate(chain));
  t.throws(() => validate(chain, [south.certificate]), refusal("SVID_UNTRUSTED"), "filed wrongly");
  const impostor = south.issue("/db", { uris: ["spiffe://north.test/db"] });
  const bundles = new Map([
    ["north.test", [north.certificate]],
    ["south.test", [south.certificate]],
  ]);
  const perDomain = (found: readonly Uint8Array[]) =>
    validateX509Svid(found, ({ name }) => bundles.get(name), now);
  t.equal(perDomain(south.issue("/db").chain).id.trustDomain.name, "south.test");
  t.throws(() => perDomain(impostor.chain), refusal("SVID_UNTRUSTED"), "roots are never pooled");
  const west = north.issue("/db", { uris: ["spiffe://west.test/db"] });
  t.throws(() => perDomain(west.chain), refusal("SVID_TRUST_DOMAIN_UNKNOWN"));
});

t.test("X509-43 verifies RSA, ECDSA and Ed25519 leaves alike", async (t) => {
  for (const keyKind of ["ec-p256", "ec-p384", "ec-p521", "rsa-2048", "ed25519"] as const) {
    const authority = LaxAuthority.create({ keyKind });
    const { chain } = authority.issue("/db", { keyKind });
    t.doesNotThrow(() => validate(chain, [authority.certificate]), keyKind);
    const [leaf = new Uint8Array()] = chain;
    const forged = Uint8Array.from(leaf);
    forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
    t.doesNotThrow(() => parseCertificate(forged));
    t.throws(() => validate([forged], [authority.certificate]), refusal("SVID_UNTRUSTED"), keyKind);
  }
});
