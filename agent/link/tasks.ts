// Asks the server for what tasks need, over whatever connection the link has now.

import { IdentityError, Status } from "../../pki/errors.ts";
import type { CallOptions, ClientOf } from "../../proto/rpc/client.ts";
import { errorOfStatus } from "../../proto/rpc/status.ts";
import { NodeTasksService } from "../../proto/schema.gen.ts";
import { agentError } from "../errors.ts";
import type { ChangeRequest, Task, TaskServer } from "../tasks/server.ts";
import type { ServerSigning } from "./signing.ts";

const CALL: CallOptions = { timeoutMs: 10_000 };
const BATCH: CallOptions = { timeoutMs: 30_000 };
const SILENCE: ReadonlySet<string> = new Set(["CONNECTION_UNAVAILABLE", "CALL_DEADLINE_EXCEEDED"]);

/** The server's NodeTasks. */
export class ServerTasks implements TaskServer {
  readonly #signing: ServerSigning;

  constructor(signing: ServerSigning) {
    this.#signing = signing;
  }

  assertConnected(): void {
    this.#signing.assertConnected();
  }

  async open(request: Parameters<TaskServer["open"]>[0]): ReturnType<TaskServer["open"]> {
    return this.#ask((server) => server.open(request, CALL));
  }

  async signX509(
    requests: Parameters<TaskServer["signX509"]>[0],
  ): Promise<readonly (readonly Uint8Array[] | IdentityError)[]> {
    const { results } = await this.#ask((server) => server.batchSignX509({ requests }, BATCH));
    if (results.length !== requests.length) {
      throw invalid(`${requests.length} requests with ${results.length} results`);
    }
    return results.map(({ code, reason, message, certChain }) =>
      code === Status.ok
        ? certChain.map((der) => new Uint8Array(der))
        : refusal(code, reason, message),
    );
  }

  async newJwtSvid(
    taskId: string,
    audience: readonly string[],
  ): ReturnType<TaskServer["newJwtSvid"]> {
    return this.#ask((server) => server.newJWTSVID({ taskId, audience }, CALL));
  }

  async newWitSvid(
    taskId: string,
    { spki: publicKey, alg: signingAlgorithm = "" }: Parameters<TaskServer["newWitSvid"]>[1],
  ): ReturnType<TaskServer["newWitSvid"]> {
    return this.#ask((server) => server.newWITSVID({ taskId, publicKey, signingAlgorithm }, CALL));
  }

  async issueToken(
    request: Parameters<TaskServer["issueToken"]>[0],
  ): ReturnType<TaskServer["issueToken"]> {
    return this.#ask((server) => server.issueToken(request, CALL));
  }

  async change(request: ChangeRequest): Promise<Task> {
    const { task } = await this.#ask((server) => server.change(request, CALL));
    if (task === undefined) throw invalid("a change without the task");
    return task;
  }

  async held(taskIds: readonly string[]): Promise<readonly Task[]> {
    return (await this.#ask((server) => server.held({ taskIds }, BATCH))).tasks;
  }

  async endOrphans(
    request: Parameters<TaskServer["endOrphans"]>[0],
  ): ReturnType<TaskServer["endOrphans"]> {
    return this.#ask((server) => server.endOrphans(request, BATCH));
  }

  async report(request: Parameters<TaskServer["report"]>[0]): Promise<void> {
    await this.#ask((server) => server.report(request, CALL));
  }

  async #ask<T>(call: (server: ClientOf<typeof NodeTasksService>) => Promise<T>): Promise<T> {
    try {
      return await call(this.#signing.client(NodeTasksService));
    } catch (error) {
      throw unanswered(error);
    }
  }
}

/** Where nothing came back it is said of the server: for who asked this agent, it was the agent that answered. */
function unanswered(error: unknown): unknown {
  if (!(error instanceof IdentityError) || !SILENCE.has(error.reason)) return error;
  return agentError("SERVER_UNREACHABLE", `the server did not answer: ${error.message}`, {
    hint: "the agent reconnects by itself; check that the server can be reached",
    cause: error,
  });
}

function refusal(code: number, reason: string, message: string): IdentityError {
  if (reason === "") return errorOfStatus(code, message);
  return new IdentityError(reason, code as Status, message);
}

function invalid(what: string): Error {
  return agentError("SERVER_ANSWER_INVALID", `the server answered ${what}`);
}
