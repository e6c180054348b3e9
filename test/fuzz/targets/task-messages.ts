// Messages about tasks: what workloads ask of the task service, what administrators declare, and the feed of
// statuses. The first byte chooses which.
import { TaskStatusCache } from "../../../agent/cache/task-status.ts";
import { readTaskClasses, readTaskStatuses } from "../../../agent/link/task-statuses.ts";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import { hasAny } from "../../../policy/mandate.ts";
import { complete } from "../../../policy/mandate-request.ts";
import { mandateToWire } from "../../../policy/mandate-wire.ts";
import { codecOf, TaskVerdict } from "../../../proto/schema.gen.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { aiAgentFromWire } from "../../../server/registry/ai-agent-draft.ts";
import { taskClassFromWire, taskClassToWire } from "../../../server/registry/task-class-draft.ts";
import { checkTerms } from "../../../server/tasks/terms.ts";
import {
  bindingFromWire,
  endFromWire,
  stateFromWire,
  termsFromWire,
} from "../../../server/tasks/wire.ts";
import { TestClock } from "../../support/clock.ts";
import { type FuzzTarget, holds, parsedOrRefused } from "../target.ts";

const trustDomain = TrustDomain.parse("north.test");
const OPEN = codecOf("signet.task.v1.OpenTaskRequest");
const BINDING = codecOf("signet.task.v1.TaskBinding");
const ACTION = codecOf("signet.task.v1.CompleteTaskRequest");
const AGENT = codecOf("signet.registry.v1.AiAgent");
const CLASS = codecOf("signet.registry.v1.TaskClass");
const STATUSES = codecOf("signet.guard.v1.WatchStatusResponse");
const AGENT_ID = "spiffe://north.test/agent/researcher";

const mandate = mandateToWire({
  locations: ["https://mcp.north.test"],
  actions: ["tools/**"],
  datatypes: [],
  uses: 2,
  depth: 0,
  maxSensitivity: 0,
  untilUnixSeconds: undefined,
  environment: "production",
});
const inherited = {
  ...{ locations: [], actions: [], datatypes: [], uses: 1, depth: 0, maxSensitivity: 0 },
  ...{ untilUnixSeconds: undefined, environment: "production" },
};

const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e]/u;

const READERS: readonly ((body: Uint8Array) => void)[] = [
  (body) => {
    const wire = OPEN.decode(body);
    const terms = termsFromWire(wire, { mayAny: false });
    checkTerms(terms);
    holds(!hasAny(complete(terms.mandate, inherited)), "a workload asks for any");
    const { purpose, principal, externalRefs, labels } = terms;
    const texts = [purpose, principal, ...Object.entries({ ...externalRefs, ...labels }).flat()];
    holds(!texts.some((text) => UNPRINTABLE.test(text)), "a text that forges a line");
    holds(purpose.length <= 500 && texts.length <= 70, "texts without end");
  },
  (body) => {
    const binding = bindingFromWire(BINDING.decode(body));
    holds(binding !== undefined && binding.pid > 0, "a process without a number");
    holds(/^[\w-]*$/.test(binding.bootId), "a boot without a name");
  },
  (body) => {
    const { state } = ACTION.decode(body) as { state?: number };
    const end = endFromWire(state ?? 0, ["COMPLETED", "FAILED"]);
    holds(end === stateFromWire(state ?? 0), "another end");
  },
  (body) => {
    const draft = aiAgentFromWire(AGENT.decode(body), trustDomain);
    holds(draft.spiffeId.startsWith("spiffe://north.test/"), "an AI agent of somebody else");
  },
  (body) => {
    const draft = taskClassFromWire(CLASS.decode(body));
    const record = { ...draft, isShipped: false } as Parameters<typeof taskClassToWire>[0];
    const again = taskClassFromWire(CLASS.decode(CLASS.encode(taskClassToWire(record))));
    holds(JSON.stringify(again) === JSON.stringify(draft), "a class changes on the wire");
  },
];

export const taskMessages: FuzzTarget = {
  name: "task-messages",
  reads: "messages of the task service and of what administrators declare of AI agents and classes",
  maxBytes: 4096,
  seeds: () =>
    [
      OPEN.encode({ taskClass: "standard", purpose: "a test", mandate, labels: { a: "b" } }),
      BINDING.encode({ pid: 7, uid: 1000, startTime: 9, bootId: "a-b" }),
      ACTION.encode({}),
      AGENT.encode({
        spiffeId: AGENT_ID,
        owner: "team:a",
        purpose: "a test",
        environment: "production",
        validUntil: 2_000_000_000,
        ceiling: mandate,
        taskClasses: ["standard"],
        labels: { app: "a" },
      }),
      CLASS.encode({ name: "nightly", maximum: mandate, reactions: { "wrong-audience": "log" } }),
    ].map((bytes, i) => Buffer.concat([Uint8Array.of(i), bytes])),
  run(data) {
    const reader = READERS[(data[0] ?? 0) % READERS.length];
    parsedOrRefused(() => reader?.(data.subarray(1)));
  },
};

const statusWire = (verdict: number, version: number, ulid = "01JD0000000000000000000000") => ({
  taskId: ulid,
  spiffeId: `${AGENT_ID}/task/${ulid}`,
  verdict,
  version,
  forgetAt: 2_000_000_000,
  state: "SUSPENDED",
});
const { GOOD, REFUSED, ENDED } = TaskVerdict;

export const taskStatuses: FuzzTarget = {
  name: "task-statuses",
  reads: "the feed that tells which tasks are refused: messages, each after its length",
  maxBytes: 2048,
  seeds: () => [
    feed([statusWire(REFUSED, 1)], [statusWire(GOOD, 2)], [statusWire(ENDED, 3)]),
    feed([statusWire(ENDED, 2)], [statusWire(GOOD, 5)], []),
    feed([statusWire(REFUSED, 1), statusWire(9, 1, "01JD0000000000000000000001")], []),
  ],
  run(data) {
    const clock = new TestClock("2030-01-01T00:00:00Z");
    const cache = new TaskStatusCache({ clock, ask: () => {} });
    const ended = new Set<string>();
    for (let at = 0; at < data.length; ) {
      const length = (data[at] ?? 0) * 2;
      const body = data.subarray(at + 1, at + 1 + length);
      at += 1 + length;
      const wire = parsedOrRefused(() => STATUSES.decode(body));
      if (wire === undefined) continue;
      const tasks = readTaskStatuses(wire.tasks, silentLogger);
      const classes = readTaskClasses(wire.classes);
      holds(tasks.length <= wire.tasks.length, "a task appears");
      for (const { verdict, forgetAt, spiffeId } of tasks) {
        holds(!Number.isNaN(forgetAt.getTime()), "a status that is never forgotten");
        const { verdict: theirs } = wire.tasks.find((one) => one.spiffeId === spiffeId) ?? {};
        holds(verdict !== "good" || theirs === GOOD || tasks.length > 1, "what is unknown is good");
      }
      for (const { failMode } of classes) holds(/^(?:ttl|closed)$/.test(failMode), "no mode");
      if (wire.reset) cache.replaceAll({ tasks, classes });
      else cache.apply({ tasks, classes, removedClasses: [] });
      for (const { taskId, verdict } of cache.refused()) if (verdict === "ended") ended.add(taskId);
      for (const taskId of ended) {
        holds(cache.get(taskId)?.verdict !== "refused", "what has ended may go on");
      }
    }
  },
};

/** Messages with their lengths, in pairs of bytes: what is left of the last pair is an unknown field. */
function feed(...messages: readonly (readonly object[])[]): Uint8Array {
  const pieces = messages.map((tasks) => {
    const bytes = STATUSES.encode({ tasks, complete: true, fresh: true });
    // A field that nobody knows fills up.
    const even = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.of(0xfa, 0x7f, 0)]);
    return Buffer.concat([Uint8Array.of(even.length / 2), even]);
  });
  return Buffer.concat(pieces);
}
