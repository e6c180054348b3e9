// The command `signet` within a test's own process, and a server for it that answers what a test sets.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { GROUPS, ROWS } from "../../cli/index.ts";
import { runProgram } from "../../cli/program.ts";
import { createRpcServer, type RpcServer } from "../../proto/rpc/server.ts";

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `signet ARGS` in this process. */
export async function command(...args: string[]): Promise<Ran> {
  let out = "";
  let err = "";
  const streams = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
  };
  const code = await runProgram(args, { rows: ROWS, groups: GROUPS, version: "1.2.3", streams });
  return { code, out, err };
}

/** A server on a unix socket, with the services that `add` gives it; resolves with the path. */
export async function serveOnSocket(t: Test, add: (server: RpcServer) => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "signet-"));
  const server = createRpcServer({ onInternalError: (error) => t.error(error) });
  add(server);
  const path = join(folder, "s.sock");
  const listener = createServer((socket) => server.inject(socket, { kind: "local" }));
  await new Promise<void>((resolve) => listener.listen(path, resolve));
  t.teardown(async () => {
    listener.close();
    await server.close(0);
    rmSync(folder, { recursive: true });
  });
  return path;
}
