// `signet ai-agent disable`, `enable` and `delete`.

import { RegistryService } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import { AI_AGENT_ID, aiAgentIdFrom } from "./ai-agent-flags.ts";
import { aiAgentToJson } from "./ai-agent-output.ts";
import type { Command, Flag } from "./command.ts";
import { ADMIN_SOCKET } from "./flags.ts";
import { formatMoment } from "./output.ts";

const REASON: Flag = {
  name: "reason",
  value: "<text>",
  description: "why: it is shown to whoever is refused because of it",
};

/** `signet ai-agent disable`. */
export const disableCommand: Command = {
  description:
    "Disables an AI agent: its open tasks end, what it was issued is revoked, and it gets nothing more until it is enabled.",
  args: "[spiffe-id]",
  flags: [AI_AGENT_ID, REASON, ADMIN_SOCKET],
  examples: [
    [
      'signet ai-agent disable spiffe://example.test/agent/researcher --reason "misbehaves"',
      "stop it now",
    ],
  ],
  async run(input, output) {
    const request = { spiffeId: aiAgentIdFrom(input), reason: input.text("reason") ?? "" };
    const { aiAgent } = await withServer(input, (channel) =>
      channel.client(RegistryService).disableAiAgent(request),
    );
    if (aiAgent === undefined) throw new TypeError("the server answered without an AI agent");
    output.show(
      aiAgentToJson(aiAgent),
      () =>
        `${aiAgent.spiffeId} is disabled: its tasks have ended, and what it was issued is revoked`,
    );
  },
};

/** `signet ai-agent enable`. */
export const enableCommand: Command = {
  description:
    "Enables an AI agent that was disabled. What was revoked stays so, and its tasks have ended: it opens new ones.",
  args: "[spiffe-id]",
  flags: [AI_AGENT_ID, ADMIN_SOCKET],
  examples: [["signet ai-agent enable spiffe://example.test/agent/researcher", "let it go on"]],
  async run(input, output) {
    const spiffeId = aiAgentIdFrom(input);
    const { aiAgent } = await withServer(input, (channel) =>
      channel.client(RegistryService).enableAiAgent({ spiffeId }),
    );
    if (aiAgent === undefined) throw new TypeError("the server answered without an AI agent");
    output.show(
      aiAgentToJson(aiAgent),
      () => `${spiffeId} is enabled until ${formatMoment(aiAgent.validUntil)}`,
    );
  },
};

/** `signet ai-agent delete`. */
export const deleteCommand: Command = {
  description:
    "Deletes an AI agent: its tasks end and what it was issued is revoked. Its registration entries stay, as those of an ordinary workload, unless they are to go too.",
  args: "[spiffe-id]",
  flags: [
    AI_AGENT_ID,
    { name: "with-entries", description: "its registration entries too" },
    REASON,
    ADMIN_SOCKET,
  ],
  examples: [
    [
      "signet ai-agent delete spiffe://example.test/agent/researcher --with-entries",
      "nothing of it is left",
    ],
  ],
  async run(input, output) {
    const request = {
      spiffeId: aiAgentIdFrom(input),
      reason: input.text("reason") ?? "",
      withEntries: input.isOn("withEntries"),
    };
    const { aiAgent } = await withServer(input, (channel) =>
      channel.client(RegistryService).deleteAiAgent(request),
    );
    if (aiAgent === undefined) throw new TypeError("the server answered without an AI agent");
    output.show(aiAgentToJson(aiAgent), () => `${request.spiffeId} is deleted`);
  },
};
