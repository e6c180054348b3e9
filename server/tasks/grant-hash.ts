// The hash that stands for a grant: what was granted to which task of whom, and the grant that it was
// narrowed from. Whoever has the fields can compute it, and a chain of grants cannot be rewritten.
import { createHash } from "node:crypto";
import { type Mandate, normalize } from "../../policy/mandate.ts";

/** The algorithm: how fields are put together, and how `leq` compares. */
const VERSION = "signet-grant-1";

/** SHA-256, hexadecimal. `former` is the hash of the grant it was narrowed from, "" when it is the first. */
export function grantHashOf(
  spiffeId: string,
  agentId: string,
  mandate: Mandate,
  former: string,
): string {
  const {
    locations,
    actions,
    datatypes,
    uses,
    depth,
    maxSensitivity,
    untilUnixSeconds,
    environment,
  } = normalize(mandate);
  const fields = [
    ...[VERSION, spiffeId, agentId, former],
    ...[locations, actions, datatypes, uses ?? null, depth, maxSensitivity],
    ...[untilUnixSeconds ?? null, environment],
  ];
  return createHash("sha256").update(JSON.stringify(fields)).digest("hex");
}
