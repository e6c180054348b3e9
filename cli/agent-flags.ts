// What the commands about node agents share: naming one, and showing them.

import type { Init } from "../proto/codec.ts";
import type { spire } from "../proto/schema.gen.ts";
import { formatSelector } from "../proto/types/selector.ts";
import { spiffeIdToWire } from "../proto/types/spiffe-id.ts";
import type { Flag, Input } from "./command.ts";
import { formatId } from "./entry-output.ts";
import { misuse, parseId } from "./flags.ts";
import { formatMoment, formatRecord, formatTable } from "./output.ts";

type Agent = spire.api.types.Agent;

export const AGENT_FLAG: Flag = {
  name: "spiffe-id",
  value: "<id>",
  description: "SPIFFE ID of the node agent",
};

/** The agent that is named, by flag or as the only argument. */
export function agentFrom(input: Input): { text: string; wire: Init<spire.api.types.SPIFFEID> } {
  const text = input.args[0] ?? input.text("spiffeId");
  if (!text) {
    throw misuse("the SPIFFE ID of the agent is missing", {
      hint: "'signet agent list' shows them",
    });
  }
  return { text, wire: spiffeIdToWire(parseId(text, "--spiffe-id")) };
}

/** A line for each agent. */
export function formatAgents(agents: readonly Agent[]): string {
  if (agents.length === 0) return "no agents";
  const rows = agents.map((agent) => [
    formatId(agent.id),
    agent.attestationType,
    agent.banned ? "banned" : formatMoment(agent.x509svidExpiresAt),
    agent.agentVersion,
  ]);
  return formatTable(["SPIFFE ID", "ATTESTED BY", "EXPIRES", "VERSION"], rows);
}

/** All there is to say of one agent. */
export function formatAgent(agent: Agent): string {
  return formatRecord([
    ["SPIFFE ID", formatId(agent.id)],
    ["Attested by", agent.attestationType],
    ["Can reattest", agent.canReattest ? "yes" : "no"],
    ["Banned", agent.banned ? "yes" : "no"],
    ["Expires", formatMoment(agent.x509svidExpiresAt)],
    ["Serial number", agent.x509svidSerialNumber],
    ["Version", agent.agentVersion],
    ["Selectors", agent.selectors.map(formatSelector).join("\n") || "none"],
  ]);
}
