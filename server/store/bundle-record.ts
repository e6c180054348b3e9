// How a bundle is written in the store: JSON, because it must keep what the SPIFFE bundle document
// cannot say (taints, when a key expires) and a person may have to read it in an emergency.
// What is done with these records: bundles.ts.

import type { Bundle, JwtAuthority } from "../../pki/bundle/bundle.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import { serverError } from "../errors.ts";

interface BundleJson {
  readonly trust_domain: string;
  /** Decimal: JSON numbers lose digits above 2^53. */
  readonly sequence: string;
  readonly refresh_hint_seconds: number;
  readonly x509: readonly { readonly der: string; readonly tainted?: true }[];
  readonly jwt: readonly KeyJson[];
  /** Absent in records of bundles that have none. */
  readonly wit?: readonly KeyJson[];
}

interface KeyJson {
  readonly key_id: string;
  readonly spki: string;
  readonly expires_at?: string;
  readonly tainted?: true;
}

/** The value of a bundle's record. */
export function encodeBundle(bundle: Bundle): Uint8Array {
  const json: BundleJson = {
    trust_domain: bundle.trustDomain.name,
    sequence: bundle.sequence.toString(),
    refresh_hint_seconds: bundle.refreshHintSeconds,
    x509: bundle.x509Authorities.map(({ der, tainted }) => ({
      der: Buffer.from(der).toString("base64"),
      ...(tainted ? { tainted } : {}),
    })),
    jwt: bundle.jwtAuthorities.map(encodeKey),
    ...(bundle.witAuthorities.length > 0 && { wit: bundle.witAuthorities.map(encodeKey) }),
  };
  return Buffer.from(JSON.stringify(json));
}

/**
 * Reads the value of a bundle's record.
 * @throws STORE_CORRUPT
 */
export function decodeBundle(key: string, value: Uint8Array): Bundle {
  try {
    const json = JSON.parse(Buffer.from(value).toString("utf8")) as BundleJson;
    return {
      trustDomain: TrustDomain.parse(json.trust_domain),
      sequence: BigInt(json.sequence),
      refreshHintSeconds: json.refresh_hint_seconds,
      x509Authorities: json.x509.map(({ der, tainted }) => ({
        der: base64(der),
        tainted: tainted === true,
      })),
      jwtAuthorities: json.jwt.map(decodeKey),
      witAuthorities: (json.wit ?? []).map(decodeKey),
    };
  } catch (cause) {
    throw serverError("STORE_CORRUPT", `the record ${key} is not a bundle`, {
      hint: "restore the store from a backup",
      cause,
    });
  }
}

function encodeKey({ keyId, spki, expiresAt, tainted }: JwtAuthority): KeyJson {
  return {
    key_id: keyId,
    spki: Buffer.from(spki).toString("base64"),
    ...(expiresAt ? { expires_at: expiresAt.toISOString() } : {}),
    ...(tainted ? { tainted } : {}),
  };
}

function decodeKey(json: KeyJson): JwtAuthority {
  return {
    keyId: json.key_id,
    spki: base64(json.spki),
    expiresAt: json.expires_at === undefined ? undefined : new Date(json.expires_at),
    tainted: json.tainted === true,
  };
}

/** Bytes in a buffer of their own: small Buffers share a pool that would be kept alive whole. */
function base64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "base64"));
}
