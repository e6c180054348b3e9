// grpc.health.v1 on an RpcServer: whether the server, and each service of it, can do its work now.

import { protoError } from "../errors.ts";
import { HealthService, HealthCheckResponseServingStatus as Serving } from "../schema.gen.ts";
import type { RpcServer } from "./server.ts";

/** The server as a whole, by the name that clients ask it under. */
export const WHOLE_SERVER = "";

/** What health checks answer; the daemon's parts set it. */
export class HealthStatuses {
  readonly #serving = new Map<string, boolean>([[WHOLE_SERVER, false]]);
  readonly #listeners = new Set<() => void>();

  /** Says whether a service, by full name, or the server as a whole is serving. */
  set(service: string, isServing: boolean): void {
    if (this.#serving.get(service) === isServing) return;
    this.#serving.set(service, isServing);
    for (const listener of this.#listeners) listener();
  }

  /** The status on the wire, or undefined for a service that was never set. */
  statusOf(service: string): number | undefined {
    const isServing = this.#serving.get(service);
    if (isServing === undefined) return undefined;
    return isServing ? Serving.SERVING : Serving.NOT_SERVING;
  }

  /** Every name with its status on the wire. */
  all(): [service: string, status: number][] {
    return [...this.#serving.keys()].map((name) => [name, this.statusOf(name) ?? Serving.UNKNOWN]);
  }

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** Serves grpc.health.v1 from `statuses`. */
export function addHealth(server: RpcServer, statuses: HealthStatuses): void {
  server.add(HealthService, {
    check: async ({ service }) => {
      const status = statuses.statusOf(service);
      if (status === undefined) throw protoError("OBJECT_NOT_FOUND", "no such service here");
      return { status };
    },
    list: async () => ({
      statuses: Object.fromEntries(statuses.all().map(([name, status]) => [name, { status }])),
    }),
    watch: ({ service }, { signal }) => watch(statuses, service, signal),
  });
}

async function* watch(
  statuses: HealthStatuses,
  service: string,
  signal: AbortSignal,
): AsyncIterable<{ status: number }> {
  let wake: () => void = () => undefined;
  const unsubscribe = statuses.onChange(() => wake());
  const aborted = (): void => wake();
  signal.addEventListener("abort", aborted);
  try {
    let last: number | undefined;
    while (!signal.aborted) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const status = statuses.statusOf(service) ?? Serving.SERVICE_UNKNOWN;
      if (status !== last) yield { status };
      last = status;
      // A change that came during the yield has resolved this one already.
      await changed;
    }
  } finally {
    signal.removeEventListener("abort", aborted);
    unsubscribe();
  }
}
