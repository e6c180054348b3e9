// The node agent as a whole: builds every part in the order of dependence and starts it; stop() undoes it
// in reverse. With the steps in main/ the only place in agent/ that constructs parts.

import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { ensureDir } from "../runtime/files.ts";
import type { ReadinessCheck, RunningHealth } from "../runtime/health.ts";
import { Lifecycle } from "../runtime/lifecycle.ts";
import type { Logger } from "../runtime/log.ts";
import { keepYoungGenerationSmall, trimMemoryWhenIdle } from "../runtime/memory.ts";
import { createMetrics, type Metrics, NO_METRICS } from "../runtime/metrics.ts";
import { loadOrCreateSealingKey, SEALED_SUFFIX, sealedFile } from "../runtime/sealed-file.ts";
import { readBootstrapBundle } from "./bootstrap.ts";
import { type AgentConfig, takeJoinToken } from "./config.ts";
import { AgentIdentity } from "./identity.ts";
import { ServerSigning } from "./link/signing.ts";
import { buildCache } from "./main/cache.ts";
import type { Context } from "./main/context.ts";
import { startGuard } from "./main/guard.ts";
import { buildLink } from "./main/link.ts";
import { startSockets } from "./main/sockets.ts";
import { observe } from "./observe.ts";

export interface StartOptions {
  readonly log: Logger;
  readonly clock?: Clock;
  /** Answers 0..1, to spread what would otherwise happen at once everywhere. */
  readonly random?: () => number;
  /** Told to the server. */
  readonly version?: string;
  /** Instead of the one in the environment or the file. */
  readonly joinToken?: string;
  /** Stops the agent when it aborts. */
  readonly signal?: AbortSignal;
}

/** An agent that runs. */
export interface RunningAgent {
  /** Path of the Workload API's socket: open from the start, UNAVAILABLE until `ready`. */
  readonly socket: string;
  readonly adminSocket: string;
  /** Where /live, /ready and /metrics are, if they are served. */
  readonly healthAddress: { readonly host: string; readonly port: number } | undefined;
  /** Resolves when the server's first word has been taken over. Rejects as `failed` does. */
  readonly ready: Promise<void>;
  /** Rejects when the agent cannot go on: banned, refused, or broken. Never resolves. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** Starts an agent. Resolves when its sockets are open; the server need not be there yet. */
export async function start(config: AgentConfig, options: StartOptions): Promise<RunningAgent> {
  const { log, clock = systemClock, random = Math.random, version = "unknown" } = options;
  const lifecycle = new Lifecycle({ log, clock });
  const joinToken = options.joinToken ?? takeJoinToken();
  try {
    options.signal?.throwIfAborted();
    const running = await startParts({ config, log, clock, random, version, joinToken, lifecycle });
    options.signal?.addEventListener("abort", () => void running.stop(), { once: true });
    return running;
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

async function startParts(context: Context): Promise<RunningAgent> {
  const { config, clock, log, lifecycle } = context;
  keepYoungGenerationSmall();
  await makeFolders(config);
  const identity = await loadIdentity(context);
  const signing = new ServerSigning();
  const cache = buildCache(context, signing, () => link.ping());
  if (identity.bundle !== undefined) cache.bundles.apply([identity.bundle], []);
  const metrics =
    config.health === undefined
      ? NO_METRICS
      : await createMetrics({ prefix: "signet_agent_", process: true });
  observe(metrics, { ...cache, signing, identity });

  const guard = await startGuard(context, cache, signing, metrics);
  const sockets = await startSockets(context, cache, { signing, metrics, guard });
  const link = buildLink(context, cache, { signing, identity, sockets });
  lifecycle.run("link", (signal) => link.run(signal));
  const ready = Promise.race([link.synced, lifecycle.failed]);
  ready.catch(() => undefined); // may be watched by nobody

  const health = await startHealth(context, metrics, {
    server: () => signing.isConnected || "no link to the server",
    sync: () => cache.subscribers.synced || "nothing heard from the server yet",
  });
  const memory = trimMemoryWhenIdle({ clock, log });
  lifecycle.own("memory", () => memory.stop());
  log.info({ socket: config.socket.path, trust_domain: config.trustDomain.name }, "agent started");
  return {
    socket: config.socket.path,
    adminSocket: config.adminSocket,
    healthAddress: health?.address,
    ready,
    failed: lifecycle.failed,
    stop: () => lifecycle.stop(),
  };
}

/** Others must get through to the sockets, and to nothing else. */
async function makeFolders(config: AgentConfig): Promise<void> {
  await ensureDir(config.dataDir, 0o711);
  await ensureDir(join(config.dataDir, "keys"), 0o700);
  for (const path of [config.socket.path, config.adminSocket]) {
    // An existing folder, such as /run, keeps its mode.
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  }
}

async function loadIdentity({ config, log, clock }: Context): Promise<AgentIdentity> {
  const { trustDomain, bootstrap } = config;
  const folder = join(config.dataDir, "keys");
  const key = await loadOrCreateSealingKey(config.sealingKeyFile, log, folder);
  const file = sealedFile(join(folder, `identity${SEALED_SUFFIX}`), key, "agent-identity");
  return AgentIdentity.load(
    {
      trustDomain,
      file,
      bootstrap:
        bootstrap.kind === "file"
          ? await readBootstrapBundle(bootstrap.path, trustDomain)
          : undefined,
      log,
    },
    clock.now(),
  );
}

/** Loaded only where it is wanted: Node's HTTP takes several megabytes of every agent's memory. */
async function startHealth(
  { config, log, lifecycle }: Context,
  metrics: Metrics,
  checks: Readonly<Record<string, ReadinessCheck>>,
): Promise<RunningHealth | undefined> {
  const { health } = config;
  if (health === undefined) return undefined;
  const { startHealth: listen } = await import("../runtime/health.ts");
  return lifecycle.start("health", () => listen({ log, metrics, ...health, checks }));
}
