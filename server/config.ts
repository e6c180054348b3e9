// The settings of `signet server run`: shape, defaults and checks. Names in the file follow SPIRE's
// where SPIRE has the setting, so that its users recognise them; deploy/server.yaml is the commented
// sample. The checked configuration carries units in its names and absolute paths.
import { resolve } from "node:path";
import type { KeyType } from "../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../pki/spiffe-id.ts";
import { section, z } from "../runtime/config.ts";
import { type FeatureFlag, featureFlags } from "../runtime/feature-flags.ts";
import { LOG_LEVELS, type LogLevel } from "../runtime/log.ts";
import type { AudiencePolicy } from "./ca/audience-policy.ts";
import { type AuditConfig, auditConfig, auditSection } from "./config/audit.ts";
import {
  bundleEndpointSection,
  crlSection,
  type DocumentsConfig,
  documentsConfig,
  oidcSection,
  refreshHintOf,
} from "./config/documents.ts";
import { type FederationConfig, federationKeys, readFederation } from "./config/federation.ts";
import { type OAuthConfig, oauthConfig, oauthSection } from "./config/oauth.ts";
import { type TasksConfig, tasksConfig, tasksSection } from "./config/tasks.ts";
import { keyType, lifetime, parsedBy, path, port, text } from "./config/values.ts";

/** The settings of a server, checked. */
export interface ServerConfig {
  readonly trustDomain: TrustDomain;
  /** Absolute. */
  readonly dataDir: string;
  readonly listen: {
    readonly address: string;
    readonly port: number;
    readonly maxConnections: number;
    readonly maxConnectionsPerAddress: number;
  };
  readonly adminSocket: {
    /** Absolute. */
    readonly path: string;
    /** A group, by name or number, that may administrate too; without it only the server's own user. */
    readonly group: string | undefined;
  };
  readonly ca: {
    readonly ttlSeconds: number;
    readonly keyType: KeyType;
    readonly jwtKeyType: KeyType;
    /** Undefined when no WIT-SVIDs are issued. */
    readonly witKeyType: KeyType | undefined;
    /** Undefined when no access tokens are issued. */
    readonly oauthKeyType: KeyType | undefined;
    readonly subject: {
      readonly country: string;
      readonly organization: string;
      readonly commonName: string;
    };
  };
  readonly bundleRefreshHintSeconds: number;
  readonly x509SvidTtlSeconds: number;
  readonly jwtSvidTtlSeconds: number;
  readonly witSvidTtlSeconds: number;
  readonly agentTtlSeconds: number;
  /** The `iss` claim of JWT-SVIDs; without it there is none. */
  readonly jwtIssuer: string | undefined;
  /** Audiences that no JWT-SVID may name. */
  readonly jwtAudiencePolicy: AudiencePolicy;
  readonly adminIds: readonly string[];
  readonly keyManager:
    | { readonly type: "memory" }
    | { readonly type: "disk" /** Absolute. */; readonly sealingKeyFile: string };
  readonly rateLimit: { readonly attestation: boolean; readonly signing: boolean };
  /** Other trust domains: relationships of the configuration, and how bundles are fetched. */
  readonly federation: FederationConfig;
  readonly audit: AuditConfig;
  readonly logLevel: LogLevel;
  /** Where /live, /ready and /metrics are served; without it nowhere. */
  readonly health: { readonly address: string; readonly port: number } | undefined;
  /** What is served to anyone: the bundle endpoint, OpenID discovery, revocation lists. */
  readonly documents: DocumentsConfig;
  /** Where access tokens are issued; without it none are. */
  readonly oauth: OAuthConfig | undefined;
  readonly tasks: TasksConfig;
}

const file = section({
  trust_domain: parsedBy((value) => TrustDomain.parse(value)),
  data_dir: path,
  listen: section({
    address: text.default("0.0.0.0"),
    port: port.default(8081),
    max_connections: z.int().min(1).max(1_000_000).default(20_000),
    max_connections_per_address: z.int().min(1).max(1_000_000).default(2_000),
  }).prefault({}),
  admin_socket: path.optional(),
  admin_socket_group: z.union([text, z.int().min(0)]).optional(),
  ca: section({
    ttl: lifetime.prefault("24h"),
    key_type: keyType.default("ec-p256"),
    jwt_key_type: keyType.optional(),
    wit_key_type: keyType.optional(),
    subject: section({
      country: z.string().max(2).default("US"),
      organization: z.string().max(64).default("SPIFFE"),
      common_name: z.string().max(64).default(""),
    }).prefault({}),
  }).prefault({}),
  bundle_refresh_hint: lifetime.prefault("5m"),
  default_x509_svid_ttl: lifetime.prefault("1h"),
  default_jwt_svid_ttl: lifetime.prefault("5m"),
  default_wit_svid_ttl: lifetime.optional(),
  agent_ttl: lifetime.optional(),
  jwt_issuer: text.optional(),
  jwt_audience_policy: section({
    refuse_trust_domain_wide: z.boolean().default(false),
    refuse: z.array(z.string().min(1).max(2048)).max(1000).default([]),
  }).prefault({}),
  admin_ids: z
    .array(parsedBy((value) => SpiffeId.parse(value).toString()))
    .max(1000)
    .default([]),
  key_manager: section({
    type: z.enum(["disk", "memory"]).default("disk"),
    sealing_key_file: path.optional(),
  }).prefault({}),
  rate_limit: section({
    attestation: z.boolean().default(true),
    signing: z.boolean().default(true),
  }).prefault({}),
  federation: section({
    bundle_endpoint: bundleEndpointSection.optional(),
    ...federationKeys,
  }).prefault({}),
  oidc: oidcSection.optional(),
  crl: crlSection.optional(),
  oauth: oauthSection.optional(),
  tasks: tasksSection,
  audit: auditSection.prefault({}),
  feature_flags: featureFlags,
  log: section({ level: z.enum(LOG_LEVELS).default("info") }).prefault({}),
  health: section({ address: text.default("127.0.0.1"), port }).optional(),
});

/** The schema of the server's configuration file. */
export const serverConfigSchema: z.ZodType<ServerConfig> = file.transform(
  (from, context): ServerConfig => {
    if (
      from.ca.subject.country + from.ca.subject.organization + from.ca.subject.common_name ===
      ""
    ) {
      context.issues.push({
        code: "custom",
        path: ["ca", "subject"],
        message:
          "expected at least one name: many TLS libraries refuse an authority without a subject",
        input: from.ca.subject,
      });
    }
    const flags: ReadonlySet<FeatureFlag> = new Set(from.feature_flags);
    const jwtKeyType = from.ca.jwt_key_type ?? from.ca.key_type;
    const dataDir = resolve(from.data_dir);
    const documents = documentsConfig(from, dataDir, (path, message) =>
      context.issues.push({ code: "custom", path: [...path], message, input: from }),
    );
    const oauth = oauthConfig(from.oauth, dataDir, (path, message) =>
      context.issues.push({ code: "custom", path: [...path], message, input: from }),
    );
    const audit = auditConfig(from.audit, dataDir, (path, message) =>
      context.issues.push({ code: "custom", path: [...path], message, input: from.audit }),
    );
    const tasks = tasksConfig(from.tasks, from.trust_domain, (path, message) =>
      context.issues.push({ code: "custom", path: [...path], message, input: from.tasks }),
    );
    const place = { own: from.trust_domain, dataDir };
    const federation = readFederation(from.federation, place, (path, message) => {
      const input = from.federation;
      context.issues.push({ code: "custom", path: ["federation", ...path], message, input });
    });
    const group = from.admin_socket_group;
    return {
      trustDomain: from.trust_domain,
      dataDir,
      listen: {
        address: from.listen.address,
        port: from.listen.port,
        maxConnections: from.listen.max_connections,
        maxConnectionsPerAddress: from.listen.max_connections_per_address,
      },
      adminSocket: {
        path: resolve(dataDir, from.admin_socket ?? "server.sock"),
        group: group === undefined ? undefined : String(group),
      },
      ca: {
        ttlSeconds: from.ca.ttl,
        keyType: from.ca.key_type,
        jwtKeyType,
        witKeyType: flags.has("wit-svid") ? (from.ca.wit_key_type ?? jwtKeyType) : undefined,
        oauthKeyType: from.oauth === undefined ? undefined : jwtKeyType,
        subject: {
          country: from.ca.subject.country,
          organization: from.ca.subject.organization,
          commonName: from.ca.subject.common_name,
        },
      },
      bundleRefreshHintSeconds: refreshHintOf(from),
      x509SvidTtlSeconds: from.default_x509_svid_ttl,
      jwtSvidTtlSeconds: from.default_jwt_svid_ttl,
      witSvidTtlSeconds: from.default_wit_svid_ttl ?? from.default_x509_svid_ttl,
      agentTtlSeconds: from.agent_ttl ?? from.default_x509_svid_ttl,
      jwtIssuer: from.jwt_issuer,
      jwtAudiencePolicy: {
        refuseTrustDomainWide: from.jwt_audience_policy.refuse_trust_domain_wide,
        refuse: from.jwt_audience_policy.refuse,
      },
      adminIds: from.admin_ids,
      keyManager:
        from.key_manager.type === "memory"
          ? { type: "memory" }
          : {
              type: "disk",
              sealingKeyFile: resolve(
                dataDir,
                from.key_manager.sealing_key_file ?? "keys/sealing.key",
              ),
            },
      rateLimit: from.rate_limit,
      federation,
      audit,
      logLevel: from.log.level,
      health: from.health,
      documents,
      oauth,
      tasks,
    };
  },
);

/** What to tell the operator when authorities live too short: SVIDs end with the authority that signed them. */
export function lifetimeWarning(config: ServerConfig): string | undefined {
  const sureSeconds = Math.floor(Math.min(config.ca.ttlSeconds / 6, 7 * 24 * 3600));
  const { x509SvidTtlSeconds, jwtSvidTtlSeconds, witSvidTtlSeconds, agentTtlSeconds } = config;
  const tokens = Math.max(jwtSvidTtlSeconds, config.ca.witKeyType ? witSvidTtlSeconds : 0);
  const longest = Math.max(x509SvidTtlSeconds, tokens, agentTtlSeconds);
  if (longest <= sureSeconds) return undefined;
  return `only SVIDs of up to ${sureSeconds} s always live their whole life, and ${longest} s are configured: set ca.ttl to at least six times the longest lifetime`;
}
