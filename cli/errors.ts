// What can go wrong at the command line itself. What a daemon refused keeps the daemon's reason.

import { type ErrorFactory, errorsOf } from "../pki/errors.ts";

/** What can go wrong in `cli`. */
export const REASONS = {
  BATCH_FAILED: "failedPrecondition",
  COMMAND_UNUSABLE: "failedPrecondition",
  DAEMON_UNREACHABLE: "unavailable",
  DAEMON_UNHEALTHY: "unavailable",
  DECLARATION_INVALID: "invalidArgument",
  FOLDER_UNUSABLE: "failedPrecondition",
  PROOF_WRONG: "dataLoss",
  USAGE_INVALID: "invalidArgument",
} as const;

/** Makes an error of `cli`. */
export const cliError: ErrorFactory<keyof typeof REASONS> = errorsOf(REASONS);
