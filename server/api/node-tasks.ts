// signet.nodetask.v1.NodeTasks: what node agents ask for the tasks of their workloads. Who may call:
// authorize.ts. Whether the node agent has a say in the task is asked anew here, for each: it holds it,
// or opens it through entries of its own.
import { IdentityError } from "../../pki/errors.ts";
import { ulidIn } from "../../pki/task-id.ts";
import { isThumbprint } from "../../pki/token/thumbprint.ts";
import type { MandateRequest } from "../../policy/mandate-request.ts";
import { mandateRequestFromWire } from "../../policy/mandate-wire.ts";
import type { Init } from "../../proto/codec.ts";
import type { CallContext, Handlers } from "../../proto/rpc/service.ts";
import type { NodeTasksService, signet } from "../../proto/schema.gen.ts";
import { serverError } from "../errors.ts";
import type { AccessTokenOrder, IssuedAccessToken } from "../oauth/issue.ts";
import { isEndState, isOpen, type TaskRecord } from "../store/task-record.ts";
import type { LentUses } from "../tasks/budgets.ts";
import { isEscalationKind } from "../tasks/escalation-kinds.ts";
import type { EscalationReport, Reaction } from "../tasks/escalations.ts";
import { reportingMismatch, reportMismatch } from "../tasks/node-mismatch.ts";
import type { OpenedTask, TaskSvid } from "../tasks/orders.ts";
import type { Tasks } from "../tasks/tasks.ts";
import {
  bindingFromWire,
  stateFromWire,
  svidToWire,
  taskToWire,
  termsFromWire,
} from "../tasks/wire.ts";
import { agentOf } from "./authorize.ts";

export interface NodeTasksOptions {
  readonly tasks: Tasks;
  readonly budgets: {
    lease(
      taskId: string,
      count: number | bigint,
      leaseId: string,
      nodeAgent: string,
    ): Promise<LentUses>;
  };
  readonly issuer: { issueAccessToken(order: AccessTokenOrder): Promise<IssuedAccessToken> };
  /** A node agent is told how these tasks are: it is to hear when they change. */
  readonly described: (nodeAgent: string, taskIds: Iterable<string>) => void;
  /** Tells credentials of tasks from whatever else somebody shows: tasks/shown.ts. */
  readonly shown: { isOf(taskId: string, shown: Uint8Array): Promise<boolean> };
  readonly report: (report: EscalationReport) => Promise<Reaction>;
}

const MAX_BATCH = 500;
const MAX_IDS = 1000;
const MAX_HELD = 100_000;
const MAX_DETAIL = 500;
const OWN_WORD = { mayAny: false } as const;

/** The handlers of the service. */
export function nodeTaskHandlers(options: NodeTasksOptions): Handlers<typeof NodeTasksService> {
  const { tasks } = options;
  /** A call for a task that this node agent must hold. */
  const held = <T>(
    taskId: string,
    context: CallContext,
    call: (nodeAgent: string) => Promise<T>,
  ): Promise<T> => {
    const nodeAgent = nodeAgentOf(context);
    const about = { taskId, nodeAgent, method: context.method };
    return reportingMismatch(about, call(nodeAgent), options.report);
  };
  return {
    async open({ entryIds, task: wire, binding: bound }, context) {
      const nodeAgent = nodeAgentOf(context);
      const request = required(wire, "task");
      const binding = bindingFromWire(bound);
      const { csr, aiAgent: agentId, claimTaskId } = request;
      const { signal } = context;
      const common = { nodeAgent, entryIds, agentId, csr: new Uint8Array(csr), binding, signal };
      if (claimTaskId !== "") {
        return openedToWire(await tasks.claim({ ...common, id: ulidIn(claimTaskId) }));
      }
      return openedToWire(await tasks.open({ ...common, terms: termsFromWire(request, OWN_WORD) }));
    },

    async batchSignX509({ requests }, context) {
      if (requests.length > MAX_BATCH) throw tooMany(requests.length, MAX_BATCH);
      const orders = requests.map(({ taskId: id, csr }) => ({ id, csr: new Uint8Array(csr) }));
      const nodeAgent = nodeAgentOf(context);
      const signed = await tasks.signX509(nodeAgent, orders);
      const { method } = context;
      await Promise.all(
        orders.map(({ id: taskId }, i) =>
          reportMismatch({ taskId, nodeAgent, method }, signed[i], options.report),
        ),
      );
      return { results: signed.map(resultOf) };
    },

    async newJWTSVID({ taskId, audience }, context) {
      const { token, expiresAt } = await held(taskId, context, (nodeAgent) =>
        tasks.newJwtSvid(nodeAgent, taskId, audience),
      );
      return { token, expiresAt: seconds(expiresAt) };
    },

    async newWITSVID({ taskId, publicKey, signingAlgorithm: alg }, context) {
      const key = { spki: new Uint8Array(publicKey), ...(alg !== "" && { alg }) };
      const { token, expiresAt } = await held(taskId, context, (nodeAgent) =>
        tasks.newWitSvid(nodeAgent, taskId, key),
      );
      return { token, expiresAt: seconds(expiresAt) };
    },

    async issueToken(request, context) {
      return held(request.taskId, context, (nodeAgent) => issueToken(request, nodeAgent, options));
    },

    async change(request, context) {
      const task = await held(request.taskId, context, (nodeAgent) =>
        change(request, nodeAgent, tasks),
      );
      return { task: taskToWire(task) };
    },

    held({ taskIds }, context) {
      if (taskIds.length > MAX_IDS) throw tooMany(taskIds.length, MAX_IDS);
      const nodeAgent = nodeAgentOf(context);
      const found = taskIds.flatMap((id) => {
        const task = tasks.get(id);
        const isHeld = task !== undefined && isOpen(task) && task.nodeAgent === nodeAgent;
        return isHeld ? [taskToWire(tasks.withActivity(task))] : [];
      });
      return Promise.resolve({ tasks: found });
    },

    async endOrphans({ mark, heldIds }, context) {
      if (heldIds.length > MAX_HELD) throw tooMany(heldIds.length, MAX_HELD);
      return tasks.endOrphans(nodeAgentOf(context), mark, heldIds);
    },

    async describe({ taskIds }, context) {
      if (taskIds.length > MAX_IDS) throw tooMany(taskIds.length, MAX_IDS);
      const known = taskIds.map((id) => tasks.get(id)).filter((task) => task !== undefined);
      const open = known.filter(isOpen);
      // Before they are read: what changes from here on is told.
      options.described(
        nodeAgentOf(context),
        open.map(({ id }) => id),
      );
      const found = await Promise.all(taskIds.map((id) => tasks.find(id).catch(unlessUnknown)));
      return { tasks: found.filter((task) => task !== undefined).map(taskToWire) };
    },

    async checkShown({ taskId, shown }) {
      return { isCredential: await options.shown.isOf(taskId, new Uint8Array(shown)) };
    },

    async leaseUses({ taskId, count, leaseId }, context) {
      const nodeAgent = nodeAgentOf(context);
      const lent = await options.budgets.lease(taskId, count, leaseId, nodeAgent);
      tasks.touch(taskId);
      return lent;
    },

    async report({ taskId, kind, detail, observer }, context) {
      const nodeAgent = nodeAgentOf(context);
      if (!isEscalationKind(kind)) throw invalid(`there is no kind ${JSON.stringify(kind)}`);
      const seen = observer === "" ? {} : { observer: observer.slice(0, MAX_DETAIL) };
      const reaction = await options.report({
        kind,
        task: taskId,
        detail: { what: detail.slice(0, MAX_DETAIL), ...seen },
        observer: { by: "node", spiffeId: nodeAgent },
      });
      return { reaction };
    },
  };
}

/** Narrows, parks, resumes, binds or ends: `to` says which. */
async function change(
  { taskId, to, mandate, reason, summaryDigest, binding }: signet.nodetask.v1.ChangeRequest,
  nodeAgent: string,
  tasks: Tasks,
): Promise<TaskRecord> {
  const actor = { by: nodeAgent, nodeAgent };
  const state = stateFromWire(to);
  const bound = bindingFromWire(binding);
  const wanted = mandate === undefined ? undefined : requestOf(mandate);
  if (state === undefined) {
    if (bound !== undefined) await tasks.bind(taskId, actor, bound);
    if (wanted !== undefined) return tasks.narrow(taskId, actor, wanted);
    if (bound !== undefined) return tasks.held(taskId, nodeAgent);
    throw invalid("nothing is to be changed");
  }
  if (state === "PARKED") return tasks.park(taskId, actor, reason);
  if (state === "ACTIVE") {
    const resumed = await tasks.resume(taskId, actor, wanted);
    return bound === undefined ? resumed : tasks.bind(taskId, actor, bound);
  }
  // A node agent sees how its processes end; to revoke is for others, to expire for the clock.
  if (isEndState(state) && state !== "REVOKED" && state !== "EXPIRED") {
    const [ended] = await tasks.end(taskId, actor, { state, reason, summaryDigest });
    if (ended === undefined) throw new TypeError("an end without a task");
    return ended;
  }
  throw invalid(`a node agent does not make a task ${state}`);
}

async function issueToken(
  request: signet.nodetask.v1.IssueTokenRequest,
  nodeAgent: string,
  { tasks, issuer }: NodeTasksOptions,
): Promise<Init<signet.task.v1.IssueTokenResponse>> {
  const { taskId, resource, mandate, confirmationJkt: jkt, unbound } = request;
  if (jkt !== "" && !isThumbprint(jkt)) throw invalid("confirmation_jkt is no thumbprint");
  const task = tasks.held(taskId, nodeAgent);
  const issued = await issuer.issueAccessToken({
    task,
    resource,
    unbound,
    ...(mandate !== undefined && { mandate: requestOf(mandate) }),
    ...(jkt !== "" && { cnf: { jkt } }),
  });
  // Ended while it was made: it does not leave.
  tasks.held(taskId, nodeAgent);
  tasks.touch(taskId);
  const { token: accessToken, tokenType, expiresAt } = issued;
  return { accessToken, tokenType, expiresAt: seconds(expiresAt) };
}

function requestOf(wire: signet.mandate.v1.Mandate): MandateRequest {
  return mandateRequestFromWire(wire, OWN_WORD);
}

function openedToWire({ task, svid }: OpenedTask): Init<signet.task.v1.OpenTaskResponse> {
  return { task: taskToWire(task), svid: svidToWire(svid) };
}

function resultOf(signed: TaskSvid | IdentityError): Init<signet.nodetask.v1.SignX509Result> {
  if (signed instanceof IdentityError) {
    const { code, reason, message } = signed;
    return { code, reason, message };
  }
  return { code: 0, certChain: signed.chain, expiresAt: seconds(signed.notAfter) };
}

function unlessUnknown(error: unknown): undefined {
  if (error instanceof IdentityError && error.reason === "TASK_NOT_FOUND") return undefined;
  throw error;
}

function nodeAgentOf(context: CallContext): string {
  return agentOf(context).toString();
}

function seconds(moment: Date): number {
  return Math.floor(moment.getTime() / 1000);
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw invalid(`${name} is missing`);
  return value;
}

function invalid(why: string): Error {
  return serverError("TASK_REQUEST_INVALID", `the request makes no sense: ${why}`);
}

function tooMany(count: number, most: number): Error {
  return serverError("BATCH_TOO_LARGE", `${count} items in one call, over ${most}`, {
    hint: `ask for at most ${most} at a time`,
  });
}
