// What tasks are issued: X509-SVIDs of the ordinary profile, JWT-SVIDs and WIT-SVIDs, for the node agent that holds
// the task alone, never past its end. Each is a sign of life. A task is looked at before something is
// signed and once more before it leaves: whoever ends a task in between finds the document, or the
// document does not leave. Access tokens: server/oauth.
import { IdentityError } from "../../pki/errors.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { taskSpiffeId } from "../../pki/task-id.ts";
import { issuedSerial } from "../../pki/x509/serial.ts";
import { allowsLocation } from "../../policy/mandate.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { IssuedX509Svid, X509SvidOrder } from "../ca/issuer.ts";
import { serverError } from "../errors.ts";
import type { HeldBack, RecordedIssuing } from "../ledger/record-issued.ts";
import type { AiAgentRecord } from "../store/ai-agents.ts";
import type { TaskClassRecord } from "../store/task-classes.ts";
import type { KnownTask, TaskRecord } from "../store/task-record.ts";
import type { EscalationReport } from "./escalation-event.ts";
import type { SignOrder, TaskSvid, TaskToken, WitKey } from "./orders.ts";
import { requireGood, requireHost } from "./require-good.ts";
import type { TaskSerials } from "./serials.ts";
import { ended, type OpenTask, requireStep } from "./states.ts";

export interface CredentialsOptions {
  readonly tasks: { get(id: string): KnownTask | undefined };
  readonly classes: { get(name: string): TaskClassRecord | undefined };
  readonly aiAgents: { get(spiffeId: string): AiAgentRecord | undefined };
  /** Whether this node agent may serve an entry of the AI agent now. */
  readonly isServed: (nodeAgent: string, agentId: string) => boolean;
  readonly issuer: Pick<RecordedIssuing, "issueX509" | "issueX509Batch" | "issueJwt" | "issueWit">;
  readonly held: HeldBack;
  readonly serials: TaskSerials;
  /** A sign of life. */
  readonly touch: (id: string) => void;
  readonly report: (report: EscalationReport) => Promise<unknown>;
  /** Where a status list is served; undefined without a token issuer. */
  readonly statusUriOf: ((list: string) => string) | undefined;
  /** The token issuer, which every task may show itself to; undefined when there is none. */
  readonly tokenIssuer: string | undefined;
  /** The claim that tells of a task: `<issuer>/task`. */
  readonly claim: string;
  readonly clock: Clock;
}

/** A certificate request whose signature was verified, and its key. */
export interface VerifiedRequest {
  readonly csr: Uint8Array;
  readonly spki: Uint8Array;
}

export class Credentials {
  readonly #options: CredentialsOptions;

  constructor(options: CredentialsOptions) {
    this.#options = options;
  }

  /** The X509-SVID of a task that is about to be written. */
  async first(task: TaskRecord, nodeAgent: string, request: VerifiedRequest): Promise<TaskSvid> {
    this.#requireGood(task, nodeAgent);
    const order = { ...this.#orderOf(task, request.csr), spki: request.spki };
    const issued = await this.#options.issuer.issueX509(order, nodeAgent);
    return this.#noted(task.id, issued);
  }

  /** An X509-SVID of a task that is there. */
  async next(task: OpenTask, nodeAgent: string, request: VerifiedRequest): Promise<TaskSvid> {
    const svid = await this.first(task, nodeAgent, request);
    this.held(task.id, nodeAgent);
    return svid;
  }

  /** X509-SVIDs for a node agent; answers in the order of `orders`. @throws ISSUER_OVERLOADED and the like */
  async batch(
    nodeAgent: string,
    orders: readonly SignOrder[],
  ): Promise<readonly (TaskSvid | IdentityError)[]> {
    const admitted = orders.map(({ id, csr }) =>
      orError(() => {
        const task = this.held(id, nodeAgent);
        this.#requireGood(task, nodeAgent);
        return this.#orderOf(task, csr);
      }),
    );
    const wanted = admitted.filter((one): one is X509SvidOrder => !(one instanceof IdentityError));
    const { issuer } = this.#options;
    const issued = wanted.length === 0 ? [] : await issuer.issueX509Batch(wanted, nodeAgent);
    const answers = issued.values();
    return admitted.map((order, i) => {
      if (order instanceof IdentityError) return order;
      const answer = answers.next().value;
      if (answer === undefined) throw new TypeError("fewer SVIDs than orders");
      if (answer instanceof IdentityError) return answer;
      const id = orders[i]?.id ?? "";
      return orError(() => {
        const svid = this.#noted(id, answer);
        this.held(id, nodeAgent);
        return svid;
      });
    });
  }

  /**
   * A JWT-SVID for one audience, which the mandate has to name.
   * @throws TASK_AUDIENCE_REFUSED and as {@link held}
   */
  async jwt(nodeAgent: string, id: string, audience: readonly string[]): Promise<TaskToken> {
    const { classes, issuer, report, tokenIssuer } = this.#options;
    const task = this.held(id, nodeAgent);
    this.#requireGood(task, nodeAgent);
    const [only] = audience;
    if (only === undefined || audience.length > 1) {
      throw serverError("TASK_REQUEST_INVALID", "a JWT-SVID of a task names one audience", {
        hint: "ask for one token for each service",
      });
    }
    if (only !== tokenIssuer && !allowsLocation(task.mandate, only)) {
      const detail = { audience: only.slice(0, 300) };
      await report({ kind: "audience-not-in-mandate", task: id, agent: task.agentId, detail });
      throw serverError(
        "TASK_AUDIENCE_REFUSED",
        `the mandate of task ${id} does not have the location ${JSON.stringify(only.slice(0, 200))}`,
        { hint: "ask for a token for one of the task's locations" },
      );
    }
    const order = {
      ...this.#tokenOf(task),
      audience,
      ttlSeconds: this.#ttlOf(task, classes.get(task.taskClass)?.jwtSvidTtlSeconds ?? 1),
      includeJti: true,
    };
    return this.#leave(id, nodeAgent, await issuer.issueJwt(order, nodeAgent));
  }

  /**
   * A WIT-SVID for a key. It is for no service in particular: what its holder may do there, whoever takes it
   * has to ask. As with registration entries, it lives as long as an X509-SVID: both are bound to a key.
   * @throws NOT_SUPPORTED when this server issues none, KEY_INVALID, KEY_UNSUPPORTED, and as {@link held}
   */
  async wit(nodeAgent: string, id: string, { spki, alg }: WitKey): Promise<TaskToken> {
    const { classes, issuer } = this.#options;
    const task = this.held(id, nodeAgent);
    this.#requireGood(task, nodeAgent);
    const order = {
      ...this.#tokenOf(task),
      spki,
      alg,
      ttlSeconds: this.#ttlOf(task, classes.get(task.taskClass)?.x509SvidTtlSeconds ?? 1),
    };
    return this.#leave(id, nodeAgent, await issuer.issueWit(order, nodeAgent));
  }

  /**
   * The task, if this node agent holds it, it goes on, and the node agent still has an entry of its AI agent:
   * who lost the entry has none of its identities any more.
   * @throws TASK_NOT_FOUND, TASK_HELD_ELSEWHERE, TASK_ENDED, TASK_SUSPENDED, TASK_PARKED, TASK_NOT_CLAIMED,
   * ENTRY_NOT_AUTHORIZED, AI_AGENT_NOT_HOSTED
   */
  held(id: string, nodeAgent: string): OpenTask {
    const { tasks, isServed, aiAgents, clock } = this.#options;
    const task = tasks.get(id);
    if (task === undefined) throw unknownTask(id);
    if (task.nodeAgent !== nodeAgent) throw notHeld(id);
    const open = requireStep(task, "use", clock.now());
    const { host, agentId } = open;
    const attested = host === "" ? agentId : host;
    if (host !== "") requireHost(host, aiAgents.get(host), agentId, clock.now());
    if (isServed(nodeAgent, attested)) return open;
    throw serverError("ENTRY_NOT_AUTHORIZED", `no entry of "${attested}" is this node agent's`, {
      hint: "a task gets credentials while its AI agent has a registration entry there",
    });
  }

  /**
   * The task, if it could have a credential now, through the node agent that holds it.
   * @throws as {@link held}; SVID_HELD, AI_AGENT_DISABLED, AI_AGENT_EXPIRED
   */
  assertGood(task: KnownTask): OpenTask {
    const open = this.held(task.id, task.nodeAgent);
    this.#requireGood(open, task.nodeAgent);
    const own = taskSpiffeId(open.agentId, open.id).toString();
    const refusal = this.#options.held.refusal(own, task.nodeAgent);
    if (refusal !== undefined) throw refusal;
    return open;
  }

  #requireGood({ agentId, host }: TaskRecord, nodeAgent: string): void {
    const { aiAgents, held, clock } = this.#options;
    for (const id of host === "" ? [agentId] : [agentId, host]) {
      requireGood(id, aiAgents.get(id), clock.now());
      const refusal = held.refusal(id, nodeAgent);
      if (refusal !== undefined) throw refusal;
    }
  }

  #orderOf(task: TaskRecord, csr: Uint8Array): X509SvidOrder {
    const wanted = this.#options.classes.get(task.taskClass)?.x509SvidTtlSeconds ?? 1;
    return {
      csr,
      spiffeId: taskSpiffeId(task.agentId, task.id).toString(),
      dnsNames: [],
      ttlSeconds: this.#ttlOf(task, wanted),
      isTask: true,
    };
  }

  /** Whole seconds, never past the task's end nor longer than the class said when it was opened. */
  #ttlOf({ id, expiresAtMs, maxCredentialSeconds }: TaskRecord, wantedSeconds: number): number {
    const leftSeconds = Math.floor((expiresAtMs - this.#options.clock.now().getTime()) / 1000);
    if (leftSeconds < 1) throw ended(id, "EXPIRED");
    return Math.max(1, Math.min(wantedSeconds, maxCredentialSeconds, leftSeconds));
  }

  #noted(id: string, { chain, notAfter, authorityId }: IssuedX509Svid): TaskSvid {
    const { serials, touch, clock } = this.#options;
    const [leaf] = chain;
    if (leaf === undefined) throw new TypeError("an SVID without a leaf");
    const nowSeconds = Math.floor(clock.now().getTime() / 1000);
    const expiresAt = Math.floor(notAfter.getTime() / 1000);
    serials.add(id, authorityId, issuedSerial(leaf), expiresAt, nowSeconds);
    touch(id);
    return { chain, notAfter };
  }

  /** A token that was made leaves when the task goes on still. */
  #leave(id: string, nodeAgent: string, { token, expiresAt }: TaskToken): TaskToken {
    this.held(id, nodeAgent);
    this.#options.touch(id);
    return { token, expiresAt };
  }

  /** Whom JWT-SVIDs and WIT-SVIDs of a task name, and what they say besides. */
  #tokenOf(task: TaskRecord): {
    readonly spiffeId: SpiffeId;
    readonly claims: Readonly<Record<string, unknown>>;
  } {
    const { classes, statusUriOf, claim } = this.#options;
    const { list, index } = task.status;
    const taskClass = classes.get(task.taskClass);
    const taskId = taskSpiffeId(task.agentId, task.id);
    const claims = {
      ...(statusUriOf !== undefined && {
        status: { status_list: { idx: index, uri: statusUriOf(list) } },
      }),
      [claim]: {
        id: taskId.toString(),
        agent: task.agentId,
        class: task.taskClass,
        root: task.root,
        depth: task.depth,
        grant_hash: task.grantHash,
        fail_mode: taskClass?.failMode ?? "closed",
        assurance: task.assurance,
        ...(task.host !== "" && { host: task.host }),
      },
    };
    const isOfAgent = taskClass?.identity === "agent";
    return { spiffeId: isOfAgent ? SpiffeId.parse(task.agentId) : taskId, claims };
  }
}

function orError<T>(run: () => T): T | IdentityError {
  try {
    return run();
  } catch (error) {
    if (error instanceof IdentityError) return error;
    throw error;
  }
}

export function unknownTask(id: string): IdentityError {
  return serverError("TASK_NOT_FOUND", `there is no task ${JSON.stringify(id.slice(0, 100))}`, {
    hint: "list them: 'signet task list --all'; what ended long ago is in the audit log alone",
  });
}

export function notHeld(id: string): IdentityError {
  return serverError("TASK_HELD_ELSEWHERE", `task ${id} is not held by this node agent`, {
    hint: "use it through the node agent that opened or claimed it",
  });
}
