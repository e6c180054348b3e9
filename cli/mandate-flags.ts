// The flags that say a mandate, and the request they make: what is not given is left out, and means what may
// be had at most; what is given empty (--action "") is nothing.

import { ANY_ENVIRONMENT, type MandateSet } from "../policy/mandate.ts";
import type { MandateRequest } from "../policy/mandate-request.ts";
import type { Flag, Input } from "./command.ts";
import { misuse, parseUntil } from "./flags.ts";

const ANY = "any";

export const MANDATE_FLAGS: readonly Flag[] = [
  {
    name: "location",
    value: "<uri>",
    description: "a service that may be used, such as https://mcp.example.org/tickets",
    isRepeated: true,
  },
  {
    name: "action",
    value: "<pattern>",
    description:
      "what may be done there, such as tools/read/*: * is one segment, a final ** the rest",
    isRepeated: true,
  },
  { name: "datatype", value: "<label>", description: "data that may be touched", isRepeated: true },
  { name: "uses", value: "<number>", description: "how many uses in all" },
  { name: "depth", value: "<number>", description: "how many times it may be handed on" },
  {
    name: "max-sensitivity",
    value: "<number>",
    description: "the highest sensitivity of what may be used; 0 is the lowest",
  },
  {
    name: "until",
    value: "<moment>",
    description: "when it ends: 2027-01-31T12:00:00Z, or 12h or 30d from now",
  },
  { name: "environment", value: "<name>", description: "where it may be used, such as production" },
];

/** What the flags ask for; undefined when none of them was given. "any" stands for any. */
export function mandateFromFlags(input: Input): MandateRequest | undefined {
  const request: { -readonly [Field in keyof MandateRequest]: MandateRequest[Field] } = {};
  const sets = { location: "locations", action: "actions", datatype: "datatypes" } as const;
  for (const [flag, field] of Object.entries(sets) as [
    keyof typeof sets,
    (typeof sets)[keyof typeof sets],
  ][]) {
    if (input.has(flag)) request[field] = setOf(input.list(flag), `--${flag}`);
  }
  if (input.has("uses")) request.uses = numberOf(input, "uses", "--uses");
  if (input.has("depth")) request.depth = numberOf(input, "depth", "--depth");
  if (input.has("maxSensitivity")) {
    request.maxSensitivity = numberOf(input, "maxSensitivity", "--max-sensitivity");
  }
  if (input.has("until")) {
    request.untilUnixSeconds = parseUntil(input.text("until") ?? "", "--until");
  }
  if (input.has("environment")) {
    const name = input.text("environment") ?? "";
    request.environment = name === ANY ? ANY_ENVIRONMENT : name;
  }
  return Object.keys(request).length === 0 ? undefined : request;
}

function setOf(values: readonly string[], spelled: string): MandateSet {
  if (!values.includes(ANY)) return values;
  if (values.length === 1) return ANY;
  throw misuse(`${spelled}: any and others, of which any is enough`);
}

function numberOf(input: Input, flag: string, spelled: string): number {
  const text = input.text(flag) ?? "";
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw misuse(`${spelled}: "${text}" is not a number`, { hint: "give a whole number, 0 or more" });
}
