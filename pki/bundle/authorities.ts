// How a trust domain's own bundle changes: authorities are added, tainted, revoked and pruned. Pure:
// each function returns the next bundle, whose sequence number is one higher, or the same bundle when
// nothing changes. When each happens: server/ca/rotation.ts.

import { type IdentityError, pkiError } from "../errors.ts";
import { parseCertificate } from "../x509/certificate.ts";
import type { Bundle, JwtAuthority, WitAuthority, X509Authority } from "./bundle.ts";

/** Adds a certificate (DER); one that is there already, tainted or not, stays as it is. */
export function addX509(bundle: Bundle, der: Uint8Array): Bundle {
  if (bundle.x509Authorities.some((authority) => equalBytes(authority.der, der))) return bundle;
  return withX509(bundle, [...bundle.x509Authorities, { der, tainted: false }]);
}

/**
 * Adds a JWT key; the same key under the same ID stays as it is.
 * @throws AUTHORITY_CONFLICT when another key has the ID, or a WIT key
 */
export function addJwt(bundle: Bundle, authority: JwtAuthority): Bundle {
  return addKey(bundle, "jwtAuthorities", authority);
}

/**
 * Adds a WIT key; the same key under the same ID stays as it is.
 * @throws AUTHORITY_CONFLICT when another key has the ID, or a JWT key
 */
export function addWit(bundle: Bundle, authority: WitAuthority): Bundle {
  return addKey(bundle, "witAuthorities", authority);
}

/**
 * Marks the X.509 authorities with this subject key identifier (hex): what they signed is to be replaced.
 * @throws AUTHORITY_NOT_FOUND
 */
export function taintX509(bundle: Bundle, subjectKeyId: string): Bundle {
  const matches = x509Matches(bundle, subjectKeyId);
  if (matches.every(({ tainted }) => tainted)) return bundle;
  return withX509(
    bundle,
    bundle.x509Authorities.map((authority) =>
      matches.includes(authority) ? { ...authority, tainted: true } : authority,
    ),
  );
}

/**
 * Takes the X.509 authorities with this subject key identifier (hex) out: what they signed is void.
 * @throws AUTHORITY_NOT_FOUND
 */
export function revokeX509(bundle: Bundle, subjectKeyId: string): Bundle {
  const matches = x509Matches(bundle, subjectKeyId);
  return withX509(
    bundle,
    bundle.x509Authorities.filter((authority) => !matches.includes(authority)),
  );
}

/**
 * Marks the JWT key with this ID: what it signed is to be replaced.
 * @throws AUTHORITY_NOT_FOUND
 */
export function taintJwt(bundle: Bundle, keyId: string): Bundle {
  return taintKey(bundle, "jwtAuthorities", keyId);
}

/**
 * Marks the WIT key with this ID: what it signed is to be replaced.
 * @throws AUTHORITY_NOT_FOUND
 */
export function taintWit(bundle: Bundle, keyId: string): Bundle {
  return taintKey(bundle, "witAuthorities", keyId);
}

/**
 * Takes the JWT key with this ID out: what it signed is void.
 * @throws AUTHORITY_NOT_FOUND
 */
export function revokeJwt(bundle: Bundle, keyId: string): Bundle {
  return revokeKey(bundle, "jwtAuthorities", keyId);
}

/**
 * Takes the WIT key with this ID out: what it signed is void.
 * @throws AUTHORITY_NOT_FOUND
 */
export function revokeWit(bundle: Bundle, keyId: string): Bundle {
  return revokeKey(bundle, "witAuthorities", keyId);
}

/** Takes out every authority that has expired at `now`: nothing it signed can still be valid. */
export function pruneExpired(bundle: Bundle, now: Date): Bundle {
  const x509Authorities = bundle.x509Authorities.filter(
    ({ der }) => parseCertificate(der).notAfter.getTime() >= now.getTime(),
  );
  const isLive = ({ expiresAt }: JwtAuthority): boolean =>
    expiresAt === undefined || expiresAt.getTime() >= now.getTime();
  const jwtAuthorities = bundle.jwtAuthorities.filter(isLive);
  const witAuthorities = bundle.witAuthorities.filter(isLive);
  const pruned = { ...bundle, x509Authorities, jwtAuthorities, witAuthorities };
  if (count(pruned) === count(bundle)) return bundle;
  return { ...pruned, sequence: bundle.sequence + 1n };
}

/** An X.509 authority's name in commands and APIs: its subject key identifier in lowercase hex. */
export function x509AuthorityId(der: Uint8Array): string {
  const { subjectKeyId } = parseCertificate(der);
  return subjectKeyId === undefined ? "" : Buffer.from(subjectKeyId).toString("hex");
}

function withX509(bundle: Bundle, x509Authorities: readonly X509Authority[]): Bundle {
  return { ...bundle, x509Authorities, sequence: bundle.sequence + 1n };
}

/** The two kinds of keys with IDs change in the same way. */
type KeyKind = "jwtAuthorities" | "witAuthorities";
const OTHER: Readonly<Record<KeyKind, KeyKind>> = {
  jwtAuthorities: "witAuthorities",
  witAuthorities: "jwtAuthorities",
};

function addKey(bundle: Bundle, kind: KeyKind, authority: JwtAuthority): Bundle {
  const { keyId, spki } = authority;
  const known = bundle[kind].find((other) => other.keyId === keyId);
  if (known !== undefined && equalBytes(known.spki, spki)) return bundle;
  if (known !== undefined || bundle[OTHER[kind]].some((other) => other.keyId === keyId)) {
    throw pkiError(
      "AUTHORITY_CONFLICT",
      `the bundle of "${bundle.trustDomain}" has another key with ID "${keyId}"`,
    );
  }
  return withKeys(bundle, kind, [...bundle[kind], authority]);
}

function taintKey(bundle: Bundle, kind: KeyKind, keyId: string): Bundle {
  if (keyMatch(bundle, kind, keyId).tainted) return bundle;
  return withKeys(
    bundle,
    kind,
    bundle[kind].map((authority) =>
      authority.keyId === keyId ? { ...authority, tainted: true } : authority,
    ),
  );
}

function revokeKey(bundle: Bundle, kind: KeyKind, keyId: string): Bundle {
  const match = keyMatch(bundle, kind, keyId);
  return withKeys(
    bundle,
    kind,
    bundle[kind].filter((authority) => authority !== match),
  );
}

function withKeys(bundle: Bundle, kind: KeyKind, authorities: readonly JwtAuthority[]): Bundle {
  return { ...bundle, [kind]: authorities, sequence: bundle.sequence + 1n };
}

function count(bundle: Bundle): number {
  const { x509Authorities, jwtAuthorities, witAuthorities } = bundle;
  return x509Authorities.length + jwtAuthorities.length + witAuthorities.length;
}

function x509Matches(bundle: Bundle, subjectKeyId: string): readonly X509Authority[] {
  const wanted = subjectKeyId.toLowerCase();
  const matches =
    wanted === ""
      ? []
      : bundle.x509Authorities.filter(({ der }) => x509AuthorityId(der) === wanted);
  if (matches.length === 0) throw notFound("X.509", bundle, subjectKeyId);
  return matches;
}

function keyMatch(bundle: Bundle, kind: KeyKind, keyId: string): JwtAuthority {
  const match = bundle[kind].find((authority) => authority.keyId === keyId);
  if (match === undefined) throw notFound(kind === "jwtAuthorities" ? "JWT" : "WIT", bundle, keyId);
  return match;
}

function notFound(kind: string, bundle: Bundle, id: string): IdentityError {
  const quoted = JSON.stringify(id.slice(0, 100));
  return pkiError(
    "AUTHORITY_NOT_FOUND",
    `the bundle of "${bundle.trustDomain}" has no ${kind} authority ${quoted}`,
    { hint: "list the authorities with 'localauthority x509 show' or 'localauthority jwt show'" },
  );
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.length).equals(b);
}
