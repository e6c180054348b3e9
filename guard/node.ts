// What a guard asks of the node agent (signet.guard.v1): tasks, uses of budgets, and to write down what it
// has seen. The state of tasks comes by client/task-status.ts.

import { randomBytes } from "node:crypto";
import { findEndpoint } from "../client/endpoint.ts";
import { SECURITY_HEADER } from "../client/security-header.ts";
import type { TaskStatuses } from "../client/task-status.ts";
import { IdentityError, Status } from "../pki/errors.ts";
import type { Init } from "../proto/codec.ts";
import {
  type CallOptions,
  type Channel,
  type ClientOf,
  createChannel,
} from "../proto/rpc/client.ts";
import { GuardService, type signet } from "../proto/schema.gen.ts";
import { systemClock } from "../runtime/clock.ts";
import { guardError } from "./errors.ts";
import { type PresentedTask, shownOf } from "./presented.ts";

export type AuditEvent = Init<signet.audit.v1.Event>;

/** What guards know of the node agent by the feed of states. */
type Feed = Pick<TaskStatuses, "isSilent" | "onSilence">;

const TIMEOUT_MS = 5000;
const TRIES = 3;
const PAUSE_MS = 50;

export class GuardNode {
  readonly #channel: Channel;
  readonly #client: ClientOf<typeof GuardService>;

  readonly #feed: Feed;

  constructor(endpoint: string | undefined, feed: Feed) {
    this.#feed = feed;
    this.#channel = createChannel({ address: findEndpoint(endpoint), metadata: SECURITY_HEADER });
    this.#client = this.#channel.client(GuardService);
  }

  /** The task as it is now; undefined when there is none. */
  async describe(presented: PresentedTask): Promise<signet.task.v1.Task | undefined> {
    const request = { id: presented.spiffeId, shown: shownOf(presented) };
    const answer: { readonly task?: signet.task.v1.Task } = await this.#ask((options) =>
      this.#client.describeTask(request, options),
    );
    return answer.task;
  }

  /** Takes one use off the task's budget; false when there is none left. Asked again it is not charged twice. */
  async spend(presented: PresentedTask): Promise<boolean> {
    const spendId = randomBytes(18).toString("base64url");
    const { taskId } = presented;
    const request = { taskId, count: 1, spendId, shown: shownOf(presented) };
    const { granted } = await this.#ask((options) => this.#client.spendUses(request, options));
    return granted;
  }

  /** Resolves once they are written down. @throws GUARD_AUDIT_UNAVAILABLE */
  async record(events: readonly AuditEvent[]): Promise<void> {
    try {
      await this.#ask((options) => this.#client.record({ events }, options));
    } catch (cause) {
      throw guardError("GUARD_AUDIT_UNAVAILABLE", "the call cannot be written down", {
        hint: "check the node agent of this node: a guard lets nothing pass that is not on record",
        cause,
      });
    }
  }

  close(): void {
    this.#channel.close();
  }

  /** A node agent that is stopped, or starved, is not waited for: it is asked again once it is heard. */
  #ask<T>(call: (options: CallOptions) => Promise<T>): Promise<T> {
    return retrying(async () => {
      if (this.#feed.isSilent) throw silent();
      const silence = new AbortController();
      const stop = this.#feed.onSilence(() => silence.abort());
      try {
        return await call({ timeoutMs: TIMEOUT_MS, signal: silence.signal });
      } catch (error) {
        throw silence.signal.aborted ? silent(error) : error;
      } finally {
        stop();
      }
    });
  }
}

/** A node agent that is being restarted is back in a moment; each of these calls may be made twice. */
async function retrying<T>(call: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await call();
    } catch (error) {
      const isAway = error instanceof IdentityError && error.code === Status.unavailable;
      if (!isAway || error.reason === SILENT || tried >= TRIES) throw error;
      await systemClock.sleep(tried * PAUSE_MS);
    }
  }
}

const SILENT = "GUARD_NODE_SILENT";

function silent(cause?: unknown): Error {
  return guardError(SILENT, "the node agent of this node does not answer", {
    hint: "check that it runs and is not starved: 'signet agent healthcheck' on the guard's node",
    cause,
  });
}
