import "reflect-metadata"; // the certificate library wants it loaded first

import { X509Certificate as NodeCertificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import t from "tap";
import { generateKeyPair, KEY_TYPES, signerOf } from "../../../pki/keys.ts";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import { KeyUsage, parseCertificate } from "../../../pki/x509/certificate.ts";
import { issueX509Leaf, issueX509Svid, type X509SvidRequest } from "../../../pki/x509/issue.ts";
import { validateX509Svid } from "../../../pki/x509/svid.ts";
import { LaxAuthority } from "../../support/lax-authority.ts";
import { testKeyPair } from "../../support/test-certificate.ts";

const now = new Date("2026-06-01T12:00:00.500Z");
const notBefore = new Date("2026-06-01T11:59:50.500Z");
const notAfter = new Date("2026-06-01T13:00:00.500Z");
const id = SpiffeId.parse("spiffe://north.test/db");
const authority = LaxAuthority.create();
const issuer = authority.issuer();
const pair = testKeyPair();
const request: X509SvidRequest = { spki: pair.spki, spiffeId: id, notBefore, notAfter };

async function issue(changes: Partial<X509SvidRequest> = {}, by = issuer): Promise<Uint8Array> {
  return await issueX509Svid(by, { ...request, ...changes });
}

t.test("issues for every kind of key under every kind of authority", async (t) => {
  for (const keyType of KEY_TYPES) {
    const keyPair = await generateKeyPair(keyType);
    const root = keyType === "rsa-4096" ? authority : LaxAuthority.create({ keyPair });
    for (const leafKind of ["ec-p256", "ec-p384", "rsa-2048"] as const) {
      const spki = testKeyPair(leafKind).spki;
      // Twice: the first fills the template, the second reuses it.
      for (let round = 0; round < 2; round += 1) {
        const der = await issue({ spki, dnsNames: ["db.north.test", "db"] }, root.issuer());
        const node = new NodeCertificate(der);
        t.ok(node.verify(root.keyPair.publicKey), `${keyType} signs ${leafKind}`);
        t.ok(node.checkIssued(new NodeCertificate(root.certificate.der)));
        t.equal(node.subjectAltName, "URI:spiffe://north.test/db, DNS:db.north.test, DNS:db");
        t.equal(node.subject, "C=US\nO=SPIRE\nCN=db.north.test");
        t.equal(node.validTo, "Jun  1 13:00:00 2026 GMT");
        t.same(validateX509Svid([der], () => [root.certificate], now).id, id);
      }
    }
  }
});

t.test("gives the certificate its profile, as another reader sees it", async (t) => {
  const other = new x509.X509Certificate(Uint8Array.from(await issue()));
  const usage = other.getExtension(x509.KeyUsagesExtension);
  t.match(usage, { critical: true, usages: x509.KeyUsageFlags.digitalSignature });
  const purposes = other.getExtension(x509.ExtendedKeyUsageExtension);
  t.match(purposes, { critical: false, usages: ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"] });
  t.match(other.getExtension(x509.BasicConstraintsExtension), { critical: true, ca: false });
  const subjectKeyId = await x509.SubjectKeyIdentifierExtension.create(other.publicKey);
  const found = other.getExtension(x509.SubjectKeyIdentifierExtension);
  t.equal(found?.keyId, subjectKeyId.keyId);
  t.equal(
    other.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId,
    Buffer.from(authority.certificate.subjectKeyId ?? []).toString("hex"),
  );
  t.equal(other.extensions.length, 6);
  const rsa = parseCertificate(await issue({ spki: testKeyPair("rsa-2048").spki }));
  t.equal(rsa.keyUsage, KeyUsage.digitalSignature | KeyUsage.keyEncipherment);
});

t.test("gives every certificate its own positive serial number of 16 bytes", async (t) => {
  const serials = new Set<string>();
  for (let i = 0; i < 600; i += 1) serials.add((await issueX509Leaf(issuer, request)).serialHex);
  t.equal(serials.size, 600);
  for (const serial of serials) t.match(serial, /^[4-7][0-9a-f]{31}$/);
});

t.test("leaves out a common name that would be too long for one", async (t) => {
  const name = `${"a".repeat(60)}.north.test`;
  const leaf = new NodeCertificate(await issue({ dnsNames: [name] }));
  t.equal(leaf.subject, "C=US\nO=SPIRE");
  t.equal(leaf.subjectAltName, `URI:${id}, DNS:${name}`);
});

t.test("makes the alternative name critical when the subject is empty", async (t) => {
  const leaf = parseCertificate(await issue({ hasEmptySubject: true }));
  t.ok(leaf.hasEmptySubject);
  t.equal(leaf.extensions.get("2.5.29.17")?.critical, true);
  t.equal(parseCertificate(await issue()).extensions.get("2.5.29.17")?.critical, false);
});

t.test("cuts the lifetime to the end of the authority and of the chain above it", async (t) => {
  const early = new Date("2026-06-01T12:30:00Z");
  const short = LaxAuthority.create({ notAfter: early });
  t.same(parseCertificate(await issue({}, short.issuer())).notAfter, early);
  const below = LaxAuthority.create().intermediate({ notAfter: early }).intermediate();
  t.same(parseCertificate(await issue({}, below.issuer())).notAfter, early);
  const over = LaxAuthority.create({ notAfter: notBefore });
  await t.rejects(issue({}, over.issuer()), { reason: "AUTHORITY_EXPIRED", code: 9 });
});

t.test("writes times after 2049, also from a template filled before", async (t) => {
  const far = LaxAuthority.create({ notAfter: new Date("2070-01-01T00:00:00Z") }).issuer();
  await issue({}, far);
  const end = new Date("2060-01-01T00:00:00Z");
  t.same(parseCertificate(await issue({ notAfter: end }, far)).notAfter, end);
});

t.test("keeps issuing when there are more entries than templates", async (t) => {
  const by = LaxAuthority.create().issuer();
  for (let i = 0; i < 4100; i += 1) await issue({ dnsNames: [`d${i}`] }, by);
  t.same(parseCertificate(await issue({}, by)).uris, [id.toString()]);
});

t.test("issues IDs of 2048 bytes", async (t) => {
  const spiffeId = SpiffeId.parse(`spiffe://north.test/${"a".repeat(2028)}`);
  t.same(parseCertificate(await issue({ spiffeId })).uris, [spiffeId.toString()]);
});

t.test("identifies an authority without subject key identifier by its key", async (t) => {
  const by = LaxAuthority.create({ withoutKeyIds: true });
  const leaf = parseCertificate(await issue({}, by.issuer()));
  t.equal(leaf.authorityKeyId?.length, 20);
});

t.test("refuses what it must not issue", async (t) => {
  const root = SpiffeId.parse("spiffe://north.test");
  const foreign = SpiffeId.parse("spiffe://south.test/db");
  const rows: [string, Partial<X509SvidRequest>, string][] = [
    ["the trust domain's own ID", { spiffeId: root }, "SVID_PATH_MISSING"],
    ["an ID of another trust domain", { spiffeId: foreign }, "SVID_TRUST_DOMAIN_FOREIGN"],
    ["a URI as DNS name", { dnsNames: ["spiffe://north.test/x"] }, "DNS_NAME_INVALID"],
    ["1001 DNS names", { dnsNames: Array(1001).fill("a") }, "DNS_NAME_INVALID"],
    ["a key that is none", { spki: Uint8Array.of(1, 2) }, "KEY_INVALID"],
  ];
  for (const [name, changes, reason] of rows) {
    await t.rejects(issue(changes), { reason, code: 3 }, name);
  }
  await t.rejects(issue({ notAfter: notBefore }), TypeError, "no lifetime at all");
});

t.test("issues for any trust domain under an authority that names none", async (t) => {
  const by = LaxAuthority.create({ uris: [] }).issuer();
  t.same(parseCertificate(await issue({}, by)).uris, [id.toString()]);
});

t.test("refuses authorities whose own names are wrong", async (t) => {
  const rows: [string[], string][] = [
    [["spiffe://north.test", "spiffe://south.test"], "SVID_URI_SAN_COUNT"],
    [["spiffe://north.test/ca"], "SVID_SPIFFE_ID_INVALID"],
    [["https://north.test"], "SPIFFE_ID_INVALID"],
  ];
  for (const [uris, reason] of rows) {
    const by = LaxAuthority.create({ uris }).issuer();
    await t.rejects(issue({}, by), { reason, code: 3 }, reason);
  }
});

t.test("refuses a signer that does not hold the authority's key", async (t) => {
  const signer = signerOf("other", testKeyPair());
  await t.rejects(issue({}, { ...issuer, signer }), TypeError);
});

t.test("says where the authority's revocation list is", async (t) => {
  const crlUrl = "http://ca.north.test:8080/crl/ab12.crl";
  const read = (der: Uint8Array) =>
    new x509.X509Certificate(Uint8Array.from(der)).getExtension(
      x509.CRLDistributionPointsExtension,
    );
  const dnsNames = ["db.north.test"];
  for (const changes of [{}, { dnsNames }, { dnsNames, hasEmptySubject: true }]) {
    const points = read(await issue(changes, { ...issuer, crlUrl }));
    t.equal(points?.critical, false);
    t.equal(points?.distributionPoints.length, 1);
    const name = points?.distributionPoints[0]?.distributionPoint?.fullName;
    t.same(
      name?.map((part) => part.uniformResourceIdentifier),
      [crlUrl],
    );
  }
  t.equal(read(await issue()), null, "none unless configured");
  const bad = ["https://ca.north.test/1.crl", "ldap://x", "http://", "http://a b", "http://ü", ""];
  for (const url of bad) {
    await t.rejects(issue({}, { ...issuer, crlUrl: url }), TypeError, url);
  }
});
