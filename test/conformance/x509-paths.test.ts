// X509-SVID and SPIFFE ID, the rows about authorities above and below each other (X509-25, 27, 28, 43,
// ID-28): the corners of RFC 5280 s6 that x509-validating.test.ts leaves out. Names and policies in
// full: test/pki/x509.
import t from "tap";
import { verifyPeer } from "../../client/verify.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { parseCertificates } from "../../pki/x509/certificate.ts";
import { contextTag } from "../../pki/x509/der.ts";
import { derElement, derObjectIdentifier, derSequence } from "../../pki/x509/der-writer.ts";
import { issueX509Leaf } from "../../pki/x509/issue.ts";
import { ExtensionOid } from "../../pki/x509/oid.ts";
import { MAX_PATH_LENGTH } from "../../pki/x509/path.ts";
import { parseX509Svid } from "../../pki/x509/svid.ts";
import { LaxAuthority, type LaxSvid } from "../support/lax-authority.ts";
import { entryOf, first, NORTH, TestAgent } from "../support/test-agent.ts";
import { type TestExtension, testKeyPair } from "../support/test-certificate.ts";
import { constraints, dns, registered, uri } from "../support/test-names.ts";
import { bundleOf } from "../support/test-signing.ts";

const now = new Date("2026-06-01T12:00:00Z");
const north = LaxAuthority.create();
/** As every part of the product verifies a peer. */
const validate = (chain: readonly Uint8Array[], anchors: readonly LaxAuthority[] = [north]) =>
  verifyPeer(chain, () => anchors.map(({ certificate }) => certificate), now, "client");
const refusal = (reason: string) => ({ reason, code: 3 });

t.test("X509-25 intermediates travel with the leaf from the server to the peer", async (t) => {
  const agent = await TestAgent.create(t, [], { unsynced: true });
  const middle = north.intermediate().intermediate();
  agent.signing.signer = { ...agent.signer, x509: middle.issuer() };
  agent.snapshot([entryOf("db")]);
  agent.delta({ bundles: [bundleOf(NORTH, [{ ...agent.signer, x509: north.issuer() }])] });
  const client = await agent.connect();
  const [svid] = (await first(client.fetchX509SVID({}))).svids;
  const chain = parseCertificates(svid?.x509Svid ?? new Uint8Array()).map(({ der }) => der);
  t.same(chain.slice(1), middle.chain, "leaf first, then each issuer after what it issued");
  t.doesNotThrow(() => parseX509Svid(chain, svid?.x509SvidKey ?? new Uint8Array()));
  const anchors = parseCertificates(svid?.bundle ?? new Uint8Array());
  const at = agent.clock.now();
  const verify = (shown: readonly Uint8Array[]) => verifyPeer(shown, () => anchors, at, "server");
  t.equal(verify(chain).id.toString(), "spiffe://north.test/db");
  for (const missing of [1, 2]) {
    const shorter = chain.filter((_, i) => i !== missing);
    t.throws(() => verify(shorter), refusal("SVID_UNTRUSTED"), `without number ${missing}`);
  }
});

t.test("X509-27 holds what is below an authority to its name constraints", async (t) => {
  const limited = (...extra: TestExtension[]) => north.intermediate({ extra });
  const own = constraints({ permitted: [uri("north.test")] });
  t.equal(validate(limited(own).issue("/db").chain).id.path, "/db");
  t.equal(validate(limited(own).intermediate().issue("/db").chain).id.path, "/db");
  const rows: [string, TestExtension][] = [
    ["another trust domain permitted", constraints({ permitted: [uri("south.test")] })],
    ["trust domains below it permitted", constraints({ permitted: [uri(".north.test")] })],
    ["its trust domain excluded", constraints({ excluded: [uri("NORTH.test")] })],
    ["a constraint that is no host", constraints({ permitted: [uri("spiffe://north.test")] })],
    ["not critical, binding all the same", constraints({ permitted: [uri("south.test")] }, false)],
  ];
  for (const [name, extension] of rows) {
    const refused = refusal("SVID_NAME_CONSTRAINT");
    t.throws(() => validate(limited(extension).issue("/db").chain), refused, name);
    const anchor = LaxAuthority.create({ extra: [extension] });
    t.throws(() => validate(anchor.issue("/db").chain, [anchor]), refused, `${name}, by a root`);
  }
  // A form that is limited and cannot be judged: registered IDs.
  const unprocessed = limited(constraints({ excluded: [registered(1)] }));
  t.ok(validate(unprocessed.issue("/db").chain), "no such name, no harm");
  const named = unprocessed.issue("/db", { names: [registered(2)] });
  t.throws(() => validate(named.chain), refusal("SVID_NAME_CONSTRAINT"));
  const empty = { oid: ExtensionOid.nameConstraints, critical: true, value: derSequence() };
  t.throws(() => validate(limited(empty).issue("/db").chain), refusal("CERTIFICATE_INVALID"));
});

const POLICY = "1.3.6.1.4.1.65980.1";
const policies: TestExtension = {
  oid: ExtensionOid.certificatePolicies,
  critical: true,
  value: derSequence(derSequence(derObjectIdentifier(POLICY))),
};
const requirePolicy: TestExtension = {
  oid: ExtensionOid.policyConstraints,
  critical: true,
  value: derSequence(derElement(contextTag(0, false), Uint8Array.of(0))),
};

t.test("X509-28 validates the corners of a path as RFC 5280 says", async (t) => {
  const strict = north.intermediate({ extra: [policies, requirePolicy] });
  t.ok(validate(strict.issue("/db", { extra: [policies] }).chain), "a required policy");
  let deepest = north;
  for (let depth = 2; depth < MAX_PATH_LENGTH; depth += 1) deepest = deepest.intermediate();
  t.ok(validate(deepest.issue("/db").chain), "as long as may be");
  const unknown = { oid: "1.3.6.1.4.1.65980.9", critical: true, value: Uint8Array.of(5, 0) };
  const dnsOnly = constraints({ permitted: [dns("a.test")] });
  const weak = north.intermediate({ keyKind: "rsa-1024" });
  const curve = north.intermediate({ keyKind: "ec-p224" });
  const rsa = LaxAuthority.create({ keyKind: "rsa-2048" });
  const rows: [string, LaxSvid, string, LaxAuthority?][] = [
    ["a policy that is required and missing", strict.issue("/db"), "SVID_POLICY"],
    [
      "a name that is not permitted",
      north.intermediate({ extra: [dnsOnly] }).issue("/db", { dnsNames: ["b.test"] }),
      "SVID_NAME_CONSTRAINT",
    ],
    [
      "an unknown extension above",
      north.intermediate({ extra: [unknown] }).issue("/db"),
      "SVID_CRITICAL_EXTENSION",
    ],
    ["a chain that is too long", deepest.intermediate().issue("/db"), "SVID_CHAIN_TOO_LONG"],
    ["an authority with RSA of 1024 bits", weak.issue("/db"), "KEY_UNSUPPORTED"],
    [
      "a leaf with RSA of 1024 bits",
      north.issue("/db", { keyKind: "rsa-1024" }),
      "KEY_UNSUPPORTED",
    ],
    ["an authority on a weak curve", curve.issue("/db"), "KEY_UNSUPPORTED"],
    ["a signature on SHA-1", rsa.issue("/db", { sha1: true }), "SVID_SIGNATURE_ALGORITHM", rsa],
    [
      "a signature on SHA-1 above",
      rsa.intermediate({ sha1: true }).issue("/db"),
      "SVID_SIGNATURE_ALGORITHM",
      rsa,
    ],
  ];
  for (const [name, { chain }, reason, anchor = north] of rows) {
    t.throws(() => validate(chain, [anchor]), refusal(reason), name);
  }
  const algorithm = derSequence(derObjectIdentifier("1.3.101.112"));
  const two = () => north.issue("/db", { innerAlgorithmDer: algorithm });
  t.throws(two, refusal("CERTIFICATE_INVALID"), "two signature algorithms");
});

t.test("X509-28 finds the path among authorities of one name, and out of loops", async (t) => {
  const options = { subject: { commonName: "one name" }, withoutKeyIds: true };
  const [older, newer] = [LaxAuthority.create(options), LaxAuthority.create(options)];
  const links = [older.crossSign(newer, options).der, newer.crossSign(older, options).der];
  for (const signer of [older, newer]) {
    const { leaf } = signer.issue("/db", options);
    for (const anchor of [older, newer]) {
      t.ok(validate([leaf.der, ...links], [anchor]), "cross-signed, both orders");
      t.ok(validate([leaf.der, ...links.toReversed()], [anchor]), "cross-signed, both orders");
    }
    t.ok(validate([leaf.der], [older, newer]), "two anchors of one name");
    t.ok(validate([leaf.der], [newer, older]), "two anchors of one name");
    t.throws(() => validate([leaf.der, ...links]), refusal("SVID_UNTRUSTED"), "a loop");
  }
});

t.test("X509-43 verifies RSA-PSS too, by keys for all RSA and by keys for it alone", async (t) => {
  for (const keyKind of ["rsa-2048", "rsa-pss-2048"] as const) {
    const authority = LaxAuthority.create({ keyKind, pss: {} });
    const { chain } = authority.issue("/db", { keyKind, pss: {} });
    t.ok(validate(chain, [authority]), keyKind);
    const forged = authority.issue("/db", { pss: {}, signWith: testKeyPair(keyKind).privateKey });
    t.throws(() => validate(forged.chain, [authority]), refusal("SVID_UNTRUSTED"), keyKind);
  }
});

t.test("ID-28 an authority of another trust domain, or of none, may sign ours", async (t) => {
  const spiffeId = SpiffeId.parse("spiffe://north.test/db");
  const { spki } = testKeyPair();
  const notBefore = new Date("2026-06-01T11:59:50Z");
  const notAfter = new Date("2026-06-01T13:00:00Z");
  const issueBy = async (authority: LaxAuthority) => {
    const issuer = authority.issuer();
    const leaf = await issueX509Leaf(issuer, { spki, spiffeId, notBefore, notAfter });
    return [leaf.der, ...issuer.upstreamChain];
  };
  t.ok(validate(await issueBy(north)), "self-signed");
  for (const upstream of [
    LaxAuthority.create({ trustDomain: "corp.test" }),
    LaxAuthority.create({ uris: [] }),
  ]) {
    const chain = await issueBy(upstream.intermediate({ trustDomain: "north.test" }));
    t.equal(chain.length, 2);
    t.equal(validate(chain, [upstream]).id.toString(), "spiffe://north.test/db");
    t.throws(() => validate(chain), refusal("SVID_UNTRUSTED"), "its root is not in the bundle");
    const impostor = LaxAuthority.create({ subject: upstream.name });
    t.throws(() => validate(chain, [impostor]), refusal("SVID_UNTRUSTED"), "a root of its name");
  }
});
