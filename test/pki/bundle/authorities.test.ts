import t from "tap";
import {
  addJwt,
  addWit,
  addX509,
  pruneExpired,
  revokeJwt,
  revokeWit,
  revokeX509,
  taintJwt,
  taintWit,
  taintX509,
  x509AuthorityId,
} from "../../../pki/bundle/authorities.ts";
import { type Bundle, emptyBundle, type JwtAuthority } from "../../../pki/bundle/bundle.ts";
import { Status } from "../../../pki/errors.ts";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import { TestAuthority } from "../../support/test-authority.ts";

const empty = emptyBundle(TrustDomain.parse("north.test"));
const [one, two] = [await TestAuthority.create(), await TestAuthority.create()];
const idOf = (authority: TestAuthority) => x509AuthorityId(authority.root.der);
const jwt = (keyId: string, expiresAt?: Date): JwtAuthority => ({
  keyId,
  spki: generateP256KeyPair().spki,
  expiresAt,
  tainted: false,
});
const a = jwt("a", new Date("2030-01-01"));
const full: Bundle = [one, two].reduce(
  (bundle, { root }) => addX509(bundle, root.der),
  [a, jwt("b")].reduce(addJwt, empty),
);
const withWit: Bundle = [jwt("v", new Date("2030-01-01")), jwt("w")].reduce(addWit, full);
const notFound = { reason: "AUTHORITY_NOT_FOUND", code: Status.notFound };

t.test("every change of content counts the sequence up by one", async (t) => {
  t.equal(full.sequence, 4n);
  for (const changed of [
    taintX509(full, idOf(one)),
    revokeX509(full, idOf(one)),
    taintJwt(full, "a"),
    revokeJwt(full, "a"),
    pruneExpired(full, new Date("2030-01-02")),
  ]) {
    t.equal(changed.sequence, 5n);
  }
  for (const changed of [
    taintWit(withWit, "w"),
    revokeWit(withWit, "w"),
    pruneExpired({ ...withWit, jwtAuthorities: [] }, new Date("2030-01-02")),
  ]) {
    t.equal(changed.sequence, 7n);
  }
});

t.test("what changes nothing returns the bundle as it is", async (t) => {
  t.equal(addX509(full, Uint8Array.from(one.root.der)), full);
  t.equal(addJwt(full, { ...a, tainted: true }), full);
  t.equal(pruneExpired(full, new Date()), full);
  const tainted = taintJwt(taintX509(full, idOf(one)), "a");
  t.equal(taintX509(tainted, idOf(one).toUpperCase()), tainted);
  t.equal(taintJwt(tainted, "a"), tainted);
  t.equal(addX509(tainted, one.root.der), tainted, "adding again does not remove a taint");
});

t.test("tainting marks one authority, revoking takes it out", async (t) => {
  const taints = ({ x509Authorities, jwtAuthorities }: Bundle) => [
    x509Authorities.map(({ tainted }) => tainted),
    jwtAuthorities.map(({ tainted }) => tainted),
  ];
  t.strictSame(taints(full), [
    [false, false],
    [false, false],
  ]);
  t.strictSame(taints(taintJwt(taintX509(full, idOf(two)), "b")), [
    [false, true],
    [false, true],
  ]);
  const revoked = revokeJwt(revokeX509(full, idOf(one)), "a");
  t.same(revoked.x509Authorities[0]?.der, two.root.der);
  t.strictSame(
    revoked.jwtAuthorities.map(({ keyId }) => keyId),
    ["b"],
  );
});

t.test("an authority that is not there is an error that names it", async (t) => {
  for (const change of [taintX509, revokeX509, taintJwt, revokeJwt, taintWit, revokeWit]) {
    t.throws(() => change(full, "00ff"), { ...notFound, message: /"north.test" has no .* "00ff"/ });
    t.throws(() => change(full, ""), notFound);
  }
});

t.test(
  "a WIT key is tainted, revoked and pruned like a JWT key, and neither is the other",
  async (t) => {
    const [v, w] = withWit.witAuthorities;
    t.equal(v && addWit(withWit, { ...v, tainted: true }), withWit);
    const tainted = taintWit(withWit, "w");
    t.equal(taintWit(tainted, "w"), tainted);
    t.strictSame(
      tainted.witAuthorities.map((one) => [one.keyId, one.tainted]),
      [
        ["v", false],
        ["w", true],
      ],
    );
    t.equal(tainted.jwtAuthorities, withWit.jwtAuthorities);
    t.strictSame(revokeWit(withWit, "v").witAuthorities, [w]);
    t.strictSame(pruneExpired(withWit, new Date("2030-01-02")).witAuthorities, [w]);
    t.throws(() => taintJwt(withWit, "w"), notFound);
    t.throws(() => revokeWit(withWit, "a"), notFound);
  },
);

t.test("another key under an ID that is taken is refused", async (t) => {
  const conflict = { reason: "AUTHORITY_CONFLICT", code: Status.alreadyExists };
  t.throws(() => addJwt(full, jwt("a")), conflict);
  t.throws(() => addWit(withWit, jwt("w")), conflict);
  t.throws(() => addWit(withWit, a), conflict, "the same key cannot be of both kinds");
  t.throws(() => addJwt(withWit, jwt("w")), conflict);
});

t.test("pruning takes out what has expired, and only that", async (t) => {
  const ends = [one, two].map(({ root }) => root.notAfter.getTime());
  const later = new Date(Math.max(...ends) + 1000);
  const pruned = pruneExpired(full, later);
  t.equal(pruned.x509Authorities.length, 0);
  t.equal(pruned.jwtAuthorities.length, 2);
  const keys = pruneExpired(full, new Date("2030-01-02")).jwtAuthorities;
  t.strictSame(
    keys.map(({ keyId }) => keyId),
    ["b"],
  );
});
