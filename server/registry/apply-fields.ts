// What is compared when something is declared: fields by the names they have in files, values as JSON.
// What is empty is left out, so that not saying it and saying nothing are the same.

import { ANY_ENVIRONMENT, type Mandate } from "../../policy/mandate.ts";
import { formatDuration } from "../../runtime/duration.ts";
import type { EntryDraft } from "../store/entries.ts";
import type { AiAgentDraft } from "./ai-agent-draft.ts";
import type { TaskClassDraft } from "./task-class-draft.ts";

/** Of a field that changes: JSON, or "" where there is nothing. */
export interface FieldChange {
  readonly field: string;
  readonly before: string;
  readonly after: string;
}

/** Fields by name, as JSON. */
export type Fields = ReadonlyMap<string, string>;

export const NO_FIELDS: Fields = new Map();

/** Who looks after a declared entry. */
export interface Ownership {
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
}

export function aiAgentFields(agent: AiAgentDraft, managedBy: string): Fields {
  return fieldsOf({
    owner: agent.owner,
    purpose: agent.purpose,
    environment: agent.environment,
    valid_until: moment(agent.validUntilUnixSeconds),
    task_classes: agent.taskClasses,
    ...mandateFields("ceiling", agent.ceiling),
    max_open_tasks: agent.maxOpenTasks,
    may_host: agent.mayHost,
    model_id: agent.modelId,
    manifest_hash: agent.manifestHash,
    labels: agent.labels,
    set: managedBy,
  });
}

export function taskClassFields(one: TaskClassDraft, managedBy: string): Fields {
  return fieldsOf({
    description: one.description,
    ...mandateFields("maximum", one.maximum),
    default_ttl: duration(one.defaultTtlSeconds),
    max_ttl: duration(one.maxTtlSeconds),
    idle_timeout: one.idleTimeoutSeconds === 0 ? "" : duration(one.idleTimeoutSeconds),
    x509_svid_ttl: duration(one.x509SvidTtlSeconds),
    jwt_svid_ttl: duration(one.jwtSvidTtlSeconds),
    access_token_ttl: duration(one.accessTokenTtlSeconds),
    max_depth: one.maxDepth,
    require_pop: one.requirePop,
    fail_mode: one.failMode,
    identity: one.identity,
    bind: one.bind,
    allow_clip: one.allowClip,
    opened_by: one.openedBy,
    require_attested: one.requireAttested,
    reactions: one.reactions,
    owner: one.owner,
    labels: one.labels,
    set: managedBy,
  });
}

/** `ownership` is not part of the entry itself, as `managedBy`. */
export function entryFields(
  entry: EntryDraft,
  ownership: Ownership | undefined,
  managedBy: string,
): Fields {
  return fieldsOf({
    parent_id: entry.parentId,
    selectors: entry.selectors.map(({ type, value }) => `${type}:${value}`).sort(),
    x509_svid_ttl: entry.x509SvidTtlSeconds === 0 ? "" : duration(entry.x509SvidTtlSeconds),
    jwt_svid_ttl: entry.jwtSvidTtlSeconds === 0 ? "" : duration(entry.jwtSvidTtlSeconds),
    federates_with: [...entry.federatesWith].sort(),
    dns_names: entry.dnsNames,
    admin: entry.admin,
    downstream: entry.downstream,
    expires_at: entry.expiresAtUnixSeconds === 0 ? "" : moment(entry.expiresAtUnixSeconds),
    store_svid: entry.storeSvid,
    hint: entry.hint,
    disable_x509_svid_prefetch: entry.disableX509SvidPrefetch,
    jwt_svid_include_jti: entry.jwtSvidIncludeJti,
    owner: ownership?.owner,
    labels: ownership?.labels,
    set: managedBy,
  });
}

/** Fields that an entry's own record does not have. */
export const BESIDE_ENTRY: ReadonlySet<string> = new Set(["owner", "labels", "set"]);

/** What is different, in the order of the fields. */
export function changesOf(before: Fields, after: Fields): FieldChange[] {
  const changes: FieldChange[] = [];
  for (const [field, value] of after) {
    const former = before.get(field) ?? "";
    if (former !== value) changes.push({ field, before: former, after: value });
  }
  for (const [field, value] of before) {
    if (!after.has(field)) changes.push({ field, before: value, after: "" });
  }
  return changes;
}

function mandateFields(name: string, mandate: Mandate): Record<string, unknown> {
  const { locations, actions, datatypes, uses, depth, maxSensitivity } = mandate;
  const { untilUnixSeconds, environment } = mandate;
  return {
    [`${name}.locations`]: locations,
    [`${name}.actions`]: actions,
    [`${name}.datatypes`]: datatypes,
    // None left is not the same as no limit.
    [`${name}.uses`]: uses === 0 ? "0" : uses,
    [`${name}.depth`]: depth,
    [`${name}.max_sensitivity`]: maxSensitivity,
    [`${name}.until`]: untilUnixSeconds === undefined ? "" : moment(untilUnixSeconds),
    [`${name}.environment`]: environment === ANY_ENVIRONMENT ? "any" : environment,
  };
}

function fieldsOf(values: Readonly<Record<string, unknown>>): Fields {
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(values)) {
    if (!isEmpty(value)) fields.set(name, JSON.stringify(value));
  }
  return fields;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === "" || value === 0 || value === false) return true;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function moment(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString().replace(".000Z", "Z");
}

function duration(seconds: number): string {
  return formatDuration(seconds * 1000);
}
