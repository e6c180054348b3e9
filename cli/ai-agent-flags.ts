// The flags that describe an AI agent, and the wire form they make over what is there already.

import { ANY_ENVIRONMENT, type Mandate } from "../policy/mandate.ts";
import { mandateRequestToWire } from "../policy/mandate-wire.ts";
import type { Init } from "../proto/codec.ts";
import type { signet } from "../proto/schema.gen.ts";
import type { Flag, Input } from "./command.ts";
import { misuse, pairsOf, parseId, parseUntil } from "./flags.ts";
import { MANDATE_FLAGS, mandateFromFlags } from "./mandate-flags.ts";

type AiAgent = Init<signet.registry.v1.AiAgent>;

/** Those of the ceiling that mean the same for every mandate. */
const CEILING_FLAGS = MANDATE_FLAGS.filter(({ name }) => !["until", "environment"].includes(name));

export const AI_AGENT_ID: Flag = {
  name: "spiffe-id",
  value: "<id>",
  description: "its SPIFFE ID",
};

export const AI_AGENT_FLAGS: readonly Flag[] = [
  AI_AGENT_ID,
  { name: "owner", value: "<name>", description: "a person or a team, such as team:support" },
  { name: "purpose", value: "<text>", description: "what it is for" },
  {
    name: "environment",
    value: "<name>",
    description: "where it works, such as production: its tasks may be used there and nowhere else",
  },
  {
    name: "until",
    value: "<moment>",
    description: "when it ends: 2027-01-31T12:00:00Z, or 90d from now",
  },
  {
    name: "task-class",
    value: "<name>",
    description: "a class its tasks may have, such as read-only",
    isRepeated: true,
  },
  ...CEILING_FLAGS,
  { name: "any-environment", description: "its tasks may be used in every environment" },
  { name: "max-open-tasks", value: "<number>", description: "how many may be open at once" },
  {
    name: "may-host",
    value: "<id>",
    description: "an AI agent that its processes may open tasks for, or all below a path: <id>/*",
    isRepeated: true,
  },
  { name: "model-id", value: "<name>", description: "the model it runs on" },
  { name: "manifest-hash", value: "<hash>", description: "of what it is made of: sha256:9f86..." },
  {
    name: "label",
    value: "<name=value>",
    description: "something to find it by",
    isRepeated: true,
  },
];

/** `base` with what the flags say; lists that are given replace the former ones. */
export function aiAgentFromFlags(input: Input, base: AiAgent): AiAgent {
  const agent: { -readonly [K in keyof AiAgent]: AiAgent[K] } = { ...base };
  const text = (flag: string, use: (value: string) => void): void => {
    const value = input.text(flag);
    if (input.has(flag) && value !== undefined) use(value);
  };
  text("owner", (value) => {
    agent.owner = value;
  });
  text("purpose", (value) => {
    agent.purpose = value;
  });
  text("environment", (value) => {
    agent.environment = value;
  });
  text("until", (value) => {
    agent.validUntil = parseUntil(value, "--until");
  });
  text("maxOpenTasks", (value) => {
    if (!/^\d{1,9}$/.test(value)) throw misuse(`--max-open-tasks: "${value}" is no number`);
    agent.maxOpenTasks = Number(value);
  });
  text("modelId", (value) => {
    agent.modelId = value;
  });
  text("manifestHash", (value) => {
    agent.manifestHash = value;
  });
  if (input.has("mayHost")) agent.mayHost = input.list("mayHost").filter((one) => one !== "");
  if (input.has("taskClass")) agent.taskClasses = input.list("taskClass");
  if (input.has("label")) agent.labels = pairsOf(input.list("label"), "--label");
  agent.ceiling = ceilingFrom(input, agent);
  return agent;
}

function ceilingFrom(input: Input, { ceiling, environment = "" }: AiAgent): AiAgent["ceiling"] {
  const {
    untilUnixSeconds: _until,
    environment: _name,
    ...request
  } = mandateFromFlags(input) ?? {};
  const given = mandateRequestToWire(request);
  const changed = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined && value !== 0),
  );
  const isSaid = input.has("environment") || input.has("anyEnvironment");
  const place: Mandate["environment"] = input.isOn("anyEnvironment")
    ? ANY_ENVIRONMENT
    : environment;
  const where =
    isSaid || ceiling?.environment === undefined
      ? mandateRequestToWire({ environment: place }).environment
      : ceiling.environment;
  return { ...ceiling, ...changed, environment: where };
}

/** The SPIFFE ID of the AI agent that a command is about: its argument, or --spiffe-id. */
export function aiAgentIdFrom(input: Input): string {
  const id = input.args[0] ?? input.text("spiffeId");
  if (id) return parseId(id, "the AI agent").toString();
  throw misuse("the SPIFFE ID of the AI agent is missing", {
    hint: "'signet ai-agent list' shows them",
  });
}
