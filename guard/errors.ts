// What can go wrong in `guard`. What is wrong with a credential itself: pki/errors.ts; TASK_STATUS_STALE:
// client/errors.ts.

import { type ErrorFactory, errorsOf } from "../pki/errors.ts";

export const REASONS = {
  GUARD_ACTION_REFUSED: "permissionDenied",
  GUARD_ATTESTATION_MISSING: "permissionDenied",
  GUARD_AUDIT_UNAVAILABLE: "unavailable",
  GUARD_BUDGET_SPENT: "permissionDenied",
  GUARD_CREDENTIAL_AMBIGUOUS: "unauthenticated",
  GUARD_CREDENTIAL_MISSING: "unauthenticated",
  GUARD_CREDENTIAL_TOO_LARGE: "unauthenticated",
  GUARD_ISSUER_UNREACHABLE: "unavailable",
  GUARD_MESSAGE_INVALID: "invalidArgument",
  GUARD_NODE_SILENT: "unavailable",
  GUARD_ORIGIN_REFUSED: "permissionDenied",
  GUARD_PROOF_MISSING: "unauthenticated",
  GUARD_PROOF_REPLAYED: "unauthenticated",
  GUARD_RESULT_WITHHELD: "permissionDenied",
  GUARD_SESSIONS_TOO_MANY: "resourceExhausted",
  GUARD_SESSION_UNKNOWN: "notFound",
  GUARD_TASK_REQUIRED: "permissionDenied",
  GUARD_TASK_UNKNOWN: "permissionDenied",
} as const;

/** Makes an error of `guard`. */
export const guardError: ErrorFactory<keyof typeof REASONS> = errorsOf(REASONS);
