// Whether an AI agent may have tasks now, and whether another one may host them.
import type { IdentityError } from "../../pki/errors.ts";
import { serverError } from "../errors.ts";
import { type AiAgentRecord, endOf, mayHost } from "../store/ai-agents.ts";

/** @throws AI_AGENT_DISABLED, AI_AGENT_EXPIRED */
export function requireGood(agentId: string, agent: AiAgentRecord | undefined, now: Date): void {
  const cause = agent === undefined ? "deleted" : endOf(agent, now);
  if (cause === undefined) return;
  const reason = cause === "expired" ? "AI_AGENT_EXPIRED" : "AI_AGENT_DISABLED";
  const why = agent?.end?.reason ? ` (${agent.end.reason})` : "";
  throw serverError(reason, `the AI agent "${agentId}" is ${cause}${why}: it has no tasks`, {
    hint: "ask its owner; see 'signet ai-agent show'",
  });
}

/** @throws AI_AGENT_DISABLED, AI_AGENT_EXPIRED, AI_AGENT_NOT_HOSTED */
export function requireHost(
  hostId: string,
  host: AiAgentRecord | undefined,
  agentId: string,
  now: Date,
): void {
  requireGood(hostId, host, now);
  if (host === undefined || !mayHost(host, agentId)) throw notHosted(hostId, agentId);
}

/** The answer to who would open a task for an AI agent that is none of its own. */
export function notHosted(hostId: string, agentId: string): IdentityError {
  return serverError(
    "AI_AGENT_NOT_HOSTED",
    `the caller is "${hostId}", and not "${agentId.slice(0, 300)}", nor may it host that`,
    { hint: "name what it may host with 'signet ai-agent update --may-host'" },
  );
}
