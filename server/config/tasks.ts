// The settings of tasks (`tasks`): how many and how fast, how long ended ones are kept, who may make tasks
// for AI agents besides administrators, and what happens upon attempts to get more than was granted.
import { SpiffeId, type TrustDomain } from "../../pki/spiffe-id.ts";
import { parseTaskId } from "../../pki/task-id.ts";
import { section, z } from "../../runtime/config.ts";
import { TASK_CLASS_NAME } from "../registry/fields.ts";
import type { TaskClassRecord } from "../store/task-classes.ts";
import { ESCALATION_KINDS, type EscalationKind, REACTIONS } from "../tasks/escalation-kinds.ts";
import type { EscalationsConfig } from "../tasks/escalations.ts";
import type { OrchestratorConfig } from "../tasks/orchestrators.ts";
import type { TasksConfig as Limits } from "../tasks/tasks.ts";
import type { Report } from "./documents.ts";
import { lifetime, parsedBy } from "./values.ts";

/** The settings of tasks, checked. */
export interface TasksConfig extends Limits {
  readonly orchestrators: readonly OrchestratorConfig[];
  readonly escalations: EscalationsConfig;
}

type Reaction = TaskClassRecord["reactions"][string];

/** The section `tasks`, as it stands in the file. */
export interface TasksFile {
  readonly max_open_per_ai_agent: number;
  readonly open_rate: number;
  readonly keep_ended: number;
  readonly orchestrators: readonly {
    readonly spiffe_id: SpiffeId;
    readonly ai_agents: readonly string[];
    readonly task_classes: readonly string[];
  }[];
  readonly escalations: {
    readonly reactions: Readonly<Partial<Record<EscalationKind, Reaction>>>;
    readonly probing: { readonly denials: number; readonly window: number };
    readonly max_nodes: number;
    readonly trusted_guards: readonly string[];
  };
}

const KINDS = Object.keys(ESCALATION_KINDS) as [EscalationKind, ...EscalationKind[]];

export const tasksSection: z.ZodType<TasksFile> = section({
  max_open_per_ai_agent: z.int().min(1).max(1_000_000).default(1000),
  open_rate: z.number().min(0.01).max(100_000).default(50),
  keep_ended: lifetime.prefault("720h"),
  orchestrators: z
    .array(
      section({
        spiffe_id: parsedBy((value) => SpiffeId.parse(value)),
        ai_agents: z.array(z.string().min(1).max(2048)).min(1).max(1000),
        task_classes: z.array(z.string().regex(TASK_CLASS_NAME)).min(1).max(100),
      }),
    )
    .max(100)
    .default([]),
  escalations: section({
    reactions: z
      .partialRecord(z.enum(KINDS), z.enum(REACTIONS as [Reaction, ...Reaction[]]))
      .default({}),
    probing: section({
      denials: z.int().min(2).max(10_000).default(20),
      window: lifetime.prefault("1m"),
    }).prefault({}),
    max_nodes: z.int().min(1).max(100_000).default(10),
    trusted_guards: z
      .array(parsedBy((value) => SpiffeId.parse(value).toString()))
      .max(1000)
      .default([]),
  }).prefault({}),
}).prefault({}) as z.ZodType<TasksFile>;

/** The checked settings; problems are told to `report`. */
export function tasksConfig(from: TasksFile, own: TrustDomain, report: Report): TasksConfig {
  const { escalations } = from;
  from.orchestrators.forEach(({ spiffe_id: id, ai_agents }, i) => {
    const path = ["tasks", "orchestrators", String(i)];
    if (!id.isMemberOf(own) || id.path === "" || id.path.startsWith("/spire/")) {
      report([...path, "spiffe_id"], `expected a workload of the trust domain ${own}`);
    }
    if (parseTaskId(id) !== undefined) {
      report([...path, "spiffe_id"], "expected a workload that lasts: a task is no orchestrator");
    }
    ai_agents.forEach((one, k) => {
      const problem = scopeProblem(one, own);
      if (problem !== undefined) report([...path, "ai_agents", String(k)], problem);
    });
  });
  return {
    maxOpenPerAiAgent: from.max_open_per_ai_agent,
    openPerSecond: from.open_rate,
    keepEndedSeconds: from.keep_ended,
    orchestrators: from.orchestrators.map((row) => ({
      spiffeId: row.spiffe_id.toString(),
      aiAgents: row.ai_agents,
      taskClasses: row.task_classes,
    })),
    escalations: {
      reactions: escalations.reactions,
      probing: {
        denials: escalations.probing.denials,
        windowSeconds: escalations.probing.window,
      },
      maxNodes: escalations.max_nodes,
      trustedGuards: new Set(escalations.trusted_guards),
    },
  };
}

/** A SPIFFE ID with a path, or one with "/*" in the place of what follows. */
function scopeProblem(text: string, own: TrustDomain): string | undefined {
  const expected = `expected a SPIFFE ID of ${own}, or a prefix of one that ends in "/*"`;
  try {
    const id = SpiffeId.parse(text.endsWith("/*") ? text.slice(0, -2) : text);
    return id.isMemberOf(own) && id.path !== "" ? undefined : expected;
  } catch {
    return expected;
  }
}
