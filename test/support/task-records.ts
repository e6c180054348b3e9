// Records of open tasks, for tests of what lies over the store of tasks, and the store with them.
import { randomFillSync } from "node:crypto";
import { Ulids } from "../../pki/task-id.ts";
import type { Mandate } from "../../policy/mandate.ts";
import type { TaskRecord } from "../../server/store/task-record.ts";
import type { TaskStore } from "../../server/store/tasks.ts";

export const RESEARCHER = "spiffe://north.test/ai/researcher";
export const NODE = "spiffe://north.test/spire/agent/join_token/one";
const OPENED = new Date("2030-01-01T00:00:00Z");

const ulids = new Ulids((bytes) => randomFillSync(bytes));

export const MANDATE: Mandate = {
  locations: ["https://tools.test"],
  actions: ["tools/**"],
  datatypes: [],
  uses: undefined,
  depth: 0,
  maxSensitivity: 0,
  untilUnixSeconds: undefined,
  environment: "test",
};

/** An active task of an hour from 2030 on, with what a test changes about it. */
export function taskRecord(changes: Partial<TaskRecord> = {}): TaskRecord {
  const id = changes.id ?? ulids.next(OPENED);
  return {
    id,
    agentId: RESEARCHER,
    taskClass: "standard",
    purpose: "a test",
    intent: "",
    mandate: MANDATE,
    principal: RESEARCHER,
    parent: "",
    root: id,
    depth: 0,
    owner: "team:test",
    openedAtMs: OPENED.getTime(),
    expiresAtMs: OPENED.getTime() + 3_600_000,
    idleTimeoutSeconds: 0,
    state: "ACTIVE",
    stateReason: "",
    endedAtMs: 0,
    openedBy: NODE,
    nodeAgent: NODE,
    externalRefs: {},
    labels: {},
    assurance: "process-attested",
    host: "",
    usesTaken: 0,
    grantHash: "",
    keyThumbprint: "",
    version: 1,
    lastActiveMs: OPENED.getTime(),
    binding: undefined,
    status: { list: "2030-01-01T00", index: 7 },
    maxCredentialSeconds: 300,
    suspendedFrom: "",
    idempotency: "",
    termsDigest: "",
    summaryDigest: "",
    ...changes,
  };
}

/** Puts a task into the store. */
export async function addTask(
  store: TaskStore,
  changes: Partial<TaskRecord> = {},
): Promise<TaskRecord> {
  const task = taskRecord(changes);
  await store.transact((tasks) => tasks.add(task));
  return task;
}
