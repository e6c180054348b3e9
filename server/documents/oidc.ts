// OpenID Connect discovery (Discovery 1.0 s3, s4): where the keys of our JWT-SVIDs are, and the keys, so
// that whoever takes ID tokens takes JWT-SVIDs. Nobody logs in here: the members that a relying party
// needs to validate tokens are given, those about logging in are not, but for one that must be there.

import type { Bundle, JwtAuthority } from "../../pki/bundle/bundle.ts";
import { spkiToJwk } from "../../pki/bundle/jwk.ts";
import { algorithmFits, SIGNING_ALGORITHM } from "../../pki/jwt/algorithms.ts";
import { importSpki } from "../../pki/keys.ts";
import { type Document, documentOf, type FindResource } from "./document.ts";

export interface OidcOptions {
  /** The `iss` claim of our JWT-SVIDs: an https URL, see {@link isIssuer}. */
  readonly issuer: string;
  /** The newest bundle of the own trust domain; undefined when there is none yet. */
  readonly bundle: () => Bundle | undefined;
  /** How long what was fetched may be used. A new key must be public for longer before it signs. */
  readonly maxAgeSeconds: number;
}

/** Every algorithm our own keys can have: a relying party may remember the list over a change of the key type. */
const ALGORITHMS: readonly string[] = [
  ...new Set(Object.values(SIGNING_ALGORITHM).map(({ alg }) => alg)),
].sort();

/** Whether this can be an issuer: relying parties put it together with a path, and compare it to the letter. */
export function isIssuer(issuer: string): boolean {
  const url = URL.parse(issuer);
  if (url === null || url.protocol !== "https:" || url.username !== "" || url.password !== "") {
    return false;
  }
  if (/[?#]/.test(issuer)) return false;
  return url.href === issuer || url.href === `${issuer}/`;
}

/** What stands at the paths of the discovery listener: both lie below the path of the issuer. */
export function oidcDiscovery({ issuer, bundle, maxAgeSeconds }: OidcOptions): FindResource {
  const cacheControl = `public, max-age=${maxAgeSeconds}`;
  const base = issuer.replace(/\/$/, "");
  const prefix = new URL(base).pathname.replace(/\/$/, "");
  const discovery = documentOf(
    Buffer.from(JSON.stringify(discoveryOf(issuer, `${base}/keys`))),
    "application/json",
    cacheControl,
  );
  const keys = new WeakMap<Bundle, Document>();
  return (path) => {
    if (path === `${prefix}/.well-known/openid-configuration`) return discovery;
    if (path !== `${prefix}/keys`) return undefined;
    const newest = bundle();
    if (newest === undefined) return null;
    let document = keys.get(newest);
    if (document === undefined) {
      document = documentOf(Buffer.from(formatKeys(newest)), "application/json", cacheControl);
      keys.set(newest, document);
    }
    return document;
  };
}

function discoveryOf(issuer: string, jwksUri: string): object {
  return {
    issuer,
    jwks_uri: jwksUri,
    // Must be there, and there is none: nobody is sent here to log in.
    authorization_endpoint: "",
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ALGORITHMS,
    claims_supported: ["iss", "sub", "aud", "exp", "iat", "jti"],
  };
}

/** The keys of JWT-SVIDs as JWT libraries know them: `use` is "sig", each with its algorithm. Nothing else of the bundle. */
function formatKeys({ jwtAuthorities }: Bundle): string {
  return JSON.stringify({ keys: jwtAuthorities.map(formatKey) });
}

function formatKey({ keyId, spki }: JwtAuthority): object {
  const key = importSpki(spki);
  const alg = [...ALGORITHMS, "ES512"].find((one) => algorithmFits(one, key));
  return { kid: keyId, use: "sig", ...(alg !== undefined && { alg }), ...spkiToJwk(spki) };
}
