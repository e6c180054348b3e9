// A task class as somebody declares it: read from the wire, what is left out filled in, and checked.

import { MAX_DEPTH } from "../../policy/mandate.ts";
import { mandateFromWire, mandateToWire } from "../../policy/mandate-wire.ts";
import type { Init } from "../../proto/codec.ts";
import type { signet } from "../../proto/schema.gen.ts";
import { serverError } from "../errors.ts";
import type { Reaction, TaskClassRecord } from "../store/task-classes.ts";
import { ESCALATION_KINDS, REACTIONS } from "../tasks/escalation-kinds.ts";
import {
  describeFaults,
  type Fault,
  Faults,
  hintOf,
  MAX_OWNER_LENGTH,
  quote,
  sorted,
  TASK_CLASS_NAME,
} from "./fields.ts";

type Wire = signet.registry.v1.TaskClass;

/** What is declared of a class. */
export type TaskClassDraft = Omit<TaskClassRecord, "isShipped" | "managedBy" | "version">;

export interface ReadTaskClass {
  readonly draft?: TaskClassDraft;
  readonly faults: readonly Fault[];
}

const MAX_DESCRIPTION_LENGTH = 512;
/** Reactions that are looked at: with more, some are of no kind. */
const MAX_FAULTS = 64;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 24 * HOUR;

/** What holds where nothing is said. */
const DEFAULTS = {
  defaultTtlSeconds: 15 * MINUTE,
  maxTtlSeconds: 8 * HOUR,
  x509SvidTtlSeconds: 5 * MINUTE,
  jwtSvidTtlSeconds: MINUTE,
  accessTokenTtlSeconds: 2 * MINUTE,
} as const;

const WORDS = {
  failMode: ["ttl", "closed"],
  identity: ["task", "agent"],
  bind: ["process", "none"],
  openedBy: ["agent", "operator"],
} as const;

/** Reads and checks. */
export function readTaskClass(wire: Wire): ReadTaskClass {
  const faults = new Faults();
  if (!TASK_CLASS_NAME.test(wire.name)) {
    const hint = "take lowercase letters, digits, '-' and '.', at most 63";
    faults.add(`${quote(wire.name)} is no name of a task class`, hint);
  }
  faults.text("description", wire.description, MAX_DESCRIPTION_LENGTH);
  faults.text("owner", wire.owner, MAX_OWNER_LENGTH);
  faults.labels(wire.labels);
  if (wire.maximum === undefined) {
    faults.add("maximum is missing", "say what a task of the class may get at most");
  }
  const maximum = wire.maximum && faults.try("maximum", () => mandateFromWire(wire.maximum));
  const maxTtlSeconds = wire.maxTtlSeconds || DEFAULTS.maxTtlSeconds;
  const lifetimes = {
    defaultTtlSeconds:
      wire.defaultTtlSeconds || Math.min(DEFAULTS.defaultTtlSeconds, maxTtlSeconds),
    maxTtlSeconds,
    idleTimeoutSeconds: wire.idleTimeoutSeconds,
    x509SvidTtlSeconds: wire.x509SvidTtlSeconds || DEFAULTS.x509SvidTtlSeconds,
    jwtSvidTtlSeconds: wire.jwtSvidTtlSeconds || DEFAULTS.jwtSvidTtlSeconds,
    accessTokenTtlSeconds: wire.accessTokenTtlSeconds || DEFAULTS.accessTokenTtlSeconds,
  };
  faults.seconds("max_ttl", maxTtlSeconds, 1, 30 * DAY);
  faults.seconds("default_ttl", lifetimes.defaultTtlSeconds, 1, maxTtlSeconds);
  faults.seconds("idle_timeout", lifetimes.idleTimeoutSeconds, 0, 30 * DAY);
  faults.seconds("x509_svid_ttl", lifetimes.x509SvidTtlSeconds, 30, DAY);
  faults.seconds("jwt_svid_ttl", lifetimes.jwtSvidTtlSeconds, 10, HOUR);
  faults.seconds("access_token_ttl", lifetimes.accessTokenTtlSeconds, 10, HOUR);
  faults.number("max_depth", wire.maxDepth, 0, MAX_DEPTH);
  const words = {
    failMode: word(faults, "fail_mode", wire.failMode, WORDS.failMode),
    identity: word(faults, "identity", wire.identity, WORDS.identity),
    bind: word(faults, "bind", wire.bind, WORDS.bind),
    openedBy: word(faults, "opened_by", wire.openedBy, WORDS.openedBy),
  };
  checkReactions(faults, wire.reactions);
  if (maximum === undefined || faults.all.length > 0) return { faults: faults.all };
  const draft: TaskClassDraft = {
    name: wire.name,
    description: wire.description,
    maximum,
    ...lifetimes,
    maxDepth: wire.maxDepth,
    requirePop: wire.requirePop,
    ...words,
    allowClip: wire.allowClip,
    requireAttested: wire.requireAttested,
    reactions: sorted(wire.reactions) as Record<string, Reaction>,
    owner: wire.owner,
    labels: sorted(wire.labels),
  };
  return { draft, faults: [] };
}

/** The same for one alone. @throws TASK_CLASS_INVALID naming all that is wrong */
export function taskClassFromWire(wire: Wire | undefined): TaskClassDraft {
  if (wire === undefined) throw serverError("TASK_CLASS_INVALID", "there is no task class");
  const { draft, faults } = readTaskClass(wire);
  if (draft !== undefined) return draft;
  const what = `the task class ${quote(wire.name)}`;
  throw serverError("TASK_CLASS_INVALID", describeFaults(what, faults), hintOf(faults));
}

/** One of a few words; the first of them where nothing is said. */
function word<W extends string>(
  faults: Faults,
  field: string,
  value: string,
  words: readonly [W, ...W[]],
): W {
  const found = value === "" ? words[0] : words.find((one) => one === value);
  if (found !== undefined) return found;
  faults.add(`${field} ${quote(value)} is not one of ${words.join(", ")}`);
  return words[0];
}

function checkReactions(faults: Faults, reactions: Readonly<Record<string, string>>): void {
  for (const [kind, reaction] of Object.entries(reactions).slice(0, MAX_FAULTS)) {
    if (!Object.hasOwn(ESCALATION_KINDS, kind)) {
      const hint = `it is one of ${Object.keys(ESCALATION_KINDS).join(", ")}`;
      faults.add(`reactions: ${quote(kind)} is no kind of attempt`, hint);
    }
    if (!REACTIONS.some((one) => one === reaction)) {
      faults.add(`reactions: ${quote(reaction)} is not one of ${REACTIONS.join(", ")}`);
    }
  }
}

/** The wire form. */
export function taskClassToWire(record: TaskClassRecord): Init<Wire> {
  const { maximum, isShipped, ...rest } = record;
  return { ...rest, maximum: mandateToWire(maximum), shipped: isShipped };
}
