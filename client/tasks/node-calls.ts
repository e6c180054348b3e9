// Calls of the task service of a node agent, which may be away for a moment: it is restarted, and knows its
// tasks again when it is back.

import { IdentityError, Status } from "../../pki/errors.ts";
import { type Channel, type ClientOf, createChannel } from "../../proto/rpc/client.ts";
import { TaskAPIService } from "../../proto/schema.gen.ts";
import { backoff } from "../../runtime/backoff.ts";
import type { Clock } from "../../runtime/clock.ts";
import { findEndpoint } from "../endpoint.ts";
import { clientError } from "../errors.ts";
import { SECURITY_HEADER } from "../security-header.ts";

export type TaskClient = ClientOf<typeof TaskAPIService>;

/** Until when one attempt may last. */
export interface CallTimes {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

const INITIAL_DELAY_MS = 50;
const MAX_DELAY_MS = 1_000;

export class NodeCalls {
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly client: TaskClient;

  /** @throws ENDPOINT_MISSING, ENDPOINT_INVALID */
  constructor(endpoint: string | undefined, clock: Clock) {
    this.#clock = clock;
    this.#channel = createChannel({ address: findEndpoint(endpoint), metadata: SECURITY_HEADER });
    this.client = this.#channel.client(TaskAPIService);
  }

  /**
   * Calls until there is an answer; again when the node agent is away. `attempt` counts from 0.
   * @throws what the agent says; its last failure to answer after `timeoutMs`
   */
  async ask<T>(
    timeoutMs: number,
    call: (client: TaskClient, options: CallTimes, attempt: number) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const end = performance.now() + timeoutMs;
    const delays = backoff({ initialMs: INITIAL_DELAY_MS, maxMs: MAX_DELAY_MS });
    for (let attempt = 0; ; attempt += 1) {
      try {
        const leftMs = Math.max(1, end - performance.now());
        return await call(this.client, { timeoutMs: leftMs, signal }, attempt);
      } catch (error) {
        const delayMs = delays.next();
        if (!isAway(error) || performance.now() + delayMs >= end) throw explainUnserved(error);
        await this.#clock.sleep(delayMs, signal);
      }
    }
  }

  close(): void {
    this.#channel.close();
  }
}

function isAway(error: unknown): boolean {
  return error instanceof IdentityError && error.code === Status.unavailable;
}

/** The error to throw for `error`: of an endpoint that knows of no tasks, one that says so and what to do. */
export function explainUnserved(error: unknown): unknown {
  if (!(error instanceof IdentityError) || error.code !== Status.unimplemented) return error;
  return clientError("TASKS_NOT_SERVED", "nobody serves tasks at this endpoint", {
    cause: error,
    hint: "name the node agent's own socket, not the private one of a task; tasks need this agent to be Signet's",
  });
}
