// What somebody declares, read from the wire and checked object by object: whatever is wrong is gathered,
// with the place of the object, and the rest is read on. How it is compared and done: apply.ts.

import { IdentityError } from "../../pki/errors.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import type { signet } from "../../proto/schema.gen.ts";
import { entryFromWire } from "../../proto/types/entry.ts";
import { type EntryRules, validateEntry } from "../entries/validate.ts";
import { serverError } from "../errors.ts";
import type { EntryDraft } from "../store/entries.ts";
import { identityKey } from "../store/entry-records.ts";
import { type AiAgentDraft, readAiAgent } from "./ai-agent-draft.ts";
import type { Ownership } from "./apply-fields.ts";
import { type Fault, Faults, MAX_OWNER_LENGTH, sorted } from "./fields.ts";
import { readTaskClass, type TaskClassDraft } from "./task-class-draft.ts";

export type Kind = "entry" | "ai-agent" | "task-class";

/** Why something that is declared cannot be. */
export interface Problem extends Fault {
  readonly kind: Kind;
  /** Its place among those of its kind, from 0. */
  readonly index: number;
  readonly reason: string;
}

/** One object, with its place among those of its kind. */
export interface Declared<T> {
  readonly index: number;
  /** What it is known by. */
  readonly key: string;
  readonly draft: T;
}

/** An entry and who looks after it. */
export interface DeclaredEntry {
  readonly entry: EntryDraft;
  readonly ownership: Ownership;
}

export interface ReadRules {
  readonly trustDomain: TrustDomain;
  readonly entries: EntryRules;
}

/** Most objects that are declared at once: they are one commit. */
const MAX_DECLARED = 20_000;

/** Takes up messages; then has what was declared. */
export class Declaration {
  readonly entries: Declared<DeclaredEntry>[] = [];
  readonly aiAgents: Declared<AiAgentDraft>[] = [];
  readonly taskClasses: Declared<TaskClassDraft>[] = [];
  readonly problems: Problem[] = [];
  readonly #rules: ReadRules;
  readonly #counts: Record<Kind, number> = { entry: 0, "ai-agent": 0, "task-class": 0 };
  /** Where what is declared was seen first, by kind and key. */
  readonly #seen = new Map<string, number>();
  readonly #refused = new Set<string>();

  constructor(rules: ReadRules) {
    this.#rules = rules;
  }

  /** @throws APPLY_INVALID when there are too many objects */
  add(message: signet.registry.v1.ApplyRequest): void {
    const { entries, aiAgents, taskClasses } = message;
    const more = entries.length + aiAgents.length + taskClasses.length;
    const count = more + Object.values(this.#counts).reduce((a, b) => a + b, 0);
    if (count > MAX_DECLARED) {
      throw serverError("APPLY_INVALID", `more than ${MAX_DECLARED} objects are declared`, {
        hint: "declare them in several sets",
      });
    }
    for (const wire of taskClasses) {
      const { draft, faults } = readTaskClass(wire);
      this.#take("task-class", wire.name, draft, faults, this.taskClasses);
    }
    for (const wire of aiAgents) {
      const { draft, faults } = readAiAgent(wire, this.#rules.trustDomain);
      this.#take("ai-agent", wire.spiffeId, draft, faults, this.aiAgents);
    }
    for (const wire of entries) {
      const { draft, faults } = this.#readEntry(wire);
      const key = draft === undefined ? "" : identityKey(draft.entry);
      this.#take("entry", key, draft, faults, this.entries);
    }
  }

  /** Whether one of this name is declared and was refused. */
  hasRefused(kind: Kind, name: string): boolean {
    return this.#refused.has(`${kind} ${name}`);
  }

  #take<T>(
    kind: Kind,
    key: string,
    draft: T | undefined,
    faults: readonly Fault[],
    into: Declared<T>[],
  ): void {
    const index = this.#counts[kind]++;
    const reason = REASONS[kind];
    for (const fault of faults) this.problems.push({ kind, index, reason, ...fault });
    if (draft === undefined) {
      this.#refused.add(`${kind} ${key}`);
      return;
    }
    const first = this.#seen.get(`${kind} ${key}`);
    if (first === undefined) {
      this.#seen.set(`${kind} ${key}`, index);
      into.push({ index, key, draft });
      return;
    }
    const message = `it is declared twice: it is number ${first + 1} of its kind too`;
    this.problems.push({ kind, index, reason: "APPLY_INVALID", message });
  }

  #readEntry({ entry, owner, labels }: signet.registry.v1.DeclaredEntry): {
    readonly draft?: DeclaredEntry;
    readonly faults: readonly Fault[];
  } {
    const faults = new Faults();
    faults.text("owner", owner, MAX_OWNER_LENGTH);
    faults.labels(labels);
    if (entry === undefined) return { faults: [{ message: "there is no entry" }] };
    if (entry.id !== "") {
      faults.add("the entry has an ID", "leave it out: it is the server's to set");
    }
    const read = faults.try("", () => validateEntry(entryFromWire(entry), this.#rules.entries));
    if (read === undefined || faults.all.length > 0) return { faults: faults.all };
    return { draft: { entry: read, ownership: { owner, labels: sorted(labels) } }, faults: [] };
  }
}

const REASONS: Readonly<Record<Kind, string>> = {
  entry: "ENTRY_INVALID",
  "ai-agent": "AI_AGENT_INVALID",
  "task-class": "TASK_CLASS_INVALID",
};

/** Runs a check; what it refuses becomes a problem. Answers whether it passed. */
export async function admit(
  problems: Problem[],
  kind: Kind,
  index: number,
  check: () => void | Promise<void>,
): Promise<boolean> {
  try {
    await check();
    return true;
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error;
    const { reason, message, hint } = error;
    problems.push({ kind, index, reason, message, ...(hint !== undefined && { hint }) });
    return false;
  }
}
