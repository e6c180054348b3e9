// Writes bundle documents (SPIFFE Trust Domain and Bundle s4; X509-SVID, JWT-SVID and WIT-SVID s6.1): one
// JWK for each authority, with the members the standards define and no others. Reading them: parse.ts.

import { parseCertificate } from "../x509/certificate.ts";
import { type Bundle, checkKeyIds, type JwtAuthority, type WitAuthority } from "./bundle.ts";
import { spkiToJwk } from "./jwk.ts";

/**
 * Formats the SPIFFE bundle document: X.509 authorities with `x5c` and without `kid`, JWT and WIT
 * authorities with `kid`, the sequence number, and the refresh hint unless it is 0.
 * @throws BUNDLE_INVALID for an authority that no document can hold, or two keys with one ID
 */
export function formatBundle(bundle: Bundle): string {
  checkKeyIds(bundle);
  const x509 = bundle.x509Authorities.map(({ der }) => ({
    use: "x509-svid",
    ...spkiToJwk(parseCertificate(der).spki),
    x5c: [Buffer.from(der).toString("base64")],
  }));
  const jwt = bundle.jwtAuthorities.map((authority) => ({
    use: "jwt-svid",
    ...formatJwk(authority),
  }));
  const keys = JSON.stringify([...x509, ...jwt, ...bundle.witAuthorities.map(formatWitJwk)]);
  // By hand, since JSON.stringify takes no bigint and a number would round above 2^53.
  const hint =
    bundle.refreshHintSeconds > 0 ? `,"spiffe_refresh_hint":${bundle.refreshHintSeconds}` : "";
  return `{"keys":${keys},"spiffe_sequence":${bundle.sequence}${hint}}`;
}

/**
 * Formats the JWT bundle of the Workload API: a JWK Set of the JWT authorities alone, each with `kid`
 * and without `use`, which JWT libraries would not know.
 * @throws BUNDLE_INVALID
 */
export function formatJwks(bundle: Bundle): string {
  checkKeyIds(bundle);
  return JSON.stringify({ keys: bundle.jwtAuthorities.map(formatJwk) });
}

/**
 * Formats the WIT bundle of the Workload API: a JWK Set of the WIT authorities alone, each with `kid` and
 * with `use`, so that nobody takes them for keys of JWT-SVIDs.
 * @throws BUNDLE_INVALID
 */
export function formatWitJwks(bundle: Bundle): string {
  checkKeyIds(bundle);
  return JSON.stringify({ keys: bundle.witAuthorities.map(formatWitJwk) });
}

function formatWitJwk(authority: WitAuthority): object {
  return { use: "wit-svid", ...formatJwk(authority) };
}

function formatJwk({ keyId, spki }: JwtAuthority): object {
  return { kid: keyId, ...spkiToJwk(spki) };
}
