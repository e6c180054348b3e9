// The flags that say what a task is to be, for commands that open or make one.

import type { TaskRequest } from "../client/tasks/open.ts";
import type { Flag, Input } from "./command.ts";
import { pairsOf, parseId, parseSeconds } from "./flags.ts";
import { MANDATE_FLAGS, mandateFromFlags } from "./mandate-flags.ts";

export const TASK_FLAGS: readonly Flag[] = [
  {
    name: "class",
    value: "<name>",
    description: "the task class: read-only, standard, sensitive, or one of your own",
  },
  { name: "purpose", value: "<text>", description: "what it is for; for people, grants nothing" },
  { name: "intent", value: "<code>", description: "the same for programs" },
  { name: "ttl", value: "<duration>", description: "how long it may last; default: the class's" },
  {
    name: "idle-timeout",
    value: "<duration>",
    description: "ends it when it has shown no life for so long; default: the class's",
  },
  {
    name: "principal",
    value: "<id>",
    description: "for whom it works, when not for the AI agent itself",
  },
  { name: "label", value: "<name=value>", description: "a label of yours", isRepeated: true },
  {
    name: "external-ref",
    value: "<name=value>",
    description: "what others call this piece of work, such as ticket=42",
    isRepeated: true,
  },
  ...MANDATE_FLAGS,
  { name: "allow-clip", description: "take what is left of the mandate, in place of a refusal" },
];

/** What the flags ask for. `aiAgent` is another flag's: some commands need it, others do not. */
export function taskRequestFrom(input: Input): TaskRequest {
  const mandate = mandateFromFlags(input);
  const [ttl, idleTimeout] = [input.text("ttl"), input.text("idleTimeout")];
  const aiAgent = input.text("aiAgent");
  return {
    taskClass: input.text("class") ?? "",
    purpose: input.text("purpose") ?? "",
    intent: input.text("intent") ?? "",
    principal: input.text("principal") ?? "",
    ...(aiAgent && { aiAgent: parseId(aiAgent, "--ai-agent").toString() }),
    ...(ttl && { ttlSeconds: parseSeconds(ttl, "--ttl") }),
    ...(idleTimeout && { idleTimeoutSeconds: parseSeconds(idleTimeout, "--idle-timeout") }),
    labels: pairsOf(input.list("label"), "--label"),
    externalRefs: pairsOf(input.list("externalRef"), "--external-ref"),
    ...(mandate && { mandate }),
    allowClip: input.isOn("allowClip"),
  };
}
