import t from "tap";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import type { Certificate } from "../../../pki/x509/certificate.ts";
import { KeyUsage } from "../../../pki/x509/certificate.ts";
import { derCrlPoints } from "../../../pki/x509/extensions-writer.ts";
import { issueX509Leaf } from "../../../pki/x509/issue.ts";
import { checkLeaf } from "../../../pki/x509/leaf-profile.ts";
import { LaxAuthority } from "../../support/lax-authority.ts";
import { testKeyPair } from "../../support/test-certificate.ts";

const authority = LaxAuthority.create();
const spiffeId = SpiffeId.parse("spiffe://north.test/db");
const notBefore = new Date("2026-06-01T12:00:00Z");
const notAfter = new Date("2026-06-01T13:00:00Z");
const { spki } = testKeyPair();
const leaf = await issueX509Leaf(authority.issuer(), { spki, spiffeId, notBefore, notAfter });
const keyId = leaf.subjectKeyId ?? new Uint8Array(0);
const issuer = {
  algorithmDer: new Uint8Array(0),
  nameDer: leaf.issuerDer,
  keyId: leaf.authorityKeyId ?? new Uint8Array(0),
};
const profile = {
  spiffeId,
  dnsNames: [],
  hasEmptySubject: false,
  subjectDer: leaf.subjectDer,
  keyUsage: KeyUsage.digitalSignature,
};
const fields = { serial: leaf.serial, notBefore, notAfter, spki, keyId };
const check = (changes: Partial<Certificate>) =>
  checkLeaf({ ...leaf, ...changes }, issuer, profile, fields);

function withExtension(oid: string, critical: boolean | undefined): Partial<Certificate> {
  const extensions = new Map(leaf.extensions);
  if (critical === undefined) extensions.delete(oid);
  else extensions.set(oid, { critical, value: new Uint8Array(0) });
  return { extensions };
}

const other = Uint8Array.of(7);
const rows: [string, Partial<Certificate>][] = [
  ["serial number", { serial: other }],
  ["issuer", { issuerDer: other }],
  ["subject", { subjectDer: other }],
  ["start of validity", { notBefore: notAfter }],
  ["end of validity", { notAfter: notBefore }],
  ["public key", { spki: testKeyPair().spki }],
  ["subject key identifier", { subjectKeyId: other }],
  ["authority key identifier", { authorityKeyId: undefined }],
  ["URI names", { uris: [spiffeId.toString(), spiffeId.toString()] }],
  ["DNS names", { dnsNames: ["a"] }],
  ["it is an authority", { isCa: true }],
  ["key usage", { keyUsage: KeyUsage.digitalSignature | KeyUsage.keyCertSign }],
  ["extended key usage", { extKeyUsage: ["1.3.6.1.5.5.7.3.1"] }],
  ["extended key usage", { extKeyUsage: undefined }],
  ["extensions", withExtension("1.2.3", false)],
  ["extensions", withExtension("2.5.29.37", undefined)],
  ["alternative name", withExtension("2.5.29.17", true)],
  ["a critical extension", withExtension("2.5.29.15", false)],
  ["an extension", withExtension("2.5.29.37", true)],
];

t.test("accepts a leaf that is what was asked for", async (t) => {
  t.doesNotThrow(() => check({}));
});

t.test("stops a leaf that differs in any respect from what was asked for", async (t) => {
  for (const [problem, changes] of rows) {
    const message = `the SVID made for "${spiffeId}" is wrong: ${problem}`;
    t.throws(() => check(changes), { reason: "SVID_PROFILE", code: 13, message }, problem);
  }
});

t.test("stops a leaf whose revocation list's address is not the authority's", async (t) => {
  const crlPointsDer = derCrlPoints("http://ca.north.test/1.crl");
  const withPoints = { ...issuer, crlPointsDer };
  const checkWith = (value: Uint8Array | undefined, critical = false) => {
    const extensions = new Map(leaf.extensions);
    if (value) extensions.set("2.5.29.31", { critical, value });
    checkLeaf({ ...leaf, extensions }, withPoints, profile, fields);
  };
  const wrong = { reason: "SVID_PROFILE", code: 13 };
  t.doesNotThrow(() => checkWith(crlPointsDer));
  t.throws(() => checkWith(undefined), wrong);
  t.throws(() => checkWith(crlPointsDer, true), wrong);
  t.throws(() => checkWith(derCrlPoints("http://ca.north.test/2.crl")), wrong);
  t.throws(() => check(withExtension("2.5.29.31", false)), wrong, "an address that nobody set");
});
