// Who may call which method of the server: one table, method x kind of caller, and how a connection
// becomes a kind of caller. What the table does not name is denied to everyone. A caller over TLS was
// verified against the bundle when it connected (edge/listener.ts); whether its agent record still
// stands is asked here on every call, because bans and renewals happen while connections live.
import type { IdentityError } from "../../pki/errors.ts";
import type { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import type { Certificate } from "../../pki/x509/certificate.ts";
import type { CallContext } from "../../proto/rpc/service.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { Clock } from "../../runtime/clock.ts";
import { serverError } from "../errors.ts";

/** Who is at the other end of a connection: whoever may open the admin socket, or a verified certificate. */
export type Caller =
  | { readonly kind: "local"; readonly uid?: number }
  | {
      readonly kind: "tls";
      /** Absent, with the leaf, when the client offered no certificate. */
      readonly id?: SpiffeId;
      readonly leaf?: Certificate;
      readonly remoteAddress: string;
    };

/** The agent that makes a call to a method that is open to agents alone. */
export function agentOf({ peer, method }: CallContext): SpiffeId {
  const caller = peer as Caller;
  if (caller.kind === "tls" && caller.id !== undefined) return caller.id;
  throw new TypeError(`${method} was opened to a caller that is no agent`);
}

/** A caller's name in records and in the audit trail. */
export function callerName({ peer }: Pick<CallContext, "peer">): string {
  const caller = peer as Caller;
  if (caller.kind === "local") return caller.uid === undefined ? "local" : `uid:${caller.uid}`;
  return caller.id?.toString() ?? `anonymous at ${caller.remoteAddress}`;
}

/** The kinds of caller a method can be open to; "anyone" needs no identity at all. */
export type Role = "anyone" | "local" | "admin" | "agent" | "downstream" | "orchestrator";

const ANYONE = ["anyone"] as const;
const LOCAL = ["local"] as const;
const ADMIN = ["local", "admin"] as const;
const AGENT = ["agent"] as const;
const DOWNSTREAM = ["downstream"] as const;
/** Orchestrators within their scope alone, which the handlers look at. */
const ORCHESTRATED = ["local", "admin", "orchestrator"] as const;

const API = "/spire.api.server";

/** The table. A method is named as on the wire, "/package.Service/Method". */
export const METHODS: Readonly<Record<string, readonly Role[]>> = {
  ...rows(`${API}.agent.v1.Agent`, {
    AttestAgent: ANYONE,
    RenewAgent: AGENT,
    PostStatus: AGENT,
    CountAgents: ADMIN,
    ListAgents: ADMIN,
    GetAgent: ADMIN,
    DeleteAgent: ADMIN,
    BanAgent: ADMIN,
    CreateJoinToken: ADMIN,
  }),
  ...rows(`${API}.bundle.v1.Bundle`, {
    GetBundle: ANYONE,
    GetFederatedBundle: ["local", "admin", "agent"],
    PublishJWTAuthority: DOWNSTREAM,
    PublishWITAuthority: DOWNSTREAM,
    AppendBundle: ADMIN,
    CountBundles: ADMIN,
    ListFederatedBundles: ADMIN,
    BatchCreateFederatedBundle: ADMIN,
    BatchUpdateFederatedBundle: ADMIN,
    BatchSetFederatedBundle: ADMIN,
    BatchDeleteFederatedBundle: ADMIN,
  }),
  ...rows(`${API}.entry.v1.Entry`, {
    GetAuthorizedEntries: AGENT,
    SyncAuthorizedEntries: AGENT,
    CountEntries: ADMIN,
    ListEntries: ADMIN,
    GetEntry: ADMIN,
    BatchCreateEntry: ADMIN,
    BatchUpdateEntry: ADMIN,
    BatchDeleteEntry: ADMIN,
  }),
  ...rows(`${API}.svid.v1.SVID`, {
    BatchNewX509SVID: AGENT,
    BatchNewWITSVID: AGENT,
    NewJWTSVID: AGENT,
    NewDownstreamX509CA: DOWNSTREAM,
    MintX509SVID: ADMIN,
    MintJWTSVID: ADMIN,
    MintWITSVID: ADMIN,
  }),
  ...rows(`${API}.trustdomain.v1.TrustDomain`, {
    ListFederationRelationships: ADMIN,
    GetFederationRelationship: ADMIN,
    BatchCreateFederationRelationship: ADMIN,
    BatchUpdateFederationRelationship: ADMIN,
    BatchDeleteFederationRelationship: ADMIN,
    RefreshBundle: ADMIN,
  }),
  ...rows(`${API}.localauthority.v1.LocalAuthority`, {
    GetX509AuthorityState: ADMIN,
    PrepareX509Authority: ADMIN,
    ActivateX509Authority: ADMIN,
    TaintX509Authority: ADMIN,
    RevokeX509Authority: ADMIN,
    TaintX509UpstreamAuthority: ADMIN,
    RevokeX509UpstreamAuthority: ADMIN,
    GetJWTAuthorityState: ADMIN,
    PrepareJWTAuthority: ADMIN,
    ActivateJWTAuthority: ADMIN,
    TaintJWTAuthority: ADMIN,
    RevokeJWTAuthority: ADMIN,
    GetWITAuthorityState: ADMIN,
    PrepareWITAuthority: ADMIN,
    ActivateWITAuthority: ADMIN,
    TaintWITAuthority: ADMIN,
    RevokeWITAuthority: ADMIN,
  }),
  ...rows("/signet.oauth.v1.OAuthAuthority", {
    GetOAuthAuthorityState: ADMIN,
    PrepareOAuthAuthority: ADMIN,
    ActivateOAuthAuthority: ADMIN,
    TaintOAuthAuthority: ADMIN,
    RevokeOAuthAuthority: ADMIN,
  }),
  ...rows(`${API}.logger.v1.Logger`, {
    GetLogger: LOCAL,
    SetLogLevel: LOCAL,
    ResetLogLevel: LOCAL,
  }),
  ...rows(`${API}.debug.v1.Debug`, { GetInfo: LOCAL }),
  ...rows("/grpc.health.v1.Health", { Check: LOCAL, List: LOCAL, Watch: LOCAL }),
  ...rows("/signet.link.v1.Link", { Watch: AGENT }),
  ...rows("/signet.registry.v1.Registry", {
    CreateAiAgent: ADMIN,
    UpdateAiAgent: ADMIN,
    GetAiAgent: ADMIN,
    ListAiAgents: ADMIN,
    DisableAiAgent: ADMIN,
    EnableAiAgent: ADMIN,
    DeleteAiAgent: ADMIN,
    SetTaskClass: ADMIN,
    GetTaskClass: ADMIN,
    ListTaskClasses: ADMIN,
    DeleteTaskClass: ADMIN,
    Apply: ADMIN,
    ListEntryOwners: ADMIN,
  }),
  ...rows("/signet.nodetask.v1.NodeTasks", {
    Open: AGENT,
    BatchSignX509: AGENT,
    NewJWTSVID: AGENT,
    NewWITSVID: AGENT,
    IssueToken: AGENT,
    Change: AGENT,
    Held: AGENT,
    EndOrphans: AGENT,
    Describe: AGENT,
    CheckShown: AGENT,
    LeaseUses: AGENT,
    Report: AGENT,
  }),
  ...rows("/signet.task.v1.TaskControl", {
    CreateTask: ORCHESTRATED,
    GetTask: ORCHESTRATED,
    ListTasks: ORCHESTRATED,
    SuspendTask: ADMIN,
    UnsuspendTask: ADMIN,
    RevokeTask: ORCHESTRATED,
    CompleteTask: ORCHESTRATED,
  }),
  ...rows("/signet.revocation.v1.Revocation", {
    RevokeSVID: ADMIN,
    ListRevocations: ADMIN,
    ReleaseHold: ADMIN,
  }),
  ...rows("/signet.audit.v1.AuditLog", {
    Append: AGENT,
    Tail: ADMIN,
    Checkpoint: ADMIN,
    Prove: ADMIN,
  }),
  ...rows("/signet.federation.v1.Federation", { ListRelationships: ADMIN }),
};

function rows(
  service: string,
  methods: Readonly<Record<string, readonly Role[]>>,
): Record<string, readonly Role[]> {
  const named = Object.entries(methods).map(([name, roles]) => [`${service}/${name}`, roles]);
  return Object.fromEntries(named);
}

/** What authorisation reads of an agent's record: the slice of server/store/nodes.ts it needs. */
export interface AgentRecord {
  readonly serial: string;
  readonly newSerial?: string | undefined;
  readonly banned: boolean;
}

export interface AuthorizerOptions {
  readonly trustDomain: TrustDomain;
  readonly clock: Clock;
  /** SPIFFE IDs, ours or a federated trust domain's, that may administrate without an entry. */
  readonly adminIds: ReadonlySet<string>;
  readonly nodes: {
    get(id: string): AgentRecord | undefined;
    /** Makes the pending serial of a renewed agent its current one. */
    promote(id: string, serial: string): Promise<unknown>;
  };
  /** SPIFFE IDs of the orchestrators of the configuration. */
  readonly orchestratorIds?: { has(id: string): boolean };
  /** Whether this is an AI agent's ID or a task's: neither administrates, whatever else says so. */
  readonly isAiAgent?: (id: SpiffeId) => boolean;
  /** Told of an AI agent or a task that calls what administrators and orchestrators may. */
  readonly onAiAgent?: (id: SpiffeId, method: string) => void;
  /** Whether a certificate of the own trust domain, by serial number, is revoked. */
  readonly isRevoked?: (serialHex: string) => boolean;
  readonly entries: {
    /** The entries that give their holder this SPIFFE ID. */
    withSpiffeId(spiffeId: string): Iterable<RegistrationEntry>;
  };
}

/** Decides, for each call, in which of its method's roles the caller may make it. */
export class Authorizer {
  readonly #options: AuthorizerOptions;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /**
   * The role in which `caller` may call `method`.
   * @throws CALLER_NOT_AUTHORIZED; for an agent whose record no longer stands AGENT_SVID_EXPIRED,
   * AGENT_NOT_ATTESTED, AGENT_SVID_NOT_ACTIVE, CALLER_SVID_REVOKED or AGENT_BANNED, by which it knows what to do next
   */
  async authorize(method: string, caller: Caller): Promise<Role> {
    const open = (Object.hasOwn(METHODS, method) && METHODS[method]) || [];
    if (open.includes("anyone")) return "anyone";
    if (caller.kind === "local") {
      if (open.includes("local")) return "local";
      throw denied(method, "a caller on the admin socket");
    }
    const { id, leaf } = caller;
    if (id === undefined || leaf === undefined) throw denied(method, "a caller without an SVID");
    if (leaf.notAfter.getTime() <= this.#options.clock.now().getTime()) throw expired(id);
    if (this.#isAgent(id)) {
      await this.#checkAgent(id, leaf);
      if (open.includes("agent")) return "agent";
    }
    if (this.#isRevoked(id, leaf)) throw revoked(id);
    const held = this.#rolesOf(id);
    for (const role of open) if (held.has(role)) return role;
    if (open.includes("admin") && this.#isAiAgent(id)) this.#options.onAiAgent?.(id, method);
    throw denied(method, `"${id}"`);
  }

  /** Whether this caller may do whatever administrators may. */
  isAdmin(id: SpiffeId): boolean {
    return this.#rolesOf(id).has("admin");
  }

  #isAiAgent(id: SpiffeId): boolean {
    return id.isMemberOf(this.#options.trustDomain) && this.#options.isAiAgent?.(id) === true;
  }

  #isRevoked(id: SpiffeId, { serialHex }: Certificate): boolean {
    const { isRevoked, trustDomain } = this.#options;
    return isRevoked !== undefined && id.isMemberOf(trustDomain) && isRevoked(serialHex);
  }

  #isAgent(id: SpiffeId): boolean {
    return id.isMemberOf(this.#options.trustDomain) && id.path.startsWith("/spire/agent/");
  }

  #rolesOf(id: SpiffeId): ReadonlySet<Role> {
    const roles = new Set<Role>();
    if (this.#isAiAgent(id)) return roles;
    if (this.#options.orchestratorIds?.has(id.toString())) roles.add("orchestrator");
    if (this.#options.adminIds.has(id.toString())) roles.add("admin");
    if (!id.isMemberOf(this.#options.trustDomain)) return roles;
    const now = this.#options.clock.now().getTime() / 1000;
    for (const entry of this.#options.entries.withSpiffeId(id.toString())) {
      if (entry.expiresAtUnixSeconds !== 0 && entry.expiresAtUnixSeconds <= now) continue;
      if (entry.admin) roles.add("admin");
      if (entry.downstream) roles.add("downstream");
    }
    return roles;
  }

  /** An agent is its record and the serial in it: an older certificate of the same agent is worth nothing. */
  async #checkAgent(id: SpiffeId, leaf: Certificate): Promise<void> {
    const name = id.toString();
    const record = this.#options.nodes.get(name);
    if (record === undefined) {
      throw serverError("AGENT_NOT_ATTESTED", `agent "${name}" is not attested`, {
        hint: "attest the agent again, with a new join token",
      });
    }
    if (record.banned) throw serverError("AGENT_BANNED", `agent "${name}" is banned`);
    if (this.#isRevoked(id, leaf)) throw revoked(id);
    if (record.serial === leaf.serialDecimal) return;
    if (record.newSerial === leaf.serialDecimal) {
      await this.#options.nodes.promote(name, leaf.serialDecimal);
      return;
    }
    throw serverError(
      "AGENT_SVID_NOT_ACTIVE",
      `the SVID of agent "${name}" is not its current one`,
      { hint: "use the newest SVID that was issued to the agent" },
    );
  }
}

function expired(id: SpiffeId): IdentityError {
  return serverError("AGENT_SVID_EXPIRED", `the SVID of "${id}" has expired`);
}

function revoked(id: SpiffeId): IdentityError {
  return serverError("CALLER_SVID_REVOKED", `the SVID of "${id}" is revoked`, {
    hint: "get a new one: a node agent attests again, with a new join token; see 'signet svid revocations' for what is held back",
  });
}

function denied(method: string, who: string): IdentityError {
  const hint = method.startsWith("/signet.task.v1.TaskControl/")
    ? "whom tasks.orchestrators of the server's configuration names may make, see and end tasks; all else is for administrators"
    : "";
  const detail = hint === "" ? {} : { hint };
  return serverError("CALLER_NOT_AUTHORIZED", `${who} may not call ${method}`, detail);
}
