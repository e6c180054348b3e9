// Orchestrators: workloads that may make tasks for some AI agents, of some classes, and see and end those
// alone. Scoped administrators, named in the configuration. An AI agent or a task is none, whatever the
// configuration says: who is steered by a model must not hand out work.
import type { IdentityError } from "../../pki/errors.ts";
import { serverError } from "../errors.ts";
import type { TaskRecord } from "../store/task-record.ts";

/** One of `tasks.orchestrators`. */
export interface OrchestratorConfig {
  readonly spiffeId: string;
  /** SPIFFE IDs, or path prefixes that end in "/*". */
  readonly aiAgents: readonly string[];
  readonly taskClasses: readonly string[];
}

/** What one orchestrator may do. */
export class OrchestratorScope {
  readonly spiffeId: string;
  readonly #ids = new Set<string>();
  readonly #prefixes: string[] = [];
  readonly #classes: ReadonlySet<string>;

  constructor({ spiffeId, aiAgents, taskClasses }: OrchestratorConfig) {
    this.spiffeId = spiffeId;
    this.#classes = new Set(taskClasses);
    for (const one of aiAgents) {
      if (one.endsWith("/*")) this.#prefixes.push(one.slice(0, -1));
      else this.#ids.add(one);
    }
  }

  /** Whether a task of this AI agent and class is within it. */
  admits({ agentId, taskClass }: Pick<TaskRecord, "agentId" | "taskClass">): boolean {
    if (!this.#classes.has(taskClass)) return false;
    return this.#ids.has(agentId) || this.#prefixes.some((prefix) => agentId.startsWith(prefix));
  }

  /** @throws TASK_OUT_OF_SCOPE */
  require(task: Pick<TaskRecord, "agentId" | "taskClass">): void {
    if (!this.admits(task)) throw this.refusal(task);
  }

  refusal({ agentId, taskClass }: Pick<TaskRecord, "agentId" | "taskClass">): IdentityError {
    const what = `tasks of the class "${taskClass.slice(0, 64)}" for "${agentId.slice(0, 300)}"`;
    return serverError("TASK_OUT_OF_SCOPE", `"${this.spiffeId}" has no say over ${what}`, {
      hint: "add both to its entry of tasks.orchestrators in the server's configuration",
    });
  }
}

/** The orchestrators of the configuration, by SPIFFE ID. */
export function orchestratorScopes(
  rows: readonly OrchestratorConfig[],
): ReadonlyMap<string, OrchestratorScope> {
  return new Map(rows.map((row) => [row.spiffeId, new OrchestratorScope(row)]));
}
