// `signet run --name N -- CMD`: starts a process that gets the selector `launch:name:N`, so that scripts
// of one interpreter under one user can have identities of their own. What that proves and what not:
// agent/launch/index.ts.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import type { Writable } from "node:stream";
import type { BidiCall } from "../proto/rpc/client.ts";
import { LaunchService, type signet } from "../proto/schema.gen.ts";
import { withChannel } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { cliError } from "./errors.ts";
import { misuse, required, WORKLOAD_SOCKET } from "./flags.ts";
import type { Output } from "./output.ts";
import { AGENT_ABSENT, workloadAddress } from "./workload-socket.ts";

type Lease = BidiCall<signet.launch.v1.OpenRequest, signet.launch.v1.OpenResponse>;

/**
 * The child waits on file 3 until the agent has taken it in, and becomes the command then: same process,
 * and no moment in which the command runs without its identity.
 */
const WAIT_THEN_BECOME = 'read -r _ <&3 || exit 126; exec 3<&-; exec "$@"';
/** What a terminal sends to every process in its foreground, the command among them. */
const FROM_TERMINAL = ["SIGINT", "SIGQUIT", "SIGHUP"] as const;
const FROM_OTHERS = ["SIGTERM", "SIGUSR1", "SIGUSR2"] as const;

export const command: Command = {
  description:
    "Runs a command as a launched process: it and its descendants, and nobody else, get a private Workload API " +
    "socket and the selector launch:name:<name>. Processes of one user can still take each other over (ptrace, " +
    "files): where that matters, give each its own user.",
  args: "<command...>",
  flags: [
    {
      name: "name",
      value: "<name>",
      description: "the name: lowercase letters, digits, dots, dashes",
    },
    WORKLOAD_SOCKET,
  ],
  examples: [
    ["signet run --name planner -- python3 planner.py", "an AI agent with an identity of its own"],
    [
      "signet entry create --parent-id spiffe://example.test/node --spiffe-id spiffe://example.test/planner --selector unix:uid:1000 --selector launch:name:planner",
      "the entry for it; the uid keeps other users from the name",
    ],
  ],
  async run(input, output) {
    const name = required(input, "name", "--name");
    if (input.args.length === 0)
      throw misuse("the command to run is missing", { hint: "put it after --" });
    const address = workloadAddress(input);
    return withChannel(
      address,
      async (channel) => {
        const lease = channel.client(LaunchService).open();
        return launch(lease, name, input.args, output);
      },
      AGENT_ABSENT,
    );
  },
};

/** Resolves with the command's exit code, as a shell gives it. */
async function launch(
  lease: Lease,
  name: string,
  args: readonly string[],
  output: Output,
): Promise<number> {
  await lease.send({ start: { name } });
  const socketPath = (await nextStep(lease)).ready?.socketPath;
  if (socketPath === undefined) throw unexpected();
  const child = spawnWaiting(args, socketPath);
  const release = forwardSignals(child);
  const exited = exitCodeOf(child);
  try {
    if (child.pid === undefined) return await exited;
    await lease.send({ started: { pid: child.pid } });
    if ((await nextStep(lease)).admitted === undefined) throw unexpected();
    (child.stdio[3] as Writable).end("\n");
    warnOfLoss(lease, child, name, output);
    return await exited;
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  } finally {
    release();
    lease.cancel();
  }
}

function spawnWaiting(args: readonly string[], socketPath: string): ChildProcess {
  const child = spawn("/bin/sh", ["-c", WAIT_THEN_BECOME, "signet", ...args], {
    stdio: ["inherit", "inherit", "inherit", "pipe"],
    env: { ...process.env, SPIFFE_ENDPOINT_SOCKET: `unix://${socketPath}` },
  });
  (child.stdio[3] as Writable | null)?.on("error", () => undefined); // the child's end says it
  return child;
}

async function nextStep(lease: Lease): Promise<signet.launch.v1.OpenResponse> {
  const next = await lease.responses.next();
  if (next.done === true) throw unexpected();
  return next.value;
}

function unexpected(): Error {
  return cliError("COMMAND_UNUSABLE", "the agent ended the launch without a word", {
    hint: "look at its log",
  });
}

/** The private socket ends with the agent; the command goes on, and should know. */
function warnOfLoss(lease: Lease, child: ChildProcess, name: string, output: Output): void {
  const warn = (why: string): void => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    output.note(`warning: the identity of "${name}" is gone: ${why}`);
  };
  lease.responses.next().then(
    () => setTimeout(() => warn("the agent closed its socket"), 100).unref(),
    (error: unknown) => warn(error instanceof Error ? error.message : String(error)),
  );
}

function forwardSignals(child: ChildProcess): () => void {
  // A second SIGINT means "now!" to many programs: what the terminal has sent is not sent again.
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  const leave = (): void => undefined; // the command's end is ours
  const onTerminal = hasTerminal ? leave : forward;
  for (const signal of FROM_TERMINAL) process.on(signal, onTerminal);
  for (const signal of FROM_OTHERS) process.on(signal, forward);
  return () => {
    for (const signal of FROM_TERMINAL) process.off(signal, onTerminal);
    for (const signal of FROM_OTHERS) process.off(signal, forward);
  };
}

async function exitCodeOf(child: ChildProcess): Promise<number> {
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
