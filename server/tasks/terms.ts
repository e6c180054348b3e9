// The texts of a request for a task, checked once. They are shown to people and stand in the audit log:
// no control characters, so that none forges a line or a terminal's output, and nothing without end.
import { hash } from "node:crypto";
import { canonicalJson } from "../../pki/canonical-json.ts";
import { serverError } from "../errors.ts";
import type { TaskTerms } from "./orders.ts";

const MAX_PURPOSE = 500;
const MAX_PRINCIPAL = 512;
const MAX_REASON = 500;
const MAX_KEY = 128;
const MAX_PAIRS = 16;
const MAX_VALUE = 256;
const MAX_SECONDS = 366 * 24 * 3600;
// C0 and C1 controls, line and paragraph separators, and what turns the direction of text around.
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/u;
const CODE = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,62}[A-Za-z0-9])?$/;
const DIGEST = /^(?:[0-9a-f]{64})?$/;

/** @throws TASK_REQUEST_INVALID */
export function checkTerms(terms: TaskTerms): void {
  const { purpose, intent, principal, idempotencyKey, ttlSeconds, idleTimeoutSeconds } = terms;
  if (purpose.trim() === "") {
    throw invalid("it has no purpose", "say in a sentence what the task is for");
  }
  checkText("purpose", purpose, MAX_PURPOSE);
  checkText("principal", principal, MAX_PRINCIPAL);
  checkText("idempotency key", idempotencyKey, MAX_KEY);
  if (intent !== "" && !CODE.test(intent)) {
    throw invalid(
      `the intent ${quoted(intent)} is no code`,
      "use small letters, digits and ._-, at most 64",
    );
  }
  checkPairs("external_refs", terms.externalRefs);
  checkPairs("labels", terms.labels);
  for (const [name, value] of Object.entries({ ttlSeconds, idleTimeoutSeconds })) {
    if (!Number.isSafeInteger(value) || value < 0 || value > MAX_SECONDS) {
      throw invalid(`${name} is ${value}`, "give seconds, or 0 for the class's default");
    }
  }
}

/** Stands for all that was asked for with an idempotency key; "" without one. */
export function termsDigest(terms: TaskTerms): string {
  return terms.idempotencyKey === "" ? "" : hash("sha256", canonicalJson(terms), "base64url");
}

/** A reason that somebody gives for a change. @throws TASK_REQUEST_INVALID */
export function checkReason(reason: string): void {
  checkText("reason", reason, MAX_REASON);
}

/** @throws TASK_REQUEST_INVALID */
export function checkDigest(digest: string): void {
  if (!DIGEST.test(digest)) {
    throw invalid("summary_digest is no SHA-256", "give 64 lowercase hexadecimal digits");
  }
}

function checkPairs(name: string, pairs: Readonly<Record<string, string>>): void {
  const all = Object.entries(pairs);
  if (all.length > MAX_PAIRS) throw invalid(`${all.length} ${name}`, `at most ${MAX_PAIRS}`);
  for (const [key, value] of all) {
    if (!NAME.test(key)) {
      throw invalid(
        `the name ${quoted(key)} in ${name}`,
        "use letters, digits and ._/- between, at most 64",
      );
    }
    checkText(`value of ${key} in ${name}`, value, MAX_VALUE);
  }
}

function checkText(name: string, text: string, most: number): void {
  if (text.length > most) throw invalid(`the ${name} has over ${most} characters`, "shorten it");
  if (UNPRINTABLE.test(text) || !text.isWellFormed()) {
    throw invalid(`the ${name} has control characters`, "write it in one line of plain text");
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}

function invalid(what: string, hint: string): Error {
  return serverError("TASK_REQUEST_INVALID", `the task cannot be: ${what}`, { hint });
}
