// Standards that are not stable yet (SPIFFE Stability s2.3): both daemons leave them off until the
// operator names them in `feature_flags`. Each row says which revision of the standard is built.

import { z } from "./config.ts";

/** A standard that may still change. */
export interface Incubating {
  readonly standard: string;
  /** The commit of the spiffe/spiffe repository that was followed, and its date. */
  readonly revision: string;
}

/** The revision of the SPIFFE standards that everything here follows. */
export const STANDARDS_REVISION = "665a28f of 2026-07-01";

/** The names that `feature_flags` knows. */
export type FeatureFlag = "wit-svid";

/** Every flag there is. */
export const FEATURE_FLAGS: Readonly<Record<FeatureFlag, Incubating>> = {
  "wit-svid": {
    standard: "WIT-SVID, and the WIT profile of the Workload API",
    revision: STANDARDS_REVISION,
  },
};

const NAMES = Object.keys(FEATURE_FLAGS) as [FeatureFlag, ...FeatureFlag[]];

/** `feature_flags` of a configuration file: none unless the operator names some. */
export const featureFlags: z.ZodType<readonly FeatureFlag[], FeatureFlag[] | undefined> = z
  .array(z.enum(NAMES))
  .max(100)
  .default([]);
