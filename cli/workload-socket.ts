// The command's connection to the Workload API: where its socket is, and what is said when nothing
// answers there. Commands that call services beside the Workload API: admin-channel.ts.

import { parseEndpoint } from "../client/endpoint.ts";
import { WorkloadApi } from "../client/workload-api.ts";
import type { Address } from "../proto/rpc/client.ts";
import { explain } from "./admin-channel.ts";
import type { Input } from "./command.ts";
import { asMisuse, DEFAULT_AGENT_SOCKET } from "./flags.ts";

/** What the commands say of an agent that does not answer. */
export const AGENT_ABSENT = {
  what: "agent",
  hint: "start one with 'signet up' or 'signet agent run', or name its socket with --socket or SPIFFE_ENDPOINT_SOCKET; that of a task lets in its command and descendants alone, and is gone once the task has ended",
} as const;

/** The address that --socket names, which may also be a bare path. */
export function workloadAddress(input: Input): Address {
  return asMisuse("--socket", () => parseEndpoint(endpointOf(input)));
}

/** The same as a checked endpoint of the client library. */
export function workloadEndpoint(input: Input): string {
  workloadAddress(input);
  return endpointOf(input);
}

/** Calls the Workload API; closes the connection afterwards. */
export async function withWorkloadApi<T>(
  input: Input,
  use: (api: WorkloadApi) => Promise<T>,
): Promise<T> {
  const address = workloadAddress(input);
  using api = new WorkloadApi({ endpoint: endpointOf(input) });
  try {
    return await use(api);
  } catch (error) {
    throw explain(error, address, AGENT_ABSENT);
  }
}

function endpointOf(input: Input): string {
  const socket = input.text("socket") || DEFAULT_AGENT_SOCKET;
  return socket.startsWith("/") ? `unix://${socket}` : socket;
}
