// The product as a person runs it: the command `signet` in processes of its own, in a folder that
// lives as long as the test.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const cli = new URL("../../cli/index.ts", import.meta.url).pathname;

/**
 * What stands before a command so that it runs as it would for a person: the test runner puts itself into
 * NODE_OPTIONS of every process that is spawned.
 */
const PLAINLY = ["-u", "NODE_OPTIONS"] as const;

/** What a command printed, and how it ended. */
export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. `input` goes to its standard input. */
export async function run(
  command: string,
  args: readonly string[],
  options: { input?: string; env?: NodeJS.ProcessEnv; cwd?: string; uid?: number } = {},
): Promise<Finished> {
  const child = spawn("env", [...PLAINLY, command, ...args], {
    stdio: "pipe",
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdin.on("error", () => {}).end(options.input ?? "");
  const [status] = (await once(child, "close")) as [number | null];
  return { status, stdout, stderr };
}

/** `signet ARGS`, to its end. */
export function signet(
  args: readonly string[],
  options: Parameters<typeof run>[2] = {},
): Promise<Finished> {
  return run(process.execPath, [cli, ...args], options);
}

/** A trust domain of its own: `signet up` in a temporary folder. */
export interface Up {
  readonly dir: string;
  /** The Workload API's socket. */
  readonly agentSocket: string;
  readonly adminSocket: string;
  readonly child: ChildProcess;
  /** `signet ARGS` against this server; fails the caller when the command fails. */
  admin(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** Starts `signet up`; resolves once it said that it is ready. */
export async function startUp(
  trustDomain = "north.test",
  extra: readonly string[] = [],
): Promise<Up> {
  const dir = mkdtempSync(join(tmpdir(), "signet-"));
  const child = spawn(
    "env",
    [
      ...PLAINLY,
      process.execPath,
      cli,
      "up",
      "--dir",
      dir,
      "--trust-domain",
      trustDomain,
      ...extra,
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const ready = Promise.withResolvers<void>();
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (output.includes("agent.sock")) ready.resolve();
  });
  child.once("exit", (code) => ready.reject(new Error(`signet up ended with ${code}: ${errors}`)));
  await ready.promise;
  const adminSocket = join(dir, "server.sock");
  return {
    dir,
    agentSocket: join(dir, "agent.sock"),
    adminSocket,
    child,
    async admin(...args) {
      const result = await signet(args, {
        env: { ...process.env, SIGNET_ADMIN_SOCKET: adminSocket },
      });
      if (result.status !== 0) throw new Error(`signet ${args.join(" ")}: ${result.stderr}`);
      return result.stdout;
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM");
        await once(child, "exit");
      }
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
