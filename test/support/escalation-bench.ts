// Escalations over a real audit log and a real store of tasks, for their tests.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { createLogger } from "../../runtime/log.ts";
import { createMetrics } from "../../runtime/metrics.ts";
import { AuditLog } from "../../server/audit/log.ts";
import type { EndState } from "../../server/store/task-record.ts";
import { TaskStore } from "../../server/store/tasks.ts";
import {
  Escalations,
  type EscalationsConfig,
  type EscalationTasks,
} from "../../server/tasks/escalations.ts";
import { changed, endOfTask, requireOpen, requireStep } from "../../server/tasks/states.ts";
import { TestClock } from "./clock.ts";
import { openTestLog } from "./test-store.ts";

/** Tasks over a real store, suspended and ended by the rules of states.ts. */
class StoredTasks implements EscalationTasks {
  readonly store: TaskStore;
  readonly #clock: TestClock;

  constructor(store: TaskStore, clock: TestClock) {
    this.store = store;
    this.#clock = clock;
  }

  get(id: string): ReturnType<TaskStore["get"]> {
    return this.store.get(id);
  }

  ofAgent(agentId: string): Iterable<string> {
    return this.store.ofAgent(agentId);
  }

  hostedBy(host: string): Iterable<string> {
    return this.store.hostedBy(host);
  }

  suspend(id: string, _: object, stateReason: string): Promise<void> {
    return this.store.transact(async (tasks) => {
      const found = await tasks.get(id);
      if (found === undefined) throw new Error("no such task");
      const task = requireStep(found, "suspend", this.#clock.now());
      const state = "SUSPENDED";
      tasks.put(changed(task, { state, stateReason, suspendedFrom: "ACTIVE" }));
    });
  }

  end(id: string, _: object, ending: { state: EndState; reason: string }): Promise<void> {
    return this.store.transact(async (tasks) => {
      const found = await tasks.get(id);
      if (found === undefined) throw new Error("no such task");
      const { task, rest } = endOfTask(
        requireOpen(found, this.#clock.now()),
        ending,
        this.#clock.now(),
      );
      tasks.end(task, rest);
    });
  }

  state(id: string): string | undefined {
    return this.store.get(id)?.state;
  }
}

/** The node agent that has an entry of {@link GUARD}. */
export const GUARDED = "spiffe://north.test/spire/agent/x/guarded";
export const GUARD = "spiffe://north.test/guard";

/** A line of the log. */
export interface EscalationEvent {
  readonly type: string;
  readonly agent?: string;
  readonly task?: string;
  readonly observed_by: string;
  readonly observer: string;
  readonly reason: string;
  readonly detail: Readonly<Record<string, string>>;
}

type BenchOptions = Partial<EscalationsConfig> & {
  readonly classReactions?: Record<string, string>;
};

export class EscalationBench {
  readonly clock = new TestClock();
  readonly tasks: StoredTasks;
  readonly escalations: Escalations;
  readonly metrics: Awaited<ReturnType<typeof createMetrics>>;
  readonly lines: string[] = [];
  readonly #folder: string;

  private constructor(
    folder: string,
    store: TaskStore,
    audit: AuditLog,
    clock: TestClock,
    metrics: Awaited<ReturnType<typeof createMetrics>>,
    options: BenchOptions,
  ) {
    const { classReactions, ...config } = options;
    this.#folder = folder;
    this.clock = clock;
    this.metrics = metrics;
    this.tasks = new StoredTasks(store, clock);
    this.escalations = new Escalations({
      config: {
        reactions: {},
        probing: { denials: 1000, windowSeconds: 60 },
        maxNodes: 2,
        trustedGuards: new Set(),
        ...config,
      },
      audit,
      tasks: this.tasks,
      reactionsOf: () => classReactions,
      isServed: (node, spiffeId) => node === GUARDED && spiffeId === GUARD,
      clock,
      log: createLogger({
        level: "error",
        destination: { write: (line) => this.lines.push(line) },
      }),
      metrics,
    });
    this.escalations.load(store.values());
    store.onChange(this.escalations.changed);
  }

  static async start(t: Test, options: BenchOptions = {}): Promise<EscalationBench> {
    const store = await TaskStore.start(await openTestLog(t));
    t.teardown(() => store.stop());
    const clock = new TestClock();
    const folder = join(t.testdirName, "audit");
    const log = createLogger({ level: "silent" });
    const audit = await AuditLog.open({
      folder,
      observer: "spiffe://north.test/spire/server",
      clock,
      log,
    });
    const bench = new EscalationBench(folder, store, audit, clock, await createMetrics(), options);
    t.teardown(async () => {
      await bench.escalations.close();
      await audit.close();
    });
    return bench;
  }

  /** Events of attempts that are in the log, on the disk. */
  events(): EscalationEvent[] {
    const [file] = globSync(join(this.#folder, "escalation-*.jsonl"));
    const text = file === undefined ? "" : readFileSync(file, "utf8");
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as EscalationEvent);
  }
}
