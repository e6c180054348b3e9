// Certification path validation (RFC 5280 s6), our own: Node has none outside TLS, and TLS knows
// only one pool of anchors. The path is searched from the leaf upwards among the certificates given,
// so that several anchors of one name, cross-signed and superfluous certificates are all fine.
// What SPIFFE asks of the leaf beyond this: svid.ts.
import { type IdentityError, pkiError } from "../errors.ts";
import { type Certificate, equalBytes, KeyUsage } from "./certificate.ts";
import type { CrlSet } from "./crl-set.ts";
import { ExtensionOid } from "./oid.ts";

/** Longest path: leaf, intermediates and anchor. */
export const MAX_PATH_LENGTH = 8;
/** Certificates that a peer may send; more are refused unread. */
export const MAX_CHAIN_CERTIFICATES = 16;
/**
 * Signatures checked for one peer at most: cross-signed certificates of one name span a graph whose
 * paths grow exponentially, which a hostile peer could make us walk.
 */
const MAX_SIGNATURE_CHECKS = 64;

/**
 * Extensions that this validation processes, so that they may be critical. Certificate policies are
 * among them because no policy is required here, in which case they cannot make a path invalid
 * (s6.1.5); name constraints are not: one that is critical is refused.
 */
const PROCESSED: ReadonlySet<string> = new Set([
  ExtensionOid.subjectKeyIdentifier,
  ExtensionOid.keyUsage,
  ExtensionOid.subjectAltName,
  ExtensionOid.basicConstraints,
  ExtensionOid.certificatePolicies,
  ExtensionOid.authorityKeyIdentifier,
  ExtensionOid.extKeyUsage,
]);

/**
 * Roots of other authorities often have no key usage at all; RFC 5280 then allows every use. An
 * anchor was chosen by an operator, an intermediate by the peer: only the anchor gets the benefit.
 */
const KEY_USAGE_OF_SILENT_ANCHOR = KeyUsage.keyCertSign;

/** One search for a path: what it may use, and what it has used up. */
interface Search {
  readonly intermediates: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  readonly now: Date;
  readonly crls: CrlSet | undefined;
  checksLeft: number;
  /** Why the most promising path was no path. */
  problem: IdentityError | undefined;
}

/**
 * Validates that the first certificate of `chain` leads to one of `anchors` at the moment `now`, by
 * way of the others, in whatever order. Anchors too must be valid authorities. None of the others may
 * be revoked by `crls`.
 * @throws SVID_CHAIN_EMPTY, SVID_CHAIN_TOO_LONG, SVID_EXPIRED, SVID_NOT_YET_VALID,
 *   SVID_CRITICAL_EXTENSION, SVID_INTERMEDIATE_NOT_CA, SVID_PATH_LENGTH, SVID_REVOKED,
 *   SVID_UNTRUSTED
 */
export function validatePath(
  chain: readonly Certificate[],
  anchors: readonly Certificate[],
  now: Date,
  crls?: CrlSet,
): void {
  const [leaf, ...intermediates] = chain;
  if (leaf === undefined) throw pkiError("SVID_CHAIN_EMPTY", "there is no certificate");
  if (chain.length > MAX_CHAIN_CERTIFICATES) {
    throw pkiError(
      "SVID_CHAIN_TOO_LONG",
      `there are ${chain.length} certificates, over ${MAX_CHAIN_CERTIFICATES}`,
    );
  }
  const problem = timeProblem(leaf, now) ?? criticalProblem(leaf);
  if (problem !== undefined) throw problem;
  const search: Search = {
    intermediates,
    anchors,
    now,
    crls,
    checksLeft: MAX_SIGNATURE_CHECKS,
    problem: undefined,
  };
  if (isTrusted(leaf, [leaf], search)) return;
  throw search.problem ?? untrusted();
}

/** Whether a path, leaf first, can be led on to an anchor from `last`, its last certificate. */
function isTrusted(last: Certificate, path: readonly Certificate[], search: Search): boolean {
  for (const anchor of search.anchors) {
    if (!couldHaveIssued(anchor, last)) continue;
    if (!isSigned(last, anchor, search)) continue;
    if (!isUsableIssuer(anchor, path, search, KEY_USAGE_OF_SILENT_ANCHOR)) continue;
    const problem = revocationProblem([...path, anchor], search.crls);
    if (problem === undefined) return true;
    search.problem = problem;
  }
  if (path.length + 2 > MAX_PATH_LENGTH) {
    search.problem ??= pkiError(
      "SVID_CHAIN_TOO_LONG",
      `the path to an anchor has more than ${MAX_PATH_LENGTH} certificates`,
    );
    return false;
  }
  for (const candidate of search.intermediates) {
    if (!couldHaveIssued(candidate, last) || isInPath(candidate, path)) continue;
    if (!isSigned(last, candidate, search)) continue;
    if (!isUsableIssuer(candidate, path, search, 0)) continue;
    if (isTrusted(candidate, [...path, candidate], search)) return true;
  }
  return false;
}

/** Cheap reasons to skip a candidate: another name, or a key identifier that names another key. */
function couldHaveIssued(issuer: Certificate, subject: Certificate): boolean {
  if (!equalBytes(issuer.subjectDer, subject.issuerDer)) return false;
  const { authorityKeyId } = subject;
  const { subjectKeyId } = issuer;
  if (authorityKeyId === undefined || subjectKeyId === undefined) return true;
  return equalBytes(authorityKeyId, subjectKeyId);
}

/** The same key under the same name twice makes a loop, whatever else differs (RFC 4158 s5.2). */
function isInPath(candidate: Certificate, path: readonly Certificate[]): boolean {
  return path.some(
    ({ spki, subjectDer }) =>
      equalBytes(spki, candidate.spki) && equalBytes(subjectDer, candidate.subjectDer),
  );
}

function isSigned(subject: Certificate, issuer: Certificate, search: Search): boolean {
  if (search.checksLeft === 0) {
    search.problem = pkiError(
      "SVID_CHAIN_TOO_LONG",
      "finding a path takes too many signature checks",
    );
    return false;
  }
  search.checksLeft -= 1;
  try {
    return subject.isSignedBy(issuer.publicKey);
  } catch {
    // A key of an unsupported kind cannot have signed anything that we trust; other issuers may.
    return false;
  }
}

/** Checks an issuer that did sign what is below it in `path`; notes the first problem found. */
function isUsableIssuer(
  issuer: Certificate,
  path: readonly Certificate[],
  search: Search,
  usageIfAbsent: number,
): boolean {
  const problem =
    timeProblem(issuer, search.now) ??
    criticalProblem(issuer) ??
    authorityProblem(issuer, usageIfAbsent) ??
    pathLengthProblem(issuer, path);
  search.problem ??= problem;
  return problem === undefined;
}

function timeProblem(certificate: Certificate, now: Date): IdentityError | undefined {
  const { notBefore, notAfter } = certificate;
  const who = describe(certificate);
  if (now.getTime() < notBefore.getTime()) {
    return pkiError("SVID_NOT_YET_VALID", `${who} is valid from ${notBefore.toISOString()} on`, {
      hint: "compare the clocks of this machine and the issuer's",
    });
  }
  // notAfter is the last second of validity, all of it included (s4.1.2.5).
  if (now.getTime() >= notAfter.getTime() + 1000) {
    return pkiError("SVID_EXPIRED", `${who} expired at ${notAfter.toISOString()}`);
  }
  return undefined;
}

/** s6.1.4 (o) and s6.1.5 (f): a critical extension that is not processed fails the path. */
function criticalProblem(certificate: Certificate): IdentityError | undefined {
  for (const [oid, { critical }] of certificate.extensions) {
    if (!critical || PROCESSED.has(oid)) continue;
    return pkiError(
      "SVID_CRITICAL_EXTENSION",
      `${describe(certificate)} has the critical extension ${oid}, which is not understood`,
    );
  }
  return undefined;
}

/** s6.1.4 (k) and (n), and X509-SVID s4.3: an authority says that it is one, twice. */
function authorityProblem(issuer: Certificate, usageIfAbsent: number): IdentityError | undefined {
  const signs = ((issuer.keyUsage ?? usageIfAbsent) & KeyUsage.keyCertSign) !== 0;
  if (issuer.isCa && signs) return undefined;
  const lack = issuer.isCa ? "key usage keyCertSign" : "basic constraint cA";
  return pkiError("SVID_INTERMEDIATE_NOT_CA", `${describe(issuer)} signs without ${lack}`);
}

/** s6.1.4 (l), (m): intermediates below, not counting self-issued ones nor the leaf. */
function pathLengthProblem(
  issuer: Certificate,
  path: readonly Certificate[],
): IdentityError | undefined {
  if (issuer.pathLen === undefined) return undefined;
  const below = path.slice(1).filter((c) => !equalBytes(c.subjectDer, c.issuerDer)).length;
  if (below <= issuer.pathLen) return undefined;
  return pkiError(
    "SVID_PATH_LENGTH",
    `${describe(issuer)} allows ${issuer.pathLen} intermediates below it and there are ${below}`,
  );
}

/**
 * s6.3: whether a list of its issuer revokes a certificate of a path that has reached an anchor. Asked
 * this late, so that a peer cannot have lists checked against authorities that it made up.
 */
function revocationProblem(
  path: readonly Certificate[],
  crls: CrlSet | undefined,
): IdentityError | undefined {
  for (const [i, certificate] of path.entries()) {
    const issuer = path[i + 1];
    const reason = issuer && crls?.revocationOf(certificate, issuer);
    if (reason === undefined) continue;
    return pkiError("SVID_REVOKED", `${describe(certificate)} was revoked: ${reason}`, {
      hint: "its holder must fetch a new one",
    });
  }
  return undefined;
}

function untrusted(): IdentityError {
  return pkiError("SVID_UNTRUSTED", "no authority of the bundle signed this certificate", {
    hint: "compare the trust domain's bundle here with the issuer's",
  });
}

function describe(certificate: Certificate): string {
  const kind = certificate.isCa ? "the authority" : "the certificate";
  return `${kind} with serial number ${certificate.serialHex}`;
}
