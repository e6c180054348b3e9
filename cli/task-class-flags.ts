// The flags that describe a task class, and the wire form they make over what is there already.

import { mandateRequestToWire } from "../policy/mandate-wire.ts";
import type { Init } from "../proto/codec.ts";
import type { signet } from "../proto/schema.gen.ts";
import type { Flag, Input } from "./command.ts";
import { misuse, pairsOf, parseSeconds } from "./flags.ts";
import { MANDATE_FLAGS, mandateFromFlags } from "./mandate-flags.ts";

type TaskClass = Init<signet.registry.v1.TaskClass>;

export const TASK_CLASS_NAME: Flag = { name: "name", value: "<name>", description: "the class" };

export const TASK_CLASS_FLAGS: readonly Flag[] = [
  TASK_CLASS_NAME,
  { name: "description", value: "<text>", description: "what such tasks are for" },
  ...MANDATE_FLAGS,
  { name: "ttl", value: "<duration>", description: "how long a task lasts that does not say" },
  { name: "max-ttl", value: "<duration>", description: "how long one may last" },
  {
    name: "idle-timeout",
    value: "<duration>",
    description: "ends one that is not used; 0s: never",
  },
  {
    name: "x509-svid-ttl",
    value: "<duration>",
    description: "lifetime of its X509-SVIDs and WIT-SVIDs",
  },
  { name: "jwt-svid-ttl", value: "<duration>", description: "lifetime of its JWT-SVIDs" },
  { name: "access-token-ttl", value: "<duration>", description: "lifetime of its access tokens" },
  { name: "require-pop", description: "no bearer tokens: each use proves a key" },
  {
    name: "fail-mode",
    value: "<mode>",
    description: "while guards hear nothing: closed (refuse) or ttl (by the lifetime)",
  },
  { name: "identity", value: "<kind>", description: "the sub of its SVIDs: task or agent" },
  { name: "bind", value: "<kind>", description: "what a task ends with: process or none" },
  { name: "allow-clip", description: "who asks for too much and allows it gets what may be had" },
  {
    name: "require-attested",
    description: "for processes attested as the AI agent itself alone: none of hosted ones",
  },
  { name: "opened-by", value: "<who>", description: "who may open one: agent or operator" },
  {
    name: "reaction",
    value: "<kind=reaction>",
    description: "upon an attempt to get more: log, suspend or revoke, such as not-owner=revoke",
    isRepeated: true,
  },
  { name: "owner", value: "<name>", description: "who looks after the class" },
  {
    name: "label",
    value: "<name=value>",
    description: "something to find it by",
    isRepeated: true,
  },
];

const DURATIONS = {
  ttl: ["defaultTtlSeconds", "--ttl"],
  maxTtl: ["maxTtlSeconds", "--max-ttl"],
  idleTimeout: ["idleTimeoutSeconds", "--idle-timeout"],
  x509SvidTtl: ["x509SvidTtlSeconds", "--x509-svid-ttl"],
  jwtSvidTtl: ["jwtSvidTtlSeconds", "--jwt-svid-ttl"],
  accessTokenTtl: ["accessTokenTtlSeconds", "--access-token-ttl"],
} as const;
const WORDS = ["description", "failMode", "identity", "bind", "openedBy", "owner"] as const;
const SWITCHES = ["requirePop", "requireAttested", "allowClip"] as const;

/** `base` with what the flags say; lists that are given replace the former ones. */
export function taskClassFromFlags(input: Input, base: TaskClass): TaskClass {
  const changed: { -readonly [K in keyof TaskClass]: TaskClass[K] } = { ...base };
  for (const [flag, [field, spelled]] of Object.entries(DURATIONS)) {
    if (input.has(flag)) changed[field] = parseSeconds(input.text(flag) ?? "", spelled);
  }
  for (const word of WORDS) if (input.has(word)) changed[word] = input.text(word);
  for (const flag of SWITCHES) if (input.has(flag)) changed[flag] = input.isOn(flag);
  if (input.has("label")) changed.labels = pairsOf(input.list("label"), "--label");
  if (input.has("reaction")) changed.reactions = reactionsFrom(input);
  const request = mandateFromFlags(input);
  if (request !== undefined) {
    const given = Object.entries(mandateRequestToWire(request)).filter(
      ([, value]) => value !== undefined && value !== 0,
    );
    changed.maximum = { ...base.maximum, ...Object.fromEntries(given) };
    if (request.depth !== undefined) changed.maxDepth = request.depth;
  }
  // A class is for every environment unless one is named: its AI agents each have theirs.
  changed.maximum = { environment: { any: true }, ...withoutAbsent(changed.maximum) };
  return changed;
}

function withoutAbsent(maximum: TaskClass["maximum"]): TaskClass["maximum"] {
  const present = Object.entries(maximum ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present);
}

function reactionsFrom(input: Input): Record<string, string> {
  const reactions: Record<string, string> = {};
  for (const text of input.list("reaction")) {
    const [kind = "", reaction] = text.split("=");
    if (reaction === undefined) {
      throw misuse(`--reaction: "${text}" is not written as kind=reaction`, {
        hint: "such as not-owner=revoke",
      });
    }
    reactions[kind] = reaction;
  }
  return reactions;
}

/** The class that a command is about: its argument, or --name. */
export function classNameFrom(input: Input): string {
  const name = input.args[0] ?? input.text("name");
  if (name) return name;
  throw misuse("the name of the task class is missing", {
    hint: "'signet task-class list' shows them",
  });
}
