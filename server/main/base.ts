// What every step of the server's start is given.
import type { Clock } from "../../runtime/clock.ts";
import type { Lifecycle } from "../../runtime/lifecycle.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Metrics } from "../../runtime/metrics.ts";
import type { ServerConfig } from "../config.ts";

/** What every step of the start is given. */
export interface Base {
  readonly config: ServerConfig;
  readonly log: Logger;
  readonly clock: Clock;
  readonly version: string;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
}
