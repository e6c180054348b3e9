// The attested node agents, in memory and in the log: attesting (which spends a join token), renewing,
// banning, evicting. Each is one commit. Which certificate a caller shows is checked against the
// record in server/api/authorize.ts.

import { randomUUID } from "node:crypto";
import type { IdentityError } from "../../pki/errors.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { serverError } from "../errors.ts";
import type { EntryStore } from "./entries.ts";
import {
  entryKey,
  identityKey,
  peekEntry,
  peekIdentity,
  removeEntry,
  writeEntry,
} from "./entry-records.ts";
import type { OrderedLog } from "./log.ts";
import {
  decodeNode,
  decodeNodeRecord,
  encodeNode,
  NODE_PREFIX,
  type NodeRecord,
  nodeKey,
} from "./node-record.ts";
import { OrderedIds } from "./ordered-ids.ts";
import { Replica, type ReplicaHandler } from "./replica.ts";
import { claimTaskPaths } from "./task-paths.ts";
import { spendToken } from "./tokens.ts";
import { type Transaction, transact } from "./transaction.ts";

/** What has been proven about a node, and the certificate signed for it. */
export type AttestedNode = Omit<
  NodeRecord,
  "banned" | "newSerial" | "newNotAfterUnixSeconds" | "aliasEntryId"
>;

/** The certificate of a renewal: decimal serial and end of validity. */
export interface NodeCertificate {
  readonly serial: string;
  readonly notAfterUnixSeconds: number;
}

/** A page of nodes, by ID. `next` goes into `after` of the next call. */
export interface NodePage {
  readonly nodes: readonly NodeRecord[];
  readonly next?: string;
}

export class NodeStore {
  readonly #log: OrderedLog;
  readonly #now: () => Date;
  readonly #entries: EntryStore;
  readonly #replica: Replica<NodeRecord>;
  readonly #ids = new OrderedIds();

  private constructor(options: NodeStoreOptions, replica: Replica<NodeRecord>) {
    this.#log = options.log;
    this.#now = options.now;
    this.#entries = options.entries;
    this.#replica = replica;
    for (const node of replica.values()) this.#ids.add(node.id);
    replica.onChange((changes) => {
      for (const { id, before, after } of changes) {
        if (before === undefined && after !== undefined) this.#ids.add(id);
        if (before !== undefined && after === undefined) this.#ids.delete(id);
      }
    });
  }

  /** Reads every agent into memory and follows the log. */
  static async start(options: NodeStoreOptions): Promise<NodeStore> {
    const replica = await Replica.start<NodeRecord>({
      log: options.log,
      prefix: NODE_PREFIX,
      decode: decodeNodeRecord,
      idOf: (node) => node.id,
    });
    return new NodeStore(options, replica);
  }

  get size(): number {
    return this.#replica.size;
  }

  /** Why the agents in memory no longer follow the store, if they do not: bans may then be missed. */
  get failure(): unknown {
    return this.#replica.failure;
  }

  get(id: string): NodeRecord | undefined {
    return this.#replica.get(id);
  }

  values(): Iterable<NodeRecord> {
    return this.#replica.values();
  }

  /** Nodes that pass `where`, by ID, those after `after`, at most `limit`. */
  list(page: {
    readonly where?: (node: NodeRecord) => boolean;
    readonly after?: string;
    readonly limit: number;
  }): NodePage {
    const nodes: NodeRecord[] = [];
    for (const id of this.#ids.after(page.after)) {
      const node = this.#replica.get(id);
      if (node === undefined || page.where?.(node) === false) continue;
      const last = nodes.at(-1);
      if (nodes.length === page.limit && last !== undefined) return { nodes, next: last.id };
      nodes.push(node);
    }
    return { nodes };
  }

  /** Calls `handler` after each commit that changed agents, in order, none left out; returns its end. */
  onChange(handler: ReplicaHandler<NodeRecord>): () => void {
    return this.#replica.onChange(handler);
  }

  /**
   * Records an attested agent, new or attesting again. With `joinToken` the token is spent, the alias
   * entry it asked for is created, and the agent recorded in one commit: of all that try, one succeeds.
   * @throws AGENT_BANNED, JOIN_TOKEN_UNKNOWN, JOIN_TOKEN_EXPIRED, ENTRY_PATH_RESERVED
   */
  async attest(attested: AttestedNode, joinToken?: string): Promise<NodeRecord> {
    return this.#commit(async (transaction) => {
      const alias =
        joinToken === undefined
          ? ""
          : (await spendToken(transaction, joinToken, this.#now())).aliasSpiffeId;
      const before = await loadNode(transaction, attested.id);
      if (before?.banned) throw agentBanned(attested.id);
      const aliasEntryId =
        alias === ""
          ? before?.aliasEntryId
          : await createAlias(transaction, attested.id, alias, this.#now());
      const node: NodeRecord = {
        ...attested,
        banned: false,
        ...(aliasEntryId === undefined ? {} : { aliasEntryId }),
      };
      transaction.put(nodeKey(node.id), encodeNode(node));
      return node;
    });
  }

  /** Notes the certificate of a renewal, which takes effect at its first use. @throws AGENT_NOT_FOUND, AGENT_BANNED */
  renew(id: string, { serial, notAfterUnixSeconds }: NodeCertificate): Promise<NodeRecord> {
    return this.#change(id, (node) => {
      if (node.banned) throw agentBanned(id);
      return { ...node, newSerial: serial, newNotAfterUnixSeconds: notAfterUnixSeconds };
    });
  }

  /**
   * The renewed certificate has been used: it is the one in use now, the former is worth nothing.
   * Does nothing when `serial` is in use already. @throws AGENT_NOT_FOUND, AGENT_BANNED
   */
  promote(id: string, serial: string): Promise<NodeRecord> {
    return this.#change(id, (node) => {
      if (node.banned) throw agentBanned(id);
      if (node.newSerial !== serial) return node;
      const { newSerial, newNotAfterUnixSeconds, ...rest } = node;
      return {
        ...rest,
        serial: newSerial,
        notAfterUnixSeconds: newNotAfterUnixSeconds ?? rest.notAfterUnixSeconds,
      };
    });
  }

  /**
   * Bans an agent: no certificate of it is accepted any more, and it cannot attest again. `also` adds to
   * the same commit, whose revision is answered. @throws AGENT_NOT_FOUND
   */
  async ban(id: string, also?: (transaction: Transaction) => void): Promise<number> {
    const { revision } = await transact(this.#log, async (transaction) => {
      const node = await loadNode(transaction, id);
      if (node === undefined) throw agentNotFound(id);
      const { newSerial: _serial, newNotAfterUnixSeconds: _notAfter, ...rest } = node;
      transaction.put(nodeKey(id), encodeNode({ ...rest, banned: true, serial: "" }));
      also?.(transaction);
    });
    await Promise.all([this.#replica.reached(revision), this.#entries.reached(revision)]);
    return revision;
  }

  setVersion(id: string, agentVersion: string): Promise<NodeRecord> {
    return this.#change(id, (node) =>
      node.agentVersion === agentVersion ? node : { ...node, agentVersion },
    );
  }

  /** Evicts an agent, and deletes the alias entry its join token made. @throws AGENT_NOT_FOUND */
  async delete(id: string): Promise<NodeRecord> {
    return this.#commit(async (transaction) => {
      const node = await loadNode(transaction, id);
      if (node === undefined) throw agentNotFound(id);
      transaction.delete(nodeKey(id));
      if (node.aliasEntryId !== undefined) {
        await transaction.load([entryKey(node.aliasEntryId)]);
        const entry = peekEntry(transaction, node.aliasEntryId);
        if (entry !== undefined && entry.parentId === id) removeEntry(transaction, entry);
      }
      return node;
    });
  }

  async stop(): Promise<void> {
    await this.#replica.stop();
  }

  #change(id: string, change: (node: NodeRecord) => NodeRecord): Promise<NodeRecord> {
    return this.#commit(async (transaction) => {
      const node = await loadNode(transaction, id);
      if (node === undefined) throw agentNotFound(id);
      const next = change(node);
      if (next !== node) transaction.put(nodeKey(id), encodeNode(next));
      return next;
    });
  }

  async #commit<T>(decide: (transaction: Transaction) => Promise<T>): Promise<T> {
    const { result, revision } = await transact(this.#log, decide);
    await Promise.all([this.#replica.reached(revision), this.#entries.reached(revision)]);
    return result;
  }
}

export interface NodeStoreOptions {
  readonly log: OrderedLog;
  readonly now: () => Date;
  /** Waited for after a commit, so that who sees the agent sees its alias entry. */
  readonly entries: EntryStore;
}

async function loadNode(transaction: Transaction, id: string): Promise<NodeRecord | undefined> {
  const value = await transaction.get(nodeKey(id));
  return value === undefined ? undefined : decodeNode(value, nodeKey(id));
}

/** Makes the entry that gives an agent the name its token promised, unless there is one; returns its ID. */
async function createAlias(
  transaction: Transaction,
  agentId: string,
  alias: string,
  now: Date,
): Promise<string> {
  const entry: RegistrationEntry = {
    id: randomUUID(),
    spiffeId: alias,
    parentId: agentId,
    selectors: [{ type: "spiffe_id", value: agentId }],
    x509SvidTtlSeconds: 0,
    jwtSvidTtlSeconds: 0,
    federatesWith: [],
    admin: false,
    downstream: false,
    expiresAtUnixSeconds: 0,
    dnsNames: [],
    revisionNumber: 0,
    storeSvid: false,
    hint: "",
    createdAtUnixSeconds: Math.floor(now.getTime() / 1000),
    disableX509SvidPrefetch: false,
    jwtSvidIncludeJti: false,
  };
  const identity = identityKey(entry);
  await transaction.load([identity, entryKey(entry.id)]);
  const existing = peekIdentity(transaction, identity);
  if (existing !== undefined) return existing;
  const [reserved] = (await claimTaskPaths(transaction, [entry.spiffeId])).values();
  if (reserved !== undefined) throw reserved;
  writeEntry(transaction, entry);
  return entry.id;
}

function agentNotFound(id: string): IdentityError {
  return serverError("AGENT_NOT_FOUND", `no agent has the SPIFFE ID "${id}"`, {
    hint: "list the agents with 'signet agent list'",
  });
}

function agentBanned(id: string): IdentityError {
  return serverError("AGENT_BANNED", `agent "${id}" is banned`, {
    hint: "evict the agent first to let it attest again",
  });
}
