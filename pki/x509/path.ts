// Certification path validation (RFC 5280 s6), our own: Node has none outside TLS, and TLS knows
// only one pool of anchors. The path is searched from the leaf upwards among the certificates given,
// so that several anchors of one name, cross-signed and superfluous certificates are all fine.
// What SPIFFE asks of the leaf beyond this: svid.ts.
// The rules that certificates of a path are held to: path-rules.ts, name-constraints.ts, policies.ts.
import { IdentityError, pkiError } from "../errors.ts";
import { type Certificate, equalBytes, KeyUsage } from "./certificate.ts";
import type { CrlSet } from "./crl-set.ts";
import { nameProblem } from "./name-constraints.ts";
import {
  authorityProblem,
  criticalProblem,
  keyProblem,
  leafKeyProblem,
  pathLengthProblem,
  revocationProblem,
  signatureProblem,
  timeProblem,
} from "./path-rules.ts";
import { policyProblem } from "./policies.ts";

/** Longest path: leaf, intermediates and anchor. */
export const MAX_PATH_LENGTH = 8;
/** Certificates that a peer may send; more are refused unread. */
export const MAX_CHAIN_CERTIFICATES = 16;
/**
 * Signatures checked for one peer at most: cross-signed certificates of one name span a graph whose
 * paths grow exponentially, which a hostile peer could make us walk.
 */
const MAX_SIGNATURE_CHECKS = 64;
/** A path that reached an anchor in vain counts as so many: names times constraints are compared for it. */
const CHECKS_OF_A_WHOLE_PATH = 8;

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
 * be revoked by `crls`. Returns the path: leaf first, without the anchor and without what was superfluous.
 * @throws SVID_CHAIN_EMPTY, SVID_CHAIN_TOO_LONG, SVID_EXPIRED, SVID_NOT_YET_VALID,
 *   SVID_CRITICAL_EXTENSION, SVID_SIGNATURE_ALGORITHM, KEY_UNSUPPORTED,
 *   SVID_INTERMEDIATE_NOT_CA, SVID_PATH_LENGTH, SVID_NAME_CONSTRAINT, SVID_POLICY, SVID_REVOKED,
 *   CERTIFICATE_INVALID, SVID_UNTRUSTED
 */
export function validatePath(
  chain: readonly Certificate[],
  anchors: readonly Certificate[],
  now: Date,
  crls?: CrlSet,
): readonly Certificate[] {
  const [leaf, ...intermediates] = chain;
  if (leaf === undefined) throw pkiError("SVID_CHAIN_EMPTY", "there is no certificate");
  if (chain.length > MAX_CHAIN_CERTIFICATES) {
    throw pkiError(
      "SVID_CHAIN_TOO_LONG",
      `there are ${chain.length} certificates, over ${MAX_CHAIN_CERTIFICATES}`,
    );
  }
  const problem =
    timeProblem(leaf, now) ??
    criticalProblem(leaf) ??
    signatureProblem(leaf) ??
    leafKeyProblem(leaf);
  if (problem !== undefined) throw problem;
  const search: Search = {
    intermediates,
    anchors,
    now,
    crls,
    checksLeft: MAX_SIGNATURE_CHECKS,
    problem: undefined,
  };
  const path = trustedPath(leaf, [leaf], search);
  if (path === undefined) throw search.problem ?? untrusted();
  return path;
}

/** A path, leaf first, led on to an anchor from `last`, its last certificate; undefined when it cannot be. */
function trustedPath(
  last: Certificate,
  path: readonly Certificate[],
  search: Search,
): readonly Certificate[] | undefined {
  const unsigned = signatureProblem(last);
  search.problem ??= unsigned;
  if (unsigned !== undefined) return undefined;
  for (const anchor of search.anchors) {
    if (!couldHaveIssued(anchor, last)) continue;
    if (!isSigned(last, anchor, search)) continue;
    if (!isUsableIssuer(anchor, path, search, KEY_USAGE_OF_SILENT_ANCHOR)) continue;
    const problem = pathProblem([...path, anchor], search.crls);
    if (problem === undefined) return path;
    search.problem = problem;
    search.checksLeft -= CHECKS_OF_A_WHOLE_PATH;
  }
  if (path.length + 2 > MAX_PATH_LENGTH) {
    search.problem ??= pkiError(
      "SVID_CHAIN_TOO_LONG",
      `the path to an anchor has more than ${MAX_PATH_LENGTH} certificates`,
    );
    return undefined;
  }
  for (const candidate of search.intermediates) {
    if (!couldHaveIssued(candidate, last) || isInPath(candidate, path)) continue;
    if (!isSigned(last, candidate, search)) continue;
    if (!isUsableIssuer(candidate, path, search, 0)) continue;
    const found = trustedPath(candidate, [...path, candidate], search);
    if (found !== undefined) return found;
  }
  return undefined;
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
  if (search.checksLeft <= 0) {
    search.problem = pkiError("SVID_CHAIN_TOO_LONG", "finding a path takes too many checks");
    return false;
  }
  search.checksLeft -= 1;
  const problem = keyProblem(issuer);
  // A key that is not accepted cannot have signed anything that we trust; other issuers may.
  search.problem ??= problem;
  return problem === undefined && subject.isSignedBy(issuer.publicKey);
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

/**
 * What authorities ask of all that is below them, once a path has reached an anchor: so late, so that a
 * peer cannot keep us busy with the constraints and lists of authorities that it made up.
 */
function pathProblem(
  path: readonly Certificate[],
  crls: CrlSet | undefined,
): IdentityError | undefined {
  try {
    return nameProblem(path) ?? policyProblem(path) ?? revocationProblem(path, crls);
  } catch (error) {
    // Extensions that cannot be read spoil this path; there may be another.
    if (error instanceof IdentityError) return error;
    throw error;
  }
}

function untrusted(): IdentityError {
  return pkiError("SVID_UNTRUSTED", "no authority of the bundle signed this certificate", {
    hint: "compare the trust domain's bundle here with the issuer's",
  });
}
