// What every step of the agent's start is given.
import type { Clock } from "../../runtime/clock.ts";
import type { Lifecycle } from "../../runtime/lifecycle.ts";
import type { Logger } from "../../runtime/log.ts";
import type { AgentConfig } from "../config.ts";

/** The agent's settings and its surroundings. */
export interface Context {
  readonly log: Logger;
  readonly clock: Clock;
  /** Answers 0..1, to spread what would otherwise happen at once everywhere. */
  readonly random: () => number;
  readonly version: string;
  readonly config: AgentConfig;
  readonly joinToken: string | undefined;
  readonly lifecycle: Lifecycle;
}
