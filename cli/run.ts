// `signet run --name N -- CMD`: starts a process that gets the selector `launch:name:N`, so that scripts
// of one interpreter under one user can have identities of their own. What that proves and what not:
// agent/launch/index.ts.

import type { BidiCall } from "../proto/rpc/client.ts";
import { LaunchService, type signet } from "../proto/schema.gen.ts";
import { withChannel } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { cliError } from "./errors.ts";
import { misuse, required, WORKLOAD_SOCKET } from "./flags.ts";
import { LaunchedCommand } from "./launched-command.ts";
import type { Output } from "./output.ts";
import { AGENT_ABSENT, workloadAddress } from "./workload-socket.ts";

type Lease = BidiCall<signet.launch.v1.OpenRequest, signet.launch.v1.OpenResponse>;

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
  const launched = new LaunchedCommand(args, { SPIFFE_ENDPOINT_SOCKET: `unix://${socketPath}` });
  try {
    if (launched.pid === undefined) return await launched.exited;
    await lease.send({ started: { pid: launched.pid } });
    if ((await nextStep(lease)).admitted === undefined) throw unexpected();
    launched.go();
    warnOfLoss(lease, launched, name, output);
    return await launched.exited;
  } catch (error) {
    launched.kill("SIGKILL");
    throw error;
  } finally {
    launched.release();
    lease.cancel();
  }
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
function warnOfLoss(lease: Lease, launched: LaunchedCommand, name: string, output: Output): void {
  const warn = (why: string): void => {
    if (launched.hasEnded) return;
    output.note(`warning: the identity of "${name}" is gone: ${why}`);
  };
  lease.responses.next().then(
    () => setTimeout(() => warn("the agent closed its socket"), 100).unref(),
    (error: unknown) => warn(error instanceof Error ? error.message : String(error)),
  );
}
