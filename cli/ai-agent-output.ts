// How AI agents are shown.

import type { Init } from "../proto/codec.ts";
import type { Channel } from "../proto/rpc/client.ts";
import { codecOf, RegistryService, type signet } from "../proto/schema.gen.ts";
import { mandateRows } from "./mandate-output.ts";
import { formatMoment, formatRecord, formatTable } from "./output.ts";

type AiAgent = signet.registry.v1.AiAgent;

/** All AI agents that match. */
export async function listAiAgents(
  channel: Channel,
  filter: Init<signet.registry.v1.ListAiAgentsRequest>,
): Promise<AiAgent[]> {
  const client = channel.client(RegistryService);
  const all: AiAgent[] = [];
  let pageToken = "";
  do {
    const page = await client.listAiAgents({ ...filter, pageToken });
    all.push(...page.aiAgents);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return all;
}

/** As JSON. */
export function aiAgentToJson(agent: AiAgent): Record<string, unknown> {
  return codecOf("signet.registry.v1.AiAgent").toJson(agent);
}

/** A line for each. */
export function formatAiAgents(agents: readonly AiAgent[]): string {
  if (agents.length === 0) return "no AI agents";
  const rows = agents.map((one) => [
    one.spiffeId,
    one.owner,
    one.environment,
    one.taskClasses.join(" ") || "none",
    String(one.openTasks),
    formatMoment(one.validUntil),
    stateOf(one),
  ]);
  return formatTable(
    ["SPIFFE ID", "OWNER", "ENVIRONMENT", "TASK CLASSES", "OPEN TASKS", "UNTIL", "STATE"],
    rows,
  );
}

/** All there is to say of one. */
export function formatAiAgent(one: AiAgent): string {
  const rows: [string, string][] = [
    ["SPIFFE ID", one.spiffeId],
    ["Owner", one.owner],
    ["Purpose", one.purpose],
    ["Environment", one.environment],
    ["Until", formatMoment(one.validUntil)],
    ["State", one.disabledReason === "" ? stateOf(one) : `${stateOf(one)}: ${one.disabledReason}`],
    ["Task classes", one.taskClasses.join("\n") || "none"],
    [
      "Open tasks",
      one.maxOpenTasks === 0
        ? String(one.openTasks)
        : `${one.openTasks}, at most ${one.maxOpenTasks}`,
    ],
    ["Entries", one.entryIds.join("\n") || withoutEntries(one)],
  ];
  if (one.mayHost.length > 0) {
    rows.push(["May host", one.mayHost.join("\n")], ["Hosted tasks", String(one.hostedTasks)]);
  }
  if (one.hostedBy.length > 0) rows.push(["Hosted by", one.hostedBy.join("\n")]);
  const labels = Object.entries(one.labels).map(([name, value]) => `${name}=${value}`);
  if (labels.length > 0) rows.push(["Labels", labels.join("\n")]);
  if (one.modelId !== "") rows.push(["Model", one.modelId]);
  if (one.manifestHash !== "") rows.push(["Manifest", one.manifestHash]);
  if (one.managedBy !== "") rows.push(["Declared by", `the set "${one.managedBy}"`]);
  rows.push(["Created", formatMoment(one.createdAt)], ["Changed", formatMoment(one.updatedAt)]);
  const ceiling = mandateRows(one.ceiling);
  return `${formatRecord(rows)}\n\nIts tasks may get at most\n${formatRecord(ceiling)}`;
}

function withoutEntries({ hostedBy }: AiAgent): string {
  return hostedBy.length > 0
    ? "none: its tasks are its hosts' to open"
    : "none: nothing says which processes it is";
}

function stateOf({ disabled, validUntil }: AiAgent): string {
  if (!disabled) return "enabled";
  return validUntil * 1000 <= Date.now() ? "expired" : "disabled";
}
