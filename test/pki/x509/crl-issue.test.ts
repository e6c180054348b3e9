import "reflect-metadata";
import { X509Crl } from "@peculiar/x509";
import t from "tap";
import { generateKeyPair, KEY_TYPES, signerOf } from "../../../pki/keys.ts";
import { KeyUsage } from "../../../pki/x509/certificate.ts";
import { MAX_CRL_ENTRIES, parseCrl } from "../../../pki/x509/crl.ts";
import { issueCrl, type RevokedCertificate } from "../../../pki/x509/crl-issue.ts";
import { keyIdentifier } from "../../../pki/x509/key-identifier.ts";
import { LaxAuthority } from "../../support/lax-authority.ts";

const thisUpdate = new Date("2026-06-01T00:00:00Z");
const nextUpdate = new Date("2026-06-02T00:00:00Z");
const revokedAt = new Date("2026-05-31T23:59:59Z");
const request = (authority: LaxAuthority, revoked: readonly RevokedCertificate[], number = 1n) => ({
  issuer: authority.issuer(),
  number,
  thisUpdate,
  nextUpdate,
  revoked,
});

t.test("makes lists with every kind of key", async (t) => {
  for (const keyType of KEY_TYPES) {
    const keyPair = await generateKeyPair(keyType);
    const authority = LaxAuthority.create({ keyPair });
    const { leaf } = authority.issue("/db");
    const revoked = [{ serial: leaf.serialHex, revokedAt, reason: "superseded" } as const];
    const made = issueCrl(request(authority, revoked, 2n ** 64n));
    t.equal(made instanceof Promise, signerOf("k", keyPair).signSync === undefined, keyType);
    const crl = parseCrl(await made);
    t.match(crl, { size: 1, number: 2n ** 64n, thisUpdate, nextUpdate });
    t.same(crl.issuerDer, authority.certificate.subjectDer);
    t.same(crl.authorityKeyId, authority.certificate.subjectKeyId);
    t.equal(crl.reasonOf(leaf.serialHex), "superseded");
    t.equal(crl.isSignedBy(authority.certificate.publicKey), true);
  }
});

t.test("makes lists that another reader understands", async (t) => {
  const authority = LaxAuthority.create();
  const revoked: RevokedCertificate[] = [
    { serial: "7F00ff", revokedAt, reason: "key-compromise" },
    { serial: "00ff", revokedAt },
    { serial: "ff", revokedAt, reason: "superseded" },
    { serial: "1", revokedAt, reason: "unspecified" },
  ];
  const crl = new X509Crl(Uint8Array.from(await issueCrl(request(authority, revoked, 9n))));
  t.equal(crl.version, 1, "version 2");
  t.same(
    crl.entries.map(({ serialNumber, reason }) => [serialNumber, reason]),
    [
      ["7f00ff", 1],
      ["ff", undefined],
      ["01", undefined],
    ],
    "no serial number twice, no reason where it is unspecified",
  );
  t.same(crl.entries[0]?.revocationDate, revokedAt);
  t.same(
    crl.extensions.map(({ type, critical }) => [type, critical]),
    [
      ["2.5.29.35", false],
      ["2.5.29.20", false],
    ],
  );
  const empty = new X509Crl(Uint8Array.from(await issueCrl(request(authority, []))));
  t.equal(empty.entries.length, 0);
});

t.test("lists the serial number zero, and names the key of an issuer without key ID", async (t) => {
  const authority = LaxAuthority.create({ withoutKeyIds: true });
  const revoked = ["0", "80", "0080", "7fff"].map((serial) => ({ serial, revokedAt }));
  const crl = parseCrl(await issueCrl(request(authority, revoked)));
  t.equal(crl.size, 3);
  for (const serial of ["00", "80", "7fff"]) t.equal(crl.reasonOf(serial), "unspecified", serial);
  t.same(crl.authorityKeyId, keyIdentifier(authority.certificate.spki));
});

t.test("makes no list that an authority may not sign", async (t) => {
  const notAllowed = { reason: "CRL_NOT_ALLOWED", code: 9, hint: /cRLSign/ };
  const rows: [string, object][] = [
    ["without cRLSign", { keyUsage: KeyUsage.keyCertSign }],
    ["no authority", { isCa: false }],
  ];
  for (const [name, options] of rows) {
    t.throws(() => issueCrl(request(LaxAuthority.create(options), [])), notAllowed, name);
  }
  t.doesNotThrow(() => issueCrl(request(LaxAuthority.create({ keyUsage: null }), [])));
});

t.test("refuses requests that make no sense", async (t) => {
  const authority = LaxAuthority.create();
  const good = request(authority, []);
  t.throws(() => issueCrl({ ...good, nextUpdate: thisUpdate }), TypeError);
  t.throws(() => issueCrl({ ...good, number: -1n }), TypeError);
  t.throws(() => issueCrl({ ...good, number: 1n << 159n }), TypeError);
  t.doesNotThrow(() => issueCrl({ ...good, number: (1n << 159n) - 1n }));
  for (const serial of ["xyz", "-1", "01 02", "1".repeat(41)]) {
    t.throws(() => issueCrl({ ...good, revoked: [{ serial, revokedAt }] }), TypeError, serial);
  }
});

t.test("withholds a list that its signer spoiled", async (t) => {
  const { certificate, signer } = LaxAuthority.create().issuer();
  const { signSync } = LaxAuthority.create().issuer().signer;
  const issuer = { certificate, signer: { ...signer, ...(signSync && { signSync }) } };
  const withheld = { reason: "SVID_PROFILE", code: 13 };
  t.throws(() => issueCrl({ issuer, number: 1n, thisUpdate, nextUpdate, revoked: [] }), withheld);
});

t.test("fills a list to the limit, and refuses more than anybody reads", async (t) => {
  const authority = LaxAuthority.create();
  const tooLarge = { reason: "CRL_TOO_LARGE", code: 8, hint: /revoke the authority/ };
  const revoked = Array.from({ length: MAX_CRL_ENTRIES + 1 }, (_, n) => ({
    serial: (2n ** 126n + BigInt(n)).toString(16),
    revokedAt,
  }));
  t.throws(() => issueCrl(request(authority, revoked)), tooLarge);
  const full = revoked.slice(1);
  const der = await issueCrl(request(authority, full));
  t.equal(parseCrl(der).size, MAX_CRL_ENTRIES);
  const withReasons = full.map((each) => ({ ...each, reason: "superseded" as const }));
  t.throws(() => issueCrl(request(authority, withReasons)), tooLarge, "too many bytes");
});
