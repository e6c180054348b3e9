// Steps of the start: the token issuer. What issues access tokens is there before the tasks, which hand
// them out; where they are asked for, and where their status is told, comes after them.
import { type OAuthAddresses, oauthAddresses } from "../oauth/addresses.ts";
import { Callers } from "../oauth/callers.ts";
import { oauthDocuments, oauthPosts } from "../oauth/endpoint.ts";
import { Introspection } from "../oauth/introspection.ts";
import { OAuthIssuer, type ReportEscalation } from "../oauth/issue.ts";
import { OAuthKeys } from "../oauth/keys.ts";
import { StatusLists } from "../oauth/status-lists.ts";
import { type OAuthTasks, TokenEndpoint } from "../oauth/token-endpoint.ts";
import type { Audit } from "./audit.ts";
import type { Base } from "./base.ts";
import type { Ca } from "./ca.ts";
import type { Address, StartListener } from "./documents.ts";
import type { Recording, Revocation } from "./revocation.ts";
import type { Stores } from "./stores.ts";

/** Many tasks come from one address: a node, or a network behind one. */
const LIMITS = {
  maxConnectionsPerAddress: 200,
  connectionsPerSecond: 200,
  requestsPerSecond: 500,
} as const;

/** What issues access tokens. */
export interface OAuth {
  readonly issuer: OAuthIssuer;
  readonly keys: OAuthKeys;
  /** Undefined when access tokens are not configured. */
  readonly addresses: OAuthAddresses | undefined;
}

/** Makes the issuer; it starts nothing. `report` may refer to parts that are made later. */
export function createOAuth(
  { config, clock }: Base,
  { taskClasses }: Pick<Stores, "taskClasses">,
  { authorities }: Pick<Ca, "authorities">,
  { held }: Pick<Recording, "held">,
  { log: audit }: Pick<Audit, "log">,
  report: ReportEscalation,
): OAuth {
  const addresses = config.oauth && oauthAddresses(config.oauth.issuer);
  const keys = new OAuthKeys({ authorities, maxAgeSeconds: config.bundleRefreshHintSeconds });
  const issuer = new OAuthIssuer({
    addresses,
    keys,
    trustDomain: config.trustDomain,
    classOf: (name) => taskClasses.get(name),
    held,
    report,
    audit,
    clock,
  });
  return { issuer, keys, addresses };
}

/** What the listener needs of the other steps. */
export interface OAuthParts {
  readonly stores: Pick<Stores, "bundles" | "tasks" | "epoch">;
  readonly ca: Pick<Ca, "identity">;
  readonly recording: Pick<Recording, "held">;
  readonly revocation: Pick<Revocation, "revoked">;
  readonly oauth: OAuth;
  readonly tasks: OAuthTasks;
  readonly checkpoints: Pick<Audit["checkpoints"], "current">;
  readonly report: ReportEscalation;
}

/** Starts the listener of the token issuer, if it is configured. */
export async function startOAuth(
  { config, clock, lifecycle, metrics }: Base,
  start: StartListener,
  parts: OAuthParts,
): Promise<Address | undefined> {
  const { stores, ca, recording, revocation, oauth, tasks, report } = parts;
  const { keys, issuer, addresses } = oauth;
  if (config.oauth === undefined || addresses === undefined) return undefined;
  const { trustDomain } = config;
  const { held } = recording;
  const { epoch } = stores.epoch;
  const lists = new StatusLists({ tasks: stores.tasks, epoch, keys, addresses, clock });
  lifecycle.own("status lists", () => lists.stop());
  const bundle = () => stores.bundles.get(trustDomain.name);
  const callers = new Callers({
    trustDomain,
    issuer: addresses.issuer,
    taskClaim: addresses.taskClaim,
    bundle,
    anchorsOf: ca.identity.anchorsOf,
    isRevoked: (serialHex) => revocation.revoked.has(serialHex),
    held,
    clock,
  });
  const requests = metrics.counter({
    name: "access_token_requests_total",
    help: "Requests to the token endpoint, by how they ended: issued, or an OAuth error",
    labels: ["result"],
  });
  const onEnd = (result: string): void => requests.inc({ result });
  const common = { addresses, keys, callers, tasks, clock };
  const token = new TokenEndpoint({ ...common, issuer, report, onEnd });
  const introspection = new Introspection({ ...common, trustDomain, bundle, held });
  metrics.gauge({
    name: "status_list_marks",
    help: "Tasks that the status lists tell of as ended, suspended or parked",
    read: () => lists.size.marked,
  });
  const takesCertificates = config.oauth.files !== undefined;
  const maxAgeSeconds = config.bundleRefreshHintSeconds;
  const checkpoint = () => parts.checkpoints.current();
  return start({
    ...config.oauth,
    name: "oauth",
    section: "oauth",
    find: oauthDocuments({ addresses, keys, lists, checkpoint, takesCertificates, maxAgeSeconds }),
    posts: oauthPosts(addresses, { token, introspection }),
    asksForCertificate: takesCertificates,
    ...(!config.oauth.isBehindProxy && { limits: LIMITS }),
  });
}
