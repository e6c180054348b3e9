// What the holder of a task says of its end, made into what the server takes. A word too many must not keep
// an end from being an end: the node would hold the task for over while it goes on everywhere else.

import { agentError } from "../errors.ts";

const MAX_REASON = 500;
// What the server refuses in texts: see server/tasks/terms.ts.
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const DIGEST = /^(?:[0-9a-f]{64})?$/;

/** A reason in one line of plain text, cut where it is too long. */
export function plainReason(text: string): string {
  return text.slice(0, MAX_REASON).toWellFormed().replace(UNPRINTABLE, " ");
}

/** @throws TASK_OUTCOME_INVALID */
export function checkDigest(digest: string): void {
  if (DIGEST.test(digest)) return;
  throw agentError("TASK_OUTCOME_INVALID", "summary_digest is no SHA-256", {
    hint: "give 64 lowercase hexadecimal digits, or nothing",
  });
}
