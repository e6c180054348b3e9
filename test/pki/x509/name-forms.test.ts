// How names of each form are compared with constraints (pki/x509/name-forms.ts), through the validation
// of a path. Whom constraints bind: name-constraints.test.ts.
import t from "tap";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import { Tag } from "../../../pki/x509/der.ts";
import { derSequence } from "../../../pki/x509/der-writer.ts";
import { derName } from "../../../pki/x509/name.ts";
import { NameOid } from "../../../pki/x509/oid.ts";
import { validatePath } from "../../../pki/x509/path.ts";
import { LaxAuthority, type LaxLeafOptions } from "../../support/lax-authority.ts";
import {
  type Constraints,
  constraints,
  directory,
  dns,
  email,
  ip,
  name,
  other,
  registered,
  uri,
} from "../../support/test-names.ts";

const now = new Date("2026-06-01T12:00:00Z");
const root = LaxAuthority.create();
const constrained = { reason: "SVID_NAME_CONSTRAINT", code: 3, hint: /ask whoever runs/ };

/** Validates a leaf below an authority with these constraints. */
function check(limits: Constraints, leaf: LaxLeafOptions, critical: boolean): true {
  const authority = root.intermediate({ extra: [constraints(limits, critical)] });
  const chain = authority.issue("/db", leaf).chain.map((der) => parseCertificate(der));
  validatePath(chain, [root.certificate], now);
  return true;
}

const only = (...permitted: Uint8Array[]): Constraints => ({ permitted });
const without = (...excluded: Uint8Array[]): Constraints => ({ excluded });
const uris = (...values: string[]): LaxLeafOptions => ({ uris: values });
const names = (...values: Uint8Array[]): LaxLeafOptions => ({ names: values });
const subject = (commonName: string): LaxLeafOptions => ({
  subject: { country: "US", organization: commonName },
});
const organization = (value: string, tag: number = Tag.utf8String) =>
  directory(name([NameOid.country, Tag.printableString, "US"], [NameOid.organization, tag, value]));

const v4 = (hex: string, mask: string) => ip(hex + mask);
const mapped = `${"00".repeat(10)}ffff`;
const utf8Mailbox = "1.3.6.1.5.5.7.8.9";

const opsName = name([NameOid.emailAddress, Tag.ia5String, "ops@a.test"]);

const home = uri("north.test");
const belowHome = uri(".north.test");
const zeros = "00".repeat(12);
const net6 = ip(`20010db8${zeros}ffffffff${zeros}`);
const in6 = ip(`20010db8${"11".repeat(12)}`);

/** What the authority is limited to, what its leaf says, whether that is accepted. */
const ROWS: readonly (readonly [string, Constraints, LaxLeafOptions, boolean])[] = [
  // URI: the host, or with a dot the hosts below.
  ["URI: the host itself", only(home), {}, true],
  ["URI: another host", only(uri("south.test")), {}, false],
  ["URI: one of two", only(uri("south.test"), home), {}, true],
  ["URI: case of the constraint", only(uri("NORTH.test")), {}, true],
  ["URI: case of the name", only(home), uris("spiffe://North.TEST/db"), true],
  ["URI: a host below is another host", only(home), uris("spiffe://a.north.test/db"), false],
  ["URI: a host that ends alike", only(home), uris("spiffe://evilnorth.test/db"), false],
  ["URI: dot, a host below", only(belowHome), uris("spiffe://a.north.test/db"), true],
  ["URI: dot, two below", only(belowHome), uris("spiffe://b.a.north.test/db"), true],
  ["URI: dot, not the host itself", only(belowHome), {}, false],
  ["URI: dot, a host that ends alike", only(belowHome), uris("spiffe://evilnorth.test/db"), false],
  ["URI: the constraint in the path", only(home), uris("spiffe://evil.test/north.test"), false],
  [
    "URI: the constraint in the fragment",
    only(home),
    uris("spiffe://evil.test#@north.test/"),
    false,
  ],
  ["URI: the constraint in the query", only(home), uris("spiffe://evil.test?north.test"), false],
  ["URI: the constraint as user", only(home), uris("spiffe://north.test@evil.test/db"), false],
  ["URI: user information", only(home), uris("spiffe://evil.test@north.test/db"), false],
  ["URI: a port", only(home), uris("https://north.test:8443/db"), true],
  ["URI: no port, a user with colon", only(home), uris("https://north.test:x@evil.test/"), false],
  ["URI: excluded", without(home), {}, false],
  ["URI: not excluded", without(uri("south.test")), {}, true],
  ["URI: excluded in another case", without(uri("NORTH.test")), {}, false],
  ["URI: excluded, with a dot at the end", without(home), uris("spiffe://north.test./db"), false],
  ["URI: excluded, percent-encoded", without(home), uris("spiffe://%6eorth.test/db"), false],
  ["URI: excluded, with a port", without(home), uris("spiffe://north.test:1/db"), false],
  ["URI: excluded, with a user", without(home), uris("spiffe://u@north.test/db"), false],
  ["URI: excluded, with a backslash", without(home), uris("spiffe://a.test\\@north.test/"), false],
  ["URI: an address cannot be judged", without(home), uris("spiffe://192.0.2.1/db"), false],
  ["URI: nor one as a number", without(home), uris("spiffe://3221225985/db"), false],
  ["URI: nor one in brackets", without(home), uris("spiffe://[2001:db8::1]/db"), false],
  ["URI: nor one without authority", without(home), uris("urn:north:db"), false],
  ["URI: nor an empty host", without(home), uris("spiffe:///db"), false],
  ["URI: both, excluded wins", { permitted: [home], excluded: [home] }, {}, false],
  [
    "URI: below permitted, one excluded",
    { permitted: [belowHome], excluded: [uri("a.north.test")] },
    uris("spiffe://a.north.test/db"),
    false,
  ],
  ["URI: a constraint with a scheme", only(uri("spiffe://north.test")), {}, false],
  ["URI: excluded by one with a scheme", without(uri("spiffe://south.test")), {}, false],
  ["URI: an empty constraint", only(uri("")), {}, false],
  ["URI: a constraint that is a dot", only(uri(".")), {}, false],
  ["URI: a constraint with a dot at the end", only(uri("north.test.")), {}, false],
  [
    "URI: every name counts",
    only(home),
    uris("spiffe://north.test/db", "spiffe://south.test/db"),
    false,
  ],
  ["URI: no name, no limit", only(home), { uris: [], dnsNames: ["db.south.test"] }, true],
  ["URI: other forms are not limited", only(home), { dnsNames: ["db.south.test"] }, true],
  // DNS: the name and all below.
  ["DNS: the name itself", only(dns("a.test")), { dnsNames: ["a.test"] }, true],
  ["DNS: below", only(dns("a.test")), { dnsNames: ["c.b.a.test"] }, true],
  ["DNS: a name that ends alike", only(dns("a.test")), { dnsNames: ["ba.test"] }, false],
  ["DNS: case", only(dns("A.test")), { dnsNames: ["b.a.TEST"] }, true],
  ["DNS: empty permits all", only(dns("")), { dnsNames: ["b.test"] }, true],
  ["DNS: empty excludes all", without(dns("")), { dnsNames: ["b.test"] }, false],
  ["DNS: dot, below", only(dns(".a.test")), { dnsNames: ["b.a.test"] }, true],
  ["DNS: dot, not itself", only(dns(".a.test")), { dnsNames: ["a.test"] }, false],
  ["DNS: excluded below", without(dns("a.test")), { dnsNames: ["b.a.test"] }, false],
  ["DNS: excluded in another case", without(dns("a.test")), { dnsNames: ["b.A.TEST"] }, false],
  ["DNS: excluded, dot at the end", without(dns("a.test")), { dnsNames: ["a.test."] }, false],
  ["DNS: not excluded above", without(dns("b.a.test")), { dnsNames: ["a.test"] }, true],
  ["DNS: a wildcard below the permitted", only(dns("a.test")), { dnsNames: ["*.a.test"] }, true],
  ["DNS: a wildcard over the permitted", only(dns("b.a.test")), { dnsNames: ["*.a.test"] }, false],
  [
    "DNS: a wildcard below the excluded",
    without(dns("a.test")),
    { dnsNames: ["*.b.a.test"] },
    false,
  ],
  [
    "DNS: a wildcard over the excluded",
    without(dns("b.a.test")),
    { dnsNames: ["*.a.test"] },
    false,
  ],
  [
    "DNS: a wildcard over the excluded, dot",
    without(dns(".b.a.test")),
    { dnsNames: ["*.a.test"] },
    false,
  ],
  [
    "DNS: a wildcard stands for one label",
    without(dns("c.b.a.test")),
    { dnsNames: ["*.a.test"] },
    true,
  ],
  ["DNS: a wildcard elsewhere", without(dns("b.a.test")), { dnsNames: ["*.c.test"] }, true],
  ["DNS: a wildcard in the middle", without(dns("b.test")), { dnsNames: ["a.*.test"] }, false],
  ["DNS: a null byte", without(dns("b.test")), { dnsNames: ["a.test\0.b.test"] }, false],
  ["DNS: every name counts", only(dns("a.test")), { dnsNames: ["a.test", "b.test"] }, false],
  ["DNS: digits are labels", only(dns("1")), { dnsNames: ["a.1"] }, true],
  // IP: address and mask.
  ["IP: within", only(v4("c0000200", "ffffff00")), names(ip("c00002fe")), true],
  ["IP: without", only(v4("c0000200", "ffffff00")), names(ip("c00003fe")), false],
  ["IP: bits of a mask", only(v4("c0000280", "ffffff80")), names(ip("c0000280")), true],
  ["IP: beside the bits of a mask", only(v4("c0000280", "ffffff80")), names(ip("c000027f")), false],
  [
    "IP: bits under the mask do not count",
    only(v4("c00002ff", "ffffff00")),
    names(ip("c0000201")),
    true,
  ],
  ["IP: all", without(v4("00000000", "00000000")), names(ip("c0000201")), false],
  ["IP: one", only(v4("c0000201", "ffffffff")), names(ip("c0000201")), true],
  ["IP: version 6 within", only(net6), names(in6), true],
  ["IP: version 6 without", only(net6), names(ip(`20010db9${"11".repeat(12)}`)), false],
  ["IP: only version 4 permitted", only(v4("00000000", "00000000")), names(in6), false],
  ["IP: only version 4 excluded", without(v4("00000000", "00000000")), names(in6), true],
  [
    "IP: version 4 inside version 6, excluded",
    without(v4("c0000200", "ffffff00")),
    names(ip(`${mapped}c0000201`)),
    false,
  ],
  [
    "IP: version 4 inside version 6, not permitted",
    only(v4("c0000200", "ffffff00")),
    names(ip(`${mapped}c0000201`)),
    false,
  ],
  ["IP: a mask with holes", without(v4("c0000200", "ff00ff00")), names(ip("01020304")), false],
  ["IP: a constraint of a wrong length", without(ip("c00002")), names(ip("01020304")), false],
  [
    "IP: an address of a wrong length",
    without(v4("c0000200", "ffffff00")),
    names(ip("0102030405")),
    false,
  ],
  // Email: a mailbox, a host, or with a dot the hosts below.
  ["email: the mailbox", only(email("ops@a.test")), names(email("ops@a.test")), true],
  ["email: another mailbox", only(email("ops@a.test")), names(email("dev@a.test")), false],
  ["email: the host in another case", only(email("ops@A.test")), names(email("ops@a.TEST")), true],
  [
    "email: the mailbox in another case",
    only(email("ops@a.test")),
    names(email("OPS@a.test")),
    false,
  ],
  [
    "email: excluded in another case",
    without(email("ops@a.test")),
    names(email("OPS@a.test")),
    false,
  ],
  ["email: the host", only(email("a.test")), names(email("ops@a.test")), true],
  ["email: not below the host", only(email("a.test")), names(email("ops@b.a.test")), false],
  ["email: dot, below", only(email(".a.test")), names(email("ops@b.a.test")), true],
  ["email: dot, not the host", only(email(".a.test")), names(email("ops@a.test")), false],
  ["email: excluded host", without(email("a.test")), names(email("ops@A.test")), false],
  ["email: excluded, dot at the end", without(email("a.test")), names(email("ops@a.test.")), false],
  ["email: the last @ counts", without(email("a.test")), names(email('"x@b.test"@a.test')), false],
  [
    "email: a quoted mailbox cannot be judged",
    without(email("ops@a.test")),
    names(email('"ops"@a.test')),
    false,
  ],
  ["email: none at all", without(email("a.test")), names(email("a.test")), false],
  ["email: in UTF-8", without(email("b.test")), names(other(utf8Mailbox)), false],
  ["email: in UTF-8 without limit", without(dns("b.test")), names(other(utf8Mailbox)), true],
  ["email: in the subject", without(email("a.test")), { subjectDer: opsName }, false],
  ["email: in the subject, permitted", only(email("a.test")), { subjectDer: opsName }, true],
  // Directory names: prefixes, compared as people read them.
  ["directory: the subject", only(organization("SPIRE")), {}, true],
  ["directory: below", only(directory(derName({ country: "US" }))), {}, true],
  ["directory: beside", only(directory(derName({ country: "DE" }))), {}, false],
  [
    "directory: longer than the subject",
    only(directory(derName({ country: "US", organization: "SPIRE", commonName: "db" }))),
    {},
    false,
  ],
  ["directory: a value that starts alike", only(organization("SPIRE")), subject("SPIREX"), false],
  ["directory: an empty base permits all", only(directory(derSequence())), {}, true],
  ["directory: no subject, no limit", only(organization("Other")), { subject: {} }, true],
  ["directory: excluded", without(organization("SPIRE")), {}, false],
  ["directory: excluded in another case", without(organization("sPire")), {}, false],
  [
    "directory: excluded in another string type",
    without(organization("SPIRE", Tag.printableString)),
    {},
    false,
  ],
  [
    "directory: excluded in a wide string",
    without(
      directory(
        name(
          [NameOid.country, Tag.printableString, "US"],
          [NameOid.organization, 0x1e, Buffer.from("00530050004900520045", "hex")],
        ),
      ),
    ),
    {},
    false,
  ],
  ["directory: excluded in an old string type", without(organization("SPIRE", 0x14)), {}, false],
  ["directory: excluded, of no string type", without(organization("SPIRE", 0x04)), {}, true],
  [
    "directory: a bit string",
    without(organization("\0A", 0x03)),
    names(organization("\0A", 0x03)),
    false,
  ],
  [
    "directory: excluded with spaces",
    without(organization("Bad Corp")),
    subject("  Bad   Corp "),
    false,
  ],
  [
    "directory: excluded with what is not seen",
    without(organization("Bad Corp")),
    subject("Bad\u200b \ufeffCor\u00adp"),
    false,
  ],
  [
    "directory: excluded in wide letters",
    without(organization("Bad Corp")),
    subject("\uff22ad Corp"),
    false,
  ],
  [
    "directory: excluded as alternative name",
    without(organization("Bad")),
    names(organization("Bad")),
    false,
  ],
  ["directory: not excluded", without(organization("Bad")), names(organization("Good")), true],
  // Forms that cannot be judged are refused where they are limited, and only there.
  ["other: limited", without(registered(1)), names(registered(2)), false],
  ["other: permitted", only(registered(1)), names(registered(1)), false],
  ["other: limited and absent", without(registered(1)), {}, true],
  [
    "other: not limited",
    without(dns("b.test")),
    names(registered(2), other("1.3.6.1.4.1.311.20.2.3")),
    true,
  ],
  ["other name: limited", without(other("1.2.3")), names(other("1.2.4")), false],
];

for (const [title, limits, leaf, isAccepted] of ROWS) {
  t.test(`${isAccepted ? "accepts" : "refuses"} ${title}`, async (t) => {
    for (const critical of [true, false]) {
      if (isAccepted) t.ok(check(limits, leaf, critical));
      else t.throws(() => check(limits, leaf, critical), constrained);
    }
  });
}
