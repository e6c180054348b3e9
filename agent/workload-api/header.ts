// The security header of the Workload Endpoint (s3): a browser or a proxy that is tricked into sending a
// request to the socket cannot set it. Checked before a caller is attested or told anything.

import type { CallContext } from "../../proto/rpc/service.ts";
import { agentError } from "../errors.ts";

export const SECURITY_HEADER = "workload.spiffe.io";

/** The Workload API and every service of ours; reflection, health probes and Envoy send no header. */
const GUARDED = /^\/(SpiffeWorkloadAPI|signet\.[^/]*)\//;

/**
 * Refuses a call without the header, if its service needs it. The value is exactly "true": other spellings, and the header given
 * twice (joined as "true, true"), are refused.
 * @throws SECURITY_HEADER_MISSING
 */
export function assertSecurityHeader(context: CallContext): void {
  if (context.metadata(SECURITY_HEADER) === "true" || !GUARDED.test(context.method)) return;
  throw agentError("SECURITY_HEADER_MISSING", "security header missing from request", {
    hint: `send the metadata "${SECURITY_HEADER}: true" with every call, as SPIFFE clients do`,
  });
}
