// What a workload gets for WIT: tokens with their private keys, and the keys that verify the tokens of
// others. Reading the messages of FetchWITSVID and FetchWITBundles (Workload API s7).

import type { WitAuthority } from "../../pki/bundle/bundle.ts";
import { parseWitJwks } from "../../pki/bundle/parse.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { type ProofKey, parsePrivateJwk } from "../../pki/wit/private-jwk.ts";
import { parseWitSvidInsecurely } from "../../pki/wit/svid.ts";
import type { workload } from "../../proto/schema.gen.ts";
import { withoutRepeatedHints } from "../hints.ts";
import { invalid, missing, readBundleKey, reading } from "../response.ts";

/** A WIT-SVID of this workload. */
export interface WorkloadWitSvid {
  readonly id: SpiffeId;
  /** The token itself, JWS compact serialization. Worth nothing without a proof by `key`. */
  readonly token: string;
  /** The private key that the token names, and the algorithm to prove with. */
  readonly key: ProofKey;
  readonly issuedAt: Date | undefined;
  readonly expiresAt: Date;
  readonly hint: string;
}

/** WIT authorities by the bare name of their trust domain. */
export type WitBundles = ReadonlyMap<string, readonly WitAuthority[]>;

/**
 * Reads a message of FetchWITSVID. Of SVIDs with the same hint the first counts.
 * @throws WORKLOAD_API_RESPONSE_INVALID also when a key is not the one its token names
 */
export function readWitSvids(message: workload.WITSVIDResponse): readonly WorkloadWitSvid[] {
  return reading("WITSVIDResponse", () => {
    if (message.svids.length === 0) throw missing("svids");
    return withoutRepeatedHints(message.svids.map(readWitSvid));
  });
}

/**
 * Reads a message of FetchWITBundles.
 * @throws WORKLOAD_API_RESPONSE_INVALID
 */
export function readWitBundles(message: workload.WITBundlesResponse): WitBundles {
  return reading("WITBundlesResponse", () => {
    const entries = Object.entries(message.bundles);
    if (entries.length === 0) throw missing("bundles");
    return new Map(entries.map(([key, jwks]) => [readBundleKey(key).name, parseWitJwks(jwks)]));
  });
}

function readWitSvid(wire: workload.WITSVID): WorkloadWitSvid {
  if (wire.spiffeId === "") throw missing("spiffe_id");
  if (wire.witSvid === "") throw missing("wit_svid");
  if (wire.witSvidKey === "") throw missing("wit_svid_key");
  // Not verified: it comes straight from the agent, whom this workload trusts with its keys as well.
  const { id, confirmation, issuedAt, expiresAt } = parseWitSvidInsecurely(wire.witSvid);
  if (!id.equals(SpiffeId.parse(wire.spiffeId))) {
    throw invalid(`the token of ${id} is called ${JSON.stringify(wire.spiffeId)}`);
  }
  const key = parsePrivateJwk(wire.witSvidKey);
  if (Buffer.compare(key.spki, confirmation.spki) !== 0 || key.alg !== confirmation.alg) {
    throw invalid(`the key that came with the token of ${id} is not the one it names`);
  }
  return { id, token: wire.witSvid, key, issuedAt, expiresAt, hint: wire.hint };
}
