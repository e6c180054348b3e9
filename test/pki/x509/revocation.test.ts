// SVIDs that revocation lists name: pki/x509/crl-set.ts, through the validation that uses it.
import t from "tap";
import { KeyUsage } from "../../../pki/x509/certificate.ts";
import { parseCrl } from "../../../pki/x509/crl.ts";
import { CrlSet } from "../../../pki/x509/crl-set.ts";
import { validateX509Svid } from "../../../pki/x509/svid.ts";
import { LaxAuthority } from "../../support/lax-authority.ts";
import { signTestCrl, type TestCrlOptions } from "../../support/test-crl.ts";

const now = new Date("2026-06-01T12:00:00Z");
const root = LaxAuthority.create();
const revoked = { reason: "SVID_REVOKED", code: 3, hint: /fetch a new one/ };
const crl = (issuer: LaxAuthority, options: TestCrlOptions) =>
  parseCrl(signTestCrl(issuer, options));
const validate = (
  chain: readonly Uint8Array[],
  lists: readonly ReturnType<typeof parseCrl>[],
  anchors = [root],
) =>
  validateX509Svid(
    chain,
    () => anchors.map(({ certificate }) => certificate),
    now,
    "client",
    new CrlSet(lists),
  );

t.test("refuses a leaf that its issuer revoked, and no other", async (t) => {
  const bad = root.issue("/db");
  const good = root.issue("/db");
  const lists = [crl(root, { entries: [{ serial: bad.leaf }] })];
  t.throws(() => validate(bad.chain, lists), revoked);
  t.equal(validate(good.chain, lists).id.path, "/db");
  t.equal(validate(bad.chain, []).id.path, "/db", "no lists");
});

t.test("refuses what is below a revoked intermediate", async (t) => {
  const middle = root.intermediate();
  const lower = middle.intermediate();
  const { chain, leaf } = lower.issue("/db");
  for (const [issuer, serial] of [
    [root, middle.certificate],
    [middle, lower.certificate],
    [lower, leaf],
  ] as const) {
    t.throws(() => validate(chain, [crl(issuer, { entries: [{ serial }] })]), revoked);
    const others = [root, middle, lower].filter((other) => other !== issuer);
    const misplaced = others.map((other) => crl(other, { entries: [{ serial }] }));
    t.doesNotThrow(() => validate(chain, misplaced), "revoked by another than its issuer");
  }
});

t.test("ignores lists that are not the issuer's", async (t) => {
  const { chain, leaf } = root.issue("/db");
  const entries = [{ serial: leaf }];
  const stranger = LaxAuthority.create();
  const namesake = LaxAuthority.create({ subject: root.name });
  const noUsage = LaxAuthority.create({ keyUsage: KeyUsage.keyCertSign });
  const below = noUsage.issue("/db");
  const issuerNameDer = root.certificate.subjectDer;
  const ignored = [
    crl(stranger, { entries }),
    crl(root, { entries, signWith: stranger }),
    crl(stranger, { entries, issuerNameDer }),
    crl(stranger, { entries, issuerNameDer, withoutKeyId: true }),
    crl(namesake, { entries, withoutKeyId: true, number: Uint8Array.of(99) }),
  ];
  for (const list of ignored) t.doesNotThrow(() => validate(chain, [list]));
  t.doesNotThrow(() => validate(chain, ignored));
  t.throws(() => validate(chain, [...ignored, crl(root, { entries })]), revoked, "in any company");
  const unusable = crl(noUsage, { entries: [{ serial: below.leaf }] });
  t.doesNotThrow(() => validate(below.chain, [unusable], [noUsage]), "an issuer without cRLSign");
  const silent = LaxAuthority.create({ keyUsage: null });
  const { chain: silentChain, leaf: silentLeaf } = silent.issue("/db");
  const listed = crl(silent, { entries: [{ serial: silentLeaf }] });
  t.throws(() => validate(silentChain, [listed], [silent]), revoked, "an anchor without key usage");
});

t.test("takes the newest list of an issuer, wherever it stands", async (t) => {
  const { chain, leaf } = root.issue("/db");
  const entries = [{ serial: leaf }];
  const number = (value: number) => Uint8Array.of(value);
  const late = new Date("2026-06-01T10:00:00Z");
  const rows: [string, TestCrlOptions, TestCrlOptions][] = [
    ["number", { number: number(2) }, { number: number(1), thisUpdate: late }],
    ["number of more octets", { number: Uint8Array.of(1, 0) }, { number: number(127) }],
    ["time, of one number", { thisUpdate: late }, {}],
    ["time, without numbers", { number: null, thisUpdate: late }, { version: 1 }],
    ["a number over none", {}, { number: null, thisUpdate: late }],
  ];
  for (const [name, newer, older] of rows) {
    const listing = [crl(root, { ...older }), crl(root, { ...newer, entries })];
    t.throws(() => validate(chain, listing), revoked, name);
    t.throws(() => validate(chain, listing.toReversed()), revoked, name);
    const released = [crl(root, { ...older, entries }), crl(root, newer)];
    t.doesNotThrow(() => validate(chain, released), name);
    t.doesNotThrow(() => validate(chain, released.toReversed()), name);
  }
});

t.test("still counts a list whose time is over, or has not come", async (t) => {
  const { chain, leaf } = root.issue("/db");
  const entries = [{ serial: leaf }];
  const nextUpdate = new Date("2026-01-02T00:00:00Z");
  const old = { entries, thisUpdate: new Date("2026-01-01T00:00:00Z"), nextUpdate };
  t.throws(() => validate(chain, [crl(root, old)]), revoked);
  t.throws(() => validate(chain, [crl(root, { entries, nextUpdate: null })]), revoked);
  const thisUpdate = new Date("2027-01-01T00:00:00Z");
  t.throws(() => validate(chain, [crl(root, { entries, thisUpdate })]), revoked);
});

t.test("takes a path around a revoked cross-certificate, if there is one", async (t) => {
  const other = LaxAuthority.create();
  const middle = root.intermediate();
  const [leaf = new Uint8Array(), ...own] = middle.issue("/db").chain;
  const crossed = other.crossSign(middle);
  const chain = [leaf, crossed.der, ...own];
  const list = crl(other, { entries: [{ serial: crossed }] });
  t.doesNotThrow(() => validate(chain, [list], [other, root]));
  t.throws(() => validate(chain, [list], [other]), revoked);
  const both = [list, crl(root, { entries: [{ serial: middle.certificate }] })];
  t.throws(() => validate(chain, both, [other, root]), revoked);
});

t.test("keeps two authorities of one name apart by their keys", async (t) => {
  const options = { subject: { commonName: "twin" }, withoutKeyIds: true };
  const twins = [LaxAuthority.create(options), LaxAuthority.create(options)];
  const serial = Uint8Array.of(77);
  const chains = twins.map((twin) => twin.issue("/db", { withoutKeyIds: true, serial }).chain);
  const [first, second] = twins;
  if (first === undefined || second === undefined) return;
  const lists = [crl(first, { entries: [{ serial }], number: Uint8Array.of(3) }), crl(second, {})];
  for (const order of [lists, lists.toReversed()]) {
    t.throws(() => validate(chains[0] ?? [], order, twins), revoked);
    t.doesNotThrow(() => validate(chains[1] ?? [], order, twins));
  }
});

t.test("checks the signature of a list once for an authority", async (t) => {
  const { chain, leaf } = root.issue("/db");
  const list = crl(root, { entries: [{ serial: leaf }] });
  let checks = 0;
  const counting = Object.create(list, {
    isSignedBy: {
      value: (key: Parameters<typeof list.isSignedBy>[0]) => {
        checks += 1;
        return list.isSignedBy(key);
      },
    },
    reasonOf: { value: (serial: string) => list.reasonOf(serial) },
  });
  const crls = new CrlSet([counting]);
  for (let i = 0; i < 3; i += 1) {
    t.throws(
      () => validateX509Svid(chain, () => [root.certificate], now, undefined, crls),
      revoked,
    );
  }
  t.equal(checks, 1);
});
