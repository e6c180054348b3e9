// What can go wrong in runtime/: the reasons and the gRPC status each maps to. Thrown through
// `runtimeError`; the error class itself lives in pki/errors.ts.

import { type ErrorFactory, errorsOf } from "../pki/errors.ts";

/** What can go wrong in `runtime`. */
export const REASONS = {
  CONFIG_INVALID: "invalidArgument",
  FILE_EXPOSED: "failedPrecondition",
  FILE_TOO_LARGE: "outOfRange",
  FILE_UNREADABLE: "failedPrecondition",
  FILE_UNWRITABLE: "unavailable",
  HEALTH_LISTEN_FAILED: "failedPrecondition",
  SEALED_FILE_DAMAGED: "dataLoss",
  SEALING_KEY_INVALID: "failedPrecondition",
  SEALING_KEY_MISSING: "failedPrecondition",
} as const;

/** Makes an error of `runtime`. */
export const runtimeError: ErrorFactory<keyof typeof REASONS> = errorsOf(REASONS);
