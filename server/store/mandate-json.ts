// A mandate within a stored record: JSON, with absent limits left out.

import type { Mandate, MandateSet } from "../../policy/mandate.ts";

/** A mandate as records hold it. */
export interface MandateJson {
  readonly locations: MandateSet;
  readonly actions: MandateSet;
  readonly datatypes: MandateSet;
  readonly uses?: number;
  readonly depth: number;
  readonly max_sensitivity: number;
  readonly until?: number;
  readonly environment: string;
}

/** The stored form. */
export function mandateToJson(mandate: Mandate): MandateJson {
  const { locations, actions, datatypes, uses, depth, untilUnixSeconds, environment } = mandate;
  return {
    locations,
    actions,
    datatypes,
    ...(uses !== undefined && { uses }),
    depth,
    max_sensitivity: mandate.maxSensitivity,
    ...(untilUnixSeconds !== undefined && { until: untilUnixSeconds }),
    environment,
  };
}

/** Its inverse. What it reads was checked before it was stored. */
export function mandateFromJson(json: MandateJson): Mandate {
  return {
    locations: json.locations,
    actions: json.actions,
    datatypes: json.datatypes,
    uses: json.uses,
    depth: json.depth,
    maxSensitivity: json.max_sensitivity,
    untilUnixSeconds: json.until,
    environment: json.environment,
  };
}
