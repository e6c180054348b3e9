// Mandates on our own wire (proto/signet/mandate.proto), checked once when they come in. In a mandate an
// absent set is an empty one, and nothing; in a request an absent field stands for what may be had at most.

import type { Init } from "../proto/codec.ts";
import type { signet } from "../proto/schema.gen.ts";
import { policyError } from "./errors.ts";
import { ANY_ENVIRONMENT, type Mandate, type MandateSet, validateMandate } from "./mandate.ts";
import { checkRequest, type MandateRequest } from "./mandate-request.ts";

type Wire = signet.mandate.v1.Mandate;
type WireSet = signet.mandate.v1.Set;
type WireLimit = signet.mandate.v1.Limit;

/** A whole mandate, in normal form. @throws MANDATE_INVALID, LOCATION_INVALID, ACTION_INVALID */
export function mandateFromWire(wire: Wire | undefined): Mandate {
  return validateMandate({
    locations: setFromWire(wire?.locations) ?? [],
    actions: setFromWire(wire?.actions) ?? [],
    datatypes: setFromWire(wire?.datatypes) ?? [],
    uses: limitFromWire(wire?.uses),
    depth: limitFromWire(wire?.depth) ?? 0,
    maxSensitivity: limitFromWire(wire?.maxSensitivity) ?? 0,
    untilUnixSeconds: untilFromWire(wire?.until),
    environment: environmentFromWire(wire?.environment) ?? "",
  });
}

/**
 * A request for a mandate, values in normal form. `mayAny`: from an administrator, who alone may write "any".
 * @throws MANDATE_ANY_REFUSED, MANDATE_INVALID, LOCATION_INVALID, ACTION_INVALID
 */
export function mandateRequestFromWire(
  wire: Wire | undefined,
  options: { readonly mayAny: boolean },
): MandateRequest {
  const request = {
    locations: setFromWire(wire?.locations),
    actions: setFromWire(wire?.actions),
    datatypes: setFromWire(wire?.datatypes),
    uses: limitFromWire(wire?.uses),
    depth: limitFromWire(wire?.depth),
    maxSensitivity: limitFromWire(wire?.maxSensitivity),
    untilUnixSeconds: untilFromWire(wire?.until),
    environment: environmentFromWire(wire?.environment),
  };
  return checkRequest(request, options);
}

function setFromWire(set: WireSet | undefined): MandateSet | undefined {
  if (set === undefined || !set.any) return set?.values;
  if (set.values.length === 0) return "any";
  throw policyError("MANDATE_INVALID", "a set of a mandate is both any and a list", {
    hint: "give values, or any alone",
  });
}

function limitFromWire(limit: WireLimit | undefined): number | undefined {
  return limit === undefined ? undefined : Number(limit.value);
}

function untilFromWire(until: number | undefined): number | undefined {
  return until === 0 ? undefined : until;
}

function environmentFromWire(set: WireSet | undefined): string | undefined {
  const value = setFromWire(set);
  if (value === undefined) return undefined;
  if (value === "any") return ANY_ENVIRONMENT;
  const [name, ...more] = value;
  // "*" as a name would be any, without the word.
  if (name !== undefined && more.length === 0 && name !== ANY_ENVIRONMENT) return name;
  throw policyError("MANDATE_INVALID", "a mandate is for one environment", {
    hint: "name one environment, such as 'production'",
  });
}

/** The inverse of mandateFromWire. */
export function mandateToWire(mandate: Mandate): Init<Wire> {
  return mandateRequestToWire(mandate);
}

/** The inverse of mandateRequestFromWire. */
export function mandateRequestToWire(request: MandateRequest): Init<Wire> {
  const { environment } = request;
  return {
    locations: setToWire(request.locations),
    actions: setToWire(request.actions),
    datatypes: setToWire(request.datatypes),
    uses: limitToWire(request.uses),
    depth: limitToWire(request.depth),
    maxSensitivity: limitToWire(request.maxSensitivity),
    until: request.untilUnixSeconds ?? 0,
    environment: setToWire(environment === ANY_ENVIRONMENT ? "any" : listOf(environment)),
  };
}

function listOf(name: string | undefined): readonly string[] | undefined {
  return name === undefined ? undefined : [name];
}

function setToWire(set: MandateSet | undefined): Init<WireSet> | undefined {
  if (set === undefined) return undefined;
  return set === "any" ? { any: true } : { values: set };
}

function limitToWire(value: number | undefined): Init<WireLimit> | undefined {
  return value === undefined ? undefined : { value };
}
