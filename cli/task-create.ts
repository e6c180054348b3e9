// `signet task create`.

import { randomUUID } from "node:crypto";
import { taskRequestToWire } from "../client/tasks/open.ts";
import type { Command } from "./command.ts";
import { parseId, required } from "./flags.ts";
import { CONTROL_FLAGS, withTaskControl } from "./task-control.ts";
import { TASK_FLAGS, taskRequestFrom } from "./task-flags.ts";
import { formatTask, taskToJson } from "./task-output.ts";

export const command: Command = {
  description:
    "Makes a task for an AI agent. It is pending, without a key and without credentials, until the AI agent claims it: " +
    "'signet task run --claim ID', or openTask({ claim }). With --server an orchestrator does so, which the server's " +
    "configuration names under tasks.orchestrators.",
  flags: [
    { name: "ai-agent", value: "<id>", description: "SPIFFE ID of the AI agent" },
    ...TASK_FLAGS,
    ...CONTROL_FLAGS,
  ],
  examples: [
    [
      'signet task create --ai-agent spiffe://example.test/agent/researcher --class read-only --purpose "triage 42"',
      "a task that its processes may claim",
    ],
    [
      'signet task create --server signet.example.test:8081 --ai-agent spiffe://example.test/agent/researcher --class standard --purpose "close stale tickets" --uses 20',
      "the same for an orchestrator with an SVID of its own",
    ],
  ],
  async run(input, output) {
    const aiAgent = parseId(required(input, "aiAgent", "--ai-agent"), "--ai-agent").toString();
    required(input, "class", "--class");
    required(input, "purpose", "--purpose");
    const { aiAgent: _, ...request } = taskRequestFrom(input);
    const wire = { ...taskRequestToWire(request), idempotencyKey: randomUUID() };
    const { task } = await withTaskControl(input, (client) =>
      client.createTask({ aiAgent, task: wire }),
    );
    output.show({ task: taskToJson(task) }, () => formatTask(task));
  },
};
