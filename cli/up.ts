// `signet up --dir DIR`: server and agent in one process, for development, as an ordinary user. State
// lies in DIR; the next `up` there resumes.

import { openSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { agentConfigSchema } from "../agent/config.ts";
import { start as startAgent } from "../agent/main.ts";
import { formatPem } from "../pki/x509/pem.ts";
import { createChannel } from "../proto/rpc/client.ts";
import { AgentService, BundleService } from "../proto/schema.gen.ts";
import { parseConfig } from "../runtime/config.ts";
import { FEATURE_FLAGS } from "../runtime/feature-flags.ts";
import { ensureDir, writeFileAtomic } from "../runtime/files.ts";
import { createLogger, LOG_LEVELS, type Logger, type LogLevel } from "../runtime/log.ts";
import { serverConfigSchema } from "../server/config.ts";
import { start as startServer } from "../server/main.ts";
import type { Command } from "./command.ts";
import { type Daemon, runDaemon } from "./daemon.ts";
import { misuse, required } from "./flags.ts";
import { readVersion } from "./package-version.ts";
import { findTrustDomain } from "./up-trust-domain.ts";

/** The node's second SPIFFE ID: stable when the agent attests anew, so that entries name it as parent. */
const NODE_PATH = "/node";
const TOKEN_TTL_SECONDS = 60;
const LOG_FILE = "up.log";

interface Up extends Daemon {
  readonly trustDomain: string;
  readonly workloadSocket: string;
  readonly adminSocket: string;
  /** Where access tokens are issued, if they are. */
  readonly oauthIssuer?: string;
  readonly auditDir: string;
  readonly logFile: string;
  readonly ready: Promise<void>;
}

export const command: Command = {
  description:
    "Runs server and node agent together, for development, as an ordinary user. State is kept in the folder; " +
    "a second 'up' on it resumes. The Workload API is at <folder>/agent.sock, the admin socket at <folder>/server.sock.",
  flags: [
    { name: "dir", value: "<folder>", description: "where state and sockets are" },
    {
      name: "trust-domain",
      value: "<name>",
      description: "name of the trust domain; by default a random one, made at the first start",
    },
    {
      name: "feature-flag",
      value: "<name>",
      description: `turns on a standard that may still change: ${Object.keys(FEATURE_FLAGS).join(", ")}`,
      isRepeated: true,
    },
    {
      name: "oauth-port",
      value: "<port>",
      description:
        "issues access tokens to tasks, as http://127.0.0.1:<port>; the same at every start on the folder",
    },
    {
      name: "log-level",
      value: "<level>",
      description: `how much goes to <folder>/up.log: ${LOG_LEVELS.join(", ")}`,
      defaultValue: "info",
    },
  ],
  examples: [
    ["signet up --dir ./dev", "ready in about a second; Ctrl-C stops it"],
    ["signet up --dir ./dev --feature-flag wit-svid", "with WIT-SVIDs"],
    ["signet up --dir ./dev --oauth-port 8090", "with access tokens for tasks"],
  ],
  async run(input, output) {
    const dir = resolve(required(input, "dir", "--dir"));
    const level = input.text("logLevel") ?? "info";
    if (!isLevel(level))
      throw misuse(`--log-level: "${level}" is not one of ${LOG_LEVELS.join(", ")}`);
    const flags = input.list("featureFlag");
    const known = Object.keys(FEATURE_FLAGS);
    const unknown = flags.find((flag) => !known.includes(flag));
    if (unknown !== undefined)
      throw misuse(`--feature-flag: "${unknown}" is not one of ${known.join(", ")}`);
    const oauthPort = portFrom(input.text("oauthPort"));
    await ensureDir(dir, 0o711);
    const log = openLog(join(dir, LOG_FILE), level);
    const trustDomain = await findTrustDomain(dir, input.text("trustDomain"));
    await runDaemon(
      log,
      () => start({ dir, trustDomain, flags, oauthPort }, log),
      async (up) => {
        await up.ready;
        output.show(summary(up), () => welcome(up));
      },
    );
  },
};

interface UpOptions {
  readonly dir: string;
  readonly trustDomain: string;
  readonly flags: readonly string[];
  readonly oauthPort: number | undefined;
}

async function start({ dir, trustDomain, flags, oauthPort }: UpOptions, log: Logger): Promise<Up> {
  const version = readVersion();
  const server = await startServer(
    parseConfig(
      yaml({
        trust_domain: trustDomain,
        data_dir: join(dir, "server"),
        admin_socket: join(dir, "server.sock"),
        listen: { address: "127.0.0.1", port: 0 },
        rate_limit: { attestation: false, signing: false },
        feature_flags: flags,
        ...(oauthPort !== undefined && { oauth: oauthOn(oauthPort) }),
      }),
      serverConfigSchema,
      "signet up",
    ),
    { log: log.child({ daemon: "server" }), version },
  );
  try {
    const bundleFile = join(dir, "bootstrap.pem");
    const joinToken = await prepareAgent(server.adminSocket, trustDomain, bundleFile);
    const config = {
      trust_domain: trustDomain,
      data_dir: join(dir, "agent"),
      server: { address: "127.0.0.1", port: server.address.port },
      socket: join(dir, "agent.sock"),
      admin_socket: join(dir, "agent-admin.sock"),
      trust_bundle_file: bundleFile,
      feature_flags: flags,
    };
    const agent = await startAgent(parseConfig(yaml(config), agentConfigSchema, "signet up"), {
      log: log.child({ daemon: "agent" }),
      version,
      joinToken,
    });
    return {
      trustDomain,
      workloadSocket: agent.socket,
      ...(oauthPort !== undefined && { oauthIssuer: oauthOn(oauthPort).issuer }),
      adminSocket: server.adminSocket,
      auditDir: join(dir, "server", "audit"),
      logFile: join(dir, LOG_FILE),
      ready: agent.ready,
      failed: Promise.race([server.failed, agent.failed]),
      async stop() {
        await agent.stop();
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** The issuer of access tokens: on this machine alone, so it needs no TLS. */
function oauthOn(port: number): { issuer: string; address: string; port: number; http: true } {
  return { issuer: `http://127.0.0.1:${port}`, address: "127.0.0.1", port, http: true };
}

function portFrom(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw misuse(`--oauth-port: ${JSON.stringify(text)} is no port from 1 to 65535`);
}

/** Writes the bundle the agent starts with, and makes a token, which the agent uses only if it has to. */
async function prepareAgent(
  adminSocket: string,
  trustDomain: string,
  bundleFile: string,
): Promise<string> {
  const channel = createChannel({ address: { unix: adminSocket } });
  try {
    const bundle = await channel.client(BundleService).getBundle({});
    const pem = bundle.x509Authorities.map(({ asn1 }) => formatPem("CERTIFICATE", asn1)).join("");
    await writeFileAtomic(bundleFile, pem, 0o644);
    const agentId = { trustDomain, path: NODE_PATH };
    const request = { ttl: TOKEN_TTL_SECONDS, agentId };
    return (await channel.client(AgentService).createJoinToken(request)).value;
  } finally {
    channel.close();
  }
}

/** Appends; the terminal is for what the developer is to type next. */
function openLog(path: string, level: LogLevel): Logger {
  const file = openSync(path, "a", 0o600);
  return createLogger({ level, destination: { write: (line) => void writeSync(file, line) } });
}

/** JSON is YAML, with every string quoted. */
function yaml(config: object): string {
  return JSON.stringify(config);
}

function isLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text);
}

function summary(up: Up): object {
  return {
    trustDomain: up.trustDomain,
    parentId: `spiffe://${up.trustDomain}${NODE_PATH}`,
    workloadSocket: `unix://${up.workloadSocket}`,
    adminSocket: up.adminSocket,
    ...(up.oauthIssuer !== undefined && { oauthIssuer: up.oauthIssuer }),
    auditDir: up.auditDir,
    logFile: up.logFile,
  };
}

function welcome(up: Up): string {
  const id = `spiffe://${up.trustDomain}`;
  const uid = process.getuid?.() ?? 0;
  return [
    `Ready. Trust domain ${up.trustDomain}; log in ${up.logFile}; Ctrl-C stops.`,
    ...(up.oauthIssuer === undefined ? [] : [`Access tokens for tasks: ${up.oauthIssuer}`]),
    "",
    "In another terminal:",
    "",
    `  export SIGNET_ADMIN_SOCKET=${up.adminSocket}`,
    `  export SPIFFE_ENDPOINT_SOCKET=unix://${up.workloadSocket}`,
    `  signet entry create --parent-id ${id}${NODE_PATH} --spiffe-id ${id}/me --selector unix:uid:${uid}`,
    "  signet api fetch x509",
  ].join("\n");
}
