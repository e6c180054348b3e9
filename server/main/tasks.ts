// A step of the start: tasks of AI agents, their budgets, attempts to get more than was granted, and what
// issues access tokens. What comes before the answer of each call is server/tasks.
import type { SpiffeId } from "../../pki/spiffe-id.ts";
import { parseTaskId } from "../../pki/task-id.ts";
import type { Handlers, Service } from "../../proto/rpc/service.ts";
import { NodeTasksService, TaskControlService } from "../../proto/schema.gen.ts";
import { nodeTaskHandlers } from "../api/node-tasks.ts";
import { taskControlHandlers } from "../api/task-control.ts";
import { type FindCrl, taskCrlUrlOf } from "../documents/crl-endpoint.ts";
import { Budgets } from "../tasks/budgets.ts";
import { countChanges } from "../tasks/count-changes.ts";
import { TaskCrls } from "../tasks/crls.ts";
import type { EscalationReport } from "../tasks/escalation-event.ts";
import { Escalations, type Reaction } from "../tasks/escalations.ts";
import { endTasksOfLostNodes } from "../tasks/lost-nodes.ts";
import { orchestratorScopes } from "../tasks/orchestrators.ts";
import { OwedEvents } from "../tasks/owed-events.ts";
import { endUncertainTasks } from "../tasks/restored.ts";
import { RevokedTasks } from "../tasks/revoked.ts";
import { ShownCredentials } from "../tasks/shown.ts";
import { Tasks } from "../tasks/tasks.ts";
import type { Audit } from "./audit.ts";
import type { Base } from "./base.ts";
import type { Ca } from "./ca.ts";
import { createOAuth, type OAuth } from "./oauth.ts";
import type { Recording } from "./revocation.ts";
import type { Stores } from "./stores.ts";

/** Tasks, and what goes with them. */
export interface TaskParts {
  readonly tasks: Tasks;
  readonly budgets: Budgets;
  readonly oauth: OAuth;
  /** Tasks of identities that were revoked. */
  readonly revoked: RevokedTasks;
  /** A node agent is told how tasks are, and is to hear when they change. */
  readonly described: (nodeAgent: string, taskIds: Iterable<string>) => void;
  /** What guards were shown. */
  readonly shown: ShownCredentials;
  /** The revocation list of an authority's SVIDs of tasks. */
  readonly crl: FindCrl;
  /** Does not reject. */
  readonly report: (report: EscalationReport) => Promise<Reaction>;
  /** An AI agent, or a task, has called what it must not. Does not reject. */
  readonly reportCaller: (id: SpiffeId, method: string) => Promise<unknown>;
}

/** Methods that change registrations. */
const EDITS = /Entry\/Batch|Registry\/(?:Create|Update|Disable|Enable|Delete|Set|Apply)/;

/** Starts them. */
export async function startTasks(
  base: Base,
  stores: Stores,
  ca: Ca,
  recording: Recording,
  audit: Audit,
): Promise<TaskParts> {
  const { config, clock, log, lifecycle, metrics } = base;
  const { store: logStore, tasks: store, aiAgents, taskClasses, authorized, nodes } = stores;
  // They need each other: attempts are reported to what suspends and ends tasks.
  let escalations: Escalations | undefined;
  const report = (one: EscalationReport): Promise<Reaction> => {
    if (escalations === undefined) throw new TypeError("an attempt before the start has ended");
    return escalations.report(one);
  };
  const oauth = createOAuth(base, stores, ca, recording, audit, report);
  const owed = new OwedEvents({ audit: audit.log, clock, log });
  lifecycle.own("owed events", () => owed.close());
  await owed.load(store, stores.epoch);
  const tasks = new Tasks({
    config: config.tasks,
    trustDomain: config.trustDomain,
    store,
    aiAgents,
    classes: taskClasses,
    entryFor: (nodeAgent, entryId) => authorized.find(nodeAgent, entryId),
    isServed: (nodeAgent, agentId) => authorized.serves(nodeAgent, agentId),
    issuer: ca.issuer,
    ledger: recording.ledger,
    held: recording.held,
    audit: owed,
    isOwed: (spiffeId) => owed.isOwed(spiffeId),
    epoch: stores.epoch.epoch,
    report,
    addresses: oauth.addresses,
    clock,
    log,
  });
  lifecycle.own("tasks", () => tasks.stop());
  lifecycle.run("tasks", (signal) => tasks.run(signal));
  escalations = new Escalations({
    config: config.tasks.escalations,
    audit: audit.log,
    tasks,
    reactionsOf: (name) => taskClasses.get(name)?.reactions,
    isServed: (nodeAgent, spiffeId) => authorized.serves(nodeAgent, spiffeId),
    clock,
    log,
    metrics,
  });
  const reacting = escalations;
  reacting.load(store.values());
  lifecycle.own("escalations", () => reacting.close());
  lifecycle.own("places of AI agents", tasks.onChange(reacting.changed));
  lifecycle.own(
    "refusals on nodes",
    audit.passedOn.onHeard((event) => reacting.heard(event)),
  );
  const budgets = new Budgets({ store, log: logStore, clock, logger: log });
  lifecycle.own("task budgets", () => budgets.close());
  lifecycle.own("leases of tasks", tasks.onChange(budgets.changed));
  await budgets.sweep();
  lifecycle.own("tasks of lost node agents", endTasksOfLostNodes({ tasks, nodes, clock, log }));
  const revoked = new RevokedTasks({ tasks, revocations: stores.revocations, clock, log });
  lifecycle.own("tasks of revoked identities", () => revoked.stop());
  lifecycle.own("figures of tasks", tasks.onChange(countChanges(metrics)));
  metrics.gauge({ name: "tasks_open", help: "Open tasks", read: () => store.size });
  metrics.gauge({
    name: "tasks_ended",
    help: "Tasks that have ended and whose credentials may not have expired",
    read: () => store.ended,
  });
  const now = (): Date => clock.now();
  await endUncertainTasks({ epoch: stores.epoch, tasks, store, audit: audit.log, now, log });
  const crl = startCrls(base, tasks, ca);
  const described: TaskParts["described"] = (agent, ids) => stores.hub.described(agent, ids);
  const shown = new ShownCredentials({
    trustDomain: config.trustDomain,
    anchorsOf: ca.identity.anchorsOf,
    bundle: () => stores.bundles.get(config.trustDomain.name),
    keys: () => oauth.keys.published(),
    addresses: oauth.addresses,
    clock,
  });
  const reportCaller = (id: SpiffeId, method: string): Promise<Reaction> => {
    const task = parseTaskId(id);
    const about =
      task === undefined ? { agent: id.toString() } : { agent: task.agent, task: id.toString() };
    const kind = EDITS.test(method) ? "own-entry-edit" : "ai-agent-on-admin-api";
    return report({ ...about, kind, detail: { method } });
  };
  return { tasks, budgets, oauth, revoked, described, shown, crl, report, reportCaller };
}

/** The lists are there with the listener that serves them. */
function startCrls({ config, clock, log, lifecycle }: Base, tasks: Tasks, ca: Ca): FindCrl {
  const url = config.documents.crl?.url;
  if (url === undefined) return async () => undefined;
  const urlOf = (authorityId: string): string => taskCrlUrlOf(url, authorityId);
  const crls = new TaskCrls({
    tasks,
    signers: () => ca.authorities.x509ListSigners(),
    urlOf,
    clock,
    log,
  });
  lifecycle.own("revocation lists of tasks", () => crls.stop());
  return (authorityId) => crls.current(authorityId);
}

/** The services by which node agents, administrators and orchestrators deal with tasks. */
export function addTasks(
  { config }: Base,
  { tasks, budgets, oauth, described, shown, report }: TaskParts,
  isAdmin: Parameters<typeof taskControlHandlers>[0]["isAdmin"],
  add: <S extends Service>(service: S, handlers: Handlers<S>) => void,
): void {
  const { issuer } = oauth;
  const asked = { tasks, budgets, issuer, described, shown, report };
  add(NodeTasksService, nodeTaskHandlers(asked));
  const orchestrators = orchestratorScopes(config.tasks.orchestrators);
  const { trustDomain } = config;
  add(TaskControlService, taskControlHandlers({ trustDomain, tasks, orchestrators, isAdmin }));
}
