// The guard: enforcement next to a tool. Lets tasks do what their mandates say, for as long as they run, and
// writes it down (docs/guard.md). For MCP servers: mcp.ts; for other HTTP servers: http.ts.

import { JwtSource } from "../client/jwt-source.ts";
import { TaskStatuses } from "../client/task-status.ts";
import { ReplayCache, type ReplayGuard } from "../client/wit/replay-cache.ts";
import { WitBundleSource } from "../client/wit/wit-bundle-source.ts";
import { X509Source } from "../client/x509-source.ts";
import type { IdentityError } from "../pki/errors.ts";
import { parseJwks } from "../pki/token/jwks.ts";
import { canonicalLocation } from "../policy/location.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { Authenticator } from "./authenticate.ts";
import { Guard } from "./guard.ts";
import { IssuerKeys } from "./issuer-keys.ts";
import { GuardNode } from "./node.ts";
import { GuardRecorder } from "./recorder.ts";

export { IdentityError, Status } from "../pki/errors.ts";
export type { Call } from "./actions.ts";
export { Guard, type Permit, type Rights } from "./guard.ts";
export { type GuardedRequest, guardHttp, type HttpGuardOptions, protect } from "./http.ts";
export {
  guardMcp,
  guardStdio,
  type McpGuardOptions,
  type McpHttpTransport,
  type McpServerLike,
  type McpTransport,
} from "./mcp.ts";
export type { Credential, PresentedTask } from "./presented.ts";

export interface GuardOptions {
  /**
   * This service's own address, such as `https://mcp.example.org/tickets`: what tokens must be for, and what
   * mandates must name. A server on stdio has a name such as `mcp:tickets`.
   */
  readonly resource: string;
  /** The node agent's socket; by default what SPIFFE_ENDPOINT_SOCKET says. */
  readonly endpoint?: string;
  /** Whose access tokens are accepted: the `oauth.issuer` of the server. Without it none are. */
  readonly issuer?: string;
  /** Authorities of the issuer's web server, PEM; by default those that Node trusts. */
  readonly issuerCa?: string;
  /** The issuer's keys as a JWK Set, in place of fetching them from `<issuer>/jwks`. */
  readonly jwks?: string;
  /** Where this service runs: mandates for other environments are refused. Default: not compared. */
  readonly environment?: string;
  /** Refuses tasks of AI agents on hosts, whose identity is their host's word alone. Default: they are let in. */
  readonly requireAttested?: boolean;
  /** With false, tokens are accepted over plain text: only behind a proxy of your own that ends TLS. */
  readonly requireTls?: boolean;
  /** Remembers proofs; several processes of one service need one in common. Default: a ReplayCache. */
  readonly replay?: ReplayGuard;
  /** How long to wait for this service's own identity. Default 30 s. */
  readonly timeoutMs?: number;
  /** Told of each failure that the guard lives through, such as a node agent that is away. */
  readonly onError?: (error: IdentityError) => void;
  readonly clock?: Clock;
}

/**
 * Starts a guard: waits for this service's own identity and for the state of tasks.
 * @throws LOCATION_INVALID, ENDPOINT_MISSING, ENDPOINT_INVALID, SOURCE_NOT_READY, JWKS_INVALID
 */
export async function createGuard(options: GuardOptions): Promise<Guard> {
  const { clock = systemClock, timeoutMs, onError, endpoint } = options;
  const resource = canonicalLocation(options.resource);
  const shared = {
    clock,
    ...(endpoint !== undefined && { endpoint }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(onError !== undefined && { onError }),
  };
  const issuer = issuerOf(options, clock);
  const source = await X509Source.start(shared);
  let statuses: TaskStatuses;
  try {
    statuses = await TaskStatuses.start(shared);
  } catch (error) {
    source.close();
    throw error;
  }
  const node = new GuardNode(endpoint, statuses);
  let jwtSource: Promise<JwtSource> | undefined;
  const startJwtSource = (): Promise<JwtSource> => {
    jwtSource ??= JwtSource.start(shared).catch((error: unknown) => {
      jwtSource = undefined;
      throw error;
    });
    return jwtSource;
  };
  let witSource: Promise<WitBundleSource> | undefined;
  const startWitSource = (): Promise<WitBundleSource> => {
    witSource ??= WitBundleSource.start(shared).catch((error: unknown) => {
      witSource = undefined;
      throw error;
    });
    return witSource;
  };
  const authenticator = new Authenticator({
    resource,
    issuer,
    jwtSource: startJwtSource,
    witSource: startWitSource,
    replay: options.replay ?? new ReplayCache({ clock }),
    requireTls: options.requireTls ?? true,
    clock,
  });
  const recorder = new GuardRecorder({ node, resource, clock });
  return new Guard({
    resource,
    environment: options.environment,
    requireAttested: options.requireAttested ?? false,
    issuer: issuer?.name,
    source,
    statuses,
    node,
    authenticator,
    recorder,
    clock,
    close: () => {
      statuses.close();
      source.close();
      recorder.stop();
      node.close();
      for (const source of [jwtSource, witSource]) {
        source?.then(
          (started) => started.close(),
          () => undefined,
        );
      }
    },
  });
}

function issuerOf(
  { issuer, issuerCa, jwks }: GuardOptions,
  clock: Clock,
): { readonly name: string; readonly keys: Pick<IssuerKeys, "find"> } | undefined {
  if (issuer === undefined) return undefined;
  if (jwks !== undefined) {
    const keys = parseJwks(jwks);
    return { name: issuer, keys: { find: () => Promise.resolve(keys) } };
  }
  const url = `${issuer.replace(/\/$/, "")}/jwks`;
  return { name: issuer, keys: new IssuerKeys({ url, ca: issuerCa, clock }) };
}
