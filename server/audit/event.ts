// What an event of the audit log is, what of it is refused, and how it becomes a line. A line has its
// fields in one order and leaves out what is empty: docs/audit.md is the format. How lines are numbered,
// chained and written: log.ts.
import { isUlid } from "../../pki/task-id.ts";
import { redactText } from "../../runtime/redact.ts";
import { serverError } from "../errors.ts";

/** The streams: each has its files, its numbers and its chain. */
export const STREAMS = [
  "identity",
  "task",
  "decision",
  "tool_call",
  "secret_access",
  "data_retrieval",
  "downstream_call",
  "escalation",
  "admin",
] as const;
export type AuditStream = (typeof STREAMS)[number];

/** Who saw it: the server itself, or what a node agent passes on. */
export type ObservedBy = "issuer" | "node" | "guard" | "agent";
export type AuditOutcome = "ok" | "denied" | "failed";

/** The document that was shown, issued or used. */
export interface AuditCredential {
  /** x509-svid, jwt-svid, wit-svid or access-token. */
  readonly kind: string;
  /** The serial number or the `jti`. */
  readonly name: string;
  /** Of the document, hexadecimal. */
  readonly sha256?: string | undefined;
}

/** Something that happened. Never a token, a key or a secret: digests and IDs alone. */
export interface AuditEvent {
  readonly stream: AuditStream;
  /** Such as "task.opened". */
  readonly type: string;
  readonly outcome: AuditOutcome;
  /** A ULID of who saw it; made when there is none. */
  readonly id?: string | undefined;
  /** Default: now. */
  readonly time?: Date | undefined;
  /** Default: issuer. */
  readonly observedBy?: ObservedBy | undefined;
  /** SPIFFE ID of the observer. Default: the server's. */
  readonly observer?: string | undefined;
  /** SPIFFE ID of the AI agent. */
  readonly agent?: string | undefined;
  /** SPIFFE ID of the task. */
  readonly task?: string | undefined;
  /** SPIFFE ID or ULID of the first task of its tree. */
  readonly root?: string | undefined;
  readonly parent?: string | undefined;
  readonly principal?: string | undefined;
  readonly action?: string | undefined;
  readonly resource?: string | undefined;
  readonly destination?: string | undefined;
  readonly decisionId?: string | undefined;
  readonly policyHash?: string | undefined;
  readonly credential?: AuditCredential | undefined;
  /** SHA-256 of the canonical arguments, hexadecimal. */
  readonly argsDigest?: string | undefined;
  readonly assurance?: string | undefined;
  readonly traceId?: string | undefined;
  /** Of the error, when there was one. */
  readonly reason?: string | undefined;
  /** More, by name. */
  readonly detail?: Readonly<Record<string, string>> | undefined;
}

/** The texts of an event and their names in a line, in the order of a line. */
const TEXTS: readonly (readonly [field: keyof AuditEvent & string, name: string])[] = [
  ["type", "type"],
  ["outcome", "outcome"],
  ["observedBy", "observed_by"],
  ["observer", "observer"],
  ["agent", "agent"],
  ["task", "task"],
  ["root", "root"],
  ["parent", "parent"],
  ["principal", "principal"],
  ["action", "action"],
  ["resource", "resource"],
  ["destination", "destination"],
  ["decisionId", "decision_id"],
  ["policyHash", "policy_hash"],
  ["argsDigest", "args_digest"],
  ["assurance", "assurance"],
  ["traceId", "trace_id"],
  ["reason", "reason"],
];

/** Characters of a value. A SPIFFE ID has at most 2048. */
const MAX_VALUE_LENGTH = 2048;
const MAX_TYPE_LENGTH = 64;
const MAX_DETAILS = 32;
const DETAIL_NAME = /^[a-z][a-z0-9_]{0,39}$/;
const TYPE = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const OUTCOMES: readonly string[] = ["ok", "denied", "failed"] satisfies AuditOutcome[];
const OBSERVERS: readonly string[] = ["issuer", "node", "guard", "agent"] satisfies ObservedBy[];
// JSON takes these as they are.
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
// Beyond what runtime/redact.ts knows: other PEM, private JWKs, and keys of services by how they begin.
const SECRET =
  /-----BEGIN [A-Z0-9 ]+-----|"(?:d|k)"\s*:\s*"[\w-]{16,}"|\bBearer\s+[\w.~+/-]{16,}|\b(?:sk-[\w-]{20,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|xox[abeprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|glpat-[\w-]{16,})/;

/** Whether a text holds something that looks like a token, a key or PEM. */
function looksSecret(text: string): boolean {
  return SECRET.test(text) || redactText(text.slice(0, MAX_VALUE_LENGTH)) !== text;
}

/**
 * Refuses an event that does not fit into the log.
 * @throws AUDIT_EVENT_INVALID
 */
export function checkEvent(event: AuditEvent): void {
  if (!STREAMS.includes(event.stream)) throw invalid(event, "there is no such stream");
  if (!TYPE.test(event.type) || event.type.length > MAX_TYPE_LENGTH) {
    throw invalid(event, "its type is not words of small letters, such as task.opened");
  }
  if (!OUTCOMES.includes(event.outcome)) throw invalid(event, "its outcome is none of ours");
  if (!OBSERVERS.includes(event.observedBy ?? "issuer")) {
    throw invalid(event, "it does not say who observed it");
  }
  if (event.id !== undefined && !isUlid(event.id)) throw invalid(event, "its ID is no ULID");
  if (event.time !== undefined && !isTime(event.time)) throw invalid(event, "its time is none");
  for (const [name, value] of valuesOf(event)) checkValue(event, name, value);
  const details = Object.keys(event.detail ?? {});
  if (details.length > MAX_DETAILS) throw invalid(event, `it has over ${MAX_DETAILS} details`);
  for (const name of details) {
    if (!DETAIL_NAME.test(name))
      throw invalid(event, "the name of a detail is not in small letters");
  }
}

function checkValue(event: AuditEvent, name: string, value: string): void {
  if (value.length > MAX_VALUE_LENGTH) {
    throw invalid(event, `its ${name} has over ${MAX_VALUE_LENGTH} characters`);
  }
  if (looksSecret(value)) {
    throw serverError(
      "AUDIT_EVENT_INVALID",
      `an event "${event.type}" is refused: its ${name} looks like a token or a key`,
      { hint: "leave the secret out: the audit log holds digests and IDs alone" },
    );
  }
}

/** The same event with what looks secret or is too long taken out of its values, and a note of which. */
export function withoutSecrets(event: AuditEvent): AuditEvent {
  const hidden: string[] = [];
  const clean = (name: string, value: string): string => {
    if (!looksSecret(value) && value.length <= MAX_VALUE_LENGTH) return value;
    hidden.push(name);
    return looksSecret(value) ? "[redacted]" : value.slice(0, MAX_VALUE_LENGTH);
  };
  const out: Record<string, unknown> = { ...event };
  for (const [field, name] of TEXTS) {
    const value = event[field];
    if (typeof value === "string") out[field] = clean(name, value);
  }
  const { credential } = event;
  if (credential !== undefined) {
    const { kind, name, sha256 = "" } = credential;
    out["credential"] = {
      kind: clean("credential", kind),
      name: clean("credential", name),
      sha256: clean("credential", sha256),
    };
  }
  const detail = Object.fromEntries(
    Object.entries(event.detail ?? {}).map(([name, value]) => [name, clean(name, value)]),
  );
  if (hidden.length > 0) detail["redacted"] = [...new Set(hidden)].join(",").slice(0, 500);
  if (Object.keys(detail).length > 0) out["detail"] = detail;
  return out as unknown as AuditEvent;
}

function* valuesOf(event: AuditEvent): Generator<[name: string, value: string]> {
  for (const [field, name] of TEXTS) {
    const value = event[field];
    if (typeof value === "string") yield [name, value];
  }
  const { credential, detail } = event;
  if (credential !== undefined) {
    yield ["credential", credential.kind];
    yield ["credential", credential.name];
    yield ["credential", credential.sha256 ?? ""];
  }
  if (detail !== undefined) yield* Object.entries(detail);
}

/**
 * The parts of the line of an event around its number, place and chain: what is before `seq`, and
 * what is after `prev_hash`.
 */
export function lineParts(
  event: AuditEvent,
  id: string,
  time: string,
  observer: string,
): readonly [head: string, tail: string] {
  const head = `{"id":"${id}","time":"${time}","stream":"${event.stream}"`;
  let tail = "";
  for (const [field, name] of TEXTS) {
    const value =
      field === "observer"
        ? (event.observer ?? observer)
        : field === "observedBy"
          ? (event.observedBy ?? "issuer")
          : event[field];
    if (typeof value === "string" && value !== "") tail += `,"${name}":${quote(value)}`;
  }
  const { credential, detail } = event;
  if (credential !== undefined) {
    const { kind, name, sha256 = "" } = credential;
    const digest = sha256 === "" ? "" : `,"sha256":${quote(sha256)}`;
    tail += `,"credential":{"kind":${quote(kind)},"name":${quote(name)}${digest}}`;
  }
  if (detail !== undefined) {
    const names = Object.keys(detail).sort();
    const pairs = names.map((name) => `"${name}":${quote(detail[name] ?? "")}`);
    if (names.length > 0) tail += `,"detail":{${pairs.join(",")}}`;
  }
  return [head, `${tail}}`];
}

/** A text in JSON, in plain ASCII or well-formed UTF-8. */
export function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text.toWellFormed());
}

function isTime(time: Date): boolean {
  const ms = time.getTime();
  return ms >= 0 && ms < 253_402_300_800_000;
}

function invalid(event: AuditEvent, why: string): Error {
  return serverError(
    "AUDIT_EVENT_INVALID",
    `an event ${JSON.stringify(String(event.type).slice(0, MAX_TYPE_LENGTH))} is refused: ${why}`,
  );
}
