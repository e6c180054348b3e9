// Uses of budgets, asked of the server one spending at a time: what it lends is spent at once, and what a
// guard asks for again under the same ID is answered as before.

import { createHash } from "node:crypto";
import type { signet } from "../../proto/schema.gen.ts";
import type { UseSpender } from "./index.ts";

export interface UseLeasesOptions {
  /** Asks the server. */
  readonly lease: (
    request: signet.nodetask.v1.LeaseUsesRequest,
  ) => Promise<signet.nodetask.v1.LeaseUsesResponse>;
}

export class UseLeases implements UseSpender {
  readonly #options: UseLeasesOptions;

  constructor(options: UseLeasesOptions) {
    this.#options = options;
  }

  async spend(taskId: string, count: number, spendId: string): Promise<boolean> {
    const leaseId = createHash("sha256").update(spendId).digest("base64url");
    const { lent } = await this.#options.lease({ taskId, count, leaseId });
    return lent >= count;
  }
}
