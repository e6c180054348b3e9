// The one error class of Signet, and pki's own reasons. A reason fixes its gRPC status, so the two
// cannot disagree. Each top folder owns the table of what can go wrong in it (its errors.ts) and
// throws through `errorsOf(table)`. How an error crosses the wire: proto/rpc/status.ts.

/** gRPC status codes, by their numbers on the wire. */
export const Status = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;
export type Status = (typeof Status)[keyof typeof Status];

/** What a caller may add to a failure: what to do next (imperative), and the cause, which stays in the process. */
export interface ErrorDetail {
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Something went wrong that a caller can be told: a stable reason, its gRPC status, a message, a hint. */
export class IdentityError extends Error {
  readonly reason: string;
  readonly code: Status;
  readonly hint: string | undefined;

  constructor(reason: string, code: Status, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = "IdentityError";
    this.reason = reason;
    this.code = code;
    this.hint = detail.hint;
  }
}

/** A table of reasons: what can go wrong in one top folder, and the status each maps to. */
export type ReasonTable = Readonly<Record<string, Status>>;

/** Makes the error factory of one top folder: only reasons of its own table can be thrown through it. */
export function errorsOf<T extends ReasonTable>(
  table: T,
): (reason: keyof T & string, message: string, detail?: ErrorDetail) => IdentityError {
  return (reason, message, detail) => {
    const code = table[reason];
    if (code === undefined) throw new TypeError(`no such reason: ${reason}`);
    return new IdentityError(reason, code, message, detail);
  };
}

/** What can go wrong in `pki`. */
export const REASONS = {
  BUNDLE_INVALID: Status.invalidArgument,
  JWT_SVID_ALGORITHM: Status.invalidArgument,
  JWT_SVID_AUDIENCE: Status.invalidArgument,
  JWT_SVID_CLAIMS: Status.invalidArgument,
  JWT_SVID_EXPIRED: Status.invalidArgument,
  JWT_SVID_MALFORMED: Status.invalidArgument,
  JWT_SVID_NOT_YET_VALID: Status.invalidArgument,
  JWT_SVID_UNTRUSTED: Status.invalidArgument,
  SPIFFE_ID_INVALID: Status.invalidArgument,
  TRUST_DOMAIN_INVALID: Status.invalidArgument,
} as const satisfies ReasonTable;

/** Makes an error of `pki`. */
export const pkiError: (
  reason: keyof typeof REASONS,
  message: string,
  detail?: ErrorDetail,
) => IdentityError = errorsOf(REASONS);
