// `signet server healthcheck` and `signet agent healthcheck`: grpc.health.v1 over a daemon's socket.

import type { Channel } from "../proto/rpc/client.ts";
import { HealthService, HealthCheckResponseServingStatus as Serving } from "../proto/schema.gen.ts";
import { withChannel, withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { cliError } from "./errors.ts";
import { ADMIN_SOCKET, WORKLOAD_SOCKET } from "./flags.ts";
import type { Output } from "./output.ts";
import { AGENT_ABSENT, workloadAddress } from "./workload-socket.ts";

const TIMEOUT_MS = 5000;

export const serverCommand: Command = {
  description: "Asks the server whether it can do its work: exit code 0 if so, 1 if not.",
  flags: [ADMIN_SOCKET],
  examples: [["signet server healthcheck", "for probes and scripts"]],
  run: (input, output) => withServer(input, (channel) => check(channel, "server", output)),
};

export const agentCommand: Command = {
  description: "Asks the agent whether it can serve workloads: exit code 0 if so, 1 if not.",
  flags: [WORKLOAD_SOCKET],
  examples: [
    ["signet agent healthcheck --socket unix:///run/signet/agent.sock", "for probes and scripts"],
  ],
  run: (input, output) =>
    withChannel(workloadAddress(input), (channel) => check(channel, "agent", output), AGENT_ABSENT),
};

async function check(channel: Channel, what: string, output: Output): Promise<void> {
  const { status } = await channel.client(HealthService).check({}, { timeoutMs: TIMEOUT_MS });
  const isServing = status === Serving.SERVING;
  output.show({ serving: isServing }, () => (isServing ? `the ${what} is healthy` : ""));
  if (isServing) return;
  throw cliError("DAEMON_UNHEALTHY", `the ${what} runs, but cannot do its work now`, {
    hint: "look at its log",
  });
}
