// Selectors: what an attestor found out about a node or a workload, such as `unix:uid:1000`. Their
// text, their wire form, and the limits on them.

import type { Init } from "../codec.ts";
import { protoError } from "../errors.ts";
import type { spire } from "../schema.gen.ts";

/** A property of a node or workload: the attestor that says so, and what it says. */
export interface Selector {
  /** Name of the attestor, such as `unix`; without a colon. */
  readonly type: string;
  /** Such as `uid:1000`. */
  readonly value: string;
}

/** Most selectors of one entry, node or match. */
export const MAX_SELECTORS = 256;
/** Longest type, in UTF-16 units. */
const MAX_SELECTOR_TYPE_LENGTH = 128;
/** Longest value, in UTF-16 units: a path of Linux's limit fits. */
const MAX_SELECTOR_VALUE_LENGTH = 4200;

/**
 * Parses `type:value`; the value may contain colons.
 * @throws SELECTOR_INVALID
 */
export function parseSelector(text: string): Selector {
  const colon = text.indexOf(":");
  if (colon < 0) {
    throw protoError("SELECTOR_INVALID", `selector ${quote(text)} has no colon`, {
      hint: "write it as type:value, such as unix:uid:1000",
    });
  }
  return checkSelector({ type: text.slice(0, colon), value: text.slice(colon + 1) });
}

/** The inverse of parseSelector. */
export function formatSelector(selector: Selector): string {
  return `${selector.type}:${selector.value}`;
}

/** @throws SELECTOR_INVALID */
function selectorFromWire(wire: spire.api.types.Selector): Selector {
  return checkSelector({ type: wire.type, value: wire.value });
}

/** Checks each, and that there are not too many. @throws SELECTOR_INVALID */
export function selectorsFromWire(wires: readonly spire.api.types.Selector[]): Selector[] {
  if (wires.length > MAX_SELECTORS) {
    throw protoError("SELECTOR_INVALID", `${wires.length} selectors are too many`, {
      hint: `give at most ${MAX_SELECTORS}`,
    });
  }
  return wires.map(selectorFromWire);
}

export function selectorToWire(selector: Selector): Init<spire.api.types.Selector> {
  return { type: selector.type, value: selector.value };
}

/** Whether both have the same selectors, in any order and however often each. */
export function equalSelectors(a: readonly Selector[], b: readonly Selector[]): boolean {
  const inA = new Set(a.map(formatSelector));
  const inB = new Set(b.map(formatSelector));
  return inA.size === inB.size && [...inA].every((text) => inB.has(text));
}

function checkSelector(selector: Selector): Selector {
  const problem = problemOf(selector);
  if (problem === undefined) return selector;
  throw protoError("SELECTOR_INVALID", `selector ${quote(formatSelector(selector))} ${problem}`, {
    hint: "write it as type:value, such as unix:uid:1000",
  });
}

function problemOf({ type, value }: Selector): string | undefined {
  if (type === "") return "has no type";
  if (type.includes(":")) return "has a colon in its type";
  if (value === "") return "has no value";
  if (type.length > MAX_SELECTOR_TYPE_LENGTH) return "has too long a type";
  return value.length > MAX_SELECTOR_VALUE_LENGTH ? "has too long a value" : undefined;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
