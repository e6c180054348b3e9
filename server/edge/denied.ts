// What an agent that was denied should do next: SPIRE's agents, and ours, read it from a detail of the
// status, spire.api.types.PermissionDeniedDetails. Without it they would try the same for ever.
import { IdentityError } from "../../pki/errors.ts";
import { withDetail } from "../../proto/rpc/status.ts";
import { PermissionDeniedDetailsReason as Detail } from "../../proto/schema.gen.ts";
import type { REASONS } from "../errors.ts";

const DETAILS: Readonly<Partial<Record<keyof typeof REASONS, number>>> = {
  AGENT_BANNED: Detail.AGENT_BANNED,
  AGENT_MUST_REATTEST: Detail.AGENT_MUST_REATTEST,
  AGENT_NOT_ATTESTED: Detail.AGENT_NOT_ATTESTED,
  AGENT_SVID_EXPIRED: Detail.AGENT_EXPIRED,
  AGENT_SVID_NOT_ACTIVE: Detail.AGENT_NOT_ACTIVE,
  CALLER_SVID_REVOKED: Detail.AGENT_NOT_ACTIVE,
};

const explainedErrors = new WeakSet<IdentityError>();

/** The error, with that detail when its reason calls for one. */
export function explained(error: unknown): unknown {
  if (!(error instanceof IdentityError) || explainedErrors.has(error)) return error;
  const reason = DETAILS[error.reason as keyof typeof REASONS];
  if (reason === undefined) return error;
  // One error ends all streams of a banned agent.
  explainedErrors.add(error);
  return withDetail(error, "spire.api.types.PermissionDeniedDetails", { reason });
}
