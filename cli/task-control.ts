// Whom commands of tasks ask: the server, as an administrator on its admin socket, or as an orchestrator over
// mutual TLS with the SVID that this process has here.

import { ServerConnection, type TaskControlClient } from "../client/tasks/server-connection.ts";
import { X509Source } from "../client/x509-source.ts";
import { TaskControlService } from "../proto/schema.gen.ts";
import { explain, withServer } from "./admin-channel.ts";
import type { Flag, Input } from "./command.ts";
import { ADMIN_SOCKET, misuse, WORKLOAD_SOCKET } from "./flags.ts";
import { workloadEndpoint } from "./workload-socket.ts";

/** What every command that asks the server about tasks has. */
export const CONTROL_FLAGS: readonly Flag[] = [
  ADMIN_SOCKET,
  {
    name: "server",
    value: "<host:port>",
    description:
      "ask as an orchestrator, over mutual TLS with this process's own SVID from --socket",
    variable: "SIGNET_SERVER",
  },
  WORKLOAD_SOCKET,
];

const SOURCE_TIMEOUT_MS = 10_000;

/** Calls the server; closes the connection afterwards. */
export async function withTaskControl<T>(
  input: Input,
  use: (client: TaskControlClient) => Promise<T>,
): Promise<T> {
  const text = input.text("server");
  if (text === undefined || text === "") {
    return withServer(input, (channel) => use(channel.client(TaskControlService)));
  }
  const server = parseHostPort(text);
  const endpoint = workloadEndpoint(input);
  using source = await X509Source.start({ endpoint, timeoutMs: SOURCE_TIMEOUT_MS });
  using connection = new ServerConnection({ server, source });
  try {
    return await connection.ask(use);
  } catch (error) {
    throw explain(error, server, {
      what: "server",
      hint: "check --server: the address and port that node agents use",
    });
  }
}

/** The tasks that arguments name, ULIDs or whole SPIFFE IDs; at least one. */
export function taskIds({ args }: Input): readonly string[] {
  if (args.length > 0) return args;
  throw misuse("the task is missing", { hint: "name it by its ID: 'signet task list' has them" });
}

function parseHostPort(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text);
  const [, v6, name, digits] = match ?? [];
  const [host, port] = [v6 ?? name, Number(digits)];
  if (host !== undefined && port > 0 && port <= 65_535) return { host, port };
  throw misuse(`--server: "${text}" is not a host and a port`, {
    hint: "write it as signet.example.org:8081",
  });
}
