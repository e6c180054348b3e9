// An AI agent as somebody declares it: read from the wire and checked. What the server adds to it, and
// how it changes: ai-agents.ts.

import { MAX_SPIFFE_ID_BYTES, SpiffeId, type TrustDomain } from "../../pki/spiffe-id.ts";
import { ENVIRONMENT, MAX_UNIX_SECONDS, type Mandate } from "../../policy/mandate.ts";
import { mandateFromWire, mandateToWire } from "../../policy/mandate-wire.ts";
import type { Init } from "../../proto/codec.ts";
import type { signet } from "../../proto/schema.gen.ts";
import { serverError } from "../errors.ts";
import type { AiAgentRecord } from "../store/ai-agents.ts";
import { aiAgentAbove } from "../store/task-paths.ts";
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

type Wire = signet.registry.v1.AiAgent;

/** What is declared of an AI agent. */
export type AiAgentDraft = Omit<
  AiAgentRecord,
  "end" | "createdAtUnixSeconds" | "updatedAtUnixSeconds" | "managedBy" | "version"
>;

const MAX_PURPOSE_LENGTH = 1024;
const MAX_MODEL_LENGTH = 256;
const MANIFEST_HASH = /^[A-Za-z0-9:+/=_.-]{1,256}$/;
const MAX_CLASSES = 32;
const MAX_HOSTED = 256;
const MAX_OPEN_TASKS = 1_000_000;
/** What "/task/" and a ULID take: the IDs of its tasks must be SPIFFE IDs too. */
const TASK_SUFFIX_BYTES = 32;

/** What is declared, and what is wrong with it: then there is no draft. */
export interface ReadAiAgent {
  readonly draft?: AiAgentDraft;
  readonly faults: readonly Fault[];
}

/** Reads and checks. That `valid_until` is to come is checked where it changes: ai-agents.ts. */
export function readAiAgent(wire: Wire, trustDomain: TrustDomain): ReadAiAgent {
  const faults = new Faults();
  const id = faults.try("the SPIFFE ID", () => SpiffeId.parse(wire.spiffeId));
  if (id !== undefined) checkId(faults, id, trustDomain);
  const ceiling = readCeiling(faults, wire);
  faults.saying("owner", wire.owner, MAX_OWNER_LENGTH, "name a person or a team: team:support");
  faults.saying("purpose", wire.purpose, MAX_PURPOSE_LENGTH, "say what the AI agent is for");
  if (wire.environment === "") faults.add("environment is missing", "such as production");
  else if (!ENVIRONMENT.test(wire.environment)) {
    const hint = "take letters, digits and ._-, at most 63";
    faults.add(`environment ${quote(wire.environment)} is no name`, hint);
  }
  if (wire.validUntil === 0) {
    faults.add("valid_until is missing", "every AI agent ends some day: say when");
  } else faults.number("valid_until", wire.validUntil, 1, MAX_UNIX_SECONDS);
  checkClasses(faults, wire.taskClasses);
  if (wire.manifestHash !== "" && !MANIFEST_HASH.test(wire.manifestHash)) {
    faults.add(`manifest_hash ${quote(wire.manifestHash)} is no hash`, "such as sha256:9f86...");
  }
  faults.text("model_id", wire.modelId, MAX_MODEL_LENGTH);
  faults.labels(wire.labels);
  faults.number("max_open_tasks", wire.maxOpenTasks, 0, MAX_OPEN_TASKS);
  checkHosted(faults, wire, trustDomain);
  if (id === undefined || ceiling === undefined || faults.all.length > 0) {
    return { faults: faults.all };
  }
  const draft = {
    spiffeId: id.toString(),
    owner: wire.owner,
    purpose: wire.purpose,
    environment: wire.environment,
    validUntilUnixSeconds: wire.validUntil,
    ceiling,
    taskClasses: [...new Set(wire.taskClasses)].sort(),
    manifestHash: wire.manifestHash,
    modelId: wire.modelId,
    labels: sorted(wire.labels),
    maxOpenTasks: wire.maxOpenTasks,
    mayHost: [...new Set(wire.mayHost)].sort(),
  };
  return { draft, faults: [] };
}

/** The same for one alone. @throws AI_AGENT_INVALID naming all that is wrong */
export function aiAgentFromWire(wire: Wire | undefined, trustDomain: TrustDomain): AiAgentDraft {
  if (wire === undefined) throw serverError("AI_AGENT_INVALID", "there is no AI agent");
  const { draft, faults } = readAiAgent(wire, trustDomain);
  if (draft !== undefined) return draft;
  const what = `the AI agent ${quote(wire.spiffeId)}`;
  throw serverError("AI_AGENT_INVALID", describeFaults(what, faults), hintOf(faults));
}

function checkId(faults: Faults, id: SpiffeId, trustDomain: TrustDomain): void {
  const text = id.toString();
  if (!id.isMemberOf(trustDomain)) {
    const hint = `let it begin with "${trustDomain.id}/"`;
    faults.add(`${quote(text)} is not in the trust domain "${trustDomain.name}"`, hint);
  } else if (id.path === "") faults.add(`${quote(text)} has no path`);
  if (id.path === "/spire" || id.path.startsWith("/spire/")) {
    const hint = 'choose a path that does not begin with "/spire"';
    faults.add(`${quote(text)} is reserved for servers and node agents`, hint);
  }
  if (aiAgentAbove(text) !== undefined) {
    const hint = "no AI agent has a segment 'task' in its path: what follows it names a task";
    faults.add(`${quote(text)} is the ID of a task`, hint);
  }
  if (text.length > MAX_SPIFFE_ID_BYTES - TASK_SUFFIX_BYTES) {
    faults.add("the SPIFFE ID is too long: those of its tasks have 32 bytes more");
  }
}

function readCeiling(faults: Faults, { ceiling, environment }: Wire): Mandate | undefined {
  if (ceiling === undefined) {
    faults.add("ceiling is missing", "say what its tasks may get at most");
    return undefined;
  }
  // What is not said is that of the AI agent itself. A name that is none is told of once.
  const stated = ceiling.environment ?? {
    any: false,
    values: [ENVIRONMENT.test(environment) ? environment : "none"],
  };
  return faults.try("ceiling", () => mandateFromWire({ ...ceiling, environment: stated }));
}

function checkClasses(faults: Faults, names: readonly string[]): void {
  if (names.length > MAX_CLASSES) faults.add(`${names.length} task classes are too many`);
  for (const name of names.slice(0, MAX_CLASSES)) {
    if (!TASK_CLASS_NAME.test(name)) faults.add(`${quote(name)} is no name of a task class`);
  }
}

/** Who may be hosted: AI agents of this trust domain that need not be there yet, and never all of them. */
function checkHosted(faults: Faults, { spiffeId, mayHost }: Wire, trustDomain: TrustDomain): void {
  if (mayHost.length > MAX_HOSTED) faults.add(`${mayHost.length} in may_host are too many`);
  for (const one of mayHost.slice(0, MAX_HOSTED)) {
    const named = one.endsWith("/*") ? one.slice(0, -2) : one;
    const id = faults.try("may_host", () => SpiffeId.parse(named));
    if (id === undefined) continue;
    const refuse = (what: string, hint?: string): void =>
      faults.add(`may_host: ${quote(one)} ${what}`, hint);
    if (!id.isMemberOf(trustDomain)) {
      const hint = "an AI agent of another trust domain is hosted there";
      refuse(`is not in the trust domain "${trustDomain.name}"`, hint);
    } else if (id.path === "") refuse("names no path", "name the path of those that it may host");
    else if (one === spiffeId) {
      refuse("is this AI agent itself", "leave it out: its own tasks need no host");
    }
    if (id.path === "/spire" || id.path.startsWith("/spire/")) refuse("is reserved for servers");
    if (aiAgentAbove(named) !== undefined) refuse("is the ID of a task");
  }
}

/** What the server says of one besides its record. */
export interface AiAgentFigures {
  readonly openTasks: number;
  readonly entryIds: readonly string[];
  readonly hostedBy: readonly string[];
  readonly hostedTasks: number;
}

/** The wire form. */
export function aiAgentToWire(record: AiAgentRecord, figures: AiAgentFigures): Init<Wire> {
  return {
    spiffeId: record.spiffeId,
    owner: record.owner,
    purpose: record.purpose,
    environment: record.environment,
    validUntil: record.validUntilUnixSeconds,
    ceiling: mandateToWire(record.ceiling),
    taskClasses: record.taskClasses,
    manifestHash: record.manifestHash,
    modelId: record.modelId,
    labels: record.labels,
    maxOpenTasks: record.maxOpenTasks,
    disabled: record.end !== undefined,
    disabledReason: record.end === undefined ? "" : reasonOf(record.end),
    createdAt: record.createdAtUnixSeconds,
    updatedAt: record.updatedAtUnixSeconds,
    managedBy: record.managedBy,
    version: record.version,
    mayHost: record.mayHost,
    ...figures,
  };
}

function reasonOf({ cause, reason }: NonNullable<AiAgentRecord["end"]>): string {
  if (cause === "disabled") return reason;
  return cause === "expired" ? "its time is over" : "it is being deleted";
}
