// X509-SVID: the rows that bind whoever issues (X509-01, 02, 05, 06, 08 to 25, 27, 42).
import t from "tap";
import { generateKeyPair, KEY_TYPES, signerOf } from "../../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { createCaCertificate } from "../../pki/x509/ca.ts";
import { type Certificate, KeyUsage, parseCertificate } from "../../pki/x509/certificate.ts";
import { DerReader, Tag } from "../../pki/x509/der.ts";
import { derSequence } from "../../pki/x509/der-writer.ts";
import { issueX509Leaf, type X509Issuer, type X509SvidRequest } from "../../pki/x509/issue.ts";
import { checkLeaf } from "../../pki/x509/leaf-profile.ts";
import { ExtensionOid, PurposeOid } from "../../pki/x509/oid.ts";
import { parseX509Svid, validateX509Svid } from "../../pki/x509/svid.ts";
import { LaxAuthority } from "../support/lax-authority.ts";
import { testKeyPair } from "../support/test-certificate.ts";

const now = new Date("2026-06-01T12:00:00Z");
const trustDomain = TrustDomain.parse("north.test");
const signer = signerOf("ca", testKeyPair());
const times = {
  notBefore: new Date("2026-06-01T11:59:50Z"),
  notAfter: new Date("2026-06-02T12:00:00Z"),
};
const subject = { country: "US", organization: "SPIRE" };
const ca = parseCertificate(await createCaCertificate({ signer, trustDomain, subject, ...times }));
const issuer: X509Issuer = { certificate: ca, upstreamChain: [], signer };
const spiffeId = SpiffeId.parse("spiffe://north.test/db");
const request: X509SvidRequest = { spki: testKeyPair().spki, spiffeId, ...times };
const issue = async (changes: Partial<X509SvidRequest> = {}, by = issuer): Promise<Certificate> =>
  await issueX509Leaf(by, { ...request, ...changes });
const leaf = await issue();
const north = LaxAuthority.create();
const validate = (chain: readonly Uint8Array[], anchor = north.certificate) =>
  validateX509Svid(chain, () => [anchor], now);
const criticality = (certificate: Certificate, oid: string) =>
  certificate.extensions.get(oid)?.critical;

/** The last check before an SVID leaves, given a leaf that differs from what was asked for. */
function emit(changes: Partial<Certificate>): void {
  const { subjectDer, serial, notBefore, notAfter, spki, subjectKeyId, authorityKeyId } = leaf;
  if (!subjectKeyId || !authorityKeyId) throw new Error("no key identifiers");
  checkLeaf(
    { ...leaf, ...changes },
    { algorithmDer: new Uint8Array(0), nameDer: leaf.issuerDer, keyId: authorityKeyId },
    {
      spiffeId,
      dnsNames: [],
      hasEmptySubject: false,
      keyUsage: KeyUsage.digitalSignature,
      subjectDer,
    },
    { serial, notBefore, notAfter, spki, keyId: subjectKeyId },
  );
}
const withheld = { reason: "SVID_PROFILE", code: 13 };
const withCriticality = (oid: string, critical: boolean): Partial<Certificate> => ({
  extensions: new Map(leaf.extensions).set(oid, { critical, value: new Uint8Array(0) }),
});
const without = (oid: string): Partial<Certificate> => ({
  extensions: new Map([...leaf.extensions].filter(([key]) => key !== oid)),
});

t.test("X509-01 carries the SPIFFE ID as a URI name, and finds it nowhere else", async (t) => {
  const names = leaf.extensions.get(ExtensionOid.subjectAltName)?.value ?? new Uint8Array(0);
  const reader = new DerReader(names, () => new TypeError() as never).enter(Tag.sequence);
  t.equal(reader.ascii(0x86), "spiffe://north.test/db");
  t.ok(reader.isAtEnd);
  const missing = { reason: "SVID_URI_SAN_COUNT", code: 3 };
  const inSubject = north.issue("/db", { uris: [], subject: { commonName: spiffeId.toString() } });
  t.throws(() => validate(inSubject.chain), missing);
  const inDns = north.issue("/db", { uris: [], dnsNames: [spiffeId.toString()] });
  t.throws(() => validate(inDns.chain), missing);
});

t.test("X509-02 issues exactly one URI name", async (t) => {
  t.same(leaf.uris, [spiffeId.toString()]);
  t.throws(() => emit({ uris: [spiffeId.toString(), "spiffe://north.test/web"] }), withheld);
  t.throws(() => emit({ uris: [] }), withheld);
});

t.test(
  "X509-05 takes other kinds of names in any number, and lets none smuggle a URI",
  async (t) => {
    const dnsNames = ["a.north.test", "b.north.test", "c"];
    const ipAddresses = [Uint8Array.of(10, 0, 0, 1)];
    t.doesNotThrow(() => validate(north.issue("/db", { dnsNames, ipAddresses }).chain));
    t.same((await issue({ dnsNames })).dnsNames, dnsNames);
    for (const name of ["spiffe://north.test/admin", "a\u0086\u0005https", "a,URI:x"]) {
      await t.rejects(issue({ dnsNames: [name] }), { reason: "DNS_NAME_INVALID", code: 3 });
    }
  },
);

t.test("X509-06 issues leaves with a path only", async (t) => {
  t.equal(leaf.uris[0], "spiffe://north.test/db");
  const root = SpiffeId.parse("spiffe://north.test");
  await t.rejects(issue({ spiffeId: root }), { reason: "SVID_PATH_MISSING", code: 3 });
});

t.test("X509-08 makes the names critical when the subject is empty", async (t) => {
  const empty = await issue({ hasEmptySubject: true });
  t.ok(empty.hasEmptySubject);
  t.equal(criticality(empty, ExtensionOid.subjectAltName), true);
  t.throws(() => emit({ subjectDer: derSequence() }), withheld, "empty, and not critical");
});

t.test("X509-09 accepts an empty subject, and needs no common name", async (t) => {
  t.doesNotThrow(() => validate(north.issue("/db", { subject: {}, sanCritical: true }).chain));
  t.doesNotThrow(() => validate([leaf.der], ca));
  t.throws(() => emit({ subjectDer: Uint8Array.of(1) }), withheld, "a subject nobody asked for");
});

t.test("X509-10 marks authorities as such and leaves not", async (t) => {
  t.equal(ca.isCa, true);
  t.match(leaf, { isCa: false, hasBasicConstraints: true });
  t.throws(() => emit({ isCa: true }), withheld);
});

t.test("X509-11 honours a limit on the length of the path", async (t) => {
  const limited = LaxAuthority.create({ pathLen: 0 });
  t.doesNotThrow(() => validate(limited.issue("/db").chain, limited.certificate));
  const { chain } = limited.intermediate().issue("/db");
  t.throws(() => validate(chain, limited.certificate), { reason: "SVID_PATH_LENGTH", code: 3 });
});

t.test("X509-12 sets a critical key usage on every SVID", async (t) => {
  for (const certificate of [ca, leaf])
    t.equal(criticality(certificate, ExtensionOid.keyUsage), true);
  t.throws(() => emit(withCriticality(ExtensionOid.keyUsage, false)), withheld);
  t.throws(() => emit({ ...without(ExtensionOid.keyUsage), keyUsage: undefined }), withheld);
});

t.test("X509-13 sets keyCertSign on authorities, which are none without it", async (t) => {
  t.ok((ca.keyUsage ?? 0) & KeyUsage.keyCertSign);
  const idle = LaxAuthority.create({ keyUsage: KeyUsage.cRLSign });
  const { chain } = idle.issue("/db");
  t.throws(() => validate(chain, idle.certificate), {
    reason: "SVID_INTERMEDIATE_NOT_CA",
    code: 3,
  });
});

t.test("X509-14 takes authorities with and without cRLSign, and no leaf with it", async (t) => {
  for (const keyUsage of [KeyUsage.keyCertSign, KeyUsage.keyCertSign | KeyUsage.cRLSign]) {
    const authority = LaxAuthority.create({ keyUsage });
    t.doesNotThrow(() => validate(authority.issue("/db").chain, authority.certificate));
  }
  t.throws(() => emit({ keyUsage: KeyUsage.digitalSignature | KeyUsage.cRLSign }), withheld);
});

t.test("X509-15 keeps the bits of leaves off authorities, whatever their key", async (t) => {
  const allowed = KeyUsage.keyCertSign | KeyUsage.cRLSign;
  for (const keyType of KEY_TYPES) {
    const by = signerOf("ca", await generateKeyPair(keyType));
    const der = await createCaCertificate({ signer: by, trustDomain, subject, ...times });
    const { keyUsage = 0 } = parseCertificate(der);
    t.equal(keyUsage & allowed, allowed);
    t.equal(
      keyUsage & ~allowed,
      0,
      `no digitalSignature, keyEncipherment, keyAgreement: ${keyType}`,
    );
  }
});

t.test("X509-16 sets digitalSignature on leaves, and loads none without it", async (t) => {
  t.ok((leaf.keyUsage ?? 0) & KeyUsage.digitalSignature);
  const { chain, privateKey } = north.issue("/db", { keyUsage: KeyUsage.keyAgreement });
  t.throws(() => parseX509Svid(chain, privateKey), { reason: "SVID_KEY_USAGE", code: 3 });
});

t.test("X509-17 accepts encipherment and agreement bits, and gives EC keys none", async (t) => {
  for (const extra of [0, KeyUsage.keyEncipherment, KeyUsage.keyAgreement]) {
    for (const more of [extra, extra | KeyUsage.keyAgreement]) {
      const keyUsage = KeyUsage.digitalSignature | more;
      t.doesNotThrow(() => validate(north.issue("/db", { keyUsage }).chain));
    }
  }
  t.equal(leaf.keyUsage, KeyUsage.digitalSignature);
  const p384 = await issue({ spki: testKeyPair("ec-p384").spki });
  t.equal(p384.keyUsage, KeyUsage.digitalSignature);
});

t.test("X509-18 never lets a leaf sign certificates or revocation lists", async (t) => {
  t.equal((leaf.keyUsage ?? 0) & (KeyUsage.keyCertSign | KeyUsage.cRLSign), 0);
  for (const bit of [KeyUsage.keyCertSign, KeyUsage.cRLSign]) {
    t.throws(() => emit({ keyUsage: KeyUsage.digitalSignature | bit }), withheld);
  }
});

t.test("X509-19 lists purposes on leaves, and accepts them critical or absent", async (t) => {
  t.ok(leaf.extensions.has(ExtensionOid.extKeyUsage));
  t.doesNotThrow(() => validate(north.issue("/db", { extKeyUsageCritical: true }).chain));
  t.doesNotThrow(() => validate(north.issue("/db", { extKeyUsage: null }).chain));
  t.throws(() => emit({ ...without(ExtensionOid.extKeyUsage), extKeyUsage: undefined }), withheld);
});

t.test("X509-20 lists both serverAuth and clientAuth", async (t) => {
  const { serverAuth, clientAuth } = PurposeOid;
  t.same(leaf.extKeyUsage, [serverAuth, clientAuth]);
  for (const only of [serverAuth, clientAuth])
    t.throws(() => emit({ extKeyUsage: [only] }), withheld);
});

t.test("X509-21 lists no purposes on authorities, which would limit their leaves", async (t) => {
  t.notOk(ca.extensions.has(ExtensionOid.extKeyUsage));
  const narrow = LaxAuthority.create({ extKeyUsage: [PurposeOid.serverAuth] });
  t.doesNotThrow(() => validate(narrow.issue("/db").chain, narrow.certificate));
});

t.test("X509-22 makes authorities SVIDs with one URI name, and accepts them without", async (t) => {
  t.same(ca.uris, ["spiffe://north.test"]);
  const nameless = LaxAuthority.create({ uris: [] });
  t.doesNotThrow(() => validate(nameless.issue("/db").chain, nameless.certificate));
  const two = LaxAuthority.create({ uris: ["spiffe://north.test", "spiffe://south.test"] });
  await t.rejects(issue({}, two.issuer()), { reason: "SVID_URI_SAN_COUNT", code: 3 });
});

t.test("X509-23 gives authorities an ID without path", async (t) => {
  t.same(ca.uris, ["spiffe://north.test"]);
  const withPath = LaxAuthority.create({ uris: ["spiffe://north.test/ca"] });
  await t.rejects(issue({}, withPath.issuer()), { reason: "SVID_SPIFFE_ID_INVALID", code: 3 });
});

t.test("X509-24 issues only in the trust domain of the authority's own ID", async (t) => {
  t.equal(SpiffeId.parse(leaf.uris[0] ?? "").trustDomain.id, ca.uris[0]);
  const foreign = SpiffeId.parse("spiffe://south.test/db");
  await t.rejects(issue({ spiffeId: foreign }), { reason: "SVID_TRUST_DOMAIN_FOREIGN", code: 3 });
});

t.test(
  "X509-25 issues below other authorities, whose certificates must be sent along",
  async (t) => {
    const below = north.intermediate().intermediate();
    const by = below.issuer();
    const { der } = await issueX509Leaf(by, request);
    t.equal(by.upstreamChain.length, 2);
    t.doesNotThrow(() => validate([der, ...by.upstreamChain]));
    const untrusted = { reason: "SVID_UNTRUSTED", code: 3 };
    t.throws(() => validate([der]), untrusted);
    t.throws(() => validate([der, ...by.upstreamChain.slice(0, 1)]), untrusted);
  },
);

t.test("X509-27 sets no name constraints, in authorities and leaves alike", async (t) => {
  t.notOk(ca.extensions.has(ExtensionOid.nameConstraints));
  t.notOk(leaf.extensions.has(ExtensionOid.nameConstraints));
  const extensions = new Map(leaf.extensions);
  extensions.set(ExtensionOid.nameConstraints, { critical: true, value: derSequence() });
  t.throws(() => emit({ extensions }), withheld);
});

t.test("X509-42 follows RFC 5280: version, serial, key identifiers, lifetime, times", async (t) => {
  const never = (problem: string) => new Error(problem) as never;
  for (const certificate of [ca, leaf]) {
    const body = new DerReader(certificate.tbs, never).enter(Tag.sequence);
    t.equal(body.enter(0xa0).smallInteger(), 2, "version 3");
    t.ok(body.integer().length <= 20, "serial number of at most 20 octets");
    t.ok(BigInt(certificate.serialDecimal) > 0n, "positive serial number");
  }
  t.same(leaf.authorityKeyId, ca.subjectKeyId);
  t.equal(leaf.subjectKeyId?.length, 20);
  t.not((await issue()).serialHex, leaf.serialHex, "unique");
  const capped = await issue({ notAfter: new Date("2040-01-01T00:00:00Z") });
  t.same(capped.notAfter, ca.notAfter, "a longer lifetime is cut to the authority's");
  t.throws(() => emit({ serial: Uint8Array.of(0) }), withheld);
  t.throws(() => parseCertificate(north.issue("/x", { serial: Uint8Array.of(0x80) }).leaf.der), {
    reason: "CERTIFICATE_INVALID",
    code: 3,
  });
  const far = LaxAuthority.create({ notAfter: new Date("2060-01-01T00:00:00Z") }).issuer();
  for (const [end, tag] of [
    ["2049-12-31T23:59:59Z", Tag.utcTime],
    ["2050-01-01T00:00:00Z", Tag.generalizedTime],
  ] as const) {
    const { tbs, notAfter } = await issueX509Leaf(far, { ...request, notAfter: new Date(end) });
    t.same(notAfter, new Date(end));
    const body = new DerReader(tbs, never).enter(Tag.sequence);
    for (let i = 0; i < 4; i += 1) body.element();
    const validity = body.enter(Tag.sequence);
    validity.element();
    t.equal(validity.peekTag(), tag, end);
  }
});
