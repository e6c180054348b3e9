// The SPIFFE IDs below an AI agent's `/task/` are those of its tasks: no registration entry may have one.
// AI agents have no segment `task` in their own path, so that one prefix alone decides. The rule holds
// in either order: who writes such an entry leaves a mark here, which whoever makes an AI agent reads in
// the same commit, as the entry's commit reads the AI agent.

import type { IdentityError } from "../../pki/errors.ts";
import { serverError } from "../errors.ts";
import { AI_AGENT_PREFIX } from "./ai-agents.ts";
import type { Transaction } from "./transaction.ts";

const MARK_PREFIX = "task-path/";
const SEGMENT = "/task";
const encoder = new TextEncoder();

/**
 * The SPIFFE ID of the AI agent that this one would be a task of, if there is that AI agent: what stands
 * before the first segment `task`. Undefined for nearly every ID.
 */
export function aiAgentAbove(spiffeId: string): string | undefined {
  for (let at = spiffeId.indexOf(SEGMENT); at >= 0; at = spiffeId.indexOf(SEGMENT, at + 1)) {
    const end = at + SEGMENT.length;
    const isSegment = end === spiffeId.length || spiffeId[end] === "/";
    if (isSegment) return spiffeId.slice(0, at);
  }
  return undefined;
}

/**
 * To be called for each SPIFFE ID that a transaction gives an entry.
 * Answers, by SPIFFE ID, why the entry is refused.
 */
export async function claimTaskPaths(
  transaction: Transaction,
  spiffeIds: Iterable<string>,
): Promise<ReadonlyMap<string, IdentityError>> {
  const refused = new Map<string, IdentityError>();
  for (const spiffeId of spiffeIds) {
    const agent = aiAgentAbove(spiffeId);
    if (agent === undefined) continue;
    if ((await transaction.get(AI_AGENT_PREFIX + agent)) !== undefined) {
      refused.set(spiffeId, pathReserved(spiffeId, agent));
    } else {
      transaction.put(MARK_PREFIX + agent, encoder.encode("1"));
    }
  }
  return refused;
}

/** To be called before an AI agent is made: entries below it that are committed meanwhile are a conflict. */
export async function watchTaskPaths(
  transaction: Transaction,
  agents: readonly string[],
): Promise<void> {
  await transaction.load(agents.map((agent) => MARK_PREFIX + agent));
}

/** The answer to an entry below the `/task` of an AI agent. */
export function pathReserved(spiffeId: string, agent: string): IdentityError {
  // What to do stands in the message: the status of an item in a batch has no place for a hint.
  return serverError(
    "ENTRY_PATH_RESERVED",
    `the SPIFFE ID "${spiffeId}" is reserved for tasks of the AI agent "${agent}": choose one that is not below its "/task"`,
    { hint: "tasks get their SVIDs without entries: see 'signet task run --help'" },
  );
}
