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

/** A status by its name in `Status`, such as `"notFound"`. */
export type StatusName = keyof typeof Status;

/**
 * A table of reasons: what can go wrong in one top folder, and the status each maps to. Statuses stand
 * in it by name, because only a table of plain literals keeps its keys in emitted declarations.
 */
export type ReasonTable = Readonly<Record<string, StatusName>>;

/** Makes errors of one top folder: takes no reason but those of its table. */
export type ErrorFactory<Reason extends string> = (
  reason: Reason,
  message: string,
  detail?: ErrorDetail,
) => IdentityError;

/**
 * The error factory of one top folder. In its `errors.ts`:
 * `export const REASONS = { ENTRY_NOT_FOUND: "notFound" } as const;`
 * `export const serverError: ErrorFactory<keyof typeof REASONS> = errorsOf(REASONS);`
 */
export function errorsOf<T extends ReasonTable>(table: T): ErrorFactory<keyof T & string> {
  return (reason, message, detail) => {
    const name = table[reason];
    const code = name === undefined ? undefined : Status[name];
    if (code === undefined) throw new TypeError(`no such reason: ${reason}`);
    return new IdentityError(reason, code, message, detail);
  };
}

/** What can go wrong in `pki`. */
export const REASONS = {
  ACCESS_TOKEN_ALGORITHM: "unauthenticated",
  ACCESS_TOKEN_AUDIENCE: "unauthenticated",
  ACCESS_TOKEN_CLAIMS: "unauthenticated",
  ACCESS_TOKEN_EXPIRED: "unauthenticated",
  ACCESS_TOKEN_MALFORMED: "unauthenticated",
  ACCESS_TOKEN_NOT_YET_VALID: "unauthenticated",
  ACCESS_TOKEN_UNTRUSTED: "unauthenticated",
  AUTHORITY_CONFLICT: "alreadyExists",
  AUTHORITY_NOT_FOUND: "notFound",
  AUTHORITY_EXPIRED: "failedPrecondition",
  BUNDLE_INVALID: "invalidArgument",
  CERTIFICATE_INVALID: "invalidArgument",
  CHECKPOINT_INVALID: "invalidArgument",
  CRL_INVALID: "invalidArgument",
  CRL_NOT_ALLOWED: "failedPrecondition",
  CRL_TOO_LARGE: "resourceExhausted",
  CSR_INVALID: "invalidArgument",
  DNS_NAME_INVALID: "invalidArgument",
  DPOP_PROOF_ALGORITHM: "unauthenticated",
  DPOP_PROOF_BINDING: "unauthenticated",
  DPOP_PROOF_CLAIMS: "unauthenticated",
  DPOP_PROOF_EXPIRED: "unauthenticated",
  DPOP_PROOF_MALFORMED: "unauthenticated",
  DPOP_PROOF_NOT_YET_VALID: "unauthenticated",
  DPOP_PROOF_REPLAYED: "unauthenticated",
  DPOP_PROOF_UNTRUSTED: "unauthenticated",
  JSON_INVALID: "invalidArgument",
  JWKS_INVALID: "invalidArgument",
  JWT_SVID_ALGORITHM: "invalidArgument",
  JWT_SVID_AUDIENCE: "invalidArgument",
  JWT_SVID_CLAIMS: "invalidArgument",
  JWT_SVID_EXPIRED: "invalidArgument",
  JWT_SVID_MALFORMED: "invalidArgument",
  JWT_SVID_NOT_YET_VALID: "invalidArgument",
  JWT_SVID_UNTRUSTED: "invalidArgument",
  KEY_INVALID: "invalidArgument",
  KEY_UNSUPPORTED: "invalidArgument",
  MERKLE_PROOF_INVALID: "invalidArgument",
  NOTE_INVALID: "invalidArgument",
  NOTE_KEY_INVALID: "invalidArgument",
  NOTE_UNVERIFIED: "unauthenticated",
  PEM_INVALID: "invalidArgument",
  SPIFFE_ID_INVALID: "invalidArgument",
  STATUS_LIST_ALGORITHM: "unauthenticated",
  STATUS_LIST_CLAIMS: "unauthenticated",
  STATUS_LIST_EXPIRED: "unauthenticated",
  STATUS_LIST_INDEX: "unauthenticated",
  STATUS_LIST_MALFORMED: "unauthenticated",
  STATUS_LIST_NOT_YET_VALID: "unauthenticated",
  STATUS_LIST_UNTRUSTED: "unauthenticated",
  SVID_CHAIN_EMPTY: "invalidArgument",
  SVID_CHAIN_TOO_LONG: "invalidArgument",
  SVID_CRITICAL_EXTENSION: "invalidArgument",
  SVID_EXPIRED: "invalidArgument",
  SVID_EXTENDED_KEY_USAGE: "invalidArgument",
  SVID_INTERMEDIATE_NOT_CA: "invalidArgument",
  SVID_KEY_MISMATCH: "invalidArgument",
  SVID_KEY_USAGE: "invalidArgument",
  SVID_LEAF_IS_CA: "invalidArgument",
  SVID_NAME_CONSTRAINT: "invalidArgument",
  SVID_NOT_YET_VALID: "invalidArgument",
  SVID_PATH_LENGTH: "invalidArgument",
  SVID_PATH_MISSING: "invalidArgument",
  SVID_POLICY: "invalidArgument",
  SVID_PROFILE: "internal",
  SVID_REVOKED: "invalidArgument",
  SVID_SIGNATURE_ALGORITHM: "invalidArgument",
  SVID_SPIFFE_ID_INVALID: "invalidArgument",
  SVID_TRUST_DOMAIN_FOREIGN: "invalidArgument",
  SVID_TRUST_DOMAIN_UNKNOWN: "invalidArgument",
  SVID_UNTRUSTED: "invalidArgument",
  SVID_URI_SAN_COUNT: "invalidArgument",
  TASK_ENDED: "permissionDenied",
  TASK_PARKED: "failedPrecondition",
  TASK_PROOF_ALGORITHM: "invalidArgument",
  TASK_PROOF_CLAIMS: "invalidArgument",
  TASK_PROOF_EXPIRED: "unauthenticated",
  TASK_PROOF_MALFORMED: "invalidArgument",
  TASK_PROOF_NOT_YET_VALID: "unauthenticated",
  TASK_PROOF_UNTRUSTED: "unauthenticated",
  TASK_SUSPENDED: "permissionDenied",
  TOKEN_KIND_WRONG: "unauthenticated",
  TRUST_DOMAIN_INVALID: "invalidArgument",
  WIT_PROOF_ALGORITHM: "invalidArgument",
  WIT_PROOF_AUDIENCE: "invalidArgument",
  WIT_PROOF_BINDING: "invalidArgument",
  WIT_PROOF_CLAIMS: "invalidArgument",
  WIT_PROOF_EXPIRED: "invalidArgument",
  WIT_PROOF_MALFORMED: "invalidArgument",
  WIT_PROOF_NOT_YET_VALID: "invalidArgument",
  WIT_PROOF_UNTRUSTED: "invalidArgument",
  WIT_SVID_ALGORITHM: "invalidArgument",
  WIT_SVID_CLAIMS: "invalidArgument",
  WIT_SVID_CONFIRMATION: "invalidArgument",
  WIT_SVID_EXPIRED: "invalidArgument",
  WIT_SVID_MALFORMED: "invalidArgument",
  WIT_SVID_NOT_YET_VALID: "invalidArgument",
  WIT_SVID_UNTRUSTED: "invalidArgument",
} as const;

/** Makes an error of `pki`. */
export const pkiError: ErrorFactory<keyof typeof REASONS> = errorsOf(REASONS);
