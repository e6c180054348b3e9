// signet.task.v1.TaskControl: administrators, and orchestrators within their scope, make, see and end
// tasks. Who may call: authorize.ts; the scope of an orchestrator: tasks/orchestrators.ts.
import { SpiffeId, type TrustDomain } from "../../pki/spiffe-id.ts";
import { ulidIn } from "../../pki/task-id.ts";
import type { CallContext, Handlers } from "../../proto/rpc/service.ts";
import type { TaskControlService } from "../../proto/schema.gen.ts";
import { serverError } from "../errors.ts";
import type { TaskRecord } from "../store/task-record.ts";
import type { OrchestratorScope } from "../tasks/orchestrators.ts";
import type { TaskFilter } from "../tasks/orders.ts";
import type { Tasks } from "../tasks/tasks.ts";
import { endFromWire, stateFromWire, taskToWire, termsFromWire } from "../tasks/wire.ts";
import { type Caller, callerName } from "./authorize.ts";

export interface TaskControlOptions {
  readonly trustDomain: TrustDomain;
  readonly tasks: Tasks;
  /** By SPIFFE ID. */
  readonly orchestrators: ReadonlyMap<string, OrchestratorScope>;
  /** Whether this caller may do everything: the role that authorize.ts gave it. */
  readonly isAdmin: (id: SpiffeId) => boolean;
}

const MAX_TEXT = 2048;

/** The handlers of the service. */
export function taskControlHandlers(
  options: TaskControlOptions,
): Handlers<typeof TaskControlService> {
  const { tasks, trustDomain } = options;
  const scopeOf = scopes(options);

  /** A task, if the caller may know of it: what is out of its scope does not exist for it. */
  const seen = async (id: string, context: CallContext): Promise<TaskRecord> => {
    const task = await tasks.find(id.slice(0, MAX_TEXT));
    const scope = scopeOf(context);
    if (scope === undefined || scope.admits(task)) return task;
    throw serverError("TASK_NOT_FOUND", `there is no task ${JSON.stringify(id.slice(0, 100))}`);
  };

  return {
    async createTask({ aiAgent, task: wire }, context) {
      if (wire === undefined) throw invalid("there is no task in it");
      if (wire.csr.length > 0 || wire.claimTaskId !== "") {
        throw invalid("the key comes with the claim: csr and claim_task_id are for AI agents");
      }
      const scope = scopeOf(context);
      const agentId = agentFrom(aiAgent, trustDomain);
      const terms = termsFromWire(wire, { mayAny: scope === undefined });
      scope?.require({ agentId, taskClass: terms.taskClass });
      const by = callerName(context);
      const isOperator = scope === undefined;
      return { task: taskToWire(await tasks.create({ agentId, terms, by, isOperator })) };
    },

    async getTask({ id }, context) {
      return { task: taskToWire(await seen(id, context)) };
    },

    async listTasks(request, context) {
      const scope = scopeOf(context);
      const { aiAgent: agentId, taskClass, nodeAgent, root, labels, states } = request;
      const { owner, host } = request;
      const filter: TaskFilter = {
        labels,
        ...(agentId !== "" && { agentId }),
        ...(taskClass !== "" && { taskClass }),
        ...(nodeAgent !== "" && { nodeAgent }),
        ...(root !== "" && { root: ulidIn(root) }),
        ...(owner !== "" && { owner }),
        ...(host !== "" && { host }),
        ...(states.length > 0 && {
          states: states
            .map((state) => stateFromWire(state))
            .filter((state) => state !== undefined),
        }),
        ...(scope !== undefined && { admits: (task) => scope.admits(task) }),
      };
      const page = { size: request.pageSize, token: request.pageToken };
      const { tasks: found, next } = await tasks.list(filter, page);
      return { tasks: found.map(taskToWire), nextPageToken: next };
    },

    async suspendTask({ id, reason }, context) {
      const task = await seen(id, context);
      return { task: taskToWire(await tasks.suspend(task.id, actorOf(context), reason)) };
    },

    async unsuspendTask({ id, reason }, context) {
      const task = await seen(id, context);
      return { task: taskToWire(await tasks.unsuspend(task.id, actorOf(context), reason)) };
    },

    async revokeTask({ id, reason }, context) {
      const task = await seen(id, context);
      const ending = { state: "REVOKED", reason } as const;
      return { ended: (await tasks.end(task.id, actorOf(context), ending)).map(taskToWire) };
    },

    async completeTask({ id, outcome, reason }, context) {
      const task = await seen(id, context);
      const state = endFromWire(outcome, ["COMPLETED", "FAILED"]);
      const [ended] = await tasks.end(task.id, actorOf(context), { state, reason });
      return ended === undefined ? {} : { task: taskToWire(ended) };
    },
  };
}

/** The scope of a caller; undefined for an administrator, who has none. */
function scopes({
  orchestrators,
  isAdmin,
}: TaskControlOptions): (context: CallContext) => OrchestratorScope | undefined {
  return ({ peer }) => {
    const caller = peer as Caller;
    if (caller.kind === "local") return undefined;
    if (caller.id === undefined) throw new TypeError("opened to a caller without an identity");
    if (isAdmin(caller.id)) return undefined;
    const scope = orchestrators.get(caller.id.toString());
    if (scope === undefined) throw new TypeError("opened to a caller that is no orchestrator");
    return scope;
  };
}

function actorOf(context: CallContext): { readonly by: string } {
  return { by: callerName(context) };
}

function agentFrom(text: string, trustDomain: TrustDomain): string {
  const id = SpiffeId.parse(text);
  if (id.isMemberOf(trustDomain)) return id.toString();
  throw serverError("AI_AGENT_NOT_FOUND", `"${id}" is not in the trust domain "${trustDomain}"`);
}

function invalid(why: string): Error {
  return serverError("TASK_REQUEST_INVALID", `the request makes no sense: ${why}`);
}
