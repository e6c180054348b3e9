// A small HTTP listener for probes and scrapes: /live (the process turns), /ready (every check
// passes), /metrics. On a loopback address unless configured otherwise: it asks nobody who they are.

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { runtimeError } from "./errors.ts";
import type { Logger } from "./log.ts";
import type { Metrics } from "./metrics.ts";

/** Answers true when ready, else a short text that says what is missing. */
export type ReadinessCheck = () => true | string | Promise<true | string>;

export interface HealthOptions {
  readonly log: Logger;
  /** Default 127.0.0.1. */
  readonly address?: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly checks?: Readonly<Record<string, ReadinessCheck>>;
  readonly metrics?: Metrics;
  /** How long one check may take before it counts as failed. Default 2 s. */
  readonly checkTimeoutMs?: number;
}

export interface RunningHealth {
  readonly address: { readonly host: string; readonly port: number };
  stop(): Promise<void>;
}

/**
 * Starts the listener.
 * @throws HEALTH_LISTEN_FAILED
 */
export async function startHealth(options: HealthOptions): Promise<RunningHealth> {
  const host = options.address ?? "127.0.0.1";
  const server = createServer(
    { requestTimeout: 5000, headersTimeout: 5000, maxHeaderSize: 8192 },
    (request, response) => {
      const path = (request.url ?? "").split("?", 1)[0] ?? "";
      if (request.method !== "GET" && request.method !== "HEAD") {
        response.setHeader("allow", "GET, HEAD");
        answer(response, 405, { error: "only GET and HEAD" });
        return;
      }
      route(path, response, options).catch((error: unknown) => {
        options.log.error({ error, path }, "health request failed");
        answer(response, 500, { error: "internal error" });
      });
    },
  );
  server.maxConnections = 64;
  server.keepAliveTimeout = 5000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        runtimeError(
          "HEALTH_LISTEN_FAILED",
          `cannot listen for health requests on ${host}:${options.port}: ${cause.message}`,
          {
            hint: "choose another health address or port in the configuration",
            cause,
          },
        ),
      ),
    );
    server.listen(options.port, host, resolve);
  });
  server.on("error", (error) => options.log.error({ error }, "health listener"));
  return {
    address: { host, port: (server.address() as AddressInfo).port },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Runs every check. `ready` when all pass; `checks` has "ok" or what is missing, by name. */
export async function readiness(
  checks: Readonly<Record<string, ReadinessCheck>>,
  timeoutMs = 2000,
): Promise<{ readonly ready: boolean; readonly checks: Record<string, string> }> {
  const results = await Promise.all(
    Object.entries(checks).map(
      async ([name, check]) => [name, await outcomeOf(check, timeoutMs)] as const,
    ),
  );
  return {
    ready: results.every(([, outcome]) => outcome === "ok"),
    checks: Object.fromEntries(results),
  };
}

async function outcomeOf(check: ReadinessCheck, timeoutMs: number): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${timeoutMs} ms`), timeoutMs);
  });
  try {
    const result = await Promise.race([Promise.resolve().then(check), late]);
    return result === true ? "ok" : result;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}

async function route(
  path: string,
  response: ServerResponse,
  options: HealthOptions,
): Promise<void> {
  if (path === "/live") {
    answer(response, 200, { live: true });
  } else if (path === "/ready") {
    const result = await readiness(options.checks ?? {}, options.checkTimeoutMs);
    answer(response, result.ready ? 200 : 503, result);
  } else if (path === "/metrics" && options.metrics !== undefined) {
    const text = await options.metrics.text();
    response.writeHead(200, { "content-type": options.metrics.contentType });
    response.end(text);
  } else {
    answer(response, 404, { error: "there are /live, /ready and /metrics" });
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(`${JSON.stringify(body)}\n`);
}
