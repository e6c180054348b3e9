import "reflect-metadata"; // the certificate library wants it loaded first

import { X509Certificate as NodeCertificate } from "node:crypto";
import { X509Certificate } from "@peculiar/x509";
import t from "tap";
import { KeyUsage, parseCertificate, parseCertificates } from "../../../pki/x509/certificate.ts";
import { contextTag, Tag } from "../../../pki/x509/der.ts";
import {
  derAscii,
  derBitString,
  derBoolean,
  derElement,
  derNamedBits,
  derObjectIdentifier,
  derSequence,
  derUnsignedInteger,
} from "../../../pki/x509/der-writer.ts";
import { derExtension } from "../../../pki/x509/extensions-writer.ts";
import { ExtensionOid } from "../../../pki/x509/oid.ts";
import { derTime } from "../../../pki/x509/time.ts";
import { LaxAuthority } from "../../support/lax-authority.ts";
import type { TestExtension } from "../../support/test-certificate.ts";

const authority = LaxAuthority.create();
const invalid = { reason: "CERTIFICATE_INVALID", code: 3 };

t.test("reads what two other readers read", async (t) => {
  for (const keyKind of ["ec-p256", "ec-p384", "ec-p521", "rsa-2048", "ed25519"] as const) {
    const { leaf } = authority.issue("/db", {
      keyKind,
      dnsNames: ["db.north.test", "db"],
      ipAddresses: [Uint8Array.of(10, 0, 0, 1)],
    });
    const node = new NodeCertificate(leaf.der);
    const peculiar = new X509Certificate(Uint8Array.from(leaf.der));
    t.equal(leaf.serialHex.toUpperCase(), node.serialNumber);
    t.equal(leaf.serialDecimal, BigInt(`0x${peculiar.serialNumber}`).toString());
    t.same(leaf.notBefore, peculiar.notBefore);
    t.same(leaf.notAfter, node.validToDate);
    t.ok(leaf.publicKey.equals(node.publicKey));
    t.equal(leaf.publicKey, leaf.publicKey, "is imported once");
    t.same(leaf.spki, new Uint8Array(peculiar.publicKey.rawData));
    t.same(leaf.uris, ["spiffe://north.test/db"]);
    t.same(leaf.dnsNames, ["db.north.test", "db"]);
    t.same(leaf.extKeyUsage, node.keyUsage);
    t.equal(leaf.keyUsage, KeyUsage.digitalSignature);
    t.match(leaf, { isCa: false, pathLen: undefined, hasBasicConstraints: true });
    t.same(leaf.authorityKeyId, authority.certificate.subjectKeyId);
    t.ok(leaf.isSignedBy(authority.certificate.publicKey));
    t.ok(node.verify(authority.certificate.publicKey));
    t.notOk(leaf.isSignedBy(leaf.publicKey), "another key");
  }
});

t.test("reads authorities", async (t) => {
  const { certificate } = LaxAuthority.create({ pathLen: 3 });
  t.match(certificate, { isCa: true, pathLen: 3, extKeyUsage: undefined });
  t.equal(certificate.keyUsage, KeyUsage.keyCertSign | KeyUsage.cRLSign);
  t.notOk(certificate.hasEmptySubject);
});

t.test("keeps a copy: changing the input afterwards changes nothing", async (t) => {
  const bytes = Uint8Array.from(authority.certificate.der);
  const certificate = parseCertificate(bytes);
  bytes.fill(0);
  t.same(certificate.der, authority.certificate.der);
});

t.test("reads concatenated certificates, each once", async (t) => {
  const [one, two] = [authority.certificate.der, LaxAuthority.create().certificate.der];
  t.same(parseCertificates(new Uint8Array(0)), []);
  const found = parseCertificates(Buffer.concat([one, two, one]));
  t.same(
    found.map(({ der }) => der),
    [one, two],
  );
  const bad: [string, Uint8Array][] = [
    ["trailing zero", Buffer.concat([one, Uint8Array.of(0)])],
    ["half a certificate", Buffer.concat([one, two.subarray(0, 100)])],
    ["PEM", Buffer.from("-----BEGIN CERTIFICATE-----")],
    ["too many", Buffer.concat(Array.from({ length: 4097 }, () => one))],
  ];
  for (const [name, bytes] of bad) t.throws(() => parseCertificates(bytes), invalid, name);
});

t.test("refuses every certificate with one byte cut off or put after it", async (t) => {
  const { der } = authority.certificate;
  for (let length = 0; length < der.length; length += 1) {
    t.throws(() => parseCertificate(der.subarray(0, length)), invalid);
  }
  t.throws(() => parseCertificate(Buffer.concat([der, Uint8Array.of(0)])), invalid);
  t.throws(() => parseCertificate(new Uint8Array(65_537)), { message: /over 65536/ });
});

t.test("never accepts a certificate with any bit of its signed part changed", async (t) => {
  const { der, publicKey } = authority.certificate;
  let unreadable = 0;
  for (let at = 0; at < der.length; at += 1) {
    const changed = Uint8Array.from(der);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    try {
      t.notOk(parseCertificate(changed).isSignedBy(publicKey), `byte ${at}`);
    } catch (error) {
      unreadable += 1;
      t.match(error, invalid);
    }
  }
  t.ok(unreadable > 50);
});

/** A certificate from parts, unsigned: only its reading is tested. */
function build(parts: {
  version?: Uint8Array;
  serial?: Uint8Array;
  inner?: Uint8Array;
  uniqueIds?: Uint8Array;
  extensions?: Uint8Array;
  signature?: Uint8Array;
}): Uint8Array {
  const algorithm = derSequence(derObjectIdentifier("1.2.840.10045.4.3.2"));
  const time = derTime(new Date("2026-01-01T00:00:00Z"));
  const tbs = derSequence(
    parts.version ?? derElement(contextTag(0, true), derUnsignedInteger(Uint8Array.of(2))),
    parts.serial ?? derUnsignedInteger(Uint8Array.of(1)),
    parts.inner ?? algorithm,
    derSequence(),
    derSequence(time, time),
    derSequence(),
    authority.certificate.spki,
    parts.uniqueIds ?? new Uint8Array(0),
    parts.extensions ?? new Uint8Array(0),
  );
  return derSequence(tbs, algorithm, parts.signature ?? derBitString(Uint8Array.of(1)));
}

t.test(
  "reads a bare certificate: no extensions, unique identifiers, a serial of zero",
  async (t) => {
    const ids = [derElement(0x81, Uint8Array.of(0, 1)), derElement(0x82, Uint8Array.of(0, 1))];
    const serial = derUnsignedInteger(Uint8Array.of(0));
    const bare = parseCertificate(build({ serial, uniqueIds: Buffer.concat(ids) }));
    t.match(bare, {
      serialDecimal: "0",
      uris: [],
      dnsNames: [],
      isCa: false,
      hasEmptySubject: true,
    });
    t.equal(bare.keyUsage, undefined);
    t.equal(bare.hasBasicConstraints, false);
    t.notOk(bare.isSignedBy(authority.certificate.publicKey));
  },
);

t.test("does not verify what an unknown algorithm signed", async (t) => {
  const der = build({});
  const oid = Buffer.from("2a8648ce3d040302", "hex");
  const sha1 = Buffer.from(der);
  for (let at = sha1.indexOf(oid); at >= 0; at = sha1.indexOf(oid, at + 1)) sha1[at + 7] = 0x7f;
  const certificate = parseCertificate(sha1);
  t.equal(certificate.signatureAlgorithm, undefined);
  t.equal(certificate.isSignedBy(authority.certificate.publicKey), false);
});

t.test("refuses an authority key identifier that other readers find malformed", async (t) => {
  const keyId = derElement(contextTag(0, false), Uint8Array.of(1, 2));
  const issuer = derElement(contextTag(1, true), derElement(contextTag(4, true), derSequence()));
  const serial = derElement(contextTag(2, false), Uint8Array.of(7));
  const withKeyId = (...parts: Uint8Array[]): Uint8Array => {
    const value = derSequence(...parts);
    const extension = derExtension("2.5.29.35", false, value);
    return build({ extensions: derElement(contextTag(3, true), derSequence(extension)) });
  };
  const bytes = (der: Uint8Array): string | undefined => {
    const { authorityKeyId } = parseCertificate(der);
    return authorityKeyId && Buffer.from(authorityKeyId).toString("hex");
  };
  t.equal(bytes(withKeyId(keyId)), "0102");
  t.equal(bytes(withKeyId(keyId, issuer, serial)), "0102");
  t.equal(bytes(withKeyId()), undefined);
  const bad = { "an issuer alone": [keyId, issuer], "a serial alone": [serial] };
  const odd = { "something else first": [derSequence(), keyId], "something after": [keyId, keyId] };
  for (const [name, parts] of Object.entries({ ...bad, ...odd })) {
    t.throws(
      () => parseCertificate(withKeyId(...parts)),
      { reason: "CERTIFICATE_INVALID", code: 3 },
      name,
    );
  }
});

t.test("refuses an alternative name that has no form of a name", async (t) => {
  const withName = (name: Uint8Array): Uint8Array => {
    const extension = derExtension("2.5.29.17", false, derSequence(name));
    return build({ extensions: derElement(contextTag(3, true), derSequence(extension)) });
  };
  const address = derElement(contextTag(7, false), Uint8Array.of(10, 0, 0, 1));
  t.same(parseCertificate(withName(address)).uris, [], "an address is one");
  const uri = Buffer.from("spiffe://north.test/db");
  for (const tag of [0xc6, 0x46, 0xa6, contextTag(9, false), contextTag(4, false), 0x0c]) {
    const refused = { reason: "CERTIFICATE_INVALID", code: 3 };
    t.throws(() => parseCertificate(withName(derElement(tag, uri))), refused, `tag ${tag}`);
  }
});

t.test("refuses a key usage that allows nothing", async (t) => {
  const withUsage = (bits: Uint8Array): Uint8Array => {
    const extension = derExtension("2.5.29.15", true, derElement(0x03, bits));
    return build({ extensions: derElement(contextTag(3, true), derSequence(extension)) });
  };
  t.equal(parseCertificate(withUsage(Uint8Array.of(7, 0x80))).keyUsage, 1);
  for (const bits of [Uint8Array.of(0), Uint8Array.of(1, 0), Uint8Array.of(0, 0, 0)]) {
    const refused = { reason: "CERTIFICATE_INVALID", code: 3 };
    t.throws(() => parseCertificate(withUsage(bits)), refused, `bits ${bits}`);
  }
});

t.test("refuses fields that RFC 5280 does not allow", async (t) => {
  const version = (n: number) =>
    derElement(contextTag(0, true), derUnsignedInteger(Uint8Array.of(n)));
  const extensions = (...list: Uint8Array[]) =>
    derElement(contextTag(3, true), derSequence(...list));
  const one = derExtension("1.2.3", false, Uint8Array.of(5, 0));
  const many = Array.from({ length: 65 }, (_, i) =>
    derExtension(`1.2.${i}`, false, Uint8Array.of(5, 0)),
  );
  const rsaWithParameters = derSequence(
    derObjectIdentifier("1.2.840.113549.1.1.11"),
    derElement(Tag.null, Uint8Array.of(1)),
  );
  const rows: [string, Uint8Array][] = [
    ["version 1", build({ version: new Uint8Array(0) })],
    ["version 2", build({ version: version(1) })],
    ["a negative serial number", build({ serial: Uint8Array.of(2, 1, 0x80) })],
    ["a serial number of 21 bytes", build({ serial: derElement(2, new Uint8Array(21).fill(1)) })],
    ["two signature algorithms", build({ inner: derSequence(derObjectIdentifier("1.2.3")) })],
    ["no extensions in their list", build({ extensions: extensions() })],
    ["the same extension twice", build({ extensions: extensions(one, one) })],
    ["65 extensions", build({ extensions: extensions(...many) })],
    ["a signature of odd bits", build({ signature: derNamedBits(1) })],
  ];
  for (const [name, der] of rows) t.throws(() => parseCertificate(der), invalid, name);
  const rsa = Buffer.from(build({ inner: rsaWithParameters }));
  t.throws(() => parseCertificate(rsa), invalid);
});

t.test("refuses malformed values of the extensions that it understands", async (t) => {
  const pathLen = derUnsignedInteger(Uint8Array.of(1));
  const rows: [string, string, Uint8Array][] = [
    ["an empty alternative name", ExtensionOid.subjectAltName, derSequence()],
    [
      "a URI outside ASCII",
      ExtensionOid.subjectAltName,
      derSequence(derElement(0x86, Uint8Array.of(0xc3, 0xa9))),
    ],
    ["a path length without cA", ExtensionOid.basicConstraints, derSequence(pathLen)],
    [
      "constraints with more",
      ExtensionOid.basicConstraints,
      derSequence(derBoolean(true), pathLen, pathLen),
    ],
    ["a key usage of 17 bits", ExtensionOid.keyUsage, derNamedBits(1 << 16)],
    ["no purposes", ExtensionOid.extKeyUsage, derSequence()],
    ["two values", ExtensionOid.subjectKeyIdentifier, Uint8Array.of(4, 0, 4, 0)],
  ];
  for (const [name, oid, value] of rows) {
    const extra: TestExtension[] = [{ oid, critical: false, value }];
    const bare = { withoutKeyIds: true, keyUsage: null, extKeyUsage: null, isCa: null, uris: [] };
    t.throws(() => authority.issue("/x", { ...bare, extra }), invalid, name);
  }
});

t.test(
  "reads an authority key identifier without key, and a criticality written out",
  async (t) => {
    const oid = ExtensionOid.authorityKeyIdentifier;
    const value = derSequence(derElement(contextTag(1, true)), derElement(contextTag(2, false)));
    const extra = [{ oid, critical: false, value }];
    t.equal(authority.issue("/x", { withoutKeyIds: true, extra }).leaf.authorityKeyId, undefined);
    const spelled = derSequence(
      derObjectIdentifier("1.2.3"),
      derBoolean(false),
      derElement(Tag.octetString, derAscii(Tag.ia5String, "x")),
    );
    const der = build({ extensions: derElement(contextTag(3, true), derSequence(spelled)) });
    t.equal(parseCertificate(der).extensions.get("1.2.3")?.critical, false);
  },
);
