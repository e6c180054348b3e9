// `signet task run -- CMD`: a task that lasts as long as a command does. What its private socket proves, and
// what not: agent/launch/index.ts.

import type { TaskClient } from "../client/tasks/node-calls.ts";
import type { TaskEnd } from "../client/tasks/task.ts";
import type { TaskInfo } from "../client/tasks/task-info.ts";
import { ulidIn } from "../pki/task-id.ts";
import { TaskAPIService } from "../proto/schema.gen.ts";
import { systemClock } from "../runtime/clock.ts";
import { withChannel } from "./admin-channel.ts";
import type { Command, Input } from "./command.ts";
import { misuse, parseSeconds, parseWord, required, WORKLOAD_SOCKET } from "./flags.ts";
import { LaunchedCommand } from "./launched-command.ts";
import { formatDate, type Output } from "./output.ts";
import { TASK_FLAGS, taskRequestFrom } from "./task-flags.ts";
import { TaskLease } from "./task-lease.ts";
import { AGENT_ABSENT, workloadAddress } from "./workload-socket.ts";

/** How long the end of the command waits until the node agent has heard of it. */
const REPORT_WAIT_MS = 10_000;

export const command: Command = {
  description:
    "Opens a task, runs a command in it, and ends the task with the command: COMPLETED when it exits with 0, " +
    "otherwise FAILED. The command and its descendants, and nobody else, get a private Workload API socket " +
    "(SPIFFE_ENDPOINT_SOCKET) with the task's identity, which any SPIFFE library uses as it is; SIGNET_TASK_ID and " +
    "SIGNET_TASK_SPIFFE_ID name the task. When somebody else ends the task, so that its credentials count for " +
    "nothing any more, the command gets SIGTERM, and SIGKILL when it is still there after the grace period.",
  args: "<command...>",
  flags: [
    {
      name: "ai-agent",
      value: "<id>",
      description: "SPIFFE ID of the AI agent, where this user runs several",
    },
    {
      name: "name",
      value: "<name>",
      description: "also a launch name, as of 'signet run': gives the selector launch:name:<name>",
    },
    { name: "claim", value: "<id>", description: "take up a task that an orchestrator made" },
    ...TASK_FLAGS,
    {
      name: "on-end",
      value: "<what>",
      description: "when somebody else ends the task: term (SIGTERM, then SIGKILL) or none",
      defaultValue: "term",
    },
    {
      name: "grace",
      value: "<duration>",
      description: "how long after SIGTERM the command gets SIGKILL",
      defaultValue: "10s",
    },
    { name: "quiet", description: "say nothing on standard error while all goes well" },
    WORKLOAD_SOCKET,
  ],
  examples: [
    [
      'signet task run --class read-only --purpose "triage 42" -- python3 agent.py',
      "an AI agent's program in a task of its own; mandate and lifetime are the class's",
    ],
    [
      'signet task run --class standard --purpose "close stale tickets" --location https://mcp.example.org/tickets --action "tools/*/ticket" --uses 20 --ttl 10m -- python3 agent.py',
      "one service, twenty calls, ten minutes",
    ],
    [
      "signet task run --claim 01JD9Z5QSA7X8M3V4N2K1P0RTE -- python3 agent.py",
      "the task that 'signet task create' made for this AI agent",
    ],
  ],
  async run(input, output) {
    if (input.args.length === 0)
      throw misuse("the command to run is missing", { hint: "put it after --" });
    if (input.text("claim") === undefined) {
      required(input, "class", "--class");
      required(input, "purpose", "--purpose");
    }
    const settings = settingsFrom(input);
    return withChannel(
      workloadAddress(input),
      (channel) => runTask(channel.client(TaskAPIService), settings, output),
      AGENT_ABSENT,
    );
  },
};

interface Settings {
  readonly args: readonly string[];
  readonly request: ReturnType<typeof taskRequestFrom>;
  readonly claim: string;
  readonly launchName: string;
  readonly killsOnEnd: boolean;
  readonly graceMs: number;
  readonly isQuiet: boolean;
}

function settingsFrom(input: Input): Settings {
  return {
    args: input.args,
    request: taskRequestFrom(input),
    claim: ulidIn(input.text("claim") ?? ""),
    launchName: input.text("name") ?? "",
    killsOnEnd: parseWord(input.text("onEnd") ?? "term", { term: true, none: false }, "--on-end"),
    graceMs: parseSeconds(input.text("grace") ?? "10s", "--grace") * 1000,
    isQuiet: input.isOn("quiet"),
  };
}

/** Resolves with the command's exit code, as a shell gives it. */
async function runTask(client: TaskClient, settings: Settings, output: Output): Promise<number> {
  const lease = await TaskLease.open({ client, ...settings });
  const { task, socketPath } = lease;
  const launched = new LaunchedCommand(settings.args, {
    SPIFFE_ENDPOINT_SOCKET: `unix://${socketPath}`,
    SIGNET_TASK_ID: task.id,
    SIGNET_TASK_SPIFFE_ID: task.spiffeId.toString(),
  });
  try {
    if (launched.pid === undefined) return await launched.exited;
    const teller = new Teller(task, output);
    await lease.admit(launched.pid, {
      onChange: (changed) => teller.changed(changed),
      onAgent: (error) =>
        error === undefined
          ? output.note("the node agent is back")
          : output.note(`warning: the node agent is away (${error.message}); the task goes on`),
    });
    if (!settings.isQuiet) output.note(openedLine(task));
    const ending = endWithTask(lease, launched, settings, output);
    launched.go();
    const code = await launched.exited;
    ending.stop();
    const detail = code === 0 ? "" : `the command ended with exit code ${code}`;
    if (!ending.isEnded && (await lease.finish(code === 0, detail, REPORT_WAIT_MS)) === undefined)
      output.note(
        `warning: the node agent could not be told that the command has ended; task ${task.id} ends as abandoned`,
      );
    return code;
  } catch (error) {
    launched.kill("SIGKILL");
    throw error;
  } finally {
    launched.release();
    lease.close();
  }
}

function openedLine({ id, spiffeId, taskClass, expiresAt }: TaskInfo): string {
  const until = formatDate(expiresAt);
  return `task ${id}: ${taskClass}, until ${until}, as ${spiffeId}`;
}

/** Says what happens to the task while the command runs. */
class Teller {
  readonly #output: Output;
  #state: TaskInfo["state"];

  constructor({ state }: TaskInfo, output: Output) {
    this.#state = state;
    this.#output = output;
  }

  changed({ id, state, stateReason }: TaskInfo): void {
    if (state === this.#state) return;
    this.#state = state;
    const why = stateReason === "" ? "" : `: ${stateReason}`;
    const how = state === "ACTIVE" ? "goes on" : `is ${state.toLowerCase()}, without credentials`;
    this.#output.note(`task ${id} ${how}${why}`);
  }
}

/** Ends the command when somebody else ends the task. */
function endWithTask(
  lease: TaskLease,
  launched: LaunchedCommand,
  { killsOnEnd, graceMs }: Settings,
  output: Output,
): { readonly isEnded: boolean; stop(): void } {
  const stopped = new AbortController();
  let isEnded = false;
  const end = async ({ state, reason }: TaskEnd): Promise<void> => {
    if (stopped.signal.aborted) return;
    isEnded = true;
    const how = state === undefined ? "" : ` (${state})`;
    const why = `: ${reason || `'signet task show ${lease.task.id}' says why`}`;
    const then = killsOnEnd ? "the command gets SIGTERM" : "the command goes on without it";
    output.note(`task ${lease.task.id} has ended${how}${why}; ${then}`);
    if (!killsOnEnd) return;
    launched.kill("SIGTERM");
    const isLate = await systemClock.sleep(graceMs, stopped.signal).then(
      () => true,
      () => false,
    );
    if (isLate) launched.kill("SIGKILL");
  };
  void lease.ended.then(end); // never rejects
  return {
    get isEnded() {
      return isEnded;
    },
    stop: () => stopped.abort(),
  };
}
