// Issuing asks here whether a SPIFFE ID may have anything: not that of an AI agent that was disabled or
// whose time is over, nor those of its tasks. By the clock, so that nothing is issued while the expiry is
// still on its way into the store. SPIFFE IDs of no AI agent are asked about as before.

import type { IdentityError } from "../../pki/errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import { serverError } from "../errors.ts";
import type { HeldBack } from "../ledger/record-issued.ts";
import { type AiAgentRecord, type AiAgentStore, endOf } from "../store/ai-agents.ts";
import { aiAgentAbove } from "../store/task-paths.ts";

export interface AiAgentHoldsOptions {
  readonly agents: Pick<AiAgentStore, "get" | "size">;
  /** Whom revocations hold back. */
  readonly others: HeldBack;
  readonly clock: Clock;
}

export class AiAgentHolds implements HeldBack {
  readonly #options: AiAgentHoldsOptions;

  constructor(options: AiAgentHoldsOptions) {
    this.#options = options;
  }

  refusal(spiffeId: string, agentId: string): IdentityError | undefined {
    const { agents, others, clock } = this.#options;
    const before = others.refusal(spiffeId, agentId);
    if (before !== undefined || agents.size === 0) return before;
    const agent = agents.get(spiffeId) ?? agents.get(aiAgentAbove(spiffeId) ?? "");
    return agent && refusalOf(agent, clock.now());
  }

  tokenRefusal(spiffeId: string, issuedAtUnixSeconds: number): IdentityError | undefined {
    return this.#options.others.tokenRefusal(spiffeId, issuedAtUnixSeconds);
  }
}

/** Why an AI agent gets nothing now, if so: AI_AGENT_DISABLED or AI_AGENT_EXPIRED. */
function refusalOf(agent: AiAgentRecord, now: Date): IdentityError | undefined {
  const { spiffeId, end } = agent;
  switch (endOf(agent, now)) {
    case undefined:
      return undefined;
    case "expired": {
      const until = new Date(agent.validUntilUnixSeconds * 1000).toISOString();
      return serverError("AI_AGENT_EXPIRED", `the time of the AI agent "${spiffeId}" is over`, {
        hint: `it ended at ${until}: its owner ("${agent.owner}") may have it extended with 'signet ai-agent update --until'`,
      });
    }
    case "deleted":
      return serverError("AI_AGENT_DISABLED", `the AI agent "${spiffeId}" is being deleted`);
    case "disabled": {
      const why = end?.reason ? `: ${end.reason}` : "";
      return serverError("AI_AGENT_DISABLED", `the AI agent "${spiffeId}" is disabled${why}`, {
        hint: "an administrator enables it with 'signet ai-agent enable'",
      });
    }
  }
}
