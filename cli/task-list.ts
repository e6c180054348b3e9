// `signet task list`.

import { ulidIn } from "../pki/task-id.ts";
import type { Command } from "./command.ts";
import { misuse, pairsOf, parseId, parseWord } from "./flags.ts";
import { CONTROL_FLAGS, withTaskControl } from "./task-control.ts";
import { formatTasks, listTasks, OPEN_STATES, STATES, taskToJson } from "./task-output.ts";

export const command: Command = {
  description: "Lists tasks, a line each, newest first: those that go on, unless told otherwise.",
  flags: [
    { name: "ai-agent", value: "<id>", description: "those of this AI agent" },
    { name: "class", value: "<name>", description: "those of this class" },
    { name: "owner", value: "<name>", description: "those of AI agents of this owner" },
    { name: "host", value: "<id>", description: "those of others that this AI agent hosts" },
    {
      name: "state",
      value: "<state>",
      description: Object.keys(STATES).join(", "),
      isRepeated: true,
    },
    { name: "all", description: "those that have ended, too" },
    { name: "node-agent", value: "<id>", description: "those that this node agent holds" },
    { name: "root", value: "<task>", description: "this one and those that came from it" },
    { name: "label", value: "<name=value>", description: "with all of these", isRepeated: true },
    { name: "limit", value: "<number>", description: "at most so many", defaultValue: "1000" },
    ...CONTROL_FLAGS,
  ],
  examples: [
    ["signet task list", "what goes on now"],
    ["signet task list --ai-agent spiffe://example.test/agent/researcher --all", "its history"],
    ["signet task list --state suspended", "what waits for an operator"],
  ],
  async run(input, output) {
    const states = input.list("state").map((text) => parseWord(text, STATES, "--state"));
    const [aiAgent, nodeAgent] = [input.text("aiAgent"), input.text("nodeAgent")];
    const host = input.text("host");
    const limit = Number(input.text("limit"));
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw misuse(`--limit: "${input.text("limit")}" is not a number above 0`);
    }
    const filter = {
      states: states.length > 0 ? states : input.isOn("all") ? [] : OPEN_STATES,
      taskClass: input.text("class") ?? "",
      owner: input.text("owner") ?? "",
      ...(host && { host: parseId(host, "--host").toString() }),
      ...(aiAgent && { aiAgent: parseId(aiAgent, "--ai-agent").toString() }),
      ...(nodeAgent && { nodeAgent: parseId(nodeAgent, "--node-agent").toString() }),
      root: ulidIn(input.text("root") ?? ""),
      labels: pairsOf(input.list("label"), "--label"),
    };
    const { tasks, hasMore } = await withTaskControl(input, (client) =>
      listTasks(client, filter, limit),
    );
    output.show({ tasks: tasks.map(taskToJson) }, () => formatTasks(tasks));
    if (hasMore) output.note(`there are more than ${limit}: --limit lists more of them`);
  },
};
