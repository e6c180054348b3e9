// The settings of `signet agent run`: shape, defaults and checks. Names in the file follow SPIRE's where
// SPIRE has the setting; deploy/agent.yaml is the commented sample. The checked configuration carries
// units in its names and absolute paths. The one variable of the environment that counts is read here.
import { resolve } from "node:path";
import { KEY_TYPES, type KeyType } from "../pki/keys.ts";
import { TrustDomain } from "../pki/spiffe-id.ts";
import { duration, section, z } from "../runtime/config.ts";
import { type FeatureFlag, featureFlags } from "../runtime/feature-flags.ts";
import { LOG_LEVELS, type LogLevel } from "../runtime/log.ts";

/** Where the first trust in the server comes from. Later on the agent keeps the bundle it was given. */
export type Bootstrap =
  | { readonly kind: "file" /** Absolute. */; readonly path: string }
  | { readonly kind: "insecure" }
  /** Nothing: the agent has attested before and holds a bundle. */
  | { readonly kind: "none" };

/** The settings of a node agent, checked. */
export interface AgentConfig {
  readonly trustDomain: TrustDomain;
  /** Absolute. */
  readonly dataDir: string;
  readonly server: { readonly address: string; readonly port: number };
  /** The Workload API. Absolute. */
  readonly socket: {
    readonly path: string /** File mode, such as 0o777. */;
    readonly mode: number;
  };
  /** Where the private sockets of launched processes stand. Absolute. */
  readonly launchFolder: string;
  /** Absolute. Only the agent's own user can open it. */
  readonly adminSocket: string;
  readonly bootstrap: Bootstrap;
  /** Absolute. */
  readonly joinTokenFile: string | undefined;
  /** Absolute. */
  readonly sealingKeyFile: string;
  readonly x509SvidKeyType: KeyType;
  readonly cache: {
    readonly x509Svids: number;
    readonly jwtSvids: number;
    readonly witSvids: number;
  };
  readonly limits: {
    readonly connections: number;
    readonly connectionsPerUid: number;
    readonly streamsPerUid: number;
    readonly streamsPerConnection: number;
  };
  readonly tasks: {
    /** Where the private sockets of tasks stand. Absolute. */
    readonly socketFolder: string;
    /** Open tasks at a time, and of one user. */
    readonly open: number;
    readonly openPerUid: number;
    /** How long whoever launched a command for a task may be away. */
    readonly reattachGraceMs: number;
  };
  /** Which profiles of the Workload API are served; never neither. */
  readonly workloadApi: { readonly x509: boolean; readonly jwt: boolean };
  /** Callers without an identity get the bundle of the own trust domain, and may have tokens validated. */
  readonly allowUnauthenticatedVerifiers: boolean;
  /** Claims of tokens of other trust domains that ValidateJWTSVID passes on besides those of the standard. */
  readonly allowedForeignJwtClaims: readonly string[];
  /** Standards that are not stable yet and are served all the same. */
  readonly featureFlags: ReadonlySet<FeatureFlag>;
  /** Executables larger than this are not hashed, so that they have no `unix:sha256` selector. */
  readonly workloadSizeLimitBytes: number;
  readonly logLevel: LogLevel;
  /** Where /live, /ready and /metrics are served; without it nowhere. */
  readonly health: { readonly address: string; readonly port: number } | undefined;
}

/** A join token can be given here, so that it stands in no file and in no list of processes. */
const JOIN_TOKEN_VARIABLE = "SIGNET_JOIN_TOKEN";

const port = z.int().min(0).max(65_535);
const text = z.string().min(1).max(255);
const path = z.string().min(1).max(4096);
const keyType = z.enum(KEY_TYPES as readonly [KeyType, ...KeyType[]]);
/** The Workload API is local: there is no TCP, where the kernel would not tell who calls. */
const socketPath = path.refine(
  (value) => !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(value),
  "expected the path of a unix socket, not an address",
);
const count = z.int().min(1).max(1_000_000);

const trustDomain = z.string().transform((value, context): TrustDomain => {
  try {
    return TrustDomain.parse(value);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    context.issues.push({ code: "custom", message, input: value });
    return z.NEVER;
  }
});

const file = section({
  trust_domain: trustDomain,
  data_dir: path,
  server: section({ address: text, port: port.min(1).default(8081) }),
  socket: socketPath.default("/run/signet/agent.sock"),
  socket_mode: z
    .string()
    .regex(/^0[0-7]{3}$/, 'expected four octal digits such as "0777"')
    .default("0777"),
  admin_socket: socketPath.optional(),
  trust_bundle_file: path.optional(),
  insecure_bootstrap: z.boolean().default(false),
  join_token_file: path.optional(),
  sealing_key_file: path.optional(),
  x509_svid_key_type: keyType.default("ec-p256"),
  cache: section({
    x509_svids: count.default(1000),
    jwt_svids: count.default(1000),
    wit_svids: count.default(1000),
  }).prefault({}),
  limits: section({
    connections: count.default(10_000),
    connections_per_uid: count.default(4_000),
    streams_per_uid: count.default(8_000),
    streams_per_connection: count.max(10_000).default(200),
  }).prefault({}),
  tasks: section({
    open: count.default(10_000),
    open_per_uid: count.default(2_500),
    reattach_grace: duration({ minMs: 1000, maxMs: 3_600_000 }).prefault("30s"),
  }).prefault({}),
  workload_api: section({
    x509: z.boolean().default(true),
    jwt: z.boolean().default(true),
  }).prefault({}),
  allow_unauthenticated_verifiers: z.boolean().default(false),
  allowed_foreign_jwt_claims: z.array(text).max(100).default([]),
  feature_flags: featureFlags,
  workload_size_limit_mib: z.int().min(1).max(65_536).default(1024),
  log: section({ level: z.enum(LOG_LEVELS).default("info") }).prefault({}),
  health: section({ address: text.default("127.0.0.1"), port }).optional(),
});

/** The schema of the agent's configuration file. */
export const agentConfigSchema: z.ZodType<AgentConfig> = file.transform(
  (from, context): AgentConfig => {
    if (from.trust_bundle_file !== undefined && from.insecure_bootstrap) {
      context.issues.push({
        code: "custom",
        path: ["insecure_bootstrap"],
        message: "expected either trust_bundle_file or insecure_bootstrap, not both",
        input: from.insecure_bootstrap,
      });
    }
    if (!from.workload_api.x509 && !from.workload_api.jwt) {
      context.issues.push({
        code: "custom",
        path: ["workload_api"],
        message:
          "expected at least one profile, x509 or jwt: without both there is nothing to serve",
        input: from.workload_api,
      });
    }
    const dataDir = resolve(from.data_dir);
    const socket = resolve(dataDir, from.socket);
    const absolute = (value: string | undefined): string | undefined =>
      value === undefined ? undefined : resolve(dataDir, value);
    return {
      trustDomain: from.trust_domain,
      dataDir,
      server: from.server,
      socket: { path: socket, mode: Number.parseInt(from.socket_mode, 8) },
      // Beside the socket, so that its path is short whenever the socket's is.
      launchFolder: `${socket.replace(/\.sock$/, "")}.launch`,
      adminSocket: resolve(dataDir, from.admin_socket ?? "agent-admin.sock"),
      bootstrap: bootstrapOf(absolute(from.trust_bundle_file), from.insecure_bootstrap),
      joinTokenFile: absolute(from.join_token_file),
      sealingKeyFile: resolve(dataDir, from.sealing_key_file ?? "keys/sealing.key"),
      x509SvidKeyType: from.x509_svid_key_type,
      cache: {
        x509Svids: from.cache.x509_svids,
        jwtSvids: from.cache.jwt_svids,
        witSvids: from.cache.wit_svids,
      },
      limits: {
        connections: from.limits.connections,
        connectionsPerUid: from.limits.connections_per_uid,
        streamsPerUid: from.limits.streams_per_uid,
        streamsPerConnection: from.limits.streams_per_connection,
      },
      tasks: {
        // Beside the socket, as the sockets of launched processes are.
        socketFolder: `${socket.replace(/\.sock$/, "")}.tasks`,
        open: from.tasks.open,
        openPerUid: from.tasks.open_per_uid,
        reattachGraceMs: from.tasks.reattach_grace,
      },
      workloadApi: from.workload_api,
      allowUnauthenticatedVerifiers: from.allow_unauthenticated_verifiers,
      allowedForeignJwtClaims: from.allowed_foreign_jwt_claims,
      featureFlags: new Set(from.feature_flags),
      workloadSizeLimitBytes: from.workload_size_limit_mib * 1024 * 1024,
      logLevel: from.log.level,
      health: from.health,
    };
  },
);

function bootstrapOf(file: string | undefined, isInsecure: boolean): Bootstrap {
  if (file !== undefined) return { kind: "file", path: file };
  return { kind: isInsecure ? "insecure" : "none" };
}

/** The join token of the environment; undefined when there is none. Taken out, so that no child inherits it. */
export function takeJoinToken(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const token = environment[JOIN_TOKEN_VARIABLE];
  delete environment[JOIN_TOKEN_VARIABLE];
  return token === "" ? undefined : token;
}
