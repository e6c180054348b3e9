// What can go wrong in `client`. What is wrong with a document (an SVID, a bundle): pki/errors.ts.

import { type ErrorFactory, errorsOf } from "../pki/errors.ts";

export const REASONS = {
  BUNDLE_MAP_UNUSABLE: "failedPrecondition",
  BODY_MISSING: "failedPrecondition",
  ENDPOINT_INVALID: "invalidArgument",
  ENDPOINT_MISSING: "failedPrecondition",
  IDENTITY_EXPIRED: "unavailable",
  IDENTITY_NOT_FOUND: "notFound",
  IDENTITY_WITHDRAWN: "permissionDenied",
  PEER_CERTIFICATE_MISSING: "unauthenticated",
  PEER_NOT_AUTHORIZED: "permissionDenied",
  SOURCE_CLOSED: "failedPrecondition",
  SOURCE_NOT_READY: "unavailable",
  TASKS_NOT_SERVED: "unimplemented",
  TASK_STATUS_STALE: "unavailable",
  TLS_HANDSHAKE_FAILED: "unavailable",
  TRANSPORT_NOT_CONFIDENTIAL: "failedPrecondition",
  WIT_PRESENTATION_INVALID: "invalidArgument",
  WIT_PROOF_MISSING: "unauthenticated",
  WIT_PROOF_REPLAYED: "unauthenticated",
  WIT_REPLAY_CACHE_FULL: "resourceExhausted",
  WORKLOAD_API_RESPONSE_INVALID: "dataLoss",
} as const;

/** Makes an error of `client`. */
export const clientError: ErrorFactory<keyof typeof REASONS> = errorsOf(REASONS);
