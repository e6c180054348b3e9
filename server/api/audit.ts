// The audit trail of the server's API: which methods change state, and what each changed. One line a
// call, written by edge/gate.ts before the answer leaves. Objects are named by IDs only: no token, key
// or whole SVID gets into a line. Issuing to agents is not here: it changes nothing and is counted.
import type { signet, spire } from "../../proto/schema.gen.ts";

/** What a call changed; `outcome` is that of a call that succeeded, whose items may still have failed. */
export interface AuditedCall {
  readonly object: string;
  readonly outcome: string;
  readonly [field: string]: unknown;
}

/** As handlers give it: what is empty may be left out. */
type AppliedMessage = Partial<signet.registry.v1.ApplyResponse>;

type Describe = (request: unknown, response: unknown) => AuditedCall | undefined;

const API = "/spire.api.server";
const REGISTRY = "/signet.registry.v1.Registry";
/** A batch has thousands of items; a line names this many of them. */
const MAX_NAMES = 50;
const MAX_URL_LENGTH = 200;
const MAX_REASON_LENGTH = 200;

/**
 * The line of a call of `method`, or undefined when it changes nothing. `response` is undefined when
 * the call failed. For AttestAgent, a stream, `response` is one message: only the result is a change.
 */
export function auditOf(
  method: string,
  request: unknown,
  response: unknown,
): AuditedCall | undefined {
  return METHODS[method]?.(request, response);
}

/** Whether calls of this method change something. */
export function isAudited(method: string): boolean {
  return Object.hasOwn(METHODS, method);
}

const METHODS: Readonly<Record<string, Describe>> = {
  [`${API}.agent.v1.Agent/AttestAgent`]: describe<
    unknown,
    spire.api.server.agent.v1.AttestAgentResponse
  >((_, response) =>
    response !== undefined && response.result === undefined
      ? undefined
      : ok(idOf(response?.result?.svid?.id)),
  ),
  [`${API}.agent.v1.Agent/RenewAgent`]: describe<
    unknown,
    spire.api.server.agent.v1.RenewAgentResponse
  >((_, response) => ok(idOf(response?.svid?.id))),
  [`${API}.agent.v1.Agent/BanAgent`]: describe<spire.api.server.agent.v1.BanAgentRequest>(
    (request) => ok(idOf(request?.id)),
  ),
  [`${API}.agent.v1.Agent/DeleteAgent`]: describe<spire.api.server.agent.v1.DeleteAgentRequest>(
    (request) => ok(idOf(request?.id)),
  ),
  [`${API}.agent.v1.Agent/PostStatus`]: describe<spire.api.server.agent.v1.PostStatusRequest>(
    (request) => ({ ...ok("agent version"), agent_version: request?.agentVersion }),
  ),
  [`${API}.agent.v1.Agent/CreateJoinToken`]: describe<
    spire.api.server.agent.v1.CreateJoinTokenRequest,
    spire.api.types.JoinToken
  >((request, response) => ({
    ...ok("join token"),
    ...(request?.agentId === undefined ? {} : { agent_id: idOf(request.agentId) }),
    expires_at: response?.expiresAt,
  })),
  ...entryBatches("BatchCreateEntry", "BatchUpdateEntry"),
  [`${API}.entry.v1.Entry/BatchDeleteEntry`]: describe<
    spire.api.server.entry.v1.BatchDeleteEntryRequest,
    spire.api.server.entry.v1.BatchDeleteEntryResponse
  >((request, response) =>
    batch(response?.results, (result) => result.id, request?.ids, "entry_ids"),
  ),
  [`${API}.svid.v1.SVID/MintX509SVID`]: describe<
    unknown,
    spire.api.server.svid.v1.MintX509SVIDResponse
  >((_, response) => ({ ...ok(idOf(response?.svid?.id)), expires_at: response?.svid?.expiresAt })),
  [`${API}.svid.v1.SVID/MintJWTSVID`]: describe<
    spire.api.server.svid.v1.MintJWTSVIDRequest,
    spire.api.server.svid.v1.MintJWTSVIDResponse
  >((request, response) => ({
    ...ok(idOf(request?.id)),
    audience: request?.audience,
    expires_at: response?.svid?.expiresAt,
  })),
  [`${API}.svid.v1.SVID/MintWITSVID`]: describe<
    spire.api.server.svid.v1.MintWITSVIDRequest,
    spire.api.server.svid.v1.MintWITSVIDResponse
  >((request, response) => ({
    ...ok(idOf(request?.id)),
    expires_at: response?.svid?.expiresAt,
  })),
  ...taskActions("SuspendTask", "UnsuspendTask", "RevokeTask", "CompleteTask"),
  "/signet.task.v1.TaskControl/CreateTask": describe<
    signet.task.v1.CreateTaskRequest,
    signet.task.v1.TaskResponse
  >((request, response) => ({
    ...ok(response?.task?.spiffeId ?? `a task of ${request?.aiAgent ?? "unknown"}`),
    task_class: request?.task?.taskClass,
  })),
  [`${API}.bundle.v1.Bundle/AppendBundle`]: describe<unknown, spire.api.types.Bundle>(
    (_, response) => ({ ...ok("bundle"), sequence: response?.sequenceNumber }),
  ),
  [`${API}.bundle.v1.Bundle/BatchDeleteFederatedBundle`]: describe<
    spire.api.server.bundle.v1.BatchDeleteFederatedBundleRequest,
    spire.api.server.bundle.v1.BatchDeleteFederatedBundleResponse
  >((request, response) =>
    batch(response?.results, (one) => one.trustDomain, request?.trustDomains, "trust_domains"),
  ),
  ...bundleBatches(
    "BatchCreateFederatedBundle",
    "BatchUpdateFederatedBundle",
    "BatchSetFederatedBundle",
  ),
  ...federationBatches("BatchCreateFederationRelationship", "BatchUpdateFederationRelationship"),
  [`${API}.trustdomain.v1.TrustDomain/BatchDeleteFederationRelationship`]: describe<
    spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipRequest,
    spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipResponse
  >((request, response) =>
    batch(response?.results, (one) => one.trustDomain, request?.trustDomains, "trust_domains"),
  ),
  [`${API}.trustdomain.v1.TrustDomain/RefreshBundle`]:
    describe<spire.api.server.trustdomain.v1.RefreshBundleRequest>((request) =>
      ok(request?.trustDomain ?? ""),
    ),
  ...authorities(`${API}.localauthority.v1.LocalAuthority`, "X509", "JWT", "WIT"),
  ...authorities("/signet.oauth.v1.OAuthAuthority", "OAuth"),
  "/signet.revocation.v1.Revocation/RevokeSVID": describe<
    signet.revocation.v1.RevokeSVIDRequest,
    signet.revocation.v1.RevokeSVIDResponse
  >((request, response) => ({
    ...ok(targetOf(request)),
    revocation: response?.revocation?.id,
    reason_code: request?.reason,
    replace: request?.replace,
    force: request?.force,
    x509_svids: response?.revocation?.x509Svids,
    tokens: response?.revocation?.tokens,
  })),
  "/signet.revocation.v1.Revocation/ReleaseHold": describe<
    signet.revocation.v1.ReleaseHoldRequest,
    signet.revocation.v1.ReleaseHoldResponse
  >((request, response) => ({
    ...ok(request?.id ?? "unknown"),
    spiffe_id: idOf(response?.revocation?.hold?.spiffeId),
  })),
  ...aiAgentChanges("CreateAiAgent", "UpdateAiAgent"),
  ...aiAgentActions("DisableAiAgent", "EnableAiAgent", "DeleteAiAgent"),
  [`${REGISTRY}/SetTaskClass`]: describe<
    signet.registry.v1.SetTaskClassRequest,
    signet.registry.v1.TaskClassResponse
  >((request, response) => ({
    ...ok(request?.taskClass?.name ?? "unknown"),
    version: response?.taskClass?.version,
  })),
  [`${REGISTRY}/DeleteTaskClass`]: describe<signet.registry.v1.DeleteTaskClassRequest>((request) =>
    ok(request?.name ?? "unknown"),
  ),
  [`${REGISTRY}/Apply`]: describe<unknown, AppliedMessage>((_, response) =>
    response === undefined ? ok("declared objects") : applied(response),
  ),
  [`${API}.logger.v1.Logger/SetLogLevel`]: describe<spire.api.server.logger.v1.SetLogLevelRequest>(
    (request) => ({ ...ok("log level"), new_level: request?.newLevel }),
  ),
  [`${API}.logger.v1.Logger/ResetLogLevel`]: describe(() => ok("log level")),
};

function aiAgentChanges(...names: string[]): Record<string, Describe> {
  const row = describe<
    { readonly aiAgent?: signet.registry.v1.AiAgent },
    signet.registry.v1.AiAgentResponse
  >((request, response) => ({
    ...ok(request?.aiAgent?.spiffeId ?? "unknown"),
    owner: request?.aiAgent?.owner,
    valid_until: request?.aiAgent?.validUntil,
    version: response?.aiAgent?.version,
  }));
  return Object.fromEntries(names.map((name) => [`${REGISTRY}/${name}`, row]));
}

function aiAgentActions(...names: string[]): Record<string, Describe> {
  const row = describe<signet.registry.v1.AiAgentAction>((request) => ({
    ...ok(request?.spiffeId ?? "unknown"),
    because: request?.reason,
    with_entries: request?.withEntries,
  }));
  return Object.fromEntries(names.map((name) => [`${REGISTRY}/${name}`, row]));
}

/** A line with the last message, which has the changes too, or the last of them where they are many. */
function applied({ changes = [], summary }: AppliedMessage): AuditedCall | undefined {
  if (summary === undefined || summary.dryRun === true) return undefined;
  const { created, updated, deleted, plan } = summary;
  return {
    ...ok(`the set "${summary.set}"`),
    ...{ created, updated, deleted, plan },
    changes: changes.slice(0, MAX_NAMES).map((one) => `${one.action} ${one.kind} ${one.name}`),
  };
}

function entryBatches(...names: string[]): Record<string, Describe> {
  type Request = { readonly entries: readonly spire.api.types.Entry[] };
  type Result = {
    readonly status?: spire.api.types.Status;
    readonly entry?: spire.api.types.Entry;
  };
  const row = describe<Request, { readonly results: readonly Result[] }>((request, response) =>
    batch(
      response?.results,
      (result) => result.entry?.id,
      request?.entries.map(({ id }) => id),
      "entry_ids",
    ),
  );
  return Object.fromEntries(names.map((name) => [`${API}.entry.v1.Entry/${name}`, row]));
}

function bundleBatches(...names: string[]): Record<string, Describe> {
  type Request = { readonly bundle: readonly spire.api.types.Bundle[] };
  type Result = {
    readonly status?: spire.api.types.Status;
    readonly bundle?: spire.api.types.Bundle;
  };
  const row = describe<Request, { readonly results: readonly Result[] }>((request, response) =>
    batch(
      response?.results,
      (result) => result.bundle?.trustDomain,
      request?.bundle.map(({ trustDomain }) => trustDomain),
      "trust_domains",
    ),
  );
  return Object.fromEntries(names.map((name) => [`${API}.bundle.v1.Bundle/${name}`, row]));
}

function federationBatches(...names: string[]): Record<string, Describe> {
  type Wire = spire.api.types.FederationRelationship;
  type Request = { readonly federationRelationships: readonly Wire[] };
  type Result = {
    readonly status?: spire.api.types.Status;
    readonly federationRelationship?: Wire;
  };
  const row = describe<Request, { readonly results: readonly Result[] }>((request, response) => ({
    ...batch(
      response?.results,
      (result) => result.federationRelationship?.trustDomain,
      request?.federationRelationships.map(({ trustDomain }) => trustDomain),
      "trust_domains",
    ),
    urls: request?.federationRelationships
      .slice(0, MAX_NAMES)
      .map(({ bundleEndpointUrl }) => bundleEndpointUrl.slice(0, MAX_URL_LENGTH)),
  }));
  return Object.fromEntries(
    names.map((name) => [`${API}.trustdomain.v1.TrustDomain/${name}`, row]),
  );
}

/** The four steps of an authority's life, for each kind: the answer of each names the authority. */
function authorities(service: string, ...kinds: string[]): Record<string, Describe> {
  type State = { readonly authorityId: string } | undefined;
  const steps = ["Prepare", "Activate", "Taint", "Revoke"];
  const row = describe<{ readonly authorityId?: string }, Readonly<Record<string, State>>>(
    (request, response) => {
      const state = Object.values(response ?? {}).find((value) => value?.authorityId !== undefined);
      const id = state?.authorityId ?? request?.authorityId ?? "";
      return { ...ok(id === "" ? "authority" : id), authority_id: id };
    },
  );
  return Object.fromEntries(
    kinds.flatMap((kind) => steps.map((step) => [`${service}/${step}${kind}Authority`, row])),
  );
}

/** What administrators and orchestrators do to tasks. What AI agents do with theirs is in the audit log alone. */
function taskActions(...methods: readonly string[]): Readonly<Record<string, Describe>> {
  const row = describe<{ readonly id?: string; readonly reason?: string }>((request) => ({
    ...ok(request?.id ?? "unknown"),
    ...(request?.reason && { why: request.reason.slice(0, MAX_REASON_LENGTH) }),
  }));
  return Object.fromEntries(
    methods.map((method) => [`/signet.task.v1.TaskControl/${method}`, row]),
  );
}

function describe<Request, Response = unknown>(
  row: (request: Request | undefined, response: Response | undefined) => AuditedCall | undefined,
): Describe {
  return (request, response) =>
    row(request as Request | undefined, response as Response | undefined);
}

function ok(object: string): AuditedCall {
  return { object, outcome: "ok" };
}

/** One line for all items: who they are, and how many of them failed. */
function batch<Result extends { readonly status?: spire.api.types.Status | undefined }>(
  results: readonly Result[] | undefined,
  nameOf: (result: Result) => string | undefined,
  requested: readonly string[] | undefined,
  field: string,
): AuditedCall {
  const names = (results?.map((result, i) => nameOf(result) || requested?.[i]) ?? requested ?? [])
    .filter((name) => name !== undefined && name !== "")
    .slice(0, MAX_NAMES);
  const count = results?.length ?? requested?.length ?? 0;
  const failed = results?.filter(({ status }) => (status?.code ?? 0) !== 0).length ?? 0;
  return {
    object: count === 1 && names[0] !== undefined ? names[0] : `${count} items`,
    outcome: failed === 0 ? "ok" : `${failed} of ${count} failed`,
    [field]: names,
  };
}

function targetOf(request: signet.revocation.v1.RevokeSVIDRequest | undefined): string {
  if (request?.serial !== undefined) return `serial ${request.serial}`;
  return request?.jti === undefined ? idOf(request?.spiffeId) : `jti ${request.jti}`;
}

function idOf(id: { readonly trustDomain?: string; readonly path?: string } | undefined): string {
  return id === undefined ? "unknown" : `spiffe://${id.trustDomain ?? ""}${id.path ?? ""}`;
}
