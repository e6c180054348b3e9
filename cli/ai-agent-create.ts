// `signet ai-agent create`: registers an AI agent, and, in the same step, which processes it is.

import type { Init } from "../proto/codec.ts";
import { RegistryService, type spire } from "../proto/schema.gen.ts";
import { spiffeIdToWire } from "../proto/types/spiffe-id.ts";
import { withServer } from "./admin-channel.ts";
import { AI_AGENT_FLAGS, aiAgentFromFlags, aiAgentIdFrom } from "./ai-agent-flags.ts";
import { aiAgentToJson, formatAiAgent } from "./ai-agent-output.ts";
import type { Command, Input } from "./command.ts";
import { selectorsFrom } from "./entry-flags.ts";
import { ADMIN_SOCKET, misuse, parseId, required } from "./flags.ts";

export const command: Command = {
  description:
    "Registers an AI agent: who owns it, what it is for, until when, and what its tasks may get at most. What is not allowed here, none of its tasks gets.",
  args: "[spiffe-id]",
  flags: [
    ...AI_AGENT_FLAGS,
    {
      name: "parent-id",
      value: "<id>",
      description: "registers its processes too: the node agent, or group of nodes, they run on",
    },
    {
      name: "selector",
      value: "<type:value>",
      description: "what its processes must be, such as unix:uid:1000; all of them must hold",
      isRepeated: true,
    },
    ADMIN_SOCKET,
  ],
  examples: [
    [
      'signet ai-agent create spiffe://example.test/agent/researcher --owner team:support --purpose "answers tickets" --environment production --until 90d --task-class read-only --location https://mcp.example.test/tickets --action "tools/read/**" --parent-id spiffe://example.test/node --selector unix:uid:1000',
      "an AI agent that runs as user 1000, may read tickets and nothing else",
    ],
    [
      'signet ai-agent create spiffe://example.test/agent/helper --owner alice@example.test --purpose "tries things" --environment staging --until 7d --task-class standard --location any --action "tools/**" --uses 100',
      "one whose entry is there already: tools of any service, 100 uses a task",
    ],
  ],
  async run(input, output) {
    const spiffeId = aiAgentIdFrom(input);
    required(input, "owner", "--owner");
    required(input, "purpose", "--purpose");
    required(input, "environment", "--environment");
    required(input, "until", "--until");
    const entry = entryFrom(input, spiffeId);
    const { aiAgent } = await withServer(input, (channel) =>
      channel.client(RegistryService).createAiAgent({
        aiAgent: aiAgentFromFlags(input, { spiffeId }),
        ...(entry !== undefined && { entry }),
      }),
    );
    if (aiAgent === undefined) throw new TypeError("the server answered without an AI agent");
    output.show(aiAgentToJson(aiAgent), () => formatAiAgent(aiAgent));
    if (aiAgent.entryIds.length === 0 && aiAgent.hostedBy.length === 0) {
      output.note(
        "nothing says yet which processes it is: register them with 'signet entry create', or let a host open its tasks: 'signet ai-agent update HOST --may-host'",
      );
    }
  },
};

function entryFrom(input: Input, spiffeId: string): Init<spire.api.types.Entry> | undefined {
  const parentId = input.text("parentId");
  const selectors = selectorsFrom(input);
  if (parentId === undefined && selectors.length === 0) return undefined;
  if (parentId === undefined) {
    throw misuse("--selector needs --parent-id", {
      hint: "name the node agent ('signet agent list') or a group of nodes",
    });
  }
  if (selectors.length === 0) {
    throw misuse("--parent-id needs --selector", { hint: "such as --selector unix:uid:1000" });
  }
  return {
    spiffeId: spiffeIdToWire(spiffeId),
    parentId: spiffeIdToWire(parseId(parentId, "--parent-id")),
    selectors,
  };
}
