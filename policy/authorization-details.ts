// A mandate as JSON: the element "agent_task" of authorization_details (RFC 9396) in tokens and token
// requests, and the same fields in files that administrators write. "Any" is {"any": true} and nothing else.

import { IdentityError } from "../pki/errors.ts";
import type { JsonObject, JsonValue } from "../pki/json.ts";
import { isJsonObject } from "../pki/json.ts";
import { TASK_DETAIL_TYPE } from "../pki/token/access-token.ts";
import { policyError } from "./errors.ts";
import { ANY_ENVIRONMENT, type Mandate, type MandateSet, validateMandate } from "./mandate.ts";
import { checkRequest, type MandateRequest } from "./mandate-request.ts";

const SETS = ["locations", "actions", "datatypes"] as const;
const LIMITS: Readonly<Record<string, "uses" | "depth" | "maxSensitivity" | "untilUnixSeconds">> = {
  uses: "uses",
  depth: "depth",
  max_sensitivity: "maxSensitivity",
  until: "untilUnixSeconds",
};
const MANDATE_FIELDS: readonly string[] = [...SETS, "limits", "environment"];

/** The mandate of a token, and the task that it is of. */
export interface TaskAuthorization {
  readonly mandate: Mandate;
  /** Whole SPIFFE ID, as it stands in the token. */
  readonly task: string;
}

/** The claim authorization_details of a token. */
export function formatAuthorizationDetails({ mandate, task }: TaskAuthorization): JsonObject[] {
  return [{ type: TASK_DETAIL_TYPE, ...mandateToJson(mandate), task }];
}

/**
 * Reads the claim authorization_details of a token: one element, of our type, with nothing unknown in it.
 * A set that is missing is empty. @throws INVALID_AUTHORIZATION_DETAILS
 */
export function parseAuthorizationDetails(claim: JsonValue | undefined): TaskAuthorization {
  return refusing(() => {
    const { task, ...fields } = soleElement(claim);
    if (typeof task !== "string" || task === "") throw refused("it names no task");
    return { mandate: mandateFromJson(fields), task };
  });
}

/**
 * Reads the parameter authorization_details of a token request: what is left out stays what the task has.
 * `task`, when it is given, is returned to be compared. @throws INVALID_AUTHORIZATION_DETAILS
 */
export function parseRequestedDetails(parameter: JsonValue): {
  readonly request: MandateRequest;
  readonly task: string | undefined;
} {
  return refusing(() => {
    const { task, ...fields } = soleElement(parameter);
    if (task !== undefined && typeof task !== "string") throw refused("its task is no string");
    return { request: mandateRequestFromJson(fields, { mayAny: false }), task };
  });
}

function soleElement(details: JsonValue | undefined): JsonObject {
  const element = Array.isArray(details) && details.length === 1 ? details[0] : undefined;
  if (!isJsonObject(element)) throw refused("it must be an array of one object");
  const { type, ...fields } = element;
  if (type !== TASK_DETAIL_TYPE) throw refused(`its type must be "${TASK_DETAIL_TYPE}"`);
  return fields;
}

function refused(why: string): IdentityError {
  return policyError("INVALID_AUTHORIZATION_DETAILS", `authorization_details: ${why}`, {
    hint: `give [{"type": "${TASK_DETAIL_TYPE}", "locations": [...], "actions": [...], ...}]`,
  });
}

/** Says of every fault within that the details are invalid: the one error that OAuth has for it. */
function refusing<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof IdentityError) || error.reason === "INVALID_AUTHORIZATION_DETAILS") {
      throw error;
    }
    const { message, hint } = error;
    throw policyError("INVALID_AUTHORIZATION_DETAILS", `authorization_details: ${message}`, {
      ...(hint === undefined ? {} : { hint }),
      cause: error,
    });
  }
}

/** A mandate's fields as JSON. */
export function mandateToJson(mandate: Mandate): JsonObject {
  const { uses, depth, maxSensitivity, untilUnixSeconds, environment } = mandate;
  return {
    locations: setToJson(mandate.locations),
    actions: setToJson(mandate.actions),
    datatypes: setToJson(mandate.datatypes),
    limits: {
      ...(uses === undefined ? {} : { uses }),
      depth,
      max_sensitivity: maxSensitivity,
      ...(untilUnixSeconds === undefined ? {} : { until: untilUnixSeconds }),
    },
    environment: environment === ANY_ENVIRONMENT ? { any: true } : environment,
  };
}

function setToJson(set: MandateSet): JsonValue {
  return set === "any" ? { any: true } : set;
}

/**
 * A whole mandate from its JSON fields, in normal form: a set that is missing is empty, depth and sensitivity
 * are then 0. @throws MANDATE_INVALID, LOCATION_INVALID, ACTION_INVALID
 */
export function mandateFromJson(json: JsonValue | undefined): Mandate {
  const { locations = [], actions = [], datatypes = [], ...rest } = fieldsOf(json);
  const { uses, depth = 0, maxSensitivity = 0, untilUnixSeconds, environment = "" } = rest;
  const limits = { uses, depth, maxSensitivity, untilUnixSeconds };
  return validateMandate({ locations, actions, datatypes, ...limits, environment });
}

/**
 * A request from its JSON fields; `mayAny`: from an administrator.
 * @throws MANDATE_ANY_REFUSED, MANDATE_INVALID, LOCATION_INVALID, ACTION_INVALID
 */
export function mandateRequestFromJson(
  json: JsonValue | undefined,
  options: { readonly mayAny: boolean },
): MandateRequest {
  return checkRequest(fieldsOf(json), options);
}

function fieldsOf(json: JsonValue | undefined): MandateRequest {
  if (!isJsonObject(json)) throw invalid("the mandate is no object");
  for (const name of Object.keys(json)) {
    if (!MANDATE_FIELDS.includes(name)) throw invalid(`"${name.slice(0, 64)}" is no field of one`);
  }
  const fields: { -readonly [Field in keyof MandateRequest]: MandateRequest[Field] } = {};
  for (const name of SETS) fields[name] = setFromJson(name, json[name]);
  const { limits = {}, environment } = json;
  if (!isJsonObject(limits)) throw invalid("limits is no object");
  for (const [name, value] of Object.entries(limits)) {
    const field = Object.hasOwn(LIMITS, name) ? LIMITS[name] : undefined;
    if (field === undefined) throw invalid(`"${name.slice(0, 64)}" is no limit`);
    if (typeof value !== "number") throw invalid(`${name} is no whole number`);
    fields[field] = value;
  }
  if (isAny(environment)) fields.environment = ANY_ENVIRONMENT;
  else if (typeof environment === "string" && environment !== ANY_ENVIRONMENT) {
    fields.environment = environment;
  } else if (environment !== undefined) throw invalid("environment is no name");
  return fields;
}

function setFromJson(name: string, value: JsonValue | undefined): MandateSet | undefined {
  if (value === undefined) return undefined;
  if (isAny(value)) return "any";
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw invalid(`${name} is neither a list of strings nor {"any": true}`);
}

function isAny(value: JsonValue | undefined): boolean {
  return isJsonObject(value) && value["any"] === true && Object.keys(value).length === 1;
}

function invalid(why: string): IdentityError {
  return policyError("MANDATE_INVALID", `not a mandate: ${why}`, {
    hint: "give locations, actions, datatypes, limits {uses, depth, max_sensitivity, until} and environment",
  });
}
