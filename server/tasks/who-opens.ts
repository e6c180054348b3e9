// Which AI agent opens a task: one that the caller is, by the entries that its node agent says it matches,
// or one that it hosts. Hosting is a right of the AI agent whose process was attested, and of none
// besides: who is hosted hosts nobody by that.
import type { IdentityError } from "../../pki/errors.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { Clock } from "../../runtime/clock.ts";
import { serverError } from "../errors.ts";
import { type AiAgentRecord, type AiAgentStore, endOf, mayHost } from "../store/ai-agents.ts";
import type { EscalationReport } from "./escalation-event.ts";
import type { OpenOrder } from "./orders.ts";
import { notHosted, requireGood } from "./require-good.ts";

export interface WhoOpensOptions {
  readonly aiAgents: Pick<AiAgentStore, "get">;
  /** The entry, if this node agent may serve it now. */
  readonly entryFor: (nodeAgent: string, entryId: string) => RegistrationEntry | undefined;
  readonly report: (report: EscalationReport) => Promise<unknown>;
  readonly clock: Clock;
}

export interface Opener {
  /** Whose task it is. */
  readonly agent: AiAgentRecord;
  /** The AI agent whose process it is, when that is another one. */
  readonly host: AiAgentRecord | undefined;
}

type Caller = Pick<OpenOrder, "nodeAgent" | "entryIds" | "agentId">;

/** Entries of one caller that are looked at. */
const MAX_ENTRIES = 500;

export class WhoOpens {
  readonly #options: WhoOpensOptions;

  constructor(options: WhoOpensOptions) {
    this.#options = options;
  }

  /**
   * Everything is looked up anew: of a node agent's word counts only which of its own entries a process
   * matches.
   * @throws ENTRY_NOT_AUTHORIZED, NOT_AN_AI_AGENT, AI_AGENT_AMBIGUOUS, AI_AGENT_NOT_HOSTED, AI_AGENT_NOT_FOUND,
   * AI_AGENT_DISABLED, AI_AGENT_EXPIRED
   */
  async of(caller: Caller): Promise<Opener> {
    const { aiAgents, clock } = this.#options;
    const { agentId } = caller;
    const attested = this.#attested(caller);
    const [first, ...others] = [...attested.values()];
    const own = agentId === "" ? first : attested.get(agentId);
    if (own === undefined) {
      if (first === undefined) throw notAnAiAgent(agentId);
      const host = await this.#hostOf(caller, [...attested.values()]);
      const agent = aiAgents.get(agentId);
      if (agent === undefined) throw unknown(agentId);
      requireGood(agent.spiffeId, agent, clock.now());
      return { agent, host };
    }
    if (agentId === "" && others.length > 0) throw ambiguous([...attested.keys()]);
    requireGood(own.spiffeId, own, clock.now());
    return { agent: own, host: undefined };
  }

  /** The AI agents that the caller is, by SPIFFE ID. */
  #attested({ nodeAgent, entryIds }: Caller): ReadonlyMap<string, AiAgentRecord> {
    const { aiAgents, entryFor } = this.#options;
    if (entryIds.length > MAX_ENTRIES) {
      throw serverError("TASK_REQUEST_INVALID", `${entryIds.length} entries of one caller`);
    }
    const found = new Map<string, AiAgentRecord>();
    for (const id of entryIds) {
      const entry = entryFor(nodeAgent, id);
      if (entry === undefined) {
        throw serverError("ENTRY_NOT_AUTHORIZED", "entry not found or not authorized");
      }
      const agent = aiAgents.get(entry.spiffeId);
      if (agent !== undefined) found.set(agent.spiffeId, agent);
    }
    return found;
  }

  /** Of several that may, one that is not disabled, and always the same one. */
  async #hostOf(
    { agentId, nodeAgent }: Caller,
    attested: readonly AiAgentRecord[],
  ): Promise<AiAgentRecord> {
    const { clock, report } = this.#options;
    const now = clock.now();
    const hosts = attested
      .filter((one) => mayHost(one, agentId))
      .sort((a, b) => (a.spiffeId < b.spiffeId ? -1 : 1));
    const host = hosts.find((one) => endOf(one, now) === undefined) ?? hosts[0];
    if (host !== undefined) {
      requireGood(host.spiffeId, host, now);
      return host;
    }
    const [first] = attested;
    const detail = { wanted: agentId.slice(0, 300), node_agent: nodeAgent };
    await report({ kind: "hosting-not-allowed", agent: first?.spiffeId, detail });
    throw notHosted(first?.spiffeId ?? "", agentId);
  }
}

function notAnAiAgent(agentId: string): IdentityError {
  const who = agentId === "" ? "no AI agent" : `not "${agentId.slice(0, 300)}", and no AI agent`;
  return serverError("NOT_AN_AI_AGENT", `the caller is ${who}`, {
    hint: "register it with 'signet ai-agent create', for the SPIFFE ID of its registration entry",
  });
}

function ambiguous(ids: readonly string[]): IdentityError {
  const names = ids.map((name) => `"${name}"`).join(", ");
  return serverError("AI_AGENT_AMBIGUOUS", `the caller is several AI agents: ${names}`, {
    hint: "say which one opens the task, in ai_agent",
  });
}

function unknown(agentId: string): IdentityError {
  return serverError("AI_AGENT_NOT_FOUND", `"${agentId}" is no AI agent`, {
    hint: "register it with 'signet ai-agent create': who is hosted needs no registration entry",
  });
}
