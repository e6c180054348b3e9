// The server: builds every part in the order of their dependencies, and undoes it in reverse. With the
// steps in main/ the only place of server/ that constructs parts; what they do is in their files.
import { type Clock, systemClock } from "../runtime/clock.ts";
import { Lifecycle } from "../runtime/lifecycle.ts";
import type { Logger } from "../runtime/log.ts";
import { createMetrics, NO_METRICS } from "../runtime/metrics.ts";
import type { ServerConfig } from "./config.ts";
import { openAudit } from "./main/audit.ts";
import type { Base } from "./main/base.ts";
import { startCa } from "./main/ca.ts";
import { type DocumentAddresses, documentListeners, startDocuments } from "./main/documents.ts";
import { startEdges } from "./main/edges.ts";
import { startFederation } from "./main/federation.ts";
import { startOAuth } from "./main/oauth.ts";
import { noticeRestored } from "./main/restored.ts";
import { openLedger, startRevocation } from "./main/revocation.ts";
import { openStores } from "./main/stores.ts";
import { startTasks } from "./main/tasks.ts";

export interface ServerOptions {
  readonly log: Logger;
  readonly clock?: Clock;
  /** Told to agents and in the log. */
  readonly version?: string;
  /** Stops the server when it aborts. */
  readonly signal?: AbortSignal;
}

export interface RunningServer {
  /** Where it listens for agents. */
  readonly address: { readonly host: string; readonly port: number };
  /** The path of the admin socket. */
  readonly adminSocket: string;
  /** Where /live, /ready and /metrics are, if they are served. */
  readonly healthAddress: { readonly host: string; readonly port: number } | undefined;
  /** Where the public listeners are, those that are configured. */
  readonly documents: DocumentAddresses;
  /** Reads anew what can change without a restart: certificate files. */
  reload(): Promise<void>;
  /** Rejects when the server can no longer do its work and has to be started again; never resolves. */
  readonly failed: Promise<never>;
  /** Ends calls and connections, then every part. */
  stop(): Promise<void>;
}

/**
 * Starts a server; resolves when it serves.
 * @throws STORE_LOCKED, ADDRESS_UNUSABLE, ADMIN_SOCKET_IN_USE, SEALED_FILE_DAMAGED and others: nothing
 * is left running then
 */
export async function start(config: ServerConfig, options: ServerOptions): Promise<RunningServer> {
  const { log, clock = systemClock, version = "dev", signal } = options;
  const lifecycle = new Lifecycle({ log, clock });
  const metrics =
    config.health === undefined
      ? NO_METRICS
      : await createMetrics({ prefix: "signet_server_", process: true });
  const base: Base = { config, log, clock, version, lifecycle, metrics };
  try {
    signal?.throwIfAborted();
    const stores = await openStores(base);
    const audit = await openAudit(base, stores);
    await noticeRestored(base, stores, audit);
    const recording = await openLedger(base, stores);
    const ca = await startCa(base, stores, recording, audit);
    const revocation = await startRevocation(base, stores, ca, recording);
    const tasks = await startTasks(base, stores, ca, recording, audit);
    const federation = await startFederation(base, stores, ca);
    const listen = documentListeners(base);
    const documents = await startDocuments(base, listen, stores, ca, revocation, tasks.crl);
    const { oauth, report } = tasks;
    const { checkpoints } = audit;
    const issuing = { stores, ca, recording, revocation, oauth, checkpoints };
    const parts = { ...issuing, tasks: tasks.tasks, report };
    const oauthAddress = await startOAuth(base, listen, parts);
    const running = await startEdges(base, stores, ca, federation, revocation, audit, tasks);
    const stop = (): Promise<void> => lifecycle.stop();
    signal?.addEventListener("abort", () => void stop(), { once: true });
    log.info(
      { trust_domain: config.trustDomain.name, address: running.address, version },
      "server ready",
    );
    const reload = (): Promise<void> => lifecycle.reload();
    return {
      ...running,
      documents: { ...documents, oauth: oauthAddress },
      reload,
      failed: lifecycle.failed,
      stop,
    };
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}
