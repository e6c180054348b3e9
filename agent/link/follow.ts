// Follows the stream Link/Watch: a snapshot, then deltas, gap-free, resumable by a cursor. Each step is
// taken over whole, pushed to workloads, made durable where it must be, and only then confirmed: the
// server signs with a new authority once every agent has confirmed the bundle that holds it.

import type { Bundle } from "../../pki/bundle/bundle.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { parseCrl } from "../../pki/x509/crl.ts";
import type { BidiCall } from "../../proto/rpc/client.ts";
import { LinkService, type signet, type spire } from "../../proto/schema.gen.ts";
import { bundleFromWire } from "../../proto/types/bundle.ts";
import { entryFromWire, type RegistrationEntry } from "../../proto/types/entry.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Delta, Snapshot } from "../cache/feed.ts";
import type { ReceivedCrl, TokenRevocation } from "../cache/revocations.ts";
import type { TaskClassRules, TaskStatus } from "../cache/task-status.ts";
import { agentError } from "../errors.ts";
import type { Connection } from "./dial.ts";
import { readTaskClasses, readTaskStatuses } from "./task-statuses.ts";

type Cursor = signet.link.v1.Cursor;
type WatchCall = BidiCall<signet.link.v1.WatchRequest, signet.link.v1.WatchResponse>;

type EntryList = Pick<signet.link.v1.Delta, "entries" | "entryOrders">;

/** The version of the link's messages that this agent speaks. */
export const LINK_VERSION = 1;

/** More than any node has: a server gone wrong must not take the machine's memory. */
const MAX_SNAPSHOT_ITEMS = 1_000_000;
const DIGEST_BYTES = 16;

/** Takes over what the server sends; implemented by agent/cache/feed.ts. */
export interface LinkSink {
  snapshot(snapshot: Snapshot): void;
  delta(delta: Delta): void;
}

export interface FollowOptions {
  readonly trustDomain: string;
  readonly agentVersion: string;
  readonly sink: LinkSink;
  /** The server has answered: this connection works. */
  readonly onWelcome: () => void;
  /** A step has been taken over: what is in use has to reach the disk before it is confirmed. */
  readonly persist: () => Promise<void>;
  readonly onConfirmed: () => void;
  /** The server has said something. */
  readonly onHeard: () => void;
  readonly log: Logger;
}

interface Pages {
  readonly entries: RegistrationEntry[];
  readonly bundles: Bundle[];
  readonly crls: ReceivedCrl[];
  readonly tokens: TokenRevocation[];
  readonly tasks: TaskStatus[];
  readonly classes: TaskClassRules[];
}

function noPages(): Pages {
  return { entries: [], bundles: [], crls: [], tokens: [], tasks: [], classes: [] };
}

/** Follows the server over one connection after another, from where it stopped. */
export class Follower {
  readonly #options: FollowOptions;
  #cursor: Cursor | undefined;
  /** The pages of a snapshot that have arrived. */
  #pages: Pages = noPages();
  #call: WatchCall | undefined;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /**
   * Follows over this connection until the stream ends, always with an error.
   * @throws LINK_VERSION, SERVER_UNREACHABLE, SERVER_ANSWER_INVALID, and what the server ends it with
   */
  async follow(connection: Connection, signal: AbortSignal): Promise<never> {
    const call: WatchCall = connection.channel.client(LinkService).watch({ signal });
    const cursor = this.#cursor;
    this.#pages = noPages();
    await call.send({
      hello: {
        version: LINK_VERSION,
        agentVersion: this.#options.agentVersion,
        ...(cursor !== undefined && { cursor }),
      },
    });
    let isWelcome = false;
    try {
      for await (const response of call.responses) {
        if (response.welcome !== undefined) {
          this.#welcome(response.welcome);
          isWelcome = true;
          this.#call = call;
        } else if (!isWelcome) {
          throw invalid("a step before its welcome");
        } else if (response.snapshot !== undefined) {
          await this.#confirm(call, this.#snapshot(response.snapshot));
        } else if (response.delta !== undefined) {
          await this.#confirm(call, this.#delta(response.delta));
        }
        // Anything else is of a newer server and does not concern this version.
      }
    } finally {
      if (this.#call === call) this.#call = undefined;
    }
    throw agentError("SERVER_UNREACHABLE", "the server ended the link");
  }

  /** Asks the server for a sign of life, if there is a link: `onHeard` tells when it came. */
  ping(): void {
    // A stream that breaks says so to whoever follows it.
    this.#call?.send({ ping: {} }).catch(() => undefined);
  }

  #welcome(welcome: signet.link.v1.Welcome): void {
    if (welcome.version !== LINK_VERSION) {
      throw agentError(
        "LINK_VERSION",
        `the server speaks version ${welcome.version} of the link, this agent ${LINK_VERSION}`,
        {
          hint: "upgrade the server before its agents, and no agent by more than one minor version",
        },
      );
    }
    const { serverVersion, resumed } = welcome;
    this.#options.log.info({ server_version: serverVersion, resumed }, "linked to the server");
    this.#options.onWelcome();
  }

  #snapshot(page: signet.link.v1.Snapshot): Cursor | undefined {
    const { entries, bundles, crls, tokens, tasks, classes } = this.#pages;
    entries.push(...this.#readEntries(page));
    bundles.push(...this.#readBundles(page.bundles));
    crls.push(...this.#readCrls(page.crls));
    tokens.push(...this.#readTokens(page.tokens));
    tasks.push(...readTaskStatuses(page.tasks, this.#options.log));
    classes.push(...readTaskClasses(page.taskClasses));
    if (Math.max(entries.length, tokens.length, tasks.length) > MAX_SNAPSHOT_ITEMS) {
      throw invalid(`a snapshot of more than ${MAX_SNAPSHOT_ITEMS} entries, revocations or tasks`);
    }
    if (!page.last) return undefined;
    this.#pages = noPages();
    const revocations = { crls, tokens };
    this.#options.sink.snapshot({ entries, bundles, revocations, tasks: { tasks, classes } });
    this.#options.onHeard();
    return page.cursor;
  }

  #delta(delta: signet.link.v1.Delta): Cursor | undefined {
    this.#options.sink.delta({
      entries: this.#readEntries(delta),
      removedEntryIds: delta.removedEntryIds,
      bundles: this.#readBundles(delta.bundles),
      removedBundles: delta.removedBundles,
      revocations: {
        crls: this.#readCrls(delta.crls),
        removedCrls: delta.removedCrls,
        tokens: this.#readTokens(delta.tokens),
      },
      tasks: {
        tasks: readTaskStatuses(delta.tasks, this.#options.log),
        classes: readTaskClasses(delta.taskClasses),
        removedClasses: delta.removedTaskClasses,
      },
      reask: delta.reask,
    });
    this.#options.onHeard();
    return delta.cursor;
  }

  async #confirm(call: WatchCall, cursor: Cursor | undefined): Promise<void> {
    if (cursor === undefined) return;
    await this.#options.persist();
    // Only now: resuming from here tells the server the same as confirming it.
    this.#cursor = cursor;
    // Streams that were woken by this step send in the turns of the event loop before this one.
    await new Promise((resolve) => setImmediate(resolve));
    await call.send({ ack: { cursor } });
    this.#options.onConfirmed();
  }

  /** An entry that cannot be read concerns its workloads only: it is left out, the others are served. */
  #readEntries({ entries, entryOrders }: EntryList): RegistrationEntry[] {
    return entries.flatMap((wire, i) => {
      try {
        return [{ ...entryFromWire(wire), creationOrder: entryOrders[i] ?? 0 }];
      } catch (error) {
        this.#options.log.warn({ entry_id: wire.id, error }, "left out an entry that is malformed");
        return [];
      }
    });
  }

  #readBundles(wires: readonly spire.api.types.Bundle[]): Bundle[] {
    return wires.flatMap((wire) => {
      try {
        return [bundleFromWire(wire)];
      } catch (error) {
        // The own bundle must not be confirmed without having been understood.
        if (wire.trustDomain === this.#options.trustDomain) throw error;
        this.#options.log.warn(
          { trust_domain: wire.trustDomain, error },
          "left out a foreign bundle that is malformed",
        );
        return [];
      }
    });
  }

  /** A list that cannot be read takes the place of none: what was revoked before stays so. */
  #readCrls(wires: readonly signet.link.v1.Crl[]): ReceivedCrl[] {
    return wires.map(({ authorityId, der }) => {
      try {
        const crl = parseCrl(der);
        // In the place of the authority's full list it would hide what that one says.
        if (crl.scope !== undefined) throw new RangeError("it is a list of one distribution point");
        return { authorityId, crl };
      } catch (error) {
        const fields = { authority_id: authorityId, error };
        this.#options.log.warn(fields, "left out a revocation list that is malformed");
        return { authorityId, crl: undefined };
      }
    });
  }

  #readTokens(wires: readonly signet.link.v1.TokenRevocation[]): TokenRevocation[] {
    return wires.flatMap((wire) => {
      try {
        return [{ target: targetOf(wire), expiresAt: new Date(wire.expiresAt * 1000) }];
      } catch (error) {
        this.#options.log.warn({ error }, "left out the revocation of a token that is malformed");
        return [];
      }
    });
  }
}

function targetOf(wire: signet.link.v1.TokenRevocation): TokenRevocation["target"] {
  const { jti, digest, spiffeId, issuedUntil } = wire;
  if (jti) return { kind: "jti", jti };
  if (digest?.length === DIGEST_BYTES) {
    return { kind: "digest", digest: Buffer.from(digest).toString("hex") };
  }
  if (spiffeId) {
    const id = SpiffeId.parse(spiffeId).toString();
    return { kind: "spiffe-id", spiffeId: id, issuedUntilUnixSeconds: issuedUntil };
  }
  throw invalid("the revocation of nothing");
}

function invalid(what: string): Error {
  return agentError("SERVER_ANSWER_INVALID", `the server sent ${what} on the link`);
}
