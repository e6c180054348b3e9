// Whom name constraints bind (RFC 5280 s4.2.1.10, s6.1), through the validation of a path. How names
// of each form are compared: name-forms.test.ts.
import t from "tap";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import { contextTag, Tag } from "../../../pki/x509/der.ts";
import { derElement, derSequence, derUnsignedInteger } from "../../../pki/x509/der-writer.ts";
import { derName } from "../../../pki/x509/name.ts";
import { ExtensionOid, NameOid } from "../../../pki/x509/oid.ts";
import { validatePath } from "../../../pki/x509/path.ts";
import { LaxAuthority } from "../../support/lax-authority.ts";
import {
  type Constraints,
  constraints,
  directory,
  dns,
  name,
  uri,
} from "../../support/test-names.ts";

const now = new Date("2026-06-01T12:00:00Z");
const root = LaxAuthority.create();
const constrained = { reason: "SVID_NAME_CONSTRAINT", code: 3, hint: /ask whoever runs/ };
const only = (...permitted: Uint8Array[]): Constraints => ({ permitted });
const without = (...excluded: Uint8Array[]): Constraints => ({ excluded });

function accepts(chain: readonly Uint8Array[], anchors = [root]): true {
  const certificates = chain.map((der) => parseCertificate(der));
  validatePath(
    certificates,
    anchors.map(({ certificate }) => certificate),
    now,
  );
  return true;
}

t.test("binds everything below an authority, the anchor's constraints too", async (t) => {
  const limits = { extra: [constraints(only(uri("north.test")))] };
  const anchor = LaxAuthority.create(limits);
  t.ok(accepts(anchor.issue("/db").chain, [anchor]));
  const foreign = { uris: ["spiffe://south.test/db"] };
  t.throws(() => accepts(anchor.issue("/db", foreign).chain, [anchor]), constrained);
  const below = anchor.intermediate().intermediate();
  t.ok(accepts(below.issue("/db").chain, [anchor]));
  t.throws(() => accepts(below.issue("/db", foreign).chain, [anchor]), constrained);
  const south = anchor.intermediate({ trustDomain: "south.test" });
  const home = { uris: ["spiffe://north.test/db"] };
  t.throws(() => accepts(south.issue("/db", home).chain, [anchor]), constrained, "an authority");
  const self = LaxAuthority.create({ ...limits, trustDomain: "south.test" });
  t.ok(accepts(self.issue("/db", home).chain, [self]), "not the authority itself");
});

t.test("takes what two authorities permit together", async (t) => {
  const outer = root.intermediate({ extra: [constraints(only(dns("a.test")))] });
  const inner = outer.intermediate({ extra: [constraints(only(dns("b.a.test"), dns("c.test")))] });
  const issue = (...dnsNames: string[]) => inner.issue("/db", { dnsNames }).chain;
  t.ok(accepts(issue("b.a.test")));
  t.throws(() => accepts(issue("a.test")), constrained);
  t.throws(() => accepts(issue("c.test")), constrained, "not widened below");
});

t.test("lets a self-issued authority pass, and no self-issued leaf", async (t) => {
  const limits = {
    extra: [constraints(only(uri("north.test"), directory(derName({ country: "DE" }))))],
  };
  const authority = root.intermediate({ ...limits, subject: { country: "US", commonName: "ca" } });
  const rollover = authority.intermediate({
    subject: authority.name,
    uris: ["spiffe://south.test"],
  });
  const good = { subject: { country: "DE" } };
  t.ok(accepts(rollover.issue("/db", good).chain));
  t.throws(() => accepts(rollover.issue("/db", { subject: authority.name }).chain), constrained);
  const other = authority.intermediate({ subject: { country: "US", commonName: "other" } });
  t.throws(() => accepts(other.issue("/db", good).chain), constrained, "not self-issued");
});

t.test("takes another path when one is constrained", async (t) => {
  const middle = LaxAuthority.create();
  const limited = root.crossSign(middle, { extra: [constraints(only(uri("south.test")))] });
  const free = root.crossSign(middle);
  const { leaf } = middle.issue("/db");
  for (const crossed of [
    [limited, free],
    [free, limited],
  ]) {
    t.ok(accepts([leaf.der, ...crossed.map(({ der }) => der)]));
  }
  t.throws(() => accepts([leaf.der, limited.der]), constrained);
});

t.test("refuses constraints that it cannot read", async (t) => {
  const unreadable = { reason: "CERTIFICATE_INVALID", code: 3 };
  const base = uri("north.test");
  const list = (...subtrees: Uint8Array[]) => derElement(contextTag(0, true), ...subtrees);
  const minimum = derElement(contextTag(0, false), Uint8Array.of(0));
  const maximum = derElement(contextTag(1, false), Uint8Array.of(9));
  const rows: [string, Uint8Array][] = [
    ["nothing", derSequence()],
    ["an empty list", derSequence(list())],
    ["a minimum", derSequence(list(derSequence(base, minimum)))],
    ["a maximum", derSequence(list(derSequence(base, maximum)))],
    ["no base", derSequence(list(derSequence()))],
    ["a name without form", derSequence(list(derSequence(derUnsignedInteger(Uint8Array.of(1)))))],
    ["a form of the wrong kind", derSequence(list(derSequence(derElement(contextTag(6, true)))))],
    [
      "a form that does not exist",
      derSequence(list(derSequence(derElement(contextTag(9, false))))),
    ],
    ["a third list", derSequence(list(derSequence(base)), derElement(contextTag(2, true)))],
    [
      "the lists in the wrong order",
      derSequence(derElement(contextTag(1, true), derSequence(base)), list(derSequence(base))),
    ],
    ["a directory name that is none", derSequence(list(derSequence(directory(derSequence(base)))))],
    [
      "a directory name that is not UTF-8",
      derSequence(
        list(
          derSequence(directory(name([NameOid.organization, Tag.utf8String, Uint8Array.of(0xff)]))),
        ),
      ),
    ],
    [
      "a directory name cut short",
      derSequence(
        list(derSequence(directory(name([NameOid.organization, 0x1e, Uint8Array.of(0)])))),
      ),
    ],
    [
      "a directory name with no such character",
      derSequence(
        list(
          derSequence(directory(name([NameOid.organization, 0x1c, Uint8Array.of(0, 0x11, 0, 0)]))),
        ),
      ),
    ],
    [
      "an empty relative name",
      derSequence(list(derSequence(directory(derSequence(derElement(Tag.set)))))),
    ],
    ["two values", derSequence(list(derSequence(base)), list(derSequence(base)))],
  ];
  for (const [title, value] of rows) {
    for (const critical of [true, false]) {
      const extra = [{ oid: ExtensionOid.nameConstraints, critical, value }];
      const { chain } = root.intermediate({ extra }).issue("/db");
      t.throws(() => accepts(chain), unreadable, title);
    }
  }
});

t.test("refuses critical constraints in a leaf, where they bind nobody", async (t) => {
  const extra = [constraints(only(uri("north.test")))];
  t.throws(() => accepts(root.issue("/db", { extra }).chain), {
    reason: "SVID_CRITICAL_EXTENSION",
    code: 3,
  });
});

t.test("gives up on a product of names and constraints", async (t) => {
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => `h${i}.a.test`);
  const limits = constraints(without(...numbers(900).map((host) => dns(`x.${host}`))));
  const authority = root.intermediate({ extra: [limits] });
  t.ok(accepts(authority.issue("/db", { dnsNames: numbers(100) }).chain));
  const start = performance.now();
  t.throws(() => accepts(authority.issue("/db", { dnsNames: numbers(2000) }).chain), {
    ...constrained,
    message: /too many/,
  });
  t.ok(performance.now() - start < 2000);
});

t.test("gives up on many paths that are constrained", async (t) => {
  const limits = constraints(without(uri("north.test")));
  const middle = LaxAuthority.create();
  const { leaf } = middle.issue("/db");
  const limited = (count: number) =>
    Array.from({ length: count }, () => root.crossSign(middle, { extra: [limits] }).der);
  const free = root.crossSign(middle).der;
  t.ok(accepts([leaf.der, ...limited(4), free]));
  t.throws(() => accepts([leaf.der, ...limited(4)]), constrained);
  t.throws(() => accepts([leaf.der, ...limited(14)]), {
    reason: "SVID_CHAIN_TOO_LONG",
    code: 3,
    message: /too many checks/,
  });
});
