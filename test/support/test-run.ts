// A command that is launched for a task, by this process: what `signet task run` does, step by step.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { KeyPair } from "../../pki/keys.ts";
import { generateP256KeyPair } from "../../pki/keys.ts";
import type { Init } from "../../proto/codec.ts";
import type { BidiCall, ClientOf } from "../../proto/rpc/client.ts";
import type { signet, TaskAPIService } from "../../proto/schema.gen.ts";
import type { WorkloadLine } from "./task-workload.ts";
import { openRequest, TestTask } from "./test-tasks.ts";
import { eventually } from "./trust-domain.ts";

type Call = BidiCall<signet.task.v1.RunTaskRequest, signet.task.v1.RunTaskResponse>;

const PROGRAM = new URL("./task-workload.ts", import.meta.url).pathname;

/** A process with its lines. */
export class TestWorkload {
  readonly child: ChildProcess;
  readonly #lines: WorkloadLine[] = [];
  readonly #takers: ((line: WorkloadLine) => void)[] = [];

  constructor(t: { teardown(fn: () => unknown): void }, socketPath: string) {
    this.child = spawn(process.execPath, [PROGRAM], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, SPIFFE_ENDPOINT_SOCKET: `unix://${socketPath}` },
    });
    this.child.stdin?.on("error", () => undefined);
    if (this.child.stdout === null) throw new Error("no output");
    createInterface(this.child.stdout).on("line", (text) => {
      const line = JSON.parse(text) as WorkloadLine;
      const taker = this.#takers.shift();
      if (taker === undefined) this.#lines.push(line);
      else taker(line);
    });
    t.teardown(() => this.kill());
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  async line(): Promise<WorkloadLine> {
    return this.#lines.shift() ?? (await new Promise((resolve) => this.#takers.push(resolve)));
  }

  /** SPIFFE IDs of a new stream, as soon as there are any. */
  async identities(): Promise<readonly string[]> {
    return eventually(async () => {
      this.tell("x509");
      const { x509 } = await this.line();
      if (x509 === undefined) throw new Error("no identity yet");
      return x509;
    });
  }

  tell(command: string): void {
    this.child.stdin?.write(`${command}\n`);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await exit;
  }
}

/** The lease of a command. */
export class TestRun {
  readonly call: Call;
  readonly pair: KeyPair;
  task: TestTask | undefined;
  socketPath = "";

  constructor(client: ClientOf<typeof TaskAPIService>, pair: KeyPair = generateP256KeyPair()) {
    this.call = client.runTask();
    this.pair = pair;
  }

  /** Opens a task, and answers it. */
  async open(
    request: Init<signet.task.v1.OpenTaskRequest> = {},
    launchName = "",
  ): Promise<TestTask> {
    await this.call.send({ open: { ...openRequest(this.pair), ...request }, launchName });
    return this.ready();
  }

  /** The answer to `open` or `attach`. */
  async ready(): Promise<TestTask> {
    const { ready } = await this.next();
    if (ready === undefined) throw new Error("not ready");
    this.socketPath = ready.socketPath;
    const task = ready.task ?? this.task?.task;
    if (task === undefined) throw new Error("no task");
    this.task = new TestTask(task, this.pair);
    return this.task;
  }

  /** Has a process admitted. */
  async admit(pid: number): Promise<void> {
    await this.call.send({ started: { pid } });
    const { admitted } = await this.next();
    if (admitted === undefined) throw new Error("not admitted");
  }

  /** Opens a task and runs the test's workload in it. */
  async launch(t: { teardown(fn: () => unknown): void }): Promise<TestWorkload> {
    await this.open();
    const workload = new TestWorkload(t, this.socketPath);
    await this.admit(workload.pid);
    return workload;
  }

  finish(succeeded: boolean, detail = ""): Promise<void> {
    return this.call.send({ finished: { succeeded, detail } });
  }

  async next(): Promise<signet.task.v1.RunTaskResponse> {
    const { value, done } = await this.call.responses.next();
    if (done === true) throw new Error("the lease ended well");
    return value;
  }

  /** Reads on until the lease ends: the error, or undefined when it ends well. */
  async over(): Promise<unknown> {
    try {
      for await (const _ of this.call.responses);
      return undefined;
    } catch (error) {
      return error;
    }
  }
}
