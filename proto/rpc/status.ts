// Errors as gRPC statuses and back: the one place where the two meet. The reason of an error travels
// as google.rpc.ErrorInfo in the trailer grpc-status-details-bin; what is INTERNAL crosses only as a
// reference, which the log line has too.

import { randomBytes } from "node:crypto";
import type { Metadata } from "@grpc/grpc-js";
import { IdentityError, Status } from "../../pki/errors.ts";
import type { Init } from "../codec.ts";
import { protoError, type REASONS } from "../errors.ts";
import { codecOf, type google, type Messages } from "../schema.gen.ts";

/** The domain of our reasons in google.rpc.ErrorInfo. */
const ERROR_DOMAIN = "signet";
const DETAILS_HEADER = "grpc-status-details-bin";
const TYPE_PREFIX = "type.googleapis.com/";
const REASON = /^[A-Z][A-Z0-9_]{0,63}$/;
/** Java's clients take 8 KiB of headers in all: message, hint and details must leave room. */
const MAX_TEXT_BYTES = 1024;

/** A status as it is sent. */
export interface OutgoingStatus {
  readonly code: number;
  readonly message: string;
  /** google.rpc.Status, encoded. */
  readonly details: Buffer;
}

/** Called with what must not leave the process, and the reference that left instead of it. */
export type OnInternalError = (error: unknown, reference: string) => void;

type Any = Init<google.protobuf.Any>;
const details = new WeakMap<IdentityError, Any[]>();

/** Adds a detail for programs to `error`, such as SPIRE's PermissionDeniedDetails; returns the error. */
export function withDetail<Name extends keyof Messages & string>(
  error: IdentityError,
  name: Name,
  message: Init<Messages[Name]>,
): IdentityError {
  const any = { typeUrl: TYPE_PREFIX + name, value: codecOf(name).encode(message) };
  details.set(error, [...(details.get(error) ?? []), any]);
  return error;
}

/** The detail of that type which came with an error, or was added to it. */
export function detailOf<Name extends keyof Messages & string>(
  error: IdentityError,
  name: Name,
): Messages[Name] | undefined {
  const any = details.get(error)?.find((item) => item.typeUrl === TYPE_PREFIX + name);
  return any?.value === undefined ? undefined : codecOf(name).decode(any.value);
}

/** The status that tells a client of `error`. */
export function statusOfError(error: unknown, onInternal: OnInternalError): OutgoingStatus {
  if (error instanceof IdentityError && error.code !== Status.internal) return describe(error);
  const reference = randomBytes(4).toString("hex");
  onInternal(error, reference);
  return describe(protoError("INTERNAL", `internal error (reference ${reference})`));
}

function describe(error: IdentityError): OutgoingStatus {
  const message = shorten(error.message);
  const hint: Record<string, string> =
    error.hint === undefined ? {} : { hint: shorten(error.hint) };
  const info = { reason: error.reason, domain: ERROR_DOMAIN, metadata: hint };
  const value = codecOf("google.rpc.ErrorInfo").encode(info);
  const any = { typeUrl: `${TYPE_PREFIX}google.rpc.ErrorInfo`, value };
  const status = { code: error.code, message, details: [any, ...(details.get(error) ?? [])] };
  return { code: error.code, message, details: codecOf("google.rpc.Status").encode(status) };
}

/** Cuts a text so that it is short also when percent-encoded, as grpc-message is. */
function shorten(text: string): string {
  // A lone surrogate cannot be percent-encoded.
  let short = text.slice(0, MAX_TEXT_BYTES).toWellFormed();
  while (encodeURI(short).length > MAX_TEXT_BYTES) {
    short = short.slice(0, Math.floor(short.length * 0.8)).toWellFormed();
  }
  return short;
}

/** The error that a received status stands for; `metadata` is that of its trailers. */
export function errorOfStatus(code: number, message: string, metadata?: Metadata): IdentityError {
  const received = metadata?.get(DETAILS_HEADER)[0];
  const anys = received instanceof Buffer ? detailsIn(received) : [];
  const info = infoIn(anys);
  const reason = info !== undefined && REASON.test(info.reason) ? info.reason : undefined;
  const hint = info?.metadata["hint"];
  const error =
    reason === undefined
      ? protoError(REASON_OF_CODE[code] ?? "UNKNOWN_FAILURE", message, HINT_OF_CODE[code])
      : new IdentityError(reason, code as Status, message, hint === undefined ? {} : { hint });
  if (anys.length > 0) details.set(error, anys);
  return error;
}

function detailsIn(bytes: Buffer): Any[] {
  try {
    return codecOf("google.rpc.Status").decode(bytes).details.slice(0, 16);
  } catch {
    return []; // a peer's malformed detail must not hide its status
  }
}

function infoIn(anys: readonly Any[]): google.rpc.ErrorInfo | undefined {
  const any = anys.find((item) => item.typeUrl === `${TYPE_PREFIX}google.rpc.ErrorInfo`);
  try {
    return any?.value && codecOf("google.rpc.ErrorInfo").decode(any.value);
  } catch {
    return undefined; // as above
  }
}

/** What to do about a status that came without a word of it. */
const HINT_OF_CODE: Readonly<Record<number, { readonly hint: string }>> = {
  [Status.deadlineExceeded]: {
    hint: "it is there and does not answer: see whether it is overloaded, stopped or cut off, and its log",
  },
};

/** The reason of a status that came without one. */
const REASON_OF_CODE: Readonly<Record<number, keyof typeof REASONS>> = {
  [Status.cancelled]: "CALL_CANCELLED",
  [Status.invalidArgument]: "CALL_INVALID",
  [Status.deadlineExceeded]: "CALL_DEADLINE_EXCEEDED",
  [Status.notFound]: "OBJECT_NOT_FOUND",
  [Status.alreadyExists]: "OBJECT_EXISTS",
  [Status.permissionDenied]: "CALL_REFUSED",
  [Status.resourceExhausted]: "LIMIT_EXCEEDED",
  [Status.failedPrecondition]: "PRECONDITION_FAILED",
  [Status.aborted]: "CALL_ABORTED",
  [Status.outOfRange]: "CALL_OUT_OF_RANGE",
  [Status.unimplemented]: "METHOD_UNIMPLEMENTED",
  [Status.internal]: "INTERNAL",
  [Status.unavailable]: "CONNECTION_UNAVAILABLE",
  [Status.dataLoss]: "DATA_LOST",
  [Status.unauthenticated]: "CALL_UNAUTHENTICATED",
};
