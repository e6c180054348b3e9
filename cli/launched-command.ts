// The process of a command that is started with an identity of its own (`signet run`, `signet task run`): it
// waits until the node agent has taken it in, gets the signals that this process gets, and its exit code
// becomes ours.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import type { Writable } from "node:stream";

/**
 * The child waits on file 3 until the agent has taken it in, and becomes the command then: same process,
 * and no moment in which the command runs without its identity.
 */
const WAIT_THEN_BECOME = 'read -r _ <&3 || exit 126; exec 3<&-; exec "$@"';
/** What a terminal sends to every process in its foreground, the command among them. */
const FROM_TERMINAL = ["SIGINT", "SIGQUIT", "SIGHUP"] as const;
const FROM_OTHERS = ["SIGTERM", "SIGUSR1", "SIGUSR2"] as const;

export class LaunchedCommand {
  readonly #child: ChildProcess;
  readonly #release: () => void;
  /** Resolves with its exit code, as a shell gives it. Rejects when it could not be started. */
  readonly exited: Promise<number>;

  /** Starts it; it does nothing yet. */
  constructor(args: readonly string[], environment: Readonly<Record<string, string>>) {
    this.#child = spawn("/bin/sh", ["-c", WAIT_THEN_BECOME, "signet", ...args], {
      stdio: ["inherit", "inherit", "inherit", "pipe"],
      env: { ...process.env, ...environment },
    });
    this.#gate?.on("error", () => undefined); // the child's end says it
    this.#release = forwardSignals(this.#child);
    this.exited = exitCodeOf(this.#child);
    this.exited.catch(() => {}); // whoever waits for it is told
  }

  /** Undefined when it could not be started: `exited` says why. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Lets it become the command. */
  go(): void {
    this.#gate?.end("\n");
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Passes signals on no longer. */
  release(): void {
    this.#release();
  }

  get #gate(): Writable | null {
    return this.#child.stdio[3] as Writable | null;
  }
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
