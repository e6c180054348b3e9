// What is asked for and what is granted: a request leaves out what it takes as it comes, and a grant is never
// more than its bounds (an AI agent's ceiling, a task class, a parent).

import { policyError } from "./errors.ts";
import { excess, hasAny, isNothing, type Mandate, meet, validateMandate } from "./mandate.ts";

/** A mandate as it is asked for: what is left out is what may be had at most. An empty set is nothing. */
export type MandateRequest = { readonly [Field in keyof Mandate]?: Mandate[Field] | undefined };

/** Something that a grant must lie within, and its name in messages, such as `the AI agent's ceiling`. */
export interface Bound {
  readonly name: string;
  readonly mandate: Mandate;
}

/** A mandate that asks for nothing: what a request leaves out is checked in its place. */
const NOTHING: Mandate = {
  locations: [],
  actions: [],
  datatypes: [],
  uses: undefined,
  depth: 0,
  maxSensitivity: 0,
  untilUnixSeconds: undefined,
  environment: "unset",
};

/** Most findings in one message. */
const MAX_FINDINGS = 5;

/**
 * Checks what a request names and puts it into normal form. `mayAny`: from an administrator, who alone may
 * write "any". @throws MANDATE_ANY_REFUSED, MANDATE_INVALID, LOCATION_INVALID, ACTION_INVALID
 */
export function checkRequest(
  request: MandateRequest,
  options: { readonly mayAny: boolean },
): MandateRequest {
  const checked = complete(request, NOTHING);
  if (!options.mayAny && hasAny(checked)) {
    throw policyError("MANDATE_ANY_REFUSED", "a mandate that is asked for cannot say any", {
      hint: "name values, or leave the field out to get what may be had",
    });
  }
  const named = Object.entries(checked).filter(
    ([field]) => request[field as keyof Mandate] !== undefined,
  );
  return Object.fromEntries(named) as MandateRequest;
}

/** The greatest mandate below all bounds; undefined when they are for different environments. @throws MANDATE_INVALID */
function meetOf(bounds: readonly Mandate[]): Mandate | undefined {
  const [first, ...rest] = bounds;
  if (first === undefined) throw new TypeError("no bounds: nothing would limit the mandate");
  let met: Mandate | undefined = first;
  for (const bound of rest) met = met === undefined ? undefined : meet(met, bound);
  return met;
}

/** The request with what it leaves out filled in, in normal form. @throws as validateMandate */
export function complete(request: MandateRequest, inherited: Mandate): Mandate {
  return validateMandate({
    locations: request.locations ?? inherited.locations,
    actions: request.actions ?? inherited.actions,
    datatypes: request.datatypes ?? inherited.datatypes,
    uses: request.uses ?? inherited.uses,
    depth: request.depth ?? inherited.depth,
    maxSensitivity: request.maxSensitivity ?? inherited.maxSensitivity,
    untilUnixSeconds: request.untilUnixSeconds ?? inherited.untilUnixSeconds,
    environment: request.environment ?? inherited.environment,
  });
}

/**
 * Grants what is asked for when it is within every bound, or with `clip` what of it is within them.
 * @throws MANDATE_EXCEEDED when it is not (which is to be recorded as an attempt), or nothing would be left;
 * MANDATE_INVALID, LOCATION_INVALID, ACTION_INVALID for a request that makes no sense
 */
export function grant(
  request: MandateRequest,
  bounds: readonly Bound[],
  options: { readonly clip?: boolean } = {},
): Mandate {
  const inherited = meetOf(bounds.map(({ mandate }) => mandate));
  if (inherited === undefined) {
    const names = bounds.map(({ name, mandate }) => `${name} for "${mandate.environment}"`);
    throw policyError("MANDATE_EXCEEDED", `no environment is left: ${names.join(", ")}`, {
      hint: "let an administrator make both for one environment",
    });
  }
  const wanted = complete(request, inherited);
  const granted = options.clip === true ? meet(wanted, inherited) : wanted;
  const findings =
    granted === undefined
      ? [`environment "${wanted.environment}" in place of "${inherited.environment}"`]
      : bounds.flatMap(({ name, mandate }) =>
          excess(granted, mandate).map((what) => `${what} (${name})`),
        );
  if (granted === undefined || findings.length > 0) {
    throw policyError(
      "MANDATE_EXCEEDED",
      `the mandate asked for is too wide: ${listed(findings)}`,
      {
        hint: "ask for less, or let an administrator widen what may be had",
      },
    );
  }
  // Asked for by name, nothing may be had; left over by chance, it would be a task that can only fail.
  if (isNothing(granted) && !isNothing(wanted)) {
    throw policyError("MANDATE_EXCEEDED", "nothing of the mandate asked for is left", {
      hint: "ask for locations and actions that the AI agent and the task class both allow",
    });
  }
  return granted;
}

function listed(findings: readonly string[]): string {
  const shown = findings
    .slice(0, MAX_FINDINGS)
    .map((what) => (what.length > 200 ? `${what.slice(0, 200)}...` : what));
  const more = findings.length - shown.length;
  return shown.join("; ") + (more > 0 ? `; and ${more} more` : "");
}
