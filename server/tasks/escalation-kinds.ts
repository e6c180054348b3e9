// Attempts to get more than was granted: the closed table of what counts as one, how grave it is, and what
// happens when nobody says otherwise. When each is: docs/mandates.md. A report: escalations.ts.

import type { Reaction } from "../store/task-classes.ts";

export type { Reaction } from "../store/task-classes.ts";

/** What is done upon an attempt: written down alone, or its task is suspended or ended. */
export const REACTIONS: readonly Reaction[] = ["log", "suspend", "revoke"];

/**
 * The table. Suspended is what can only be a credential in wrong hands. `key-mismatch` is for callers that
 * are attested as the task's own AI agent: from anyone else it would let strangers suspend tasks whose ID
 * they know, so theirs is `not-owner`.
 */
export const ESCALATION_KINDS = {
  /** A mandate beyond the AI agent's ceiling, the class or the task, when opening or asking for a token. */
  "mandate-exceeded": { severity: "medium", reaction: "log" },
  "class-not-allowed": { severity: "medium", reaction: "log" },
  /** A task in the name of another AI agent, which the caller may not host. */
  "hosting-not-allowed": { severity: "high", reaction: "log" },
  "audience-not-in-mandate": { severity: "medium", reaction: "log" },
  "budget-exceeded": { severity: "low", reaction: "log" },
  /** A proof or a document that is not of the key the task is bound to. */
  "key-mismatch": { severity: "high", reaction: "suspend" },
  "process-mismatch": { severity: "high", reaction: "log" },
  "node-mismatch": { severity: "high", reaction: "log" },
  "used-after-end": { severity: "high", reaction: "suspend" },
  /** A document made for another service. */
  "wrong-audience": { severity: "medium", reaction: "log" },
  /** A document of one kind in the place of another. */
  "token-kind-confused": { severity: "medium", reaction: "log" },
  /** Somebody else's task. */
  "not-owner": { severity: "high", reaction: "log" },
  "ai-agent-on-admin-api": { severity: "high", reaction: "log" },
  /** An AI agent that would change registrations, its own among them. */
  "own-entry-edit": { severity: "high", reaction: "log" },
  /** Many refusals in a short while. */
  probing: { severity: "medium", reaction: "log" },
  /** Open tasks of one AI agent on more node agents than it should be on. */
  "too-many-places": { severity: "medium", reaction: "log" },
} as const;

export type EscalationKind = keyof typeof ESCALATION_KINDS;

/** Whether a text from outside is one of the kinds. */
export function isEscalationKind(text: string): text is EscalationKind {
  return Object.hasOwn(ESCALATION_KINDS, text);
}

/** Whether a text from outside is a reaction. */
export function isReaction(text: string): text is Reaction {
  return REACTIONS.some((reaction) => reaction === text);
}
