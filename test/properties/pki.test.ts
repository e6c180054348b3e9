// What must hold for every identity document, whatever is in it: properties that fast-check tries to break,
// and makes small when it does.
import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import t from "tap";
import { addJwt, addX509, revokeJwt, taintJwt } from "../../pki/bundle/authorities.ts";
import { type Bundle, emptyBundle, equalBundles } from "../../pki/bundle/bundle.ts";
import { formatBundle } from "../../pki/bundle/format.ts";
import { parseBundle } from "../../pki/bundle/parse.ts";
import { parseJson } from "../../pki/json.ts";
import { issueJwtSvid } from "../../pki/jwt/issue.ts";
import { validateJwtSvid } from "../../pki/jwt/svid.ts";
import { signerOf } from "../../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import { parseCrl } from "../../pki/x509/crl.ts";
import { issueCrl } from "../../pki/x509/crl-issue.ts";
import { createCsr, parseCsr } from "../../pki/x509/csr.ts";
import { issueX509Leaf } from "../../pki/x509/issue.ts";
import { validateX509Svid } from "../../pki/x509/svid.ts";
import { LaxAuthority } from "../support/lax-authority.ts";
import { testKeyPair } from "../support/test-certificate.ts";
import { moments, paths, serials, trustDomainNames, workloadIds } from "./values.ts";

const keys = testKeyPair();
const signer = signerOf("k", keys);
const north = TrustDomain.parse("north.test");
const authority = LaxAuthority.create({ trustDomain: "north.test" });
const now = new Date("2026-01-01T00:00:00Z");
const later = new Date(now.getTime() + 3_600_000);

t.test("a SPIFFE ID is what it is written as, and its parts make it again", async (t) => {
  fc.assert(
    fc.property(workloadIds, (text) => {
      const id = SpiffeId.parse(text);
      const parts = SpiffeId.of(TrustDomain.parse(id.trustDomain.name), id.path);
      return id.toString() === text && parts.equals(id) && id.isMemberOf(id.trustDomain);
    }),
  );
  t.pass();
});

t.test("one changed byte makes another ID or none, never the same", async (t) => {
  fc.assert(
    fc.property(workloadIds, fc.nat(), fc.integer({ min: 1, max: 255 }), (text, at, flip) => {
      const bytes = Buffer.from(text);
      const index = at % bytes.length;
      bytes[index] = (bytes[index] ?? 0) ^ flip;
      try {
        return !SpiffeId.parse(bytes.toString("latin1")).equals(SpiffeId.parse(text));
      } catch {
        return true;
      }
    }),
  );
  t.pass();
});

t.test("an X509-SVID says what was ordered, to us and to OpenSSL, and validates", async (t) => {
  await fc.assert(
    fc.asyncProperty(paths, fc.integer({ min: 1, max: 86_400 }), async (path, seconds) => {
      const spiffeId = SpiffeId.of(north, path);
      const leaf = await issueX509Leaf(authority.issuer(), {
        spki: keys.spki,
        spiffeId,
        dnsNames: [],
        notBefore: now,
        notAfter: new Date(now.getTime() + seconds * 1000),
      });
      const theirs = new X509Certificate(leaf.der);
      const svid = validateX509Svid([leaf.der], () => [authority.certificate], now, "client");
      return (
        svid.id.equals(spiffeId) &&
        theirs.subjectAltName === `URI:${spiffeId}` &&
        theirs.verify(authority.keyPair.publicKey) &&
        new Date(theirs.validTo).getTime() === leaf.notAfter.getTime() &&
        BigInt(`0x${theirs.serialNumber}`) === BigInt(leaf.serialDecimal)
      );
    }),
    { numRuns: 60 },
  );
  t.pass();
});

t.test("a request says what it was made from", async (t) => {
  const names = fc.array(fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/), { maxLength: 5 });
  fc.assert(
    fc.property(workloadIds, names, (uri, dnsNames) => {
      const request = parseCsr(createCsr(keys, { uris: [uri], dnsNames }));
      return request.uris[0] === uri && request.dnsNames.join() === dnsNames.join();
    }),
    { numRuns: 60 },
  );
  t.pass();
});

t.test("a revocation list lists what it was given, and nothing near it", async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(serials, { maxLength: 40 }), serials, async (listed, other) => {
      const revoked = listed.map((serial) => ({ serial, revokedAt: now }));
      const request = {
        issuer: authority.issuer(),
        number: 1n,
        thisUpdate: now,
        nextUpdate: later,
      };
      const list = parseCrl(await issueCrl({ ...request, revoked }));
      return (
        list.size === listed.length &&
        listed.every((serial) => list.reasonOf(serial) !== undefined) &&
        (listed.includes(other) || list.reasonOf(other) === undefined) &&
        list.isSignedBy(authority.keyPair.publicKey)
      );
    }),
    { numRuns: 60 },
  );
  t.pass();
});

t.test("a JWT-SVID says what was ordered, until it ends and not after", async (t) => {
  const audiences = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 40 }), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(workloadIds, audiences, moments, async (text, audience, issuedAt) => {
      const spiffeId = SpiffeId.parse(text);
      const expiresAt = new Date(issuedAt.getTime() + 300_000);
      const order = { signer, keyId: "k", spiffeId, audience, issuedAt, expiresAt };
      const token = await issueJwtSvid(order);
      const key = { keyId: "k", spki: keys.spki, expiresAt: undefined, tainted: false };
      const authoritiesOf = () => [key];
      for (const one of audience) {
        const svid = await validateJwtSvid(token, {
          audience: [one],
          authoritiesOf,
          now: issuedAt,
        });
        if (!svid.id.equals(spiffeId) || svid.audience.join() !== audience.join()) return false;
      }
      const after = new Date(expiresAt.getTime() + 121_000);
      const late = { audience, authoritiesOf, now: after };
      return validateJwtSvid(token, late).then(
        () => false,
        () => true,
      );
    }),
    { numRuns: 60 },
  );
  t.pass();
});

const authorities = [LaxAuthority.create(), LaxAuthority.create({ keyKind: "ec-p384" })];
const spkis = [keys.spki, testKeyPair("rsa-2048").spki, testKeyPair("ec-p384").spki];

/** Bundles by what was done to them. */
const bundles: fc.Arbitrary<Bundle> = fc
  .tuple(
    trustDomainNames,
    fc.uniqueArray(fc.nat({ max: authorities.length - 1 })),
    fc.uniqueArray(fc.string({ minLength: 1, maxLength: 30 }), { maxLength: 6 }),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 100n }),
    fc.nat({ max: 86_400 }),
  )
  .map(([name, x509, keyIds, sequence, refreshHintSeconds]) => {
    let bundle = { ...emptyBundle(TrustDomain.parse(name)), sequence, refreshHintSeconds };
    for (const i of x509) bundle = addX509(bundle, authorities[i]?.certificate.der ?? keys.spki);
    for (const [i, keyId] of keyIds.entries()) {
      const spki = spkis[i % spkis.length] ?? keys.spki;
      bundle = addJwt(bundle, { keyId, spki, expiresAt: undefined, tainted: false });
    }
    return bundle;
  });

t.test("a bundle is the same after it was written and read", async (t) => {
  fc.assert(
    fc.property(bundles, (bundle) => {
      const again = parseBundle(bundle.trustDomain, formatBundle(bundle));
      return equalBundles(again, bundle) && again.sequence === bundle.sequence;
    }),
  );
  t.pass();
});

t.test("every change of a bundle raises its sequence, and taking out undoes adding", async (t) => {
  fc.assert(
    fc.property(bundles, (bundle) => {
      const key = {
        keyId: "n".repeat(40),
        spki: keys.spki,
        expiresAt: undefined,
        tainted: false,
      };
      const added = addJwt(bundle, key);
      const tainted = taintJwt(added, key.keyId);
      const revoked = revokeJwt(tainted, key.keyId);
      return (
        added.sequence === bundle.sequence + 1n &&
        addJwt(added, key) === added &&
        tainted.sequence === added.sequence + 1n &&
        revoked.sequence === tainted.sequence + 1n &&
        equalBundles(revoked, bundle)
      );
    }),
  );
  t.pass();
});

t.test("strict JSON reads what JSON.stringify writes", async (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
      const text = JSON.stringify(value);
      const own = JSON.stringify(parseJson(text), (_name, one: unknown) =>
        typeof one === "bigint" ? Number(one) : one,
      );
      return own === JSON.stringify(JSON.parse(text));
    }),
  );
  t.pass();
});

t.test("a certificate with any one byte changed is refused or not signed", async (t) => {
  const { der } = authority.issue("/db").leaf;
  fc.assert(
    fc.property(fc.nat({ max: der.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = Uint8Array.from(der);
      changed[at] = (changed[at] ?? 0) ^ flip;
      try {
        return !parseCertificate(changed).isSignedBy(authority.keyPair.publicKey);
      } catch {
        return true;
      }
    }),
    { numRuns: 300 },
  );
  t.pass();
});
