// What the server's refusals mean for the agent. Signet's server names its reason; a SPIRE server, and
// ours beside the reason, attaches PermissionDeniedDetails to what an agent must act upon.

import { IdentityError, Status } from "../../pki/errors.ts";
import { detailOf } from "../../proto/rpc/status.ts";
import { PermissionDeniedDetailsReason } from "../../proto/schema.gen.ts";

/**
 * Try again later; attest anew, which some nodes can; stop, because only an operator can help; stop and
 * leave no identity behind.
 */
export type Advice = "retry" | "attest" | "exit" | "exit-and-erase";

const BY_REASON: Readonly<Record<string, Advice>> = {
  AGENT_BANNED: "exit-and-erase",
  AGENT_MUST_REATTEST: "attest",
  AGENT_NOT_ATTESTED: "attest",
  AGENT_SVID_EXPIRED: "attest",
  AGENT_SVID_NOT_ACTIVE: "attest",
  ATTESTATION_REFUSED: "exit",
  BOOTSTRAP_BUNDLE_INVALID: "exit",
  CALLER_SVID_REVOKED: "attest",
  JOIN_TOKEN_MISSING: "exit",
  LINK_VERSION: "exit",
  LINK_VERSION_UNSUPPORTED: "exit",
};

const Detail = PermissionDeniedDetailsReason;
const BY_DETAIL: ReadonlyMap<number, Advice> = new Map([
  [Detail.AGENT_EXPIRED, "attest"],
  [Detail.AGENT_NOT_ATTESTED, "attest"],
  [Detail.AGENT_NOT_ACTIVE, "attest"],
  [Detail.AGENT_MUST_REATTEST, "attest"],
  [Detail.AGENT_BANNED, "exit-and-erase"],
]);

/** What to do about a failed call to the server. */
export function adviceOf(error: unknown): Advice {
  if (!(error instanceof IdentityError)) return "retry";
  const advice = BY_REASON[error.reason];
  if (advice !== undefined) return advice;
  if (error.code !== Status.permissionDenied) return "retry";
  const detail = detailOf(error, "spire.api.types.PermissionDeniedDetails");
  return (detail !== undefined ? BY_DETAIL.get(detail.reason) : undefined) ?? "retry";
}
