// The section `federation` of the server's configuration: relationships with other trust domains, and
// how their bundles are fetched.
import { resolve } from "node:path";
import { IdentityError } from "../../pki/errors.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import { duration, section, z } from "../../runtime/config.ts";
import { type Endpoint, PROFILES, parseEndpoint, refuseOwn } from "../federation/relationship.ts";
import type { EndpointProfile } from "../store/relationships.ts";
import { path } from "./values.ts";

const SECOND_MS = 1000;
const DAY_MS = 24 * 3600 * SECOND_MS;
const MAX_RELATIONSHIPS = 1000;

/** A relationship that the configuration makes. */
export interface StaticRelationship extends Endpoint {
  readonly trustDomain: TrustDomain;
  /** Absolute: the first bundle, for an endpoint that proves itself with an SVID of its own trust domain. */
  readonly bundleFile: string | undefined;
}

/** How often bundles are fetched, in milliseconds. */
export interface RefreshConfig {
  /** For bundles that do not say. */
  readonly defaultMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

export interface FederationConfig {
  readonly relationships: readonly StaticRelationship[];
  readonly followRedirects: boolean;
  /** Absolute: PEM of authorities that vouch for https_web endpoints besides those the host trusts. */
  readonly webCaFile: string | undefined;
  readonly refresh: RefreshConfig;
}

const interval = duration({ minMs: SECOND_MS, maxMs: DAY_MS });

/** A relationship as the file has it. */
interface RelationshipRow {
  readonly url: string;
  readonly profile: EndpointProfile;
  readonly endpoint_spiffe_id?: string | undefined;
  readonly bundle_file?: string | undefined;
}

const relationship: z.ZodType<RelationshipRow> = section({
  url: z.string().min(1).max(4096),
  profile: z.enum(PROFILES),
  endpoint_spiffe_id: z.string().max(2048).optional(),
  bundle_file: path.optional(),
});

/** The keys of the section that concern what is fetched. */
interface FederationKeys {
  readonly federates_with: z.ZodDefault<z.ZodType<Record<string, RelationshipRow>>>;
  readonly follow_redirects: z.ZodDefault<z.ZodBoolean>;
  readonly web_ca_file: z.ZodOptional<z.ZodString>;
  readonly refresh: z.ZodPrefault<z.ZodType<Intervals>>;
}

interface Intervals {
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

export const federationKeys: FederationKeys = {
  federates_with: z
    .record(z.string(), relationship)
    .refine((all) => Object.keys(all).length <= MAX_RELATIONSHIPS, {
      message: `expected at most ${MAX_RELATIONSHIPS} trust domains`,
    })
    .default({}),
  follow_redirects: z.boolean().default(true),
  web_ca_file: path.optional(),
  refresh: section({
    default: interval.prefault("5m"),
    min: interval.prefault("10s"),
    max: interval.prefault("1h"),
  }).prefault({}),
};

/** What the file says under those keys. */
export interface FederationInput {
  readonly federates_with: Readonly<Record<string, RelationshipRow>>;
  readonly follow_redirects: boolean;
  readonly web_ca_file?: string | undefined;
  readonly refresh: Intervals;
}

export interface FederationPlace {
  readonly own: TrustDomain;
  /** Relative paths start here. */
  readonly dataDir: string;
}

/** Something wrong, and where below `federation`. */
export type OnProblem = (path: readonly string[], message: string) => void;

/** The checked section; problems that no schema can see are told one by one. */
export function readFederation(
  from: FederationInput,
  { own, dataDir }: FederationPlace,
  onProblem: OnProblem,
): FederationConfig {
  const { refresh } = from;
  if (refresh.min > refresh.max) onProblem(["refresh", "min"], "expected at most refresh.max");
  const relationships: StaticRelationship[] = [];
  for (const [name, row] of Object.entries(from.federates_with)) {
    const where = ["federates_with", name];
    try {
      const made = readRelationship(name, row, { own, dataDir });
      const twice = relationships.some(({ trustDomain }) => trustDomain.equals(made.trustDomain));
      if (twice) onProblem(where, `"${made.trustDomain}" is there twice`);
      relationships.push(made);
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error;
      onProblem(where, error.message);
    }
  }
  return {
    relationships,
    followRedirects: from.follow_redirects,
    webCaFile: from.web_ca_file === undefined ? undefined : resolve(dataDir, from.web_ca_file),
    refresh: { defaultMs: refresh.default, minMs: refresh.min, maxMs: refresh.max },
  };
}

function readRelationship(
  name: string,
  row: RelationshipRow,
  { own, dataDir }: FederationPlace,
): StaticRelationship {
  const trustDomain = TrustDomain.parse(name);
  refuseOwn(trustDomain, own);
  const { url, profile, endpoint_spiffe_id: endpointSpiffeId, bundle_file: bundleFile } = row;
  return {
    trustDomain,
    ...parseEndpoint({ url, profile, endpointSpiffeId }),
    bundleFile: bundleFile === undefined ? undefined : resolve(dataDir, bundleFile),
  };
}
