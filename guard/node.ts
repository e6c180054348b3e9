// What a guard asks of the node agent (signet.guard.v1): tasks, uses of budgets, and to write down what it
// has seen. The state of tasks comes by client/task-status.ts.

import { randomBytes } from "node:crypto";
import { findEndpoint } from "../client/endpoint.ts";
import { SECURITY_HEADER } from "../client/security-header.ts";
import { IdentityError, Status } from "../pki/errors.ts";
import type { Init } from "../proto/codec.ts";
import { type Channel, type ClientOf, createChannel } from "../proto/rpc/client.ts";
import { GuardService, type signet } from "../proto/schema.gen.ts";
import { systemClock } from "../runtime/clock.ts";
import { guardError } from "./errors.ts";
import { type PresentedTask, shownOf } from "./presented.ts";

export type AuditEvent = Init<signet.audit.v1.Event>;

const TIMEOUT_MS = 5000;
const TRIES = 3;
const PAUSE_MS = 50;

export class GuardNode {
  readonly #channel: Channel;
  readonly #client: ClientOf<typeof GuardService>;

  constructor(endpoint: string | undefined) {
    this.#channel = createChannel({ address: findEndpoint(endpoint), metadata: SECURITY_HEADER });
    this.#client = this.#channel.client(GuardService);
  }

  /** The task as it is now; undefined when there is none. */
  async describe(presented: PresentedTask): Promise<signet.task.v1.Task | undefined> {
    const request = { id: presented.spiffeId, shown: shownOf(presented) };
    const answer: { readonly task?: signet.task.v1.Task } = await retrying(() =>
      this.#client.describeTask(request, { timeoutMs: TIMEOUT_MS }),
    );
    return answer.task;
  }

  /** Takes one use off the task's budget; false when there is none left. Asked again it is not charged twice. */
  async spend(presented: PresentedTask): Promise<boolean> {
    const spendId = randomBytes(18).toString("base64url");
    const { taskId } = presented;
    const request = { taskId, count: 1, spendId, shown: shownOf(presented) };
    const { granted } = await retrying(() =>
      this.#client.spendUses(request, { timeoutMs: TIMEOUT_MS }),
    );
    return granted;
  }

  /** Resolves once they are written down. @throws GUARD_AUDIT_UNAVAILABLE */
  async record(events: readonly AuditEvent[]): Promise<void> {
    try {
      await retrying(() => this.#client.record({ events }, { timeoutMs: TIMEOUT_MS }));
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
}

/** A node agent that is being restarted is back in a moment; each of these calls may be made twice. */
async function retrying<T>(call: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await call();
    } catch (error) {
      const isAway = error instanceof IdentityError && error.code === Status.unavailable;
      if (!isAway || tried >= TRIES) throw error;
      await systemClock.sleep(tried * PAUSE_MS);
    }
  }
}
