// A node agent's end of the link, over a channel of its own.
import type { Init } from "../../proto/codec.ts";
import type { BidiCall } from "../../proto/rpc/client.ts";
import { LinkService, type signet, type spire } from "../../proto/schema.gen.ts";
import type { TestAgent, TestServer } from "./running-server.ts";

type Cursor = signet.link.v1.Cursor;
type WatchCall = BidiCall<signet.link.v1.WatchRequest, signet.link.v1.WatchResponse>;

/** An agent's end of the link, which holds what it was told as a node agent does. */
export class TestLink {
  readonly held = new Map<string, spire.api.types.Entry>();
  readonly bundles = new Map<string, spire.api.types.Bundle>();
  resumed: boolean | undefined;
  cursor: Cursor | undefined;
  snapshots = 0;
  pages = 0;
  confirms = true;
  readonly #call;
  #page: spire.api.types.Entry[] = [];

  private constructor(call: WatchCall) {
    this.#call = call;
  }

  static async open(
    server: TestServer,
    agent: TestAgent,
    hello: Init<signet.link.v1.Hello> = {},
  ): Promise<TestLink> {
    const link = new TestLink((await server.channel(agent.svid)).client(LinkService).watch());
    await link.#call.send({ hello: { version: 1, agentVersion: "test", ...hello } });
    return link;
  }

  /** Opens a link again from where a former one stopped, with what that one held. */
  static async reopen(server: TestServer, agent: TestAgent, former: TestLink): Promise<TestLink> {
    const link = await TestLink.open(server, agent, { cursor: former.cursor });
    for (const [id, entry] of former.held) link.held.set(id, entry);
    return link;
  }

  /** Takes the next message in. */
  async next(): Promise<signet.link.v1.WatchResponse> {
    const { value, done } = await this.#call.responses.next();
    if (done === true) throw new Error("the link ended without a status");
    if (value.welcome !== undefined) this.resumed = value.welcome.resumed;
    if (value.snapshot !== undefined) this.#snapshot(value.snapshot);
    if (value.delta !== undefined) {
      for (const one of value.delta.entries) this.held.set(one.id, one);
      for (const id of value.delta.removedEntryIds) this.held.delete(id);
      for (const bundle of value.delta.bundles) this.bundles.set(bundle.trustDomain, bundle);
      await this.#confirm(value.delta.cursor);
    }
    if (value.snapshot?.last) await this.#confirm(value.snapshot.cursor);
    return value;
  }

  /** Takes messages in until `isDone`. */
  async until(isDone: (link: TestLink) => boolean): Promise<void> {
    while (!isDone(this)) await this.next();
  }

  /** Everything up to here: welcome and, if it did not resume, the snapshot. */
  async synced(): Promise<this> {
    await this.until(() => this.cursor !== undefined);
    return this;
  }

  ack(cursor: Cursor): Promise<void> {
    return this.#call.send({ ack: { cursor } });
  }

  /** Asks for a sign of life. */
  ping(): Promise<void> {
    return this.#call.send({ ping: {} });
  }

  close(): void {
    this.#call.cancel();
  }

  #snapshot({ entries: page, bundles, last }: signet.link.v1.Snapshot): void {
    this.pages++;
    this.#page.push(...page);
    for (const bundle of bundles) this.bundles.set(bundle.trustDomain, bundle);
    if (!last) return;
    this.snapshots++;
    this.held.clear();
    for (const one of this.#page) this.held.set(one.id, one);
    this.#page = [];
  }

  async #confirm(cursor: Cursor | undefined): Promise<void> {
    if (cursor === undefined) return;
    this.cursor = cursor;
    if (this.confirms) await this.ack(cursor);
  }
}
