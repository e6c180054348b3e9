// The guard's service of a node agent over a real socket, with tasks, a server and a spool that a test sets.

import type { Test } from "tap";
import { StatusBroadcast } from "../../agent/guard/broadcast.ts";
import { guardCallers } from "../../agent/guard/caller.ts";
import { TaskDescriptions } from "../../agent/guard/describe.ts";
import { type GuardCaller, guardHandlers } from "../../agent/guard/index.ts";
import { Recorder } from "../../agent/guard/record.ts";
import { ShownTasks } from "../../agent/guard/shown.ts";
import { IdentityError, Status } from "../../pki/errors.ts";
import { newUlid } from "../../pki/task-id.ts";
import type { Init } from "../../proto/codec.ts";
import type { ClientOf } from "../../proto/rpc/client.ts";
import { AuditLogService, GuardService, type signet } from "../../proto/schema.gen.ts";
import { silentLogger } from "../../runtime/log.ts";
import { entryOf, TestAgent, type TestPeer } from "./test-agent.ts";

type Event = signet.audit.v1.Event;
type Task = signet.task.v1.Task;

export const NOW: Date = new Date("2030-01-01T00:00:00Z");
export const ULID: string = newUlid(NOW, new Uint8Array(10));
export const TASK: string = `spiffe://north.test/bot/task/${ULID}`;
export const OTHER: string = newUlid(NOW, new Uint8Array(10).fill(1));
/** What a task shows. */
export const documentOf = (id: string): Buffer => Buffer.from(`the SVID of ${id}`);
export const SHOWN: Buffer = documentOf(ULID);

export interface GuardNode {
  readonly agent: TestAgent;
  readonly recorded: Event[];
  readonly spent: string[];
  readonly asked: string[][];
  /** The tasks of documents that the server was asked about. */
  readonly checked: string[];
  tasks: Init<Task>[];
  away: boolean;
  /** Whether the server was heard of late. */
  fresh: boolean;
  client(peer?: TestPeer): Promise<ClientOf<typeof GuardService>>;
}

export async function startGuardService(t: Test, task?: Partial<GuardCaller>): Promise<GuardNode> {
  const agent = await TestAgent.create(t, [entryOf("tickets")]);
  const { clock, subscribers, taskStatus } = agent;
  const node: GuardNode = {
    agent,
    recorded: [],
    spent: [],
    asked: [],
    checked: [],
    tasks: [{ id: ULID, spiffeId: TASK, version: 1, purpose: "triage" }],
    away: false,
    fresh: true,
    client: async (peer) => (await agent.channel(peer)).client(GuardService),
  };
  const descriptions = new TaskDescriptions({
    clock,
    isFresh: () => node.fresh,
    ask: async (ids) => {
      node.asked.push([...ids]);
      if (node.away) throw new IdentityError("SERVER_UNREACHABLE", Status.unavailable, "away");
      if (!node.fresh) return new Promise(() => {});
      return node.tasks.filter(({ id = "" }) => ids.includes(id)) as Task[];
    },
  });
  taskStatus.onChange((change) => descriptions.changed(change));
  const shown = new ShownTasks({
    check: async (id, document) => {
      node.checked.push(id);
      // As a server does: others ask meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (node.away) throw new IdentityError("SERVER_UNREACHABLE", Status.unavailable, "away");
      return documentOf(id).equals(document);
    },
    clock,
    log: silentLogger,
  });
  const admit = guardCallers({ admit: (call) => agent.callers.admit(call), subscribers });
  agent.server.rpc.add(
    GuardService,
    guardHandlers({
      admit: async (call) => ({ ...(await admit(call)), ...task }),
      broadcast: new StatusBroadcast({ taskStatus, clock }),
      descriptions,
      uses: {
        spend: async (id, count, spendId) => {
          node.spent.push(`${id} ${count} ${spendId}`);
          return count <= 3;
        },
      },
      shown,
      recorder: new Recorder({
        clock,
        hasMet: (caller) => shown.hasMet(caller),
        spool: async (_owner, events) => {
          const { request } = AuditLogService.methods.append;
          for (const bytes of events) node.recorded.push(...request.decode(bytes).events);
        },
      }),
    }),
  );
  return node;
}

export const refusedWith = (reason: string, code: Status): { reason: string; code: Status } => ({
  reason,
  code,
});

export const event = (more: Partial<Event> = {}): Init<Event> => ({
  id: newUlid(NOW, new Uint8Array(10).fill(7)),
  timeMs: NOW.getTime(),
  stream: "tool_call",
  type: "tool.called",
  outcome: "ok",
  task: TASK,
  ...more,
});
