// A node agent that calls for a task which another one holds: refused wherever it is noticed, and an attempt
// that is written down here.
import { IdentityError } from "../../pki/errors.ts";
import type { EscalationReport } from "./escalation-event.ts";

export interface NodeCall {
  readonly taskId: string;
  /** SPIFFE ID of who calls. */
  readonly nodeAgent: string;
  /** For people. */
  readonly method: string;
}

type Report = (report: EscalationReport) => Promise<unknown>;

/** The outcome of a call for a task, as it is. @throws what the call throws */
export async function reportingMismatch<T>(
  call: NodeCall,
  outcome: Promise<T>,
  report: Report,
): Promise<T> {
  try {
    return await outcome;
  } catch (error) {
    await reportMismatch(call, error, report);
    throw error;
  }
}

/** Writes a refusal down, if it was for that. */
export async function reportMismatch(
  { taskId, nodeAgent, method }: NodeCall,
  refusal: unknown,
  report: Report,
): Promise<void> {
  if (!(refusal instanceof IdentityError) || refusal.reason !== "TASK_HELD_ELSEWHERE") return;
  // Whose processes are behind it, nobody knows: it is no attempt of the task's own AI agent.
  const detail = { method, node_agent: nodeAgent };
  await report({ kind: "node-mismatch", task: taskId, detail });
}
