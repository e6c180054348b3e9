// Bundles on the wire of SPIRE's API. As the SPIFFE bundle document: pki/bundle/.

import type { Bundle, JwtAuthority, X509Authority } from "../../pki/bundle/bundle.ts";
import { importSpki } from "../../pki/keys.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import type { Init } from "../codec.ts";
import { protoError } from "../errors.ts";
import type { spire } from "../schema.gen.ts";
import { isMeant } from "./mask.ts";

/** Most authorities of one kind in a bundle. */
export const MAX_AUTHORITIES = 1000;
const MAX_KEY_ID_LENGTH = 255;

/**
 * Checks a bundle: every authority parses, sizes are sane. WIT authorities are left out.
 * @throws AUTHORITY_MALFORMED, CERTIFICATE_INVALID, KEY_INVALID, TRUST_DOMAIN_INVALID
 */
export function bundleFromWire(wire: spire.api.types.Bundle): Bundle {
  const count = Math.max(wire.x509Authorities.length, wire.jwtAuthorities.length);
  if (count > MAX_AUTHORITIES) {
    throw protoError("AUTHORITY_MALFORMED", `a bundle of ${count} authorities is too large`);
  }
  return {
    trustDomain: TrustDomain.parse(wire.trustDomain),
    x509Authorities: wire.x509Authorities.map(x509AuthorityFromWire),
    jwtAuthorities: wire.jwtAuthorities.map(jwtAuthorityFromWire),
    sequence: BigInt(Math.max(0, wire.sequenceNumber)),
    refreshHintSeconds: Math.max(0, wire.refreshHint),
  };
}

/** @throws CERTIFICATE_INVALID unless it is exactly one certificate */
export function x509AuthorityFromWire(wire: spire.api.types.X509Certificate): X509Authority {
  // A copy: the field is a view of the whole message, which it would keep in memory.
  const der = new Uint8Array(wire.asn1);
  parseCertificate(der);
  return { der, tainted: wire.tainted };
}

/** @throws AUTHORITY_MALFORMED, KEY_INVALID */
export function jwtAuthorityFromWire(wire: spire.api.types.JWTKey): JwtAuthority {
  if (wire.keyId === "" || wire.keyId.length > MAX_KEY_ID_LENGTH) {
    throw protoError("AUTHORITY_MALFORMED", "a JWT authority needs a key ID of reasonable length");
  }
  const spki = new Uint8Array(wire.publicKey);
  importSpki(spki);
  const expiresAt = wire.expiresAt > 0 ? new Date(wire.expiresAt * 1000) : undefined;
  return { keyId: wire.keyId, spki, expiresAt, tainted: wire.tainted };
}

/** The wire form, with the fields that `mask` means and the trust domain. */
export function bundleToWire(
  bundle: Bundle,
  mask?: Init<spire.api.types.BundleMask>,
): Init<spire.api.types.Bundle> {
  return {
    trustDomain: bundle.trustDomain.name,
    x509Authorities: isMeant(mask, "x509Authorities")
      ? bundle.x509Authorities.map(({ der, tainted }) => ({ asn1: der, tainted }))
      : [],
    jwtAuthorities: isMeant(mask, "jwtAuthorities")
      ? bundle.jwtAuthorities.map(jwtAuthorityToWire)
      : [],
    refreshHint: isMeant(mask, "refreshHint") ? bundle.refreshHintSeconds : 0,
    sequenceNumber: isMeant(mask, "sequenceNumber") ? Number(bundle.sequence) : 0,
  };
}

function jwtAuthorityToWire(authority: JwtAuthority): Init<spire.api.types.JWTKey> {
  const { keyId, spki, expiresAt, tainted } = authority;
  const seconds = expiresAt === undefined ? 0 : Math.floor(expiresAt.getTime() / 1000);
  return { keyId, publicKey: spki, expiresAt: seconds, tainted };
}
