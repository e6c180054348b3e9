// The service spire.api.server.entry.v1.Entry: registration entries for operators, and what agents may
// serve for agents that ask (SPIRE's; ours follow the link). Who may call is authorize.ts; the checks
// of an entry are proto/types/entry.ts (form) and server/entries/validate.ts (content).

import { IdentityError } from "../../pki/errors.ts";
import type { Init } from "../../proto/codec.ts";
import { type CallContext, Encoded, type Handlers } from "../../proto/rpc/service.ts";
import { codecOf, type EntryService, type spire } from "../../proto/schema.gen.ts";
import {
  entryFromWire,
  entryToWire,
  type RegistrationEntry,
  updateEntry,
} from "../../proto/types/entry.ts";
import type { AuthorizedEntries } from "../entries/authorized.ts";
import { filterFromWire, queryOf } from "../entries/filter.ts";
import type { EntryIndex } from "../entries/index.ts";
import { PAGE_ENTRIES, pageLength, pagesOf } from "../entries/pages.ts";
import { type EntryRules, validateEntry } from "../entries/validate.ts";
import { serverError } from "../errors.ts";
import type { CreatedEntry, EntryDraft, EntryStore } from "../store/entries.ts";

export interface EntryApiOptions {
  readonly entries: EntryStore;
  readonly index: EntryIndex;
  readonly authorized: AuthorizedEntries;
  readonly rules: EntryRules;
  /** The SPIFFE ID of the agent that makes the call. */
  readonly agentOf: (context: CallContext) => string;
}

type SyncRequest = spire.api.server.entry.v1.SyncAuthorizedEntriesRequest;
type Mask = spire.api.types.EntryMask | undefined;
type SyncResponse = Init<spire.api.server.entry.v1.SyncAuthorizedEntriesResponse>;

/** Most items of one batch. Entries of usual size fit into one message so; the batch is one commit. */
const MAX_BATCH = 5000;
/** gRPC's default limit on what a client receives. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const OK = { code: 0, message: "OK" };

/** The handlers of the service. */
export function entryApi(options: EntryApiOptions): Handlers<typeof EntryService> {
  const { entries, index, authorized, rules, agentOf } = options;
  return {
    countEntries: async ({ filter }) => ({ count: index.count(queryOf(filterFromWire(filter))) }),

    listEntries: async ({ filter, outputMask, pageSize, pageToken }) => {
      const limit = pageSize > 0 ? Math.min(pageSize, PAGE_ENTRIES) : PAGE_ENTRIES;
      const after = pageToken === "" ? {} : { after: parsePageToken(pageToken) };
      const page = index.list(queryOf(filterFromWire(filter)), { limit, ...after });
      const shown = page.entries.slice(0, pageLength(page.entries));
      const more = shown.length < page.entries.length || page.next !== undefined;
      const last = shown.at(-1);
      return {
        entries: shown.map((entry) => entryToWire(entry, outputMask)),
        nextPageToken: more && last !== undefined ? formatPageToken(last.id) : "",
      };
    },

    getEntry: async ({ id, outputMask }) => {
      const entry = index.get(requireId(id));
      if (entry !== undefined) return entryToWire(entry, outputMask);
      throw serverError("ENTRY_NOT_FOUND", `no registration entry has ID ${JSON.stringify(id)}`, {
        hint: "list the entries with 'signet entry show'",
      });
    },

    batchCreateEntry: async ({ entries: wires, outputMask }) => {
      requireBatch(wires.length);
      const drafts = wires.map((wire) =>
        refusable(() => validateEntry(entryFromWire(wire), rules)),
      );
      const created = await entries.create(drafts.filter(isDraft));
      const next = created[Symbol.iterator]();
      return {
        results: drafts.map((draft) => {
          if (draft instanceof IdentityError) return { status: statusOf(draft) };
          const { entry, conflict } = next.next().value as CreatedEntry;
          if (conflict?.reason === "ENTRY_PATH_RESERVED") return { status: statusOf(conflict) };
          return {
            status: conflict ? statusOf(conflict) : OK,
            entry: entryToWire(entry, outputMask),
          };
        }),
      };
    },

    batchUpdateEntry: async ({ entries: wires, inputMask, outputMask }) => {
      requireBatch(wires.length);
      const updated = await entries.update(
        wires.map((wire) => ({
          id: wire.id,
          change: (current) => validateEntry(updateEntry(current, wire, inputMask), rules),
        })),
      );
      return { results: updated.map((entry) => resultOf(entry, outputMask)) };
    },

    batchDeleteEntry: async ({ ids }) => {
      requireBatch(ids.length);
      const deleted = await entries.delete(ids);
      return {
        results: deleted.map((entry, i) => ({
          status: entry instanceof IdentityError ? statusOf(entry) : OK,
          id: ids[i] ?? "",
        })),
      };
    },

    getAuthorizedEntries: async ({ outputMask }, context) => {
      const codec = codecOf("spire.api.server.entry.v1.GetAuthorizedEntriesResponse");
      const found = authorized.entriesOf(agentOf(context));
      const answer = Encoded.of(codec, {
        entries: found.map((entry) => entryToWire(entry, outputMask)),
      });
      if (answer.bytes.byteLength <= MAX_ANSWER_BYTES) return answer;
      throw serverError("ANSWER_TOO_LARGE", `${found.length} entries do not fit into one message`, {
        hint: "use SyncAuthorizedEntries",
      });
    },

    syncAuthorizedEntries: (requests, context) =>
      syncEntries(authorized, agentOf(context), requests),
  };
}

/**
 * Tells an agent what it may serve. Few entries are sent whole, and the stream ends; of many, first
 * all revisions, then the entries the agent asks for by ID, request by request. Entries and revisions
 * are never mixed in one answer. IDs that mean nothing to this agent are passed over.
 */
async function* syncEntries(
  authorized: AuthorizedEntries,
  agentId: string,
  requests: AsyncIterable<SyncRequest>,
): AsyncGenerator<SyncResponse, void, undefined> {
  let mask: Mask;
  let first = true;
  for await (const request of requests) {
    if (!first) {
      const wanted = requireIds(request).map((id) => authorized.find(agentId, id));
      yield* entryPages(
        wanted.filter((entry) => entry !== undefined),
        mask,
      );
      continue;
    }
    first = false;
    mask = requireMask(request);
    const found = [...authorized.entriesOf(agentId)].sort((a, b) => (a.id < b.id ? -1 : 1));
    if (pageLength(found) === found.length) {
      yield { entries: found.map((entry) => entryToWire(entry, mask)) };
      return;
    }
    yield* revisionPages(found);
  }
}

function* entryPages(
  entries: readonly RegistrationEntry[],
  mask: Mask,
): Generator<SyncResponse, void, undefined> {
  let left = entries.length;
  for (const page of pagesOf(entries)) {
    left -= page.length;
    yield { entries: page.map((entry) => entryToWire(entry, mask)), more: left > 0 };
  }
}

function* revisionPages(
  entries: readonly RegistrationEntry[],
): Generator<SyncResponse, void, undefined> {
  for (let from = 0; from < entries.length; from += PAGE_ENTRIES) {
    const page = entries.slice(from, from + PAGE_ENTRIES);
    yield {
      entryRevisions: page.map(({ id, revisionNumber, createdAtUnixSeconds }) => ({
        id,
        revisionNumber,
        createdAt: createdAtUnixSeconds,
      })),
      more: from + PAGE_ENTRIES < entries.length,
    };
  }
}

function requireMask({ ids, outputMask }: SyncRequest): Mask {
  if (ids.length > 0) throw syncInvalid("the first request of a synchronisation names no IDs");
  if (outputMask !== undefined && !outputMask.revisionNumber) {
    throw syncInvalid("the output mask of a synchronisation includes the revision number");
  }
  return outputMask;
}

function requireIds({ ids }: SyncRequest): readonly string[] {
  if (ids.length === 0) throw syncInvalid("a request after the first names the IDs of entries");
  if (ids.length > PAGE_ENTRIES) throw syncInvalid(`a request names at most ${PAGE_ENTRIES} IDs`);
  return ids;
}

function syncInvalid(message: string): IdentityError {
  return serverError("SYNC_REQUEST_INVALID", message);
}

function requireId(id: string): string {
  if (id !== "") return id;
  throw serverError("ENTRY_INVALID", "missing entry ID", { hint: "name the entry to get" });
}

function requireBatch(count: number): void {
  if (count <= MAX_BATCH) return;
  throw serverError("BATCH_TOO_LARGE", `${count} entries are too many for one batch`, {
    hint: `send at most ${MAX_BATCH} at once`,
  });
}

/** Opaque to clients: the ID of the last entry of the page before. */
function formatPageToken(id: string): string {
  return Buffer.from(id).toString("base64url");
}

function parsePageToken(token: string): string {
  const id = Buffer.from(token, "base64url").toString();
  if (formatPageToken(id) === token) return id;
  throw serverError("PAGE_TOKEN_INVALID", "the page token was not given by this server", {
    hint: "start again from the first page",
  });
}

/** Turns a refusal of one item into its answer; anything else fails the call. */
function refusable(check: () => RegistrationEntry): EntryDraft | IdentityError {
  try {
    return check();
  } catch (error) {
    if (error instanceof IdentityError) return error;
    throw error;
  }
}

function isDraft(draft: EntryDraft | IdentityError): draft is EntryDraft {
  return !(draft instanceof IdentityError);
}

function resultOf(
  entry: RegistrationEntry | IdentityError,
  mask: Mask,
): Init<spire.api.server.entry.v1.BatchUpdateEntryResponse.Result> {
  if (entry instanceof IdentityError) return { status: statusOf(entry) };
  return { status: OK, entry: entryToWire(entry, mask) };
}

function statusOf(error: IdentityError): Init<spire.api.types.Status> {
  return { code: error.code, message: error.message };
}
