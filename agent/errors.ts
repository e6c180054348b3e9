// What can go wrong in the node agent, and the gRPC status of each reason. Reasons are stable and
// public: clients branch on them. Keep the table alphabetical; the class and the statuses are
// pki/errors.ts.

import { type ErrorFactory, errorsOf } from "../pki/errors.ts";

export const REASONS = {
  AGENT_NOT_SYNCED: "unavailable",
  AGENT_WAS_BANNED: "permissionDenied",
  ATTESTATION_FAILED: "unavailable",
  ATTESTATION_REFUSED: "failedPrecondition",
  BOOTSTRAP_BUNDLE_INVALID: "failedPrecondition",
  CALLERS_UNSUPPORTED: "failedPrecondition",
  CALLER_CHANGED: "unavailable",
  CALLER_GONE: "unavailable",
  GUARD_EVENTS_TOO_MANY: "resourceExhausted",
  GUARD_EVENT_INVALID: "invalidArgument",
  GUARD_REQUESTS_TOO_MANY: "resourceExhausted",
  GUARD_REQUEST_INVALID: "invalidArgument",
  GUARD_SPOOL_BROKEN: "unavailable",
  GUARD_SPOOL_FULL: "resourceExhausted",
  GUARD_TASK_FOREIGN: "permissionDenied",
  GUARD_TASK_UNSHOWN: "permissionDenied",
  JOIN_TOKEN_MISSING: "failedPrecondition",
  JWT_SVID_MISSING: "invalidArgument",
  JWT_SVID_REVOKED: "invalidArgument",
  LAUNCH_NAME_INVALID: "invalidArgument",
  LAUNCH_PROCESS_REFUSED: "permissionDenied",
  LAUNCH_STEP_INVALID: "invalidArgument",
  LINK_VERSION: "failedPrecondition",
  NO_IDENTITY_ISSUED: "permissionDenied",
  PROFILE_DISABLED: "unimplemented",
  SECURITY_HEADER_MISSING: "invalidArgument",
  SERVER_ANSWER_INVALID: "unavailable",
  SERVER_UNREACHABLE: "unavailable",
  SOCKET_IN_USE: "failedPrecondition",
  SOCKET_LISTEN_FAILED: "failedPrecondition",
  SOCKET_PATH_INVALID: "invalidArgument",
  SVIDS_EXPIRED: "unavailable",
  TASKS_UNSAVED: "unavailable",
  TASK_KEY_MISMATCH: "invalidArgument",
  TASK_NOT_HELD: "notFound",
  TASK_NOT_OWNER: "permissionDenied",
  TASK_OUTCOME_INVALID: "invalidArgument",
  TASK_PROCESS_MISMATCH: "permissionDenied",
  TASK_PROOFS_TOO_MANY: "resourceExhausted",
  TASK_PROOF_REPLAYED: "permissionDenied",
  TOO_MANY_LAUNCHES: "resourceExhausted",
  TOO_MANY_STREAMS: "resourceExhausted",
  TOO_MANY_TASKS: "resourceExhausted",
  WIT_BUNDLE_MISSING: "permissionDenied",
  WIT_NOT_SERVED: "unimplemented",
} as const;

/** Makes an error of the agent. */
export const agentError: ErrorFactory<keyof typeof REASONS> = errorsOf(REASONS);
