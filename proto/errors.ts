// What can go wrong on the wire: messages that do not parse, values out of their limits, and calls
// that fail without a reason of their own. The error class itself: pki/errors.ts.

import { type ErrorFactory, errorsOf } from "../pki/errors.ts";

/** What can go wrong in `proto`. */
export const REASONS = {
  AUTHORITY_MALFORMED: "invalidArgument",
  CALL_ABORTED: "aborted",
  CALL_CANCELLED: "cancelled",
  CALL_DEADLINE_EXCEEDED: "deadlineExceeded",
  CALL_INVALID: "invalidArgument",
  CALL_OUT_OF_RANGE: "outOfRange",
  CALL_REFUSED: "permissionDenied",
  CALL_UNAUTHENTICATED: "unauthenticated",
  CONNECTION_UNAVAILABLE: "unavailable",
  DATA_LOST: "dataLoss",
  ENTRY_MALFORMED: "invalidArgument",
  INTERNAL: "internal",
  LIMIT_EXCEEDED: "resourceExhausted",
  MESSAGE_MALFORMED: "invalidArgument",
  MESSAGE_COMPRESSED: "unimplemented",
  MESSAGE_TOO_LARGE: "resourceExhausted",
  METHOD_UNIMPLEMENTED: "unimplemented",
  OBJECT_EXISTS: "alreadyExists",
  OBJECT_NOT_FOUND: "notFound",
  PRECONDITION_FAILED: "failedPrecondition",
  RESPONSE_MALFORMED: "internal",
  SELECTOR_INVALID: "invalidArgument",
  SERVER_STOPPING: "unavailable",
  UNKNOWN_FAILURE: "unknown",
} as const;

/** Makes an error of `proto`. */
export const protoError: ErrorFactory<keyof typeof REASONS> = errorsOf(REASONS);
