// A step of the start: AI agents and task classes, and who brings AI agents to their end.
import type { Handlers, Service } from "../../proto/rpc/service.ts";
import { RegistryService } from "../../proto/schema.gen.ts";
import { registryHandlers } from "../api/registry.ts";
import { AiAgents } from "../registry/ai-agents.ts";
import { Apply } from "../registry/apply.ts";
import { AiAgentEnds, type AiAgentTasks } from "../registry/ends.ts";
import { TaskClasses } from "../registry/task-classes.ts";
import type { Audit } from "./audit.ts";
import type { Base } from "./base.ts";
import type { Revocation } from "./revocation.ts";
import type { Stores } from "./stores.ts";

/** Serves the registry; ends what AI agents have when they end. */
export function addRegistry(
  { config, clock, log, lifecycle, metrics }: Base,
  stores: Stores,
  { revoker }: Revocation,
  tasks: AiAgentTasks,
  { log: audit }: Audit,
  add: <S extends Service>(service: S, handlers: Handlers<S>) => void,
): void {
  const { trustDomain } = config;
  const { store, aiAgents, taskClasses, entries, entryOwners, index, bundles, hub } = stores;
  const ends = new AiAgentEnds({ agents: aiAgents, revoker, tasks, audit, clock, log });
  lifecycle.run("ends of AI agents", (signal) => ends.run(signal));
  lifecycle.own(
    "AI agents that go on",
    aiAgents.onChange((changes, revision) => {
      // Node agents ask no more for what they were refused, until they are told to.
      const isBack = changes.some(({ before, after }) => before?.end && !after?.end);
      if (isBack) hub.reask(revision);
    }),
  );
  const isFederated = (name: string): boolean =>
    name !== trustDomain.name && bundles.get(name) !== undefined;
  const rules = { trustDomain, isFederated };
  const agents = { store, agents: aiAgents, classes: taskClasses, entries, index, ends, clock };
  const registry = new AiAgents(agents);
  const classes = new TaskClasses({ classes: taskClasses, agents: aiAgents });
  const owners = entryOwners;
  const apply = new Apply({ ...agents, trustDomain, owners, registry, ends, rules });
  const held = { aiAgents, taskClasses, entryOwners, index, rules, registry, classes, tasks };
  add(RegistryService, registryHandlers({ trustDomain, apply, ...held }));
  metrics.gauge({ name: "ai_agents", help: "AI agents", read: () => aiAgents.size });
}
