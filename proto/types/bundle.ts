// Bundles on the wire of SPIRE's API. As the SPIFFE bundle document: pki/bundle/.

import {
  type Bundle,
  checkKeyIds,
  type JwtAuthority,
  type WitAuthority,
  type X509Authority,
} from "../../pki/bundle/bundle.ts";
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
 * Checks a bundle: every authority parses, sizes are sane, no two keys share an ID.
 * @throws AUTHORITY_MALFORMED, BUNDLE_INVALID, CERTIFICATE_INVALID, KEY_INVALID, TRUST_DOMAIN_INVALID
 */
export function bundleFromWire(wire: spire.api.types.Bundle): Bundle {
  const { x509Authorities, jwtAuthorities, witAuthorities } = wire;
  const count = Math.max(x509Authorities.length, jwtAuthorities.length, witAuthorities.length);
  if (count > MAX_AUTHORITIES) {
    throw protoError("AUTHORITY_MALFORMED", `a bundle of ${count} authorities is too large`);
  }
  const bundle: Bundle = {
    trustDomain: TrustDomain.parse(wire.trustDomain),
    x509Authorities: x509Authorities.map(x509AuthorityFromWire),
    jwtAuthorities: jwtAuthorities.map(jwtAuthorityFromWire),
    witAuthorities: witAuthorities.map(witAuthorityFromWire),
    sequence: BigInt(wire.sequenceNumber),
    refreshHintSeconds: Math.max(0, wire.refreshHint),
  };
  checkKeyIds(bundle);
  return bundle;
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
  return keyFromWire("JWT", wire);
}

/** @throws AUTHORITY_MALFORMED, KEY_INVALID */
export function witAuthorityFromWire(wire: spire.api.types.WITKey): WitAuthority {
  return keyFromWire("WIT", wire);
}

function keyFromWire(
  kind: string,
  wire: spire.api.types.JWTKey | spire.api.types.WITKey,
): JwtAuthority {
  if (wire.keyId === "" || wire.keyId.length > MAX_KEY_ID_LENGTH) {
    throw protoError(
      "AUTHORITY_MALFORMED",
      `a ${kind} authority needs a key ID of reasonable length`,
    );
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
    jwtAuthorities: isMeant(mask, "jwtAuthorities") ? bundle.jwtAuthorities.map(keyToWire) : [],
    witAuthorities: isMeant(mask, "witAuthorities") ? bundle.witAuthorities.map(keyToWire) : [],
    refreshHint: isMeant(mask, "refreshHint") ? bundle.refreshHintSeconds : 0,
    sequenceNumber: isMeant(mask, "sequenceNumber") ? bundle.sequence : 0,
  };
}

function keyToWire(
  authority: JwtAuthority,
): Init<spire.api.types.JWTKey> & Init<spire.api.types.WITKey> {
  const { keyId, spki, expiresAt, tainted } = authority;
  const seconds = expiresAt === undefined ? 0 : Math.floor(expiresAt.getTime() / 1000);
  return { keyId, publicKey: spki, expiresAt: seconds, tainted };
}
