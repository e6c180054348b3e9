// A terminal for tests of our pages: a shell that keeps its variables from one block to the next, or
// that runs something until it is stopped. What it prints, errors included, is one text.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

const MARK = "--- ended with";
const PATIENCE_MS = 60_000;

export class Terminal {
  /** All that was printed so far. */
  output = "";
  readonly #child: ChildProcess;
  #wake: () => void = () => {};

  constructor(options: { cwd: string; env: NodeJS.ProcessEnv }) {
    // A group of its own, so that what it started can be interrupted as by Ctrl-C.
    this.#child = spawn("sh", [], {
      ...options,
      stdio: ["pipe", "pipe", "inherit"],
      detached: true,
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.output += text;
      this.#wake();
    });
    this.#child.once("close", () => this.#wake());
    this.#child.stdin?.on("error", () => {});
    this.type("exec 2>&1\n");
  }

  /** Types lines and waits for nothing. */
  type(lines: string): void {
    this.#child.stdin?.write(lines);
  }

  /** Runs lines to their end; resolves with what they printed and the exit code of the last one. */
  async run(lines: string): Promise<{ output: string; code: number }> {
    const start = this.output.length;
    this.type(`${lines}\necho "${MARK} $?"\n`);
    const [, output = "", code] = await this.until(
      new RegExp(`^(.*?)${MARK} (\\d+)\n`, "s"),
      start,
    );
    return { output, code: Number(code) };
  }

  /** Waits until what was printed since `start` matches. */
  async until(pattern: RegExp, start = 0): Promise<RegExpExecArray> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const match = pattern.exec(this.output.slice(start));
      if (match !== null) return match;
      if (this.#hasEnded || Date.now() > deadline) {
        throw new Error(`waited in vain for ${pattern} in:\n${this.output.slice(start)}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Interrupts what runs in it, as Ctrl-C does, and closes it. */
  async close(): Promise<void> {
    if (this.#hasEnded) return;
    const closed = once(this.#child, "close");
    this.#child.stdin?.end();
    const pid = this.#child.pid;
    if (pid !== undefined) process.kill(-pid, "SIGINT");
    await closed;
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
