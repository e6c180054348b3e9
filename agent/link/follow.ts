// Follows the stream Link/Watch: a snapshot, then deltas, gap-free, resumable by a cursor. Each step is
// taken over whole, pushed to workloads, made durable where it must be, and only then confirmed: the
// server signs with a new authority once every agent has confirmed the bundle that holds it.

import type { Bundle } from "../../pki/bundle/bundle.ts";
import type { BidiCall } from "../../proto/rpc/client.ts";
import { LinkService, type signet, type spire } from "../../proto/schema.gen.ts";
import { bundleFromWire } from "../../proto/types/bundle.ts";
import { entryFromWire, type RegistrationEntry } from "../../proto/types/entry.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Delta } from "../cache/feed.ts";
import { agentError } from "../errors.ts";
import type { Connection } from "./dial.ts";

type Cursor = signet.link.v1.Cursor;
type WatchCall = BidiCall<signet.link.v1.WatchRequest, signet.link.v1.WatchResponse>;

type EntryList = Pick<signet.link.v1.Delta, "entries" | "entryOrders">;

/** The version of the link's messages that this agent speaks. */
export const LINK_VERSION = 1;

/** More than any node has: a server gone wrong must not take the machine's memory. */
const MAX_SNAPSHOT_ENTRIES = 1_000_000;

/** Takes over what the server sends; implemented by agent/cache/feed.ts. */
export interface LinkSink {
  snapshot(entries: readonly RegistrationEntry[], bundles: readonly Bundle[]): void;
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
  readonly log: Logger;
}

/** Follows the server over one connection after another, from where it stopped. */
export class Follower {
  readonly #options: FollowOptions;
  #cursor: Cursor | undefined;
  #entries: RegistrationEntry[] = [];
  #bundles: Bundle[] = [];

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
    this.#entries = [];
    this.#bundles = [];
    await call.send({
      hello: {
        version: LINK_VERSION,
        agentVersion: this.#options.agentVersion,
        ...(cursor !== undefined && { cursor }),
      },
    });
    let isWelcome = false;
    for await (const response of call.responses) {
      if (response.welcome !== undefined) {
        this.#welcome(response.welcome);
        isWelcome = true;
      } else if (!isWelcome) {
        throw invalid("a step before its welcome");
      } else if (response.snapshot !== undefined) {
        await this.#confirm(call, this.#snapshot(response.snapshot));
      } else if (response.delta !== undefined) {
        await this.#confirm(call, this.#delta(response.delta));
      }
      // Anything else is of a newer server and does not concern this version.
    }
    throw agentError("SERVER_UNREACHABLE", "the server ended the link");
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
    this.#entries.push(...this.#readEntries(page));
    this.#bundles.push(...this.#readBundles(page.bundles));
    if (this.#entries.length > MAX_SNAPSHOT_ENTRIES) {
      throw invalid(`a snapshot of more than ${MAX_SNAPSHOT_ENTRIES} entries`);
    }
    if (!page.last) return undefined;
    const [entries, bundles] = [this.#entries, this.#bundles];
    this.#entries = [];
    this.#bundles = [];
    this.#options.sink.snapshot(entries, bundles);
    return page.cursor;
  }

  #delta(delta: signet.link.v1.Delta): Cursor | undefined {
    this.#options.sink.delta({
      entries: this.#readEntries(delta),
      removedEntryIds: delta.removedEntryIds,
      bundles: this.#readBundles(delta.bundles),
      removedBundles: delta.removedBundles,
    });
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
}

function invalid(what: string): Error {
  return agentError("SERVER_ANSWER_INVALID", `the server sent ${what} on the link`);
}
