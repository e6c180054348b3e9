// What a task may do, and the one comparison of two mandates. Pure: no I/O, no clock. Carried in tokens as
// an element of authorization_details (policy/authorization-details.ts), on our own wire as
// signet.mandate.v1.Mandate (policy/mandate-wire.ts). What is asked for: policy/mandate-request.ts.
//
// Functions here take mandates that were validated. What is empty means nothing, everywhere.

import { coversSegments, isAction, meetPatterns, parseActionPattern } from "./action-pattern.ts";
import { policyError } from "./errors.ts";
import { canonicalLocation, tryCanonicalLocation } from "./location.ts";

/** A set of strings. Without values it is empty, and means nothing; only `"any"` means everything. */
export type MandateSet = "any" | readonly string[];

/** A mandate. Every limit is an upper bound. */
export interface Mandate {
  /** Canonical URIs of services. */
  readonly locations: MandateSet;
  /** Patterns of segments: `*` is one segment, a final `**` one or more. */
  readonly actions: MandateSet;
  /** Labels of data. */
  readonly datatypes: MandateSet;
  /** Undefined: no limit of its own. */
  readonly uses: number | undefined;
  /** How many times it may be handed on. */
  readonly depth: number;
  readonly maxSensitivity: number;
  /** Undefined: no end of its own. */
  readonly untilUnixSeconds: number | undefined;
  /** One name, or `"*"` for any. */
  readonly environment: string;
}

/** One use that somebody wants to make of a mandate. */
export interface MandateUse {
  readonly location: string;
  /** Concrete: without `*`. */
  readonly action: string;
  /** Labels of the data that is touched: each must be in the mandate. */
  readonly datatypes?: readonly string[];
  /** Of what is touched. Default 0, the lowest. */
  readonly sensitivity?: number;
  /** Where it happens. Left out, environments are not compared. */
  readonly environment?: string;
  readonly at: Date;
}

/** The environment of a mandate that is good in all of them. */
export const ANY_ENVIRONMENT = "*";
/** Most values of one set. */
export const MAX_SET_VALUES = 64;
export const MAX_DEPTH = 32;
export const MAX_SENSITIVITY = 1000;
/** The end of the year 9999, the last moment a certificate can name. */
export const MAX_UNIX_SECONDS = 253_402_300_799;

const DATATYPE = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/;
/** The name of an environment. */
export const ENVIRONMENT: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** Whether everything that `child` allows, `parent` allows too, and no limit of `child` is above its own. */
export function leq(child: Mandate, parent: Mandate): boolean {
  return excesses(child, parent).next().done === true;
}

/** What `child` has beyond `parent`, for people: one sentence part each. Empty exactly when `leq`. */
export function excess(child: Mandate, parent: Mandate): readonly string[] {
  return [...excesses(child, parent)];
}

function* excesses(child: Mandate, parent: Mandate): Generator<string, undefined> {
  yield* valuesBeyond("location", child.locations, parent.locations, includes);
  yield* valuesBeyond("action", child.actions, parent.actions, coveredBy);
  yield* valuesBeyond("datatype", child.datatypes, parent.datatypes, includes);
  yield* numberBeyond("uses", child.uses, parent.uses);
  yield* numberBeyond("depth", child.depth, parent.depth);
  yield* numberBeyond("max_sensitivity", child.maxSensitivity, parent.maxSensitivity);
  yield* numberBeyond("until", child.untilUnixSeconds, parent.untilUnixSeconds);
  if (parent.environment !== ANY_ENVIRONMENT && child.environment !== parent.environment) {
    yield `environment "${child.environment}" in place of "${parent.environment}"`;
  }
  return undefined;
}

/** Makes, of a set's values, the test whether a value lies within them. */
type Within = (values: readonly string[]) => (value: string) => boolean;

const includes: Within = (values) => (value) => values.includes(value);

const coveredBy: Within = (patterns) => {
  const parents = patterns.map((pattern) => pattern.split("/"));
  return (value) => {
    const segments = value.split("/");
    return parents.some((parent) => coversSegments(parent, segments));
  };
};

function* valuesBeyond(
  noun: string,
  child: MandateSet,
  parent: MandateSet,
  within: Within,
): Generator<string, undefined> {
  if (parent === "any") return undefined;
  if (child === "any") {
    yield `any ${noun}`;
    return undefined;
  }
  const isWithin = within(parent);
  for (const value of child) if (!isWithin(value)) yield `${noun} "${value}"`;
  return undefined;
}

function* numberBeyond(
  noun: string,
  child: number | undefined,
  parent: number | undefined,
): Generator<string, undefined> {
  if (parent === undefined || (child !== undefined && child <= parent)) return undefined;
  yield child === undefined
    ? `${noun} without limit, at most ${parent}`
    : `${noun} ${child}, at most ${parent}`;
  return undefined;
}

/**
 * The greatest mandate that is below both: what both allow. Undefined when they are for different environments.
 * @throws MANDATE_INVALID when the actions of both cannot be written in MAX_SET_VALUES patterns
 */
export function meet(a: Mandate, b: Mandate): Mandate | undefined {
  const environment = meetEnvironments(a.environment, b.environment);
  if (environment === undefined) return undefined;
  return {
    locations: meetSets(a.locations, b.locations, PLAIN),
    actions: withinLimit(meetSets(a.actions, b.actions, PATTERNS)),
    datatypes: meetSets(a.datatypes, b.datatypes, PLAIN),
    uses: lower(a.uses, b.uses),
    depth: Math.min(a.depth, b.depth),
    maxSensitivity: Math.min(a.maxSensitivity, b.maxSensitivity),
    untilUnixSeconds: lower(a.untilUnixSeconds, b.untilUnixSeconds),
    environment,
  };
}

function meetEnvironments(a: string, b: string): string | undefined {
  if (a === b || b === ANY_ENVIRONMENT) return a;
  return a === ANY_ENVIRONMENT ? b : undefined;
}

/** Values of a set: what is common to two of them, and a list of them without what others cover. */
interface Values {
  readonly both: (a: string, b: string) => string | undefined;
  readonly tidy: (values: readonly string[]) => readonly string[];
}

const PLAIN: Values = { both: (a, b) => (a === b ? a : undefined), tidy: sorted };
const PATTERNS: Values = { both: meetPatterns, tidy: maximalPatterns };

function meetSets(a: MandateSet, b: MandateSet, { both, tidy }: Values): MandateSet {
  if (a === "any") return b === "any" ? "any" : tidy(b);
  if (b === "any") return tidy(a);
  return tidy(a.flatMap((x) => b.flatMap((y) => both(x, y) ?? [])));
}

function withinLimit(actions: MandateSet): MandateSet {
  if (actions === "any" || actions.length <= MAX_SET_VALUES) return actions;
  throw policyError("MANDATE_INVALID", `what both allow takes ${actions.length} actions to write`, {
    hint: `ask for fewer actions by name: a mandate has at most ${MAX_SET_VALUES}`,
  });
}

function lower(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

/**
 * The one form of equal mandates: values sorted, none twice, locations canonical, and no action that another
 * one covers. @throws LOCATION_INVALID
 */
export function normalize(mandate: Mandate): Mandate {
  const { locations, actions, datatypes } = mandate;
  return {
    ...mandate,
    locations: locations === "any" ? "any" : sorted(locations.map(canonicalLocation)),
    actions: actions === "any" ? "any" : maximalPatterns(actions),
    datatypes: datatypes === "any" ? "any" : sorted(datatypes),
  };
}

function sorted(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}

function maximalPatterns(patterns: readonly string[]): readonly string[] {
  const all = sorted(patterns).map((text) => ({ text, segments: text.split("/") }));
  const isMaximal = (one: (typeof all)[number]): boolean =>
    !all.some((other) => other !== one && coversSegments(other.segments, one.segments));
  return all.filter(isMaximal).map(({ text }) => text);
}

/** Whether it allows nothing at all, at no time. */
export function isNothing({ locations, actions, uses }: Mandate): boolean {
  return locations.length === 0 || actions.length === 0 || uses === 0;
}

/** Whether one of its sets or its environment is any: what administrators alone may write. */
export function hasAny({ locations, actions, datatypes, environment }: Mandate): boolean {
  return [locations, actions, datatypes].includes("any") || environment === ANY_ENVIRONMENT;
}

/** Whether one use is within the mandate. How many uses are left is not known here. Never throws. */
export function allows(mandate: Mandate, use: MandateUse): boolean {
  const { environment, maxSensitivity, untilUnixSeconds } = mandate;
  if (mandate.uses === 0) return false;
  if (untilUnixSeconds !== undefined && !(use.at.getTime() < untilUnixSeconds * 1000)) return false;
  if (!((use.sensitivity ?? 0) <= maxSensitivity)) return false;
  if (
    use.environment !== undefined &&
    environment !== ANY_ENVIRONMENT &&
    use.environment !== environment
  ) {
    return false;
  }
  return (
    allowsLocation(mandate, use.location) &&
    allowsAction(mandate, use.action) &&
    (use.datatypes ?? []).every((label) => isIn(mandate.datatypes, label))
  );
}

/** Whether a location, in any spelling, is one of the mandate's. Never throws. */
export function allowsLocation({ locations }: Mandate, location: string): boolean {
  if (locations !== "any" && locations.includes(location)) return true;
  const canonical = tryCanonicalLocation(location);
  return canonical !== undefined && isIn(locations, canonical);
}

/** Whether a concrete action is covered by the mandate. Never throws. */
export function allowsAction({ actions }: Mandate, action: string): boolean {
  if (!isAction(action)) return false;
  return actions === "any" || coveredBy(actions)(action);
}

function isIn(set: MandateSet, value: string): boolean {
  return set === "any" || set.includes(value);
}

/**
 * Checks a mandate from outside and returns its normal form.
 * @throws MANDATE_INVALID, LOCATION_INVALID, ACTION_INVALID
 */
export function validateMandate(mandate: Mandate): Mandate {
  const { locations, actions, datatypes, environment } = mandate;
  for (const [name, set] of Object.entries({ locations, actions, datatypes })) {
    if (set !== "any" && set.length > MAX_SET_VALUES) {
      throw invalid(`${set.length} ${name}`, `name at most ${MAX_SET_VALUES}, or wider patterns`);
    }
  }
  if (actions !== "any") for (const pattern of actions) parseActionPattern(pattern);
  if (datatypes !== "any") {
    for (const label of datatypes) {
      if (!DATATYPE.test(label)) {
        throw invalid(`datatype ${quoted(label)}`, "use letters, digits and ._:/-, at most 128");
      }
    }
  }
  if (environment !== ANY_ENVIRONMENT && !ENVIRONMENT.test(environment)) {
    throw invalid(
      `environment ${quoted(environment)}`,
      "name one, such as 'production': letters, digits and ._-, at most 63",
    );
  }
  checkNumber("uses", mandate.uses ?? 0, Number.MAX_SAFE_INTEGER);
  checkNumber("depth", mandate.depth, MAX_DEPTH);
  checkNumber("max_sensitivity", mandate.maxSensitivity, MAX_SENSITIVITY);
  checkNumber("until", mandate.untilUnixSeconds ?? 1, MAX_UNIX_SECONDS, 1);
  return normalize(mandate);
}

function checkNumber(name: string, value: number, max: number, min = 0): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw invalid(`${name} ${value}`, `give a whole number from ${min} to ${max}`);
}

function quoted(text: string): string {
  return `"${text.length > 100 ? `${text.slice(0, 100)}...` : text}"`;
}

function invalid(what: string, hint: string): Error {
  return policyError("MANDATE_INVALID", `a mandate cannot have ${what}`, { hint });
}
