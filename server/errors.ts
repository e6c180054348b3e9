// What can go wrong in the server, and the gRPC status of each reason. Reasons are stable and public:
// clients branch on them. Keep the table alphabetical; the class and the statuses are pki/errors.ts.

import { type ErrorDetail, errorsOf, type IdentityError, Status } from "../pki/errors.ts";

export const REASONS = {
  AGENT_ALREADY_ATTESTED: Status.alreadyExists,
  AGENT_BANNED: Status.permissionDenied,
  AGENT_NOT_FOUND: Status.notFound,
  AUDIENCE_INVALID: Status.invalidArgument,
  AUTHORITY_ID_UNKNOWN: Status.invalidArgument,
  AUTHORITY_NOT_READY: Status.unavailable,
  AUTHORITY_STATE_WRONG: Status.failedPrecondition,
  BATCH_TOO_LARGE: Status.invalidArgument,
  BUNDLE_EXISTS: Status.alreadyExists,
  BUNDLE_INVALID: Status.invalidArgument,
  BUNDLE_IN_USE: Status.failedPrecondition,
  BUNDLE_NOT_FOUND: Status.notFound,
  ENTRY_ALREADY_EXISTS: Status.alreadyExists,
  ENTRY_INVALID: Status.invalidArgument,
  ENTRY_NOT_AUTHORIZED: Status.notFound,
  ENTRY_NOT_FOUND: Status.notFound,
  FILTER_INVALID: Status.invalidArgument,
  ISSUER_OVERLOADED: Status.resourceExhausted,
  JOIN_TOKEN_ALREADY_EXISTS: Status.alreadyExists,
  JOIN_TOKEN_EXPIRED: Status.invalidArgument,
  JOIN_TOKEN_UNKNOWN: Status.invalidArgument,
  KEY_EXISTS: Status.alreadyExists,
  KEY_UNREADABLE: Status.failedPrecondition,
  NOT_SUPPORTED: Status.unimplemented,
  PAGE_TOKEN_INVALID: Status.invalidArgument,
  STORE_CLOSED: Status.unavailable,
  STORE_COMPACTED: Status.outOfRange,
  STORE_CONFLICT: Status.aborted,
  STORE_CORRUPT: Status.dataLoss,
  STORE_FAILED: Status.unavailable,
  STORE_FORMAT_UNKNOWN: Status.failedPrecondition,
  STORE_LOCKED: Status.failedPrecondition,
  STORE_UNUSABLE: Status.failedPrecondition,
  SVID_REQUEST_INVALID: Status.invalidArgument,
  SYNC_REQUEST_INVALID: Status.invalidArgument,
} as const;

export const serverError: (
  reason: keyof typeof REASONS & string,
  message: string,
  detail?: ErrorDetail,
) => IdentityError = errorsOf(REASONS);
