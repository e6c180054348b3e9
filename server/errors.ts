// What can go wrong in the server, and the gRPC status of each reason. Reasons are stable and public:
// clients branch on them. Keep the table alphabetical; the class and the statuses are pki/errors.ts.

import { type ErrorFactory, errorsOf } from "../pki/errors.ts";

export const REASONS = {
  AGENT_ALREADY_ATTESTED: "alreadyExists",
  AGENT_BANNED: "permissionDenied",
  AGENT_NOT_FOUND: "notFound",
  AUDIENCE_INVALID: "invalidArgument",
  AUTHORITY_ID_UNKNOWN: "invalidArgument",
  AUTHORITY_NOT_READY: "unavailable",
  AUTHORITY_STATE_WRONG: "failedPrecondition",
  BATCH_TOO_LARGE: "invalidArgument",
  BUNDLE_EXISTS: "alreadyExists",
  BUNDLE_INVALID: "invalidArgument",
  BUNDLE_IN_USE: "failedPrecondition",
  BUNDLE_NOT_FOUND: "notFound",
  ENTRY_ALREADY_EXISTS: "alreadyExists",
  ENTRY_INVALID: "invalidArgument",
  ENTRY_NOT_AUTHORIZED: "notFound",
  ENTRY_NOT_FOUND: "notFound",
  FILTER_INVALID: "invalidArgument",
  ISSUER_OVERLOADED: "resourceExhausted",
  JOIN_TOKEN_ALREADY_EXISTS: "alreadyExists",
  JOIN_TOKEN_EXPIRED: "invalidArgument",
  JOIN_TOKEN_UNKNOWN: "invalidArgument",
  KEY_EXISTS: "alreadyExists",
  KEY_UNREADABLE: "failedPrecondition",
  NOT_SUPPORTED: "unimplemented",
  PAGE_TOKEN_INVALID: "invalidArgument",
  STORE_CLOSED: "unavailable",
  STORE_COMPACTED: "outOfRange",
  STORE_CONFLICT: "aborted",
  STORE_CORRUPT: "dataLoss",
  STORE_FAILED: "unavailable",
  STORE_FORMAT_UNKNOWN: "failedPrecondition",
  STORE_LOCKED: "failedPrecondition",
  STORE_UNUSABLE: "failedPrecondition",
  SVID_REQUEST_INVALID: "invalidArgument",
  SYNC_REQUEST_INVALID: "invalidArgument",
} as const;

export const serverError: ErrorFactory<keyof typeof REASONS> = errorsOf(REASONS);
