// Answers of the token issuer to what clients send: JSON that no cache keeps (RFC 6749 s5), and for a
// refusal the code of the OAuth standards that its reason stands for.

import { IdentityError, Status } from "../../pki/errors.ts";
import type { Answer } from "../documents/answer.ts";

/** An answer of JSON. */
export function json(status: number, body: object, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      pragma: "no-cache",
      "x-content-type-options": "nosniff",
      ...headers,
    },
    body: Buffer.from(JSON.stringify(body, exact)),
  };
}

/** Integers beyond 2^53, as claims of tokens may have, digit by digit (ECMA-262: JSON.rawJSON). */
function exact(_name: string, value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value));
}

/** The OAuth code of each reason, by how reasons begin; the first that fits. */
const CODES: readonly (readonly [RegExp, string])[] = [
  [/^OAUTH_RESOURCE_REFUSED$/, "invalid_target"],
  [/^(INVALID_AUTHORIZATION_DETAILS|MANDATE_|LOCATION_|ACTION_)/, "invalid_authorization_details"],
  [/^DPOP_/, "invalid_dpop_proof"],
  [/^OAUTH_(REQUEST_INVALID|POP_REQUIRED)$/, "invalid_request"],
  [/^OAUTH_GRANT_UNSUPPORTED$/, "unsupported_grant_type"],
  [
    /^(AUTHORITY_NOT_READY|ISSUER_OVERLOADED|AUDIT_UNWRITABLE|WIT_REPLAY_CACHE_FULL)$/,
    "temporarily_unavailable",
  ],
];

/** How a refusal is answered: its OAuth code and its reason. */
export interface Refusal {
  readonly code: string;
  readonly answer: Answer;
}

/**
 * The answer to a request that failed. What is wrong with whoever asks is `invalid_grant` when a grant was
 * to speak for it, and else `invalid_client`.
 * @throws the error itself when it is an internal one
 */
export function refusal(error: unknown, who: "invalid_client" | "invalid_grant"): Refusal {
  if (!(error instanceof IdentityError) || error.code === Status.internal) throw error;
  const { reason, message, hint } = error;
  const code = CODES.find(([pattern]) => pattern.test(reason))?.[1] ?? who;
  const status = code === "invalid_client" ? 401 : code === "temporarily_unavailable" ? 503 : 400;
  const text = hint === undefined ? message : `${message}; ${hint}`;
  const body = { error: code, error_description: described(text), reason };
  const headers: Record<string, string> = status === 503 ? { "retry-after": "1" } : {};
  return { code, answer: json(status, body, headers) };
}

/** RFC 6749 s5.2: printable ASCII without quotation marks and backslashes. */
function described(text: string): string {
  return text
    .replaceAll('"', "'")
    .replaceAll("\\", "/")
    .replace(/[^\x20-\x7e]/g, "?")
    .slice(0, 500);
}
