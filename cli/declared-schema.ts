// What may stand in a file for `signet apply`, by kind, and the wire form of it. Shape and units are
// checked here; what only the server knows (classes, paths, other sets), it says. The format: docs/apply.md.

import { IdentityError } from "../pki/errors.ts";
import { SpiffeId } from "../pki/spiffe-id.ts";
import { ANY_ENVIRONMENT } from "../policy/mandate.ts";
import type { Init } from "../proto/codec.ts";
import type { signet } from "../proto/schema.gen.ts";
import { parseSelector, selectorToWire } from "../proto/types/selector.ts";
import { spiffeIdToWire } from "../proto/types/spiffe-id.ts";
import { duration, section, z } from "../runtime/config.ts";
import { MAX_SECONDS } from "./flags.ts";

type WireMandate = Init<signet.mandate.v1.Mandate>;

/** What one document declares. */
export type DeclaredWire =
  | { readonly kind: "entry"; readonly wire: Init<signet.registry.v1.DeclaredEntry> }
  | { readonly kind: "ai-agent"; readonly wire: Init<signet.registry.v1.AiAgent> }
  | { readonly kind: "task-class"; readonly wire: Init<signet.registry.v1.TaskClass> };

const ANY = "any";
const count = z.number().int().min(0);
const labels = z.record(z.string(), z.string()).default({});

/** Runs a parser of ours within a schema. */
function parsed<T>(parse: (text: string) => T): z.ZodPipe<z.ZodString, z.ZodTransform<T, string>> {
  return z.string().transform((text, context): T => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error;
      context.issues.push({ code: "custom", message: error.message, input: text });
      return z.NEVER;
    }
  });
}

const id = parsed((text) => SpiffeId.parse(text).toString());
const selector = parsed((text) => selectorToWire(parseSelector(text)));

/** A moment as it stands in a file: never relative, so that applying it again changes nothing. */
const moment = z.string().transform((text, context): number => {
  const date = new Date(text);
  if (/^\d{4}-\d\d-\d\d(?:$|T.*(?:Z|[+-]\d\d:\d\d)$)/.test(text) && !Number.isNaN(date.getTime())) {
    return Math.floor(date.getTime() / 1000);
  }
  const message = `expected a moment such as "2027-01-31T12:00:00Z", got "${text.slice(0, 64)}"`;
  context.issues.push({ code: "custom", message, input: text });
  return z.NEVER;
});

// No more than the wire has room for: it would become another number there.
const maxMs = MAX_SECONDS * 1000;
const seconds = duration({ minMs: 1000, maxMs }).transform((ms) => Math.floor(ms / 1000));
const secondsOrNone = duration({ maxMs }).transform((ms) => Math.floor(ms / 1000));
const shortCount = count.max(2 ** 32 - 1);

/** Absent is nothing, as an empty list is; "any" is everything. */
const set = z
  .union([z.literal(ANY), z.array(z.string())], 'expected a list, or "any"')
  .default([])
  .transform((value) => (value === ANY ? { any: true } : { values: value }));

const mandate = section({
  locations: set,
  actions: set,
  datatypes: set,
  uses: count.optional(),
  depth: shortCount.default(0),
  max_sensitivity: count.default(0),
  until: moment.optional(),
  environment: z.string().optional(),
}).transform(
  ({ locations, actions, datatypes, uses, depth, max_sensitivity, until, environment }) => ({
    ...{ locations, actions, datatypes },
    ...(uses !== undefined && { uses: { value: uses } }),
    depth: { value: depth },
    maxSensitivity: { value: max_sensitivity },
    until: until ?? 0,
    ...(environment !== undefined && {
      environment:
        environment === ANY || environment === ANY_ENVIRONMENT
          ? { any: true }
          : { values: [environment] },
    }),
  }),
);

/** Every document has these. */
function documentOf<K extends string, S extends z.ZodType>(kind: K, spec: S) {
  return section({
    apiVersion: z.literal("signet/v1"),
    kind: z.literal(kind),
    metadata: section({ owner: z.string().default(""), labels }).default({
      owner: "",
      labels: {},
    }),
    spec,
  });
}

const entry = documentOf(
  "Entry",
  section({
    spiffe_id: id,
    parent_id: id.optional(),
    node: z.boolean().default(false),
    selectors: z.array(selector).min(1, "expected at least one selector"),
    ttl: seconds.optional(),
    x509_svid_ttl: seconds.optional(),
    jwt_svid_ttl: seconds.optional(),
    federates_with: z.array(z.string()).default([]),
    dns_names: z.array(z.string()).default([]),
    admin: z.boolean().default(false),
    downstream: z.boolean().default(false),
    expires_at: moment.optional(),
    store_svid: z.boolean().default(false),
    hint: z.string().default(""),
    disable_x509_svid_prefetch: z.boolean().default(false),
    jwt_svid_include_jti: z.boolean().default(false),
  }),
)
  .refine(({ spec }) => (spec.parent_id !== undefined) !== spec.node, {
    path: ["spec", "parent_id"],
    message: "expected either parent_id, or node: true for a group of nodes",
    // Also when something else is wrong: all of it is told at once.
    when: ({ value }) => isRecord(value) && isRecord(value["spec"]),
  })
  .transform(({ metadata, spec }): DeclaredWire => {
    const spiffeId = spiffeIdToWire(spec.spiffe_id);
    const server = { trustDomain: spiffeId.trustDomain, path: "/spire/server" };
    const { disable_x509_svid_prefetch, jwt_svid_include_jti } = spec;
    const wire = {
      spiffeId,
      parentId: spec.parent_id === undefined ? server : spiffeIdToWire(spec.parent_id),
      selectors: spec.selectors,
      x509SvidTtl: spec.x509_svid_ttl ?? spec.ttl ?? 0,
      jwtSvidTtl: spec.jwt_svid_ttl ?? spec.ttl ?? 0,
      federatesWith: spec.federates_with,
      dnsNames: spec.dns_names,
      admin: spec.admin,
      downstream: spec.downstream,
      expiresAt: spec.expires_at ?? 0,
      storeSvid: spec.store_svid,
      hint: spec.hint,
      additionalAttributes: {
        disableX509SvidPrefetch: disable_x509_svid_prefetch,
        jwtSvidIncludeJti: jwt_svid_include_jti,
      },
    };
    return { kind: "entry", wire: { entry: wire, ...metadata } };
  });

const aiAgent = documentOf(
  "AiAgent",
  section({
    spiffe_id: id,
    purpose: z.string(),
    environment: z.string(),
    valid_until: moment,
    ceiling: mandate,
    task_classes: z.array(z.string()).default([]),
    max_open_tasks: shortCount.default(0),
    may_host: z.array(z.string()).default([]),
    model_id: z.string().default(""),
    manifest_hash: z.string().default(""),
  }),
).transform(({ metadata, spec }): DeclaredWire => {
  const wire = {
    spiffeId: spec.spiffe_id,
    ...metadata,
    purpose: spec.purpose,
    environment: spec.environment,
    validUntil: spec.valid_until,
    ceiling: spec.ceiling,
    taskClasses: spec.task_classes,
    maxOpenTasks: spec.max_open_tasks,
    mayHost: spec.may_host,
    modelId: spec.model_id,
    manifestHash: spec.manifest_hash,
  };
  return { kind: "ai-agent", wire };
});

const taskClass = documentOf(
  "TaskClass",
  section({
    name: z.string(),
    description: z.string().default(""),
    maximum: mandate,
    default_ttl: seconds.optional(),
    max_ttl: seconds.optional(),
    idle_timeout: secondsOrNone.optional(),
    x509_svid_ttl: seconds.optional(),
    jwt_svid_ttl: seconds.optional(),
    access_token_ttl: seconds.optional(),
    require_pop: z.boolean().default(false),
    fail_mode: z.enum(["ttl", "closed"]).default("ttl"),
    identity: z.enum(["task", "agent"]).default("task"),
    bind: z.enum(["process", "none"]).default("process"),
    allow_clip: z.boolean().default(false),
    opened_by: z.enum(["agent", "operator"]).default("agent"),
    require_attested: z.boolean().default(false),
    reactions: z.record(z.string(), z.enum(["log", "suspend", "revoke"])).default({}),
  }),
).transform(({ metadata, spec }): DeclaredWire => {
  const maximum: WireMandate = { environment: { any: true }, ...spec.maximum };
  const wire = {
    name: spec.name,
    description: spec.description,
    ...metadata,
    maximum,
    defaultTtlSeconds: spec.default_ttl ?? 0,
    maxTtlSeconds: spec.max_ttl ?? 0,
    idleTimeoutSeconds: spec.idle_timeout ?? 0,
    x509SvidTtlSeconds: spec.x509_svid_ttl ?? 0,
    jwtSvidTtlSeconds: spec.jwt_svid_ttl ?? 0,
    accessTokenTtlSeconds: spec.access_token_ttl ?? 0,
    maxDepth: Number(spec.maximum.depth.value),
    requirePop: spec.require_pop,
    failMode: spec.fail_mode,
    identity: spec.identity,
    bind: spec.bind,
    allowClip: spec.allow_clip,
    openedBy: spec.opened_by,
    requireAttested: spec.require_attested,
    reactions: spec.reactions,
  };
  return { kind: "task-class", wire };
});

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The schema of each kind of document, by what stands at `kind`. */
export const DOCUMENTS: Readonly<Record<string, z.ZodType<DeclaredWire>>> = {
  Entry: entry,
  AiAgent: aiAgent,
  TaskClass: taskClass,
};
