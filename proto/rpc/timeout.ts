// The deadline of a call as gRPC sends it: up to eight digits and a unit.

import { protoError } from "../errors.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};
/** The longest that a timer can wait; a call of a later deadline has none. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds until the deadline; undefined when there is none. @throws CALL_INVALID */
export function parseTimeout(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(header) ?? [];
  const unitMs = UNIT_MS[unit ?? ""];
  if (digits === undefined || unitMs === undefined) {
    throw protoError("CALL_INVALID", "the header grpc-timeout is no timeout");
  }
  const ms = Number(digits) * unitMs;
  return ms > MAX_TIMER_MS ? undefined : ms;
}
