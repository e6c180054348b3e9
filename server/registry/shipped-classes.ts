// The task classes that come with the server. Each can be replaced by one of the same name, and is back
// when that one is deleted.

import { MAX_SENSITIVITY, type Mandate } from "../../policy/mandate.ts";
import type { TaskClassRecord } from "../store/task-classes.ts";

const MINUTE = 60;
const HOUR = 3600;

/** 0 is the lowest level, and each organisation says what they mean: such as public, internal, confidential. */
const ORDINARY_SENSITIVITY = 2;

const STANDARD: Mandate = {
  locations: "any",
  // In normal form (policy/mandate.ts): in order.
  actions: ["http/**", "prompts/**", "resources/**", "tools/**"],
  datatypes: "any",
  uses: undefined,
  depth: 3,
  maxSensitivity: ORDINARY_SENSITIVITY,
  untilUnixSeconds: undefined,
  environment: "*",
};

/** What all of them have in common. */
const COMMON = {
  x509SvidTtlSeconds: 5 * MINUTE,
  jwtSvidTtlSeconds: MINUTE,
  accessTokenTtlSeconds: 2 * MINUTE,
  requirePop: false,
  failMode: "ttl",
  identity: "task",
  bind: "process",
  allowClip: false,
  openedBy: "agent",
  requireAttested: false,
  reactions: {},
  isShipped: true,
  owner: "",
  labels: {},
  managedBy: "",
  version: 0,
} as const;

/** They, ordered by how much they allow. */
export const SHIPPED_CLASSES: readonly TaskClassRecord[] = [
  {
    ...COMMON,
    name: "read-only",
    description: "Reads and changes nothing: tools that say so, resources, prompts.",
    maximum: {
      ...STANDARD,
      actions: [
        "http/get/**",
        "http/head/**",
        "prompts/get/**",
        "resources/read/**",
        "tools/read/**",
      ],
    },
    defaultTtlSeconds: 15 * MINUTE,
    maxTtlSeconds: HOUR,
    idleTimeoutSeconds: 10 * MINUTE,
    maxDepth: 3,
  },
  {
    ...COMMON,
    name: "standard",
    description: "Ordinary work: reads and writes.",
    maximum: STANDARD,
    defaultTtlSeconds: 15 * MINUTE,
    maxTtlSeconds: 8 * HOUR,
    idleTimeoutSeconds: 10 * MINUTE,
    maxDepth: 3,
  },
  {
    ...COMMON,
    name: "sensitive",
    description: "Short, proven with a key at every use, refused while the server cannot be heard.",
    maximum: { ...STANDARD, depth: 1, maxSensitivity: MAX_SENSITIVITY },
    defaultTtlSeconds: 5 * MINUTE,
    maxTtlSeconds: 30 * MINUTE,
    idleTimeoutSeconds: 5 * MINUTE,
    maxDepth: 1,
    requirePop: true,
    failMode: "closed",
    requireAttested: true,
  },
  {
    ...COMMON,
    name: "break-glass",
    description: "For emergencies: anything, for a quarter of an hour, opened by operators alone.",
    maximum: {
      ...STANDARD,
      actions: "any",
      depth: 0,
      maxSensitivity: MAX_SENSITIVITY,
    },
    defaultTtlSeconds: 15 * MINUTE,
    maxTtlSeconds: 15 * MINUTE,
    idleTimeoutSeconds: 0,
    maxDepth: 0,
    requirePop: true,
    openedBy: "operator",
    requireAttested: true,
  },
];
