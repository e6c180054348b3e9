// Chains of certificates, good and bad, each special in one thing. All validate at the time of the run, as
// the peer of a TLS client.
import { contextTag, Tag } from "../../../pki/x509/der.ts";
import { derElement, derObjectIdentifier, derSequence } from "../../../pki/x509/der-writer.ts";
import { KeyUsage } from "../../../pki/x509/extensions.ts";
import { ExtensionOid, PurposeOid } from "../../../pki/x509/oid.ts";
import { LaxAuthority, type LaxLeafOptions } from "../../support/lax-authority.ts";
import { type TestExtension, testKeyPair } from "../../support/test-certificate.ts";
import type { ChainCase } from "./case.ts";

const DAY_MS = 86_400_000;
const now = Date.now();
const past = { notBefore: new Date(now - 9 * DAY_MS), notAfter: new Date(now - 2 * DAY_MS) };
const future = { notBefore: new Date(now + 2 * DAY_MS), notAfter: new Date(now + 9 * DAY_MS) };

const root = LaxAuthority.create();
const middle = root.intermediate();
const host = { dnsNames: ["db.north.test"] };

/** A chain as an authority's leaf has it; DNS names are there because some readers ask for one. */
function chain(
  authority: LaxAuthority,
  options: LaxLeafOptions = {},
  anchors: readonly LaxAuthority[] = [root],
): Pick<ChainCase, "leaf" | "intermediates" | "anchors"> {
  const leaf = authority.issueDer("/db", { ...host, ...options });
  const { chain: intermediates } = authority;
  return { leaf, intermediates, anchors: anchors.map(({ certificate: { der } }) => der) };
}

function own(
  authorityOptions: Parameters<typeof LaxAuthority.create>[0],
  leafOptions: LaxLeafOptions = {},
): Pick<ChainCase, "leaf" | "intermediates" | "anchors"> {
  const authority = LaxAuthority.create(authorityOptions);
  return chain(authority, leafOptions, [authority]);
}

function extension(oid: string, critical: boolean, value: Uint8Array): TestExtension {
  return { oid, critical, value };
}

const permitted = (...names: readonly Uint8Array[]): Uint8Array =>
  derSequence(derElement(contextTag(0, true), ...names.map((name) => derSequence(name))));
const excluded = (...names: readonly Uint8Array[]): Uint8Array =>
  derSequence(derElement(contextTag(1, true), ...names.map((name) => derSequence(name))));
const uri = (name: string): Uint8Array => derElement(contextTag(6, false), Buffer.from(name));
const dns = (name: string): Uint8Array => derElement(contextTag(2, false), Buffer.from(name));
const constraints = (value: Uint8Array): { extra: readonly TestExtension[] } => ({
  extra: [extension(ExtensionOid.nameConstraints, true, value)],
});

const unknownCritical = {
  extra: [extension("1.3.6.1.4.1.99999.1", true, derElement(Tag.null))],
};
const explicitPolicy = {
  extra: [
    extension(
      ExtensionOid.policyConstraints,
      true,
      derSequence(derElement(contextTag(0, false), Uint8Array.of(0))),
    ),
  ],
};
const policy = extension(
  ExtensionOid.certificatePolicies,
  false,
  derSequence(derSequence(derObjectIdentifier("1.3.6.1.4.1.99999.2"))),
);
/** Asks for a policy below it; in an intermediate, since an anchor's own extensions need not be processed. */
const asksForPolicy = root.intermediate({ extra: [...explicitPolicy.extra, policy] });

/** The same name and another key, vouched for by the old one. */
function crossSigned(): Pick<ChainCase, "leaf" | "intermediates" | "anchors"> {
  const old = LaxAuthority.create();
  const renewed = LaxAuthority.create({ subject: old.name });
  const bridge = old.crossSign(renewed);
  const { leaf } = chain(renewed);
  return { leaf, intermediates: [bridge.der], anchors: [old.certificate.der] };
}

function twoKeysOfOneName(): Pick<ChainCase, "leaf" | "intermediates" | "anchors"> {
  const first = LaxAuthority.create();
  const second = LaxAuthority.create({ subject: first.name });
  return chain(second, {}, [first, second]);
}

const GOOD: readonly ChainCase[] = [
  { name: "a leaf below its root", ...chain(root) },
  { name: "one intermediate", ...chain(middle) },
  { name: "two intermediates", ...chain(middle.intermediate()) },
  { name: "a P-384 leaf", ...chain(root, { keyKind: "ec-p384" }) },
  { name: "a P-521 leaf", ...chain(root, { keyKind: "ec-p521" }) },
  { name: "an RSA leaf and an RSA root", ...own({ keyKind: "rsa-2048" }, { keyKind: "rsa-2048" }) },
  { name: "a P-384 root", ...own({ keyKind: "ec-p384" }) },
  { name: "an Ed25519 leaf", ...chain(root, { keyKind: "ed25519" }) },
  { name: "an Ed25519 root", ...own({ keyKind: "ed25519" }) },
  { name: "an empty subject, critical names", ...chain(root, { subject: {}, sanCritical: true }) },
  { name: "no purposes", ...chain(root, { extKeyUsage: null }) },
  { name: "critical purposes", ...chain(root, { extKeyUsageCritical: true }) },
  {
    name: "an IP address among the names",
    ...chain(root, { ipAddresses: [Uint8Array.of(10, 0, 0, 1)] }),
  },
  { name: "a path as long as it may be", ...own({ pathLen: 0 }) },
  { name: "a superfluous intermediate", ...superfluous() },
  { name: "authorities cross-signed, one name and two keys", ...crossSigned() },
  { name: "two anchors of one name", ...twoKeysOfOneName() },
  { name: "no key identifiers", ...own({ withoutKeyIds: true }, { withoutKeyIds: true }) },
  { name: "a URI within the permitted hosts", ...own(constraints(permitted(uri("north.test")))) },
  { name: "a policy where one is required", ...chain(asksForPolicy, { extra: [policy] }) },
];

function superfluous(): Pick<ChainCase, "leaf" | "intermediates" | "anchors"> {
  const made = chain(root);
  return { ...made, intermediates: [LaxAuthority.create().certificate.der] };
}

const notSigning = { keyUsage: KeyUsage.cRLSign };

const BAD: readonly ChainCase[] = [
  { name: "an expired leaf", reason: "SVID_EXPIRED", ...chain(root, past) },
  { name: "a leaf of the future", reason: "SVID_NOT_YET_VALID", ...chain(root, future) },
  { name: "an expired intermediate", reason: "SVID_EXPIRED", ...chain(root.intermediate(past)) },
  { name: "an expired anchor", reason: "SVID_EXPIRED", ...own(past) },
  {
    name: "a signature by another key",
    reason: "SVID_UNTRUSTED",
    ...chain(root, { signWith: testKeyPair().privateKey }),
  },
  {
    name: "the name of another issuer",
    reason: "SVID_UNTRUSTED",
    ...chain(root, { issuerName: { commonName: "another" } }),
  },
  { name: "an unknown authority", reason: "SVID_UNTRUSTED", ...chain(LaxAuthority.create()) },
  { name: "a missing intermediate", reason: "SVID_UNTRUSTED", ...chain(middle), intermediates: [] },
  {
    name: "an intermediate that is no authority",
    reason: "SVID_INTERMEDIATE_NOT_CA",
    ...chain(root.intermediate({ isCa: false })),
  },
  {
    name: "an intermediate without basic constraints",
    reason: "SVID_INTERMEDIATE_NOT_CA",
    ...chain(root.intermediate({ isCa: null })),
  },
  {
    name: "an intermediate without keyCertSign",
    reason: "SVID_INTERMEDIATE_NOT_CA",
    ...chain(root.intermediate(notSigning)),
  },
  { name: "a root without keyCertSign", reason: "SVID_INTERMEDIATE_NOT_CA", ...own(notSigning) },
  { name: "a path longer than it may be", reason: "SVID_PATH_LENGTH", ...tooLong() },
  {
    name: "an unknown critical extension in the leaf",
    reason: "SVID_CRITICAL_EXTENSION",
    ...chain(root, unknownCritical),
  },
  {
    name: "an unknown critical extension in the intermediate",
    reason: "SVID_CRITICAL_EXTENSION",
    ...chain(root.intermediate(unknownCritical)),
  },
  {
    name: "a URI among the excluded hosts",
    reason: "SVID_NAME_CONSTRAINT",
    ...own(constraints(excluded(uri("north.test")))),
  },
  {
    name: "a DNS name outside the permitted ones",
    reason: "SVID_NAME_CONSTRAINT",
    ...own(constraints(permitted(dns("south.test")))),
  },
  { name: "no policy where one is required", reason: "SVID_POLICY", ...chain(asksForPolicy) },
  {
    name: "a purpose that is not TLS",
    reason: "SVID_EXTENDED_KEY_USAGE",
    ...chain(root, { extKeyUsage: ["1.3.6.1.5.5.7.3.3"] }),
  },
  {
    name: "a negative serial number",
    reason: "CERTIFICATE_INVALID",
    ...chain(root, { serial: Uint8Array.of(0x85, 1) }),
  },
  {
    name: "a serial number of 21 bytes",
    reason: "CERTIFICATE_INVALID",
    ...chain(root, { serial: new Uint8Array(21).fill(0x11) }),
  },
  {
    name: "an extension that is there twice",
    reason: "CERTIFICATE_INVALID",
    ...chain(root, twice()),
  },
  { name: "bytes after the certificate", reason: "CERTIFICATE_INVALID", ...trailing() },
  {
    name: "an RSA authority of 1024 bits",
    reason: "KEY_UNSUPPORTED",
    ...own({ keyKind: "rsa-1024" }),
  },
];

/** Rules of X509-SVID alone: X.509 knows nothing of them, so every reader must accept. */
const SPIFFE_ONLY: readonly ChainCase[] = [
  { name: "no URI", reason: "SVID_URI_SAN_COUNT", ...chain(root, { uris: [] }) },
  {
    name: "two URIs",
    reason: "SVID_URI_SAN_COUNT",
    ...chain(root, { uris: ["spiffe://north.test/a", "spiffe://north.test/b"] }),
  },
  {
    name: "a URI that is no SPIFFE ID",
    reason: "SVID_SPIFFE_ID_INVALID",
    ...chain(root, { uris: ["https://north.test/db"] }),
  },
  {
    name: "an ID without a path",
    reason: "SVID_PATH_MISSING",
    ...chain(root, { uris: ["spiffe://north.test"] }),
  },
  { name: "an authority as the peer", reason: "SVID_LEAF_IS_CA", ...chain(root, { isCa: true }) },
];

function tooLong(): Pick<ChainCase, "leaf" | "intermediates" | "anchors"> {
  const short = LaxAuthority.create({ pathLen: 0 });
  return chain(short.intermediate(), {}, [short]);
}

function twice(): LaxLeafOptions {
  const one = extension(
    ExtensionOid.extKeyUsage,
    false,
    derSequence(derObjectIdentifier(PurposeOid.serverAuth)),
  );
  return { extra: [one] };
}

function trailing(): Pick<ChainCase, "leaf" | "intermediates" | "anchors"> {
  const made = chain(root);
  return { ...made, leaf: Uint8Array.of(...made.leaf, 0) };
}

/** Cases of X.509, on which every reader should agree with us, and those of SPIFFE alone. */
export const CHAINS: readonly ChainCase[] = [...GOOD, ...BAD];
export const SPIFFE_CHAINS: readonly ChainCase[] = SPIFFE_ONLY;
