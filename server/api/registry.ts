// signet.registry.v1.Registry: administrators register AI agents and task classes, end AI agents, and
// declare everything at once. What is checked and done: server/registry. Who may call: authorize.ts.
import type { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import type { Init } from "../../proto/codec.ts";
import type { CallContext, Handlers } from "../../proto/rpc/service.ts";
import type { RegistryService, signet, spire } from "../../proto/schema.gen.ts";
import { entryFromWire } from "../../proto/types/entry.ts";
import { spiffeIdFromWire, spiffeIdToWire } from "../../proto/types/spiffe-id.ts";
import type { EntryIndex } from "../entries/index.ts";
import { type EntryRules, validateEntry } from "../entries/validate.ts";
import { serverError } from "../errors.ts";
import { type AiAgentDraft, aiAgentFromWire, aiAgentToWire } from "../registry/ai-agent-draft.ts";
import { type AiAgents, aiAgentNotFound, classNotFound } from "../registry/ai-agents.ts";
import type { Applied, Apply } from "../registry/apply.ts";
import type { AiAgentTasks } from "../registry/ends.ts";
import { taskClassFromWire, taskClassToWire } from "../registry/task-class-draft.ts";
import type { TaskClasses } from "../registry/task-classes.ts";
import type { AiAgentRecord, AiAgentStore } from "../store/ai-agents.ts";
import type { EntryDraft } from "../store/entries.ts";
import type { EntryOwnerStore } from "../store/entry-owners.ts";
import type { TaskClassStore } from "../store/task-classes.ts";
import { callerName } from "./authorize.ts";

export interface RegistryApiOptions {
  readonly trustDomain: TrustDomain;
  readonly aiAgents: AiAgentStore;
  readonly taskClasses: TaskClassStore;
  readonly entryOwners: EntryOwnerStore;
  readonly index: EntryIndex;
  /** What entries are checked against. */
  readonly rules: EntryRules;
  readonly registry: AiAgents;
  readonly classes: TaskClasses;
  readonly tasks: Pick<AiAgentTasks, "countOf" | "countHostedBy">;
  readonly apply: Apply;
}

const MAX_PAGE = 500;
/** Of one answer, roughly: well below gRPC's 4 MiB. */
const MAX_PAGE_CHARACTERS = 1024 * 1024;
const MAX_REASON_LENGTH = 512;
const MAX_ENTRY_IDS = 100;
const MAX_HOSTS = 100;

/** The handlers of the service. */
export function registryHandlers(options: RegistryApiOptions): Handlers<typeof RegistryService> {
  const { trustDomain, aiAgents, taskClasses, registry, classes, entryOwners } = options;

  const answer = (record: AiAgentRecord): Init<signet.registry.v1.AiAgentResponse> => ({
    aiAgent: toWire(record, options),
  });

  return {
    async createAiAgent({ aiAgent, entry }) {
      const draft = aiAgentFromWire(aiAgent, trustDomain);
      return answer(await registry.create(draft, entry && entryOf(entry, draft, options.rules)));
    },

    async updateAiAgent({ aiAgent, expectedVersion }) {
      const draft = aiAgentFromWire(aiAgent, trustDomain);
      return answer(await registry.update(draft, Number(expectedVersion)));
    },

    async getAiAgent({ spiffeId }) {
      const record = aiAgents.get(spiffeId);
      if (record === undefined) throw aiAgentNotFound(spiffeId);
      return answer(record);
    },

    async listAiAgents({ owner, labels, pageSize, pageToken }) {
      const wanted = Object.entries(labels);
      const all = [...aiAgents.values()].filter(
        (one) =>
          (owner === "" || one.owner === owner) &&
          wanted.every(([name, value]) => one.labels[name] === value),
      );
      const { page, next } = pageOf(all, ({ spiffeId }) => spiffeId, pageSize, pageToken);
      return { aiAgents: page.map((one) => toWire(one, options)), nextPageToken: next };
    },

    async disableAiAgent(request, context) {
      return answer(await registry.disable(request.spiffeId, endingOf(request, context)));
    },

    async enableAiAgent({ spiffeId }) {
      return answer(await registry.enable(spiffeId));
    },

    async deleteAiAgent(request, context) {
      const { spiffeId, withEntries } = request;
      return answer(await registry.delete(spiffeId, withEntries, endingOf(request, context)));
    },

    async setTaskClass({ taskClass, expectedVersion }) {
      const draft = taskClassFromWire(taskClass);
      return { taskClass: taskClassToWire(await classes.set(draft, Number(expectedVersion))) };
    },

    async getTaskClass({ name }) {
      const record = taskClasses.get(name);
      if (record === undefined) throw classNotFound(name);
      return { taskClass: taskClassToWire(record) };
    },

    async listTaskClasses() {
      return { taskClasses: taskClasses.values().map(taskClassToWire) };
    },

    async deleteTaskClass({ name }) {
      return { taskClass: taskClassToWire(await classes.delete(name)) };
    },

    async listEntryOwners({ set, pageSize, pageToken }) {
      const all = [...entryOwners.values()].filter(
        ({ managedBy }) => set === "" || managedBy === set,
      );
      const { page, next } = pageOf(all, ({ entryId }) => entryId, pageSize, pageToken);
      return { owners: page, nextPageToken: next };
    },

    apply: (requests, context) => applyDeclared(options.apply, requests, callerName(context)),
  };
}

/** Takes all that is declared, then does it, then tells of it. */
async function* applyDeclared(
  apply: Apply,
  requests: AsyncIterable<signet.registry.v1.ApplyRequest>,
  by: string,
): AsyncGenerator<Init<signet.registry.v1.ApplyResponse>, void, undefined> {
  const declared = apply.declare();
  let options: signet.registry.v1.ApplyOptions | undefined;
  for await (const request of requests) {
    options ??= request.options;
    if (options === undefined) {
      throw serverError("APPLY_INVALID", "the first message does not say what is to be done", {
        hint: "give it the options",
      });
    }
    declared.add(request);
  }
  if (options === undefined) {
    throw serverError("APPLY_INVALID", "nothing was sent", { hint: "send the options at least" });
  }
  const { set, dryRun } = options;
  yield* toldOf(await apply.run({ ...options, by }, declared), set, dryRun);
}

/** An answer in messages of moderate size. */
function* toldOf(
  { changes, unchanged, plan, problems }: Applied,
  set: string,
  dryRun: boolean,
): Generator<Init<signet.registry.v1.ApplyResponse>, void, undefined> {
  for (const part of partsOf(problems)) {
    yield { problems: part.map((one) => ({ ...one, index: one.index + 1 })) };
  }
  const parts = [...partsOf(changes)];
  const last = parts.pop() ?? [];
  for (const part of parts) yield { changes: part };
  const count = (action: string): number => changes.filter((one) => one.action === action).length;
  const counts = { created: count("create"), updated: count("update"), deleted: count("delete") };
  yield { changes: last, summary: { set, dryRun, ...counts, unchanged, plan } };
}

function* partsOf<T>(all: readonly T[]): Generator<readonly T[], void, undefined> {
  let part: T[] = [];
  let characters = 0;
  for (const one of all) {
    part.push(one);
    characters += JSON.stringify(one).length;
    if (part.length < MAX_PAGE && characters < MAX_PAGE_CHARACTERS) continue;
    yield part;
    part = [];
    characters = 0;
  }
  if (part.length > 0) yield part;
}

function toWire(record: AiAgentRecord, { index, tasks, aiAgents }: RegistryApiOptions) {
  const entryIds: string[] = [];
  for (const { id } of index.withSpiffeId(record.spiffeId)) {
    if (entryIds.push(id) === MAX_ENTRY_IDS) break;
  }
  const { spiffeId } = record;
  return aiAgentToWire(record, {
    openTasks: tasks.countOf(spiffeId),
    entryIds,
    hostedBy: aiAgents
      .hostsOf(spiffeId)
      .slice(0, MAX_HOSTS)
      .map((one) => one.spiffeId),
    hostedTasks: tasks.countHostedBy(spiffeId),
  });
}

/** The entry that comes with a new AI agent: its SPIFFE ID may be left out, and is no other. */
function entryOf(
  wire: spire.api.types.Entry,
  { spiffeId }: AiAgentDraft,
  rules: EntryRules,
): EntryDraft {
  if (wire.spiffeId !== undefined) {
    const id: SpiffeId = spiffeIdFromWire(wire.spiffeId);
    if (id.toString() !== spiffeId) {
      throw serverError("AI_AGENT_INVALID", `the entry is for "${id}", not for "${spiffeId}"`, {
        hint: "leave its SPIFFE ID out",
      });
    }
  }
  const { trustDomain = "", path = "" } = spiffeIdToWire(spiffeId);
  return validateEntry(entryFromWire({ ...wire, spiffeId: { trustDomain, path } }), rules);
}

function endingOf(
  { reason }: signet.registry.v1.AiAgentAction,
  context: CallContext,
): { readonly reason: string; readonly by: string } {
  if (reason.length > MAX_REASON_LENGTH || /[\p{Cc}\p{Cs}]/u.test(reason)) {
    throw serverError("AI_AGENT_INVALID", "the reason is too long or cannot be shown", {
      hint: `give one line of at most ${MAX_REASON_LENGTH} characters`,
    });
  }
  return { reason, by: callerName(context) };
}

/** Those after the token, by ID, as many as fit into an answer. The token is the ID of the last one before. */
function pageOf<T>(
  all: readonly T[],
  idOf: (one: T) => string,
  pageSize: number,
  pageToken: string,
): { readonly page: readonly T[]; readonly next: string } {
  const limit = pageSize > 0 ? Math.min(pageSize, MAX_PAGE) : MAX_PAGE;
  const after = Buffer.from(pageToken, "base64url").toString();
  if (Buffer.from(after).toString("base64url") !== pageToken) {
    throw serverError("PAGE_TOKEN_INVALID", "this page token was not made here", {
      hint: "begin again without a page token",
    });
  }
  const left = all.filter((one) => idOf(one) > after).sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  const page: T[] = [];
  let characters = 0;
  for (const one of left.slice(0, limit)) {
    characters += JSON.stringify(one).length;
    if (page.length > 0 && characters > MAX_PAGE_CHARACTERS) break;
    page.push(one);
  }
  const last = page.at(-1);
  const isMore = last !== undefined && page.length < left.length;
  return { page, next: isMore ? Buffer.from(idOf(last)).toString("base64url") : "" };
}
