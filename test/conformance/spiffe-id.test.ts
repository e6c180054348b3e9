// SPIFFE-ID.md: one test per row, accept and reject. IDs that go through a running trust domain:
// served-ids.test.ts.
import { sign } from "node:crypto";
import t from "tap";
import { findTrustDomain } from "../../cli/up-trust-domain.ts";
import { fetchX509Svid } from "../../client/fetch.ts";
import { type Authorize, authorizeMemberOf, authorizeOneOf } from "../../client/tls/authorize.ts";
import { Status } from "../../pki/errors.ts";
import { issueJwtSvid } from "../../pki/jwt/issue.ts";
import { validateJwtSvid } from "../../pki/jwt/svid.ts";
import { generateP256KeyPair, signerOf } from "../../pki/keys.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import { validateX509Svid } from "../../pki/x509/svid.ts";
import { parseConfig } from "../../runtime/config.ts";
import { serverConfigSchema } from "../../server/config.ts";
import { validateEntry } from "../../server/entries/validate.ts";
import { FakeWorkloadApi, x509SvidToWire } from "../support/fake-workload-api.ts";
import { LaxAuthority } from "../support/lax-authority.ts";
import { TestAuthority } from "../support/test-authority.ts";
import { draft } from "../support/test-store.ts";

const code = Status.invalidArgument;
const refused = { reason: "SPIFFE_ID_INVALID", code };
const now = new Date();

const north = await TestAuthority.create("north.test");
const south = await TestAuthority.create("south.test");
const anchorsOf = TestAuthority.anchorsOf(north, south);
const rules = {
  trustDomain: north.trustDomain,
  isFederated: (name: string) => name === "south.test",
};

const lax = LaxAuthority.create();
const keyPair = generateP256KeyPair();

/** Validates a certificate with this URI name, whose trust domain, whatever it is, has our authority. */
function validateCertificate(uri: string) {
  const { chain } = lax.issue("", { uris: [uri], keyPair });
  return validateX509Svid(chain, () => [lax.certificate], now);
}

/** The same with a token of this subject. */
function validateToken(sub: string) {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(now.getTime() / 1000) + 60;
  const input = `${part({ alg: "ES256", kid: "k1" })}.${part({ sub, aud: "a", exp })}`;
  const key = { key: keyPair.privateKey, dsaEncoding: "ieee-p1363" } as const;
  const token = `${input}.${sign("sha256", Buffer.from(input), key).toString("base64url")}`;
  const authority = { keyId: "k1", spki: keyPair.spki, expiresAt: undefined, tainted: false };
  return validateJwtSvid(token, { audience: ["a"], authoritiesOf: () => [authority], now });
}

/** A row that is a matter of grammar: IDs it accepts as written, and IDs it refuses, wherever one comes in. */
function grammar(title: string, accept: readonly string[], reject: readonly string[]): void {
  t.test(title, async (t) => {
    for (const text of accept) {
      const id = SpiffeId.parse(text);
      t.equal(id.toString(), text);
      t.equal((await validateToken(text)).id.toString(), text);
      if (id.path !== "") t.equal(validateCertificate(text).id.toString(), text);
    }
    for (const text of reject) {
      const shown = JSON.stringify(text);
      t.throws(() => SpiffeId.parse(text), refused, shown);
      // Its reason is another one when the certificate cannot even be read: bytes over 0x7F.
      t.throws(() => validateCertificate(text), { code }, shown);
      await t.rejects(validateToken(text), { reason: "JWT_SVID_CLAIMS", code }, shown);
      const entry = { ...draft(), spiffeId: text };
      t.throws(() => validateEntry(entry, rules), { reason: "ENTRY_INVALID", code }, shown);
    }
  });
}

/** IDs with each code point from 0 to 255 but `allowed` and the slash put into `template`'s `?`. */
function otherBytes(template: string, allowed: RegExp): string[] {
  return Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
    .filter((character) => character !== "/" && !allowed.test(character))
    .map((character) => template.replace("*", () => character));
}

grammar(
  "ID-01 the scheme is spiffe followed by ://",
  ["spiffe://north.test/db"],
  [
    ...["", "s", "spiffe", "spiffe:", "spiffe:/", "spiffe:/north.test", "spiffe:north.test"],
    ...["http://north.test/db", "Spiffe://north.test/db", "SPIFFE://north.test/db"],
    ...[" ", "\t", "\n", "\ufeff"].map((before) => `${before}spiffe://north.test/db`),
  ],
);
grammar(
  "ID-02 the trust domain is not empty",
  ["spiffe://n"],
  ["spiffe://", "spiffe:///", "spiffe:///db"],
);
grammar(
  "ID-03 no query, not even an empty one",
  ["spiffe://north.test/db"],
  ["spiffe://north.test/db?", "spiffe://north.test/db?v=1", "spiffe://north.test?v"],
);
grammar(
  "ID-04 no fragment",
  ["spiffe://north.test"],
  ["spiffe://north.test/db#", "spiffe://north.test#x"],
);
grammar(
  "ID-05 no userinfo",
  ["spiffe://north.test/db"],
  ["spiffe://bob@north.test/db", "spiffe://@north.test/db"],
);
grammar(
  "ID-06 no port",
  ["spiffe://north.test/db"],
  ["spiffe://north.test:443/db", "spiffe://north.test:/db"],
);
grammar(
  "ID-07 the trust domain is lower case as written",
  ["spiffe://north.test"],
  ["spiffe://North.test", "spiffe://NORTH.TEST/db"],
);
grammar(
  "ID-08 a trust domain consists of a-z 0-9 . - _",
  ["spiffe://n_1-a.test"],
  [...otherBytes("spiffe://n*th.test/db", /[a-z0-9._-]/), "spiffe://n\u{1f511}.test"],
);
grammar(
  "ID-09 no percent-encoding in the trust domain",
  ["spiffe://north.test/db"],
  ["spiffe://n%6Frth.test/db"],
);
grammar(
  "ID-10 names that look like IP addresses, or are no DNS names, are names like others",
  ["spiffe://10.9.8.7/db", "spiffe://-a-/db", "spiffe://a..b/db", `spiffe://${"a".repeat(90)}/db`],
  ["spiffe://10.9.8.7:1/db"],
);
grammar(
  "ID-11 no IPv6 literals",
  ["spiffe://10.9.8.7"],
  ["spiffe://[fd00::1]/db", "spiffe://fd00::1/db"],
);
grammar(
  "ID-12 no percent-encoding in the path",
  ["spiffe://north.test/db"],
  ["%64b", "a%2Fb", "%00", "%2e%2e", "%F0%9F%98%80"].map((path) => `spiffe://north.test/${path}`),
);
grammar(
  "ID-13 no empty path segment",
  ["spiffe://north.test/a/b"],
  ["spiffe://north.test//a", "spiffe://north.test/a//b", "spiffe://north.test//"],
);
grammar(
  'ID-14 no "." or ".." segment, and they are not resolved',
  ["spiffe://north.test/.a", "spiffe://north.test/a..", "spiffe://north.test/..."],
  ["/.", "/..", "/./a", "/../a", "/a/./b", "/a/../b", "/a/.", "/a/.."].map(
    (path) => `spiffe://north.test${path}`,
  ),
);
grammar(
  "ID-15 no trailing slash, nor the bare root",
  ["spiffe://north.test", "spiffe://north.test/a"],
  ["/", "//", "/a/", "/a//b", "/a/b/"].map((path) => `spiffe://north.test${path}`),
);
grammar(
  "ID-16 a segment consists of A-Z a-z 0-9 . - _",
  ["spiffe://north.test/Zz9.-_"],
  otherBytes("spiffe://north.test/a*b", /[A-Za-z0-9._-]/),
);

t.test("ID-17 a path is optional, may be deep, and gives no authority by its prefix", async (t) => {
  t.equal(SpiffeId.parse("spiffe://north.test").path, "");
  const deep = SpiffeId.parse(`spiffe://north.test${"/a".repeat(40)}`);
  t.equal(deep.path.split("/").length, 41);
  const authorize: Authorize = authorizeOneOf(["spiffe://north.test/a"]);
  const { leaf } = await north.issue("/a");
  t.ok(authorize(SpiffeId.parse("spiffe://north.test/a"), { id: deep, leaf, path: [leaf] }));
  t.notOk(authorize(deep, { id: deep, leaf, path: [leaf] }));
});

const longest = SpiffeId.of(
  north.trustDomain,
  `/${"x".repeat(2048 - "spiffe://north.test/".length)}`,
);

t.test(
  "ID-18 an ID of 2048 bytes is supported in a SAN, in sub, in entries and over gRPC",
  async (t) => {
    t.equal(Buffer.byteLength(longest.toString()), 2048);
    const svid = await north.issue(longest.path);
    t.equal(validateX509Svid(svid.chain, anchorsOf, now).id.toString(), longest.toString());
    t.equal((await tokenOf(longest)).id.toString(), longest.toString());
    const entry = { ...draft(), spiffeId: longest.toString(), parentId: longest.toString() };
    t.equal(validateEntry(entry, rules).spiffeId, longest.toString());
    const fake = await FakeWorkloadApi.start(t);
    fake.x509.set({ svids: [x509SvidToWire(svid, [north])] });
    t.equal((await fetchX509Svid({ endpoint: fake.endpoint })).id.toString(), longest.toString());
    t.throws(() => SpiffeId.parse(`${longest}x`), refused);
  },
);

t.test("ID-19 no ID of more than 2048 bytes is registered or issued", async (t) => {
  t.ok(validateEntry({ ...draft(), spiffeId: longest.toString() }, rules));
  t.throws(() => validateEntry({ ...draft(), spiffeId: `${longest}x` }, rules), {
    reason: "ENTRY_INVALID",
    code: Status.invalidArgument,
  });
  await t.rejects(north.issue(`${longest.path}x`), refused);
});

grammar(
  "ID-20 a trust domain has at most 255 bytes",
  [`spiffe://${"a".repeat(255)}/db`],
  [`spiffe://${"a".repeat(256)}/db`],
);

t.test("ID-21 the length counts scheme, trust domain and path together", async (t) => {
  for (const name of ["n", "n".repeat(255)]) {
    const path = `/${"x".repeat(2048 - `spiffe://${name}/`.length)}`;
    t.equal(SpiffeId.parse(`spiffe://${name}${path}`).toString().length, 2048);
    t.throws(() => SpiffeId.parse(`spiffe://${name}${path}x`), refused);
  }
});

t.test(
  "ID-22 a path is compared with its case, and only lower case trust domains exist",
  async (t) => {
    const id = SpiffeId.parse("spiffe://north.test/Db");
    t.ok(id.equals(SpiffeId.parse("spiffe://north.test/Db")));
    t.notOk(id.equals(SpiffeId.parse("spiffe://north.test/db")));
    t.throws(() => SpiffeId.parse("SPIFFE://north.test/Db"), refused);
  },
);

t.test(
  "ID-23 a trust domain that nobody names gets a random name, never a fixed one",
  async (t) => {
    const dir = t.testdir({ one: {}, two: {}, named: {} });
    const one = await findTrustDomain(`${dir}/one`, undefined);
    t.not(await findTrustDomain(`${dir}/two`, undefined), one);
    t.equal(await findTrustDomain(`${dir}/one`, undefined), one, "and keeps it");
    t.equal(await findTrustDomain(`${dir}/named`, "north.test"), "north.test");
    t.throws(() => parseConfig("data_dir: /tmp/x\n", serverConfigSchema), {
      reason: "CONFIG_INVALID",
      message: /trust_domain/,
    });
  },
);

t.test("ID-24 the own trust domain cannot be federated with", async (t) => {
  t.ok(validateEntry({ ...draft(), federatesWith: ["south.test"] }, rules));
  t.throws(
    () =>
      validateEntry(
        { ...draft(), federatesWith: ["north.test"] },
        { ...rules, isFederated: () => true },
      ),
    { reason: "ENTRY_INVALID", code: Status.invalidArgument },
  );
});

t.test("ID-25 an SVID is valid only under an authority of its own trust domain", async (t) => {
  const { chain } = await north.issue("/db");
  t.equal(validateX509Svid(chain, anchorsOf, now).id.toString(), "spiffe://north.test/db");
  t.throws(() => validateX509Svid(chain, () => [south.root], now), {
    reason: "SVID_UNTRUSTED",
    code: Status.invalidArgument,
  });
});

t.test(
  "ID-28 an authority signs itself or is signed by another, whose root must be in the bundle",
  async (t) => {
    const below = await north.createBelow();
    const chained = await below.issue("/db");
    t.equal(chained.chain.length, 2);
    t.equal(validateX509Svid((await north.issue("/db")).chain, anchorsOf, now).id.path, "/db");
    t.equal(validateX509Svid(chained.chain, anchorsOf, now).id.path, "/db");
    const other = await TestAuthority.create("north.test");
    t.throws(() => validateX509Svid(chained.chain, TestAuthority.anchorsOf(other), now), {
      reason: "SVID_UNTRUSTED",
      code: Status.invalidArgument,
    });
  },
);

t.test("ID-29 the SPIFFE ID and the public key are inside what is signed", async (t) => {
  const { leaf } = await north.issue("/db");
  const original = Buffer.from(leaf.der);
  for (const part of [
    Buffer.from("spiffe://north.test/db"),
    Buffer.from(leaf.spki).subarray(-32),
  ]) {
    const forged = Buffer.from(original);
    const at = forged.indexOf(part) + part.length - 1;
    forged[at] = (forged[at] ?? 0) ^ 1;
    t.throws(() => validateX509Svid([forged], anchorsOf, now), { code: Status.invalidArgument });
  }
  t.ok(validateX509Svid([original], anchorsOf, now));
  const { token, authority } = await tokenOf(SpiffeId.parse("spiffe://north.test/db"));
  const [header, , signature] = token.split(".");
  const payload = Buffer.from(JSON.stringify({ sub: "spiffe://north.test/x", aud: "a", exp: 9e9 }));
  await t.rejects(
    validateJwtSvid(`${header}.${payload.toString("base64url")}.${signature}`, {
      audience: ["a"],
      authoritiesOf: () => [authority],
      now,
    }),
    { reason: "JWT_SVID_UNTRUSTED", code: Status.invalidArgument },
  );
});

t.test(
  "ID-30 only X.509 certificates and JWTs are SVIDs, not other tokens with a SPIFFE ID",
  async (t) => {
    const id = SpiffeId.parse("spiffe://north.test/db");
    t.equal((await tokenOf(id)).id.toString(), id.toString());
    t.ok(validateX509Svid((await north.issue("/db")).chain, anchorsOf, now));
    for (const typ of ["wit+jwt", "at+jwt", "dpop+jwt"]) {
      const header = Buffer.from(JSON.stringify({ alg: "ES256", kid: "k1", typ })).toString(
        "base64url",
      );
      const { token, authority } = await tokenOf(id);
      await t.rejects(
        validateJwtSvid(token.replace(/^[^.]+/, header), {
          audience: ["a"],
          authoritiesOf: () => [authority],
          now,
        }),
        { reason: "JWT_SVID_MALFORMED", code: Status.invalidArgument },
      );
    }
  },
);

t.test("ID-31 an authority signs nothing for another trust domain", async (t) => {
  t.ok(await north.issue("/x"));
  await t.rejects(north.issueId(SpiffeId.parse("spiffe://south.test/x")), {
    reason: "SVID_TRUST_DOMAIN_FOREIGN",
    code: Status.invalidArgument,
  });
});

t.test("ID-32 what a foreign trust domain asserts counts only as its own", async (t) => {
  // The same path and the same authority of paths, in two trust domains: only one of them is ours.
  const authorize: Authorize = authorizeMemberOf("north.test");
  const validate = async (authority: TestAuthority) =>
    validateX509Svid((await authority.issue("/role/admin")).chain, anchorsOf, now);
  const [ours, theirs] = [await validate(north), await validate(south)];
  t.ok(authorize(ours.id, ours));
  t.notOk(authorize(theirs.id, theirs));
  for (const name of ["xnorth.test", "a.north.test", "north.tes", "north.test.evil.test"]) {
    t.notOk(authorize(SpiffeId.parse(`spiffe://${name}/role/admin`), ours), name);
  }
});

t.test("ID-33 documents hold only what is required: no volatile facts", async (t) => {
  const { claims } = await tokenOf(SpiffeId.parse("spiffe://north.test/db"));
  t.strictSame(Object.keys(claims).sort(), ["aud", "exp", "iat", "sub"]);
  const { leaf } = await north.issue("/db");
  t.strictSame([...parseCertificate(leaf.der).extensions.keys()].sort(), [
    ...["2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.35", "2.5.29.37"],
  ]);
});

async function tokenOf(spiffeId: SpiffeId) {
  const signer = signerOf("k1", generateP256KeyPair());
  const authority = { keyId: "k1", spki: signer.spki, expiresAt: undefined, tainted: false };
  const token = await issueJwtSvid({
    signer,
    keyId: "k1",
    spiffeId,
    audience: ["a"],
    issuedAt: now,
    expiresAt: new Date(now.getTime() + 300_000),
  });
  const svid = await validateJwtSvid(token, {
    audience: ["a"],
    authoritiesOf: () => [authority],
    now,
  });
  return { ...svid, token, authority };
}
