// Keeps secrets and oversized values out of log lines. Applied to every field of every line by
// log.ts: by the name of the field, and by what the value is. A net under the rule that private keys,
// tokens and whole SVIDs are never logged, not a licence to log them.

import { KeyObject } from "node:crypto";
import { IdentityError } from "../pki/errors.ts";

const REDACTED = "[redacted]";
const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
const MAX_TEXT = 4096;

// Names compared in lower case without "_" and "-".
const SECRET_NAMES: ReadonlySet<string> = new Set([
  "token",
  "jointoken",
  "accesstoken",
  "key",
  "privatekey",
  "sealingkey",
  "x509svidkey",
  "svid",
  "jwtsvid",
  "witsvid",
  "secret",
  "password",
  "passphrase",
  "authorization",
  "cookie",
]);

// A compact JWS, or a private key in PEM, wherever it turns up inside a text.
const JWS = /\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]{5,}/g;
const PRIVATE_PEM =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;

/** A copy of `fields` that is safe to write: secrets replaced, bytes counted, errors unfolded. */
export function redactFields(fields: object): Record<string, unknown> {
  return redactObject(fields, 0);
}

/** A text without tokens and private keys, cut to a sane length. */
export function redactText(text: string): string {
  const short =
    text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${text.length} chars)` : text;
  return short.replace(JWS, REDACTED).replace(PRIVATE_PEM, REDACTED);
}

function redactObject(fields: object, depth: number): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  let count = 0;
  for (const [name, value] of Object.entries(fields)) {
    if (++count > MAX_ITEMS) {
      out["…"] = "more fields left out";
      break;
    }
    out[name] =
      value !== undefined && SECRET_NAMES.has(name.toLowerCase().replace(/[_-]/g, ""))
        ? REDACTED
        : redactValue(value, depth + 1);
  }
  return out;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "function" || typeof value === "symbol") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? "invalid date" : value.toISOString();
  if (value instanceof KeyObject) return REDACTED;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    return `[${value.byteLength} bytes]`;
  if (depth > MAX_DEPTH) return "[too deep]";
  if (value instanceof Error) return describeError(value, depth);
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ITEMS).map((item) => redactValue(item, depth + 1));
    return value.length > MAX_ITEMS ? [...items, `… ${value.length - MAX_ITEMS} more`] : items;
  }
  const plain =
    typeof (value as { toJSON?: unknown }).toJSON === "function" ? String(value) : value;
  return typeof plain === "string" ? redactText(plain) : redactObject(plain, depth);
}

function describeError(error: Error, depth: number): Record<string, unknown> {
  const code = (error as { code?: unknown }).code;
  return {
    type: error.name,
    message: redactText(error.message),
    ...(error instanceof IdentityError ? { reason: error.reason, hint: error.hint } : {}),
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    // An IdentityError says what failed in words; the stack is for what nobody expected.
    ...(error instanceof IdentityError ? {} : { stack: redactText(error.stack ?? "") }),
    ...(error.cause === undefined ? {} : { cause: redactValue(error.cause, depth + 1) }),
  };
}
