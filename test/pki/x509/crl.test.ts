import t from "tap";
import { MAX_CRL_BYTES, MAX_CRL_ENTRIES, parseCrl } from "../../../pki/x509/crl.ts";
import { contextTag, Tag } from "../../../pki/x509/der.ts";
import { derElement, derObjectIdentifier, derSequence } from "../../../pki/x509/der-writer.ts";
import { derIssuingPoint } from "../../../pki/x509/extensions-writer.ts";
import { ExtensionOid, SignatureOid } from "../../../pki/x509/oid.ts";
import { LaxAuthority } from "../../support/lax-authority.ts";
import type { TestExtension } from "../../support/test-certificate.ts";
import { signTestCrl, type TestCrlOptions } from "../../support/test-crl.ts";

const authority = LaxAuthority.create();
const read = (options: TestCrlOptions = {}) => parseCrl(signTestCrl(authority, options));
const invalid = (message: RegExp) => ({ reason: "CRL_INVALID", code: 3, message });
const serial = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
const reason = (code: number, critical = false): TestExtension => ({
  oid: ExtensionOid.crlReason,
  critical,
  value: derElement(Tag.enumerated, Uint8Array.of(code)),
});
const extension = (oid: string, critical: boolean): TestExtension => ({
  oid,
  critical,
  value: derSequence(),
});
const URL = "http://crl.north.test/crl/ab12/tasks.crl";
const point = (value: Uint8Array): TestExtension => ({
  oid: ExtensionOid.issuingDistributionPoint,
  critical: true,
  value,
});
/** The name of a point, and one more field of the extension. */
const derPoint = (url: string, field: number): Uint8Array =>
  derSequence(
    derIssuingPoint(url).subarray(2),
    derElement(contextTag(field, false), Uint8Array.of(field === 4 ? 0xff : 0x06)),
  );
const unknown = "1.3.6.1.4.1.65980.7";

t.test("reads the fields of a list", async (t) => {
  const crl = read({ number: serial("00ffffffffffffffff") });
  t.same(crl.issuerDer, authority.certificate.subjectDer);
  t.same(crl.authorityKeyId, authority.certificate.subjectKeyId);
  t.same(crl.thisUpdate, new Date("2026-06-01T00:00:00Z"));
  t.same(crl.nextUpdate, new Date("2026-06-02T00:00:00Z"));
  t.equal(crl.number, 2n ** 64n - 1n);
  t.equal(crl.size, 0);
  t.equal(crl.reasonOf("01"), undefined);
  const der = signTestCrl(authority);
  const copied = parseCrl(der);
  der.fill(0);
  t.equal(copied.isSignedBy(authority.certificate.publicKey), true, "the bytes are copied");
});

t.test("finds a certificate however its serial number is written", async (t) => {
  const entries = ["00", "01", "7f", "00ff", "0100", "00ffffffffffffffffffffffffffffffffffffff"];
  const crl = read({ entries: entries.map((hex) => ({ serial: serial(hex) })) });
  t.equal(crl.size, entries.length);
  for (const hex of [...entries, "0", "1", "ff", "FF", "0000ff", "100", "f".repeat(38)]) {
    t.equal(crl.reasonOf(hex), "unspecified", hex);
  }
  for (const hex of ["02", "ffff", "0101", "ff00", "-1", "0x01", "zz", "01 ", "1".repeat(400)]) {
    t.equal(crl.reasonOf(hex), undefined, hex);
  }
});

t.test("reads the reasons", async (t) => {
  const names: Record<number, string> = {
    0: "unspecified",
    1: "key-compromise",
    2: "ca-compromise",
    3: "affiliation-changed",
    4: "superseded",
    5: "cessation-of-operation",
    6: "certificate-hold",
    9: "privilege-withdrawn",
    10: "aa-compromise",
  };
  for (let code = 0; code < 256; code += 1) {
    const entries = [{ serial: serial("05"), extensions: [reason(code)] }];
    const name = names[code];
    if (name === undefined) t.throws(() => read({ entries }), invalid(/reason/), String(code));
    else t.equal(read({ entries }).reasonOf("05"), name);
  }
  const others = [extension(unknown, false), reason(1)];
  const entries = [{ serial: serial("05"), extensions: others }];
  t.equal(read({ entries }).reasonOf("05"), "key-compromise", "beside another extension");
  const silent = [{ serial: serial("05"), extensions: [extension(unknown, false)] }];
  t.equal(read({ entries: silent }).reasonOf("05"), "unspecified");
  const twice = [1, 4].map((code) => ({ serial: serial("05"), extensions: [reason(code)] }));
  t.equal(read({ entries: twice }).reasonOf("05"), "key-compromise", "the first of two counts");
});

t.test("reads lists without the optional fields, and of version 1", async (t) => {
  const bare = read({
    nextUpdate: null,
    number: null,
    withoutKeyId: true,
    extra: [extension(unknown, false)],
  });
  t.match(bare, { nextUpdate: undefined, number: undefined, authorityKeyId: undefined });
  const first = read({ version: 1, entries: [{ serial: serial("05") }] });
  t.equal(first.number, undefined);
  t.equal(first.reasonOf("05"), "unspecified");
  t.equal(read({ entries: [] }).size, 0, "an empty list of entries");
});

t.test("checks signatures of every kind", async (t) => {
  const stranger = LaxAuthority.create();
  for (const keyKind of ["ec-p256", "ec-p384", "ec-p521", "rsa-2048", "ed25519"] as const) {
    const signer = LaxAuthority.create({ keyKind });
    const crl = parseCrl(signTestCrl(signer));
    t.equal(crl.isSignedBy(signer.certificate.publicKey), true, keyKind);
    t.equal(crl.isSignedBy(stranger.certificate.publicKey), false, keyKind);
  }
});

const notMinimal = serial("0005");
const BAD: readonly (readonly [string, TestCrlOptions, RegExp])[] = [
  ["version 3", { version: 3 }, /version/],
  [
    "two algorithms",
    { innerAlgorithmDer: derSequence(derObjectIdentifier(SignatureOid.ed25519)) },
    /algorithms differ/,
  ],
  ["extensions in version 1", { version: 1, extensions: [extension(unknown, false)] }, /version 1/],
  ["an empty list of extensions", { extensions: [] }, /empty/],
  ["a negative serial number", { entries: [{ serial: serial("80") }] }, /negative/],
  ["a serial number with a leading zero", { entries: [{ serial: notMinimal }] }, /shortest/],
  ["an empty serial number", { entries: [{ serial: serial("") }] }, /empty/],
  [
    "a serial number of 21 octets",
    { entries: [{ serial: serial(`01${"00".repeat(20)}`) }] },
    /long/,
  ],
  ["a negative number", { number: serial("ff") }, /negative/],
  ["a number of 21 octets", { number: serial(`01${"00".repeat(20)}`) }, /long/],
  ["an unknown critical extension", { extra: [extension(unknown, true)] }, /critical extension/],
  ["a delta list", { extra: [extension(ExtensionOid.deltaCrlIndicator, true)] }, /delta/],
  [
    "a delta list that does not say so",
    { extra: [extension(ExtensionOid.deltaCrlIndicator, false)] },
    /delta/,
  ],
  ["a list of a part without a name", { extra: [point(derSequence())] }, /no address/],
  ["a list of some reasons", { extra: [point(derPoint(URL, 3))] }, /address alone/],
  ["a list of other issuers' certificates", { extra: [point(derPoint(URL, 4))] }, /address alone/],
  [
    "a list of a part, not critical",
    { extra: [{ ...point(derIssuingPoint(URL)), critical: false }] },
    /distribution/,
  ],
  ["the number twice", { extra: [extension(ExtensionOid.crlNumber, false)] }, /twice/],
  [
    "an entry's unknown critical extension",
    { entries: [{ serial: serial("05"), extensions: [extension(unknown, true)] }] },
    /critical extension/,
  ],
  [
    "an entry of another issuer",
    {
      entries: [
        { serial: serial("05"), extensions: [extension(ExtensionOid.certificateIssuer, true)] },
      ],
    },
    /issuer/,
  ],
  [
    "an entry's extensions in version 1",
    { version: 1, entries: [{ serial: serial("05"), extensions: [reason(1)] }] },
    /version 1/,
  ],
  [
    "a reason that is no number",
    { entries: [{ serial: serial("05"), extensions: [extension(ExtensionOid.crlReason, false)] }] },
    /tag/,
  ],
];

for (const [name, options, message] of BAD) {
  t.test(`refuses ${name}`, async (t) => {
    t.throws(() => read(options), invalid(message));
  });
}

t.test("refuses what is cut short, followed by more, or too long", async (t) => {
  const der = signTestCrl(authority, { entries: [{ serial: serial("05") }] });
  for (let length = 0; length < der.length; length += 1) {
    t.throws(() => parseCrl(der.subarray(0, length)), invalid(/cannot be read/));
  }
  t.throws(() => parseCrl(Buffer.concat([der, Uint8Array.of(0)])), invalid(/more elements/));
  t.throws(() => parseCrl(new Uint8Array(MAX_CRL_BYTES + 1)), invalid(/bytes/));
  t.throws(() => parseCrl(authority.certificate.der), invalid(/cannot be read/), "a certificate");
});

t.test("reads as many entries as it may, fast, and no more", async (t) => {
  const entry = (n: number) => {
    const octets = new Uint8Array(4);
    new DataView(octets.buffer).setUint32(0, n + 0x0100_0000);
    return { serial: octets };
  };
  const entries = Array.from({ length: MAX_CRL_ENTRIES }, (_, n) => entry(n));
  const full = signTestCrl(authority, { entries });
  const start = process.cpuUsage();
  const crl = parseCrl(full);
  t.equal(crl.reasonOf("01000000"), "unspecified");
  for (let n = 0; n < MAX_CRL_ENTRIES; n += 1) {
    if (crl.reasonOf((n + 0x0200_0000).toString(16)) !== undefined)
      t.fail("found what is not there");
  }
  const cpu = process.cpuUsage(start);
  // Measured: 0.2 s. Anything quadratic takes minutes.
  t.ok((cpu.user + cpu.system) / 1000 < 3000, `${(cpu.user + cpu.system) / 1000} ms`);
  entries.push(entry(MAX_CRL_ENTRIES));
  t.throws(() => read({ entries }), invalid(/more than 100000 entries/));
});
