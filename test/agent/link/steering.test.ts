// What the server's refusals make the agent do.

import t from "tap";
import { adviceOf } from "../../../agent/link/steering.ts";
import { IdentityError, Status } from "../../../pki/errors.ts";
import { withDetail } from "../../../proto/rpc/status.ts";
import { PermissionDeniedDetailsReason } from "../../../proto/schema.gen.ts";

const REASONS = [
  ["AGENT_BANNED", Status.permissionDenied, "exit-and-erase"],
  ["AGENT_MUST_REATTEST", Status.permissionDenied, "attest"],
  ["AGENT_NOT_ATTESTED", Status.permissionDenied, "attest"],
  ["AGENT_SVID_EXPIRED", Status.permissionDenied, "attest"],
  ["AGENT_SVID_NOT_ACTIVE", Status.permissionDenied, "attest"],
  ["CALLER_SVID_REVOKED", Status.permissionDenied, "attest"],
  ["ATTESTATION_REFUSED", Status.failedPrecondition, "exit"],
  ["JOIN_TOKEN_MISSING", Status.failedPrecondition, "exit"],
  ["LINK_VERSION", Status.failedPrecondition, "exit"],
  ["CONNECTION_UNAVAILABLE", Status.unavailable, "retry"],
  ["CALLER_NOT_AUTHORIZED", Status.permissionDenied, "retry"],
  ["RATE_LIMITED", Status.resourceExhausted, "retry"],
] as const;

for (const [reason, code, advice] of REASONS) {
  t.test(`${reason}: ${advice}`, async (t) => {
    t.equal(adviceOf(new IdentityError(reason, code, "said so")), advice);
  });
}

const DETAILS = [
  ["AGENT_EXPIRED", "attest"],
  ["AGENT_NOT_ATTESTED", "attest"],
  ["AGENT_NOT_ACTIVE", "attest"],
  ["AGENT_MUST_REATTEST", "attest"],
  ["AGENT_BANNED", "exit-and-erase"],
  ["UNKNOWN", "retry"],
] as const;

for (const [name, advice] of DETAILS) {
  t.test(`a SPIRE server's detail ${name}: ${advice}`, async (t) => {
    const error = new IdentityError("CALL_REFUSED", Status.permissionDenied, "no");
    const reason = PermissionDeniedDetailsReason[name];
    t.equal(
      adviceOf(withDetail(error, "spire.api.types.PermissionDeniedDetails", { reason })),
      advice,
    );
  });
}

t.test("what is no word of the server is tried again", async (t) => {
  t.equal(adviceOf(new Error("socket hang up")), "retry");
});
