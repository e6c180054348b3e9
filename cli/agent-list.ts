// `signet agent list`: the node agents that have attested.

import type { Init } from "../proto/codec.ts";
import { AgentService, codecOf, type spire } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import { formatAgents } from "./agent-flags.ts";
import type { Command, Input } from "./command.ts";
import { MATCHES } from "./entry-filter.ts";
import { selectorsFrom } from "./entry-flags.ts";
import { ADMIN_SOCKET, parseMoment, parseTruth, parseWord } from "./flags.ts";

type Filter = Init<spire.api.server.agent.v1.ListAgentsRequest.Filter>;

export const command: Command = {
  description: "Lists the node agents that have attested to the server.",
  flags: [
    {
      name: "selector",
      value: "<type:value>",
      description: "agents with this selector",
      isRepeated: true,
    },
    {
      name: "match-selectors-on",
      value: "<how>",
      description: "exact, any, superset or subset",
      defaultValue: "superset",
    },
    { name: "attestation-type", value: "<type>", description: "such as join_token" },
    { name: "banned", value: "<true|false>", description: "banned agents, or the others" },
    {
      name: "can-reattest",
      value: "<true|false>",
      description: "agents that can attest again by themselves",
    },
    {
      name: "expires-before",
      value: "<moment>",
      description: "agents whose certificate ends before",
    },
    ADMIN_SOCKET,
  ],
  examples: [
    ["signet agent list", "all agents"],
    ["signet agent list --expires-before 2027-01-01", "agents that have not renewed"],
  ],
  async run(input, output) {
    const filter = filterFrom(input);
    const agents = await withServer(input, async (channel) => {
      const client = channel.client(AgentService);
      const all: spire.api.types.Agent[] = [];
      let pageToken = "";
      do {
        const page = await client.listAgents({ filter, pageSize: 500, pageToken });
        all.push(...page.agents);
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      return all;
    });
    const codec = codecOf("spire.api.server.agent.v1.ListAgentsResponse");
    output.show({ agents: codec.toJson({ agents })["agents"] }, () => formatAgents(agents));
  },
};

function filterFrom(input: Input): Filter {
  const selectors = selectorsFrom(input);
  const banned = input.text("banned");
  const canReattest = input.text("canReattest");
  const before = input.text("expiresBefore");
  const how = parseWord(
    input.text("matchSelectorsOn") ?? "superset",
    MATCHES,
    "--match-selectors-on",
  );
  return {
    byAttestationType: input.text("attestationType") ?? "",
    bySelectorMatch: selectors.length === 0 ? undefined : { selectors, match: how },
    byBanned: banned === undefined ? undefined : { value: parseTruth(banned, "--banned") },
    byCanReattest:
      canReattest === undefined ? undefined : { value: parseTruth(canReattest, "--can-reattest") },
    byExpiresBefore:
      before === undefined ? "" : formatGoTime(parseMoment(before, "--expires-before")),
  };
}

/** The form in which SPIRE's API takes a moment: "2027-01-31 12:00:00 +0000 UTC". */
function formatGoTime(unixSeconds: number): string {
  const [date, time] = new Date(unixSeconds * 1000).toISOString().split("T");
  return `${date} ${time?.slice(0, 8)} +0000 UTC`;
}
