// What can go wrong in policy/: the reasons and the gRPC status each maps to. Thrown through
// `policyError`; the error class itself lives in pki/errors.ts.

import { type ErrorFactory, errorsOf } from "../pki/errors.ts";

/** What can go wrong in `policy`. */
export const REASONS = {
  ACTION_INVALID: "invalidArgument",
  INVALID_AUTHORIZATION_DETAILS: "invalidArgument",
  LOCATION_INVALID: "invalidArgument",
  MANDATE_ANY_REFUSED: "permissionDenied",
  MANDATE_EXCEEDED: "permissionDenied",
  MANDATE_INVALID: "invalidArgument",
} as const;

/** Makes an error of `policy`. */
export const policyError: ErrorFactory<keyof typeof REASONS> = errorsOf(REASONS);
