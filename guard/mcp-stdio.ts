// The guard of an MCP server on stdio: it runs as a child of its agent under `signet task run`, and so under the
// agent's own task, whose identity it finds in its environment. What the agent asks of it is asked under that
// task: its mandate applies, its end ends the server.
//
// The agent started the server and could start another one without a guard: this bounds what a task does with
// an honest server, and protects nothing from the agent itself. Events are marked as the agent's word.

import type { Readable } from "node:stream";
import type { Guard } from "./guard.ts";
import { GuardedTransport, type McpTransport } from "./mcp-transport.ts";
import { type PresentedTask, presentedByPeer } from "./presented.ts";

/**
 * The transport to connect the server to, in place of `inner`:
 * `server.connect(guardStdio(guard, new StdioServerTransport()))`. It closes when the task ends,
 * and when what `inner` reads from (`input`) has ended and all that came is answered: nothing of the guard then keeps
 * the process.
 * @throws GUARD_TASK_REQUIRED when this process does not run under a task
 */
export function guardStdio(
  guard: Guard,
  inner: McpTransport,
  input: Readable = process.stdin,
): McpTransport {
  // The newest SVID each time: it is renewed while the task runs.
  const task = (): PresentedTask => presentedByPeer(guard.source.svid());
  const { taskId } = task();
  const guarded = new GuardedTransport({ guard, inner, caller: task });
  const end = (): void => void guarded.close().catch(() => undefined); // it is gone either way
  const forget = guard.connections.add(taskId, { close: end });
  // Withdrawn when the task ends, also when that is learned nowhere else.
  const stop = guard.source.onChange(() => {
    try {
      task();
    } catch {
      end();
    }
  });
  const answerTheRest = (): void => guarded.closeWhenAnswered();
  input.once("end", answerTheRest);
  guarded.onEnded = () => {
    input.off("end", answerTheRest);
    stop();
    forget();
    guard.close();
  };
  if (guard.statuses.verdict(taskId) !== "good") queueMicrotask(end);
  return guarded;
}
