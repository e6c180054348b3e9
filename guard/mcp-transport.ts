// Stands between a transport of MCP and the server that is connected to it. What comes in passes once it may;
// what goes out is filtered, written down, and held back when the task ended while it was made. Whether the
// server is an McpServer or a Server, and of which version, makes no difference.

import { randomUUID } from "node:crypto";
import type { Guard, Permit } from "./guard.ts";
import {
  callOf,
  filterList,
  invalid,
  type Message,
  needsTools,
  type ReadOnlyTools,
  readMessage,
  readOnlyNames,
} from "./mcp-messages.ts";
import type { PresentedTask } from "./presented.ts";
import { toldOf } from "./refusals.ts";

/** What a guard uses of a transport of the MCP SDK, and is itself to the server. */
export interface McpTransport {
  start(): Promise<void>;
  // biome-ignore lint/suspicious/noExplicitAny: the SDK's own types of messages, of whichever version
  send(message: any, options?: any): Promise<void>;
  close(): Promise<void>;
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  onmessage?: ((message: any, extra?: any) => void) | undefined;
  sessionId?: string | undefined;
  setProtocolVersion?: ((version: string) => void) | undefined;
}

export interface GuardedTransportOptions {
  readonly guard: Guard;
  readonly inner: McpTransport;
  /** On stdio: who is at the other end, as of now. Elsewhere messages were asked about before: `admit`. */
  readonly caller?: () => PresentedTask;
}

/** Of JSON-RPC's numbers for servers: refused. */
const REFUSED = -32003;
const PROBE_TIMEOUT_MS = 5000;
const MAX_PAGES = 100;
const MAX_PENDING = 1000;

interface Pending {
  /** With the credential of this very request: others of one session may bring others. */
  readonly task: PresentedTask;
  readonly permit: Permit | undefined;
  readonly method: string;
  /** Whether the server has it. */
  isReceived: boolean;
}

export class GuardedTransport implements McpTransport {
  onclose: (() => void) | undefined;
  onerror: ((error: Error) => void) | undefined;
  onmessage: ((message: unknown, extra?: unknown) => void) | undefined;
  /** Told when the transport has closed. */
  onEnded: () => void = () => {};
  readonly #options: GuardedTransportOptions;
  /** Requests that the server has not answered yet. */
  readonly #pending = new Map<string | number, Pending>();
  readonly #probes = new Map<string | number, (message: Message) => void>();
  #readOnly: Promise<ReadOnlyTools> | undefined;
  /** Answers that are being written down, or sent. */
  #leaving = 0;
  #isEnding = false;
  #isClosed = false;

  constructor(options: GuardedTransportOptions) {
    this.#options = options;
    const { setProtocolVersion } = options.inner;
    if (setProtocolVersion !== undefined) {
      this.setProtocolVersion = (version) => setProtocolVersion.call(options.inner, version);
    }
  }

  setProtocolVersion?: (version: string) => void;

  get sessionId(): string | undefined {
    return this.#options.inner.sessionId;
  }

  async start(): Promise<void> {
    const { inner } = this.#options;
    inner.onclose = () => this.#closed();
    inner.onerror = (error) => this.onerror?.(error);
    inner.onmessage = (message, extra) => {
      this.#receive(message, extra).catch((error: unknown) =>
        this.onerror?.(error instanceof Error ? error : new Error(String(error))),
      );
    };
    await inner.start();
  }

  /** Closes the connection; what is under way is not answered. */
  async close(): Promise<void> {
    await this.#options.inner.close();
    this.#closed();
  }

  /** Closes the connection once every request that came is answered: nobody will make another one. */
  closeWhenAnswered(): void {
    this.#isEnding = true;
    this.#closeIfAnswered();
  }

  #closeIfAnswered(): void {
    if (!this.#isEnding || this.#pending.size > 0 || this.#leaving > 0) return;
    this.close().catch((error: Error) => this.onerror?.(error));
  }

  /**
   * Asks about a message of a task that is to be passed on next.
   * @throws GUARD_MESSAGE_INVALID, ACTION_INVALID, and the reasons of `Guard.authorize`
   */
  async admit(message: Message, task: PresentedTask): Promise<void> {
    const { id, method } = message;
    if (method === undefined || id === undefined) {
      callOf(message, new Set());
      return;
    }
    if (this.#pending.has(id) || this.#probes.has(id)) throw reused(id);
    if (this.#pending.size >= MAX_PENDING) throw reused(id);
    // The place is taken before anything is waited for: two with one id must not both get in.
    this.#pending.set(id, { task, permit: undefined, method, isReceived: false });
    try {
      const readOnly = needsTools(message) ? await this.#readOnlyTools() : new Set<string>();
      const call = callOf(message, readOnly);
      if (call === undefined) return;
      const permit = await this.#options.guard.authorize(task, call);
      this.#pending.set(id, { task, permit, method, isReceived: false });
    } catch (error) {
      this.#pending.delete(id);
      throw error;
    }
  }

  /** A message that was admitted, and that the transport did not take after all, will not be answered. */
  async abandonUnlessReceived(id: string | number | undefined): Promise<void> {
    const pending = id === undefined ? undefined : this.#pending.get(id);
    if (id === undefined || pending === undefined || pending.isReceived) return;
    this.#pending.delete(id);
    await pending.permit?.finish("failed").catch(() => undefined); // nothing was done that could leave
  }

  async send(message: Message, options?: unknown): Promise<void> {
    const { id, method } = message;
    if (id !== undefined && method === undefined) {
      const probe = this.#probes.get(id);
      if (probe !== undefined) {
        probe(message);
        return;
      }
      const pending = this.#pending.get(id);
      // A second answer, or one to what was cancelled: nobody would look at it before it leaves.
      if (pending === undefined) return;
      this.#pending.delete(id);
      this.#leaving += 1;
      try {
        await this.#pass(await this.#answer(message, pending), options);
      } finally {
        this.#leaving -= 1;
        this.#closeIfAnswered();
      }
      return;
    }
    if (method === "notifications/tools/list_changed") this.#readOnly = undefined;
    await this.#pass(message, options);
  }

  async #pass(message: Message, options: unknown): Promise<void> {
    // To somebody whose task has ended nothing more is said.
    if (this.#isClosed) return;
    await this.#options.inner.send(message, options);
  }

  /** The answer to a request, as it may leave. */
  async #answer(message: Message, { task, permit, method }: Pending): Promise<Message> {
    const { guard } = this.#options;
    const { id, result, error } = message;
    try {
      if (permit !== undefined) {
        await permit.finish(error !== undefined || result?.["isError"] === true ? "failed" : "ok");
      } else if (result !== undefined && method.endsWith("/list")) {
        const rights = await guard.rightsOf(task);
        return {
          ...message,
          result: filterList(method, result, (action) => guard.isAllowed(rights, { action })),
        };
      }
      return message;
    } catch (refusal) {
      return refusalOf(id, refusal);
    }
  }

  async #receive(raw: unknown, extra: unknown): Promise<void> {
    const { caller } = this.#options;
    if (caller === undefined) {
      this.#deliver(raw as Message, extra);
      return;
    }
    let id: string | number | undefined;
    try {
      const message = readMessage(raw);
      id = message.id;
      await this.admit(message, caller());
    } catch (error) {
      if (id !== undefined) await this.#pass(refusalOf(id, error), undefined);
      this.#closeIfAnswered();
      return;
    }
    this.#deliver(raw as Message, extra);
  }

  /** A request that was not admitted reaches no server, whichever way it came. */
  #deliver(message: Message, extra: unknown): void {
    if (this.#isClosed) return;
    const { id, method } = message;
    if (id !== undefined && method !== undefined) {
      const pending = this.#pending.get(id);
      if (pending === undefined || pending.method !== method || pending.isReceived) return;
      pending.isReceived = true;
    }
    this.onmessage?.(message, extra);
    if (method === "notifications/cancelled") this.#cancelled(message.params?.["requestId"]);
  }

  /** What a client has cancelled is not answered: how it ended is on record nevertheless. */
  #cancelled(id: unknown): void {
    if (typeof id !== "string" && typeof id !== "number") return;
    const pending = this.#pending.get(id);
    if (pending?.isReceived !== true) return;
    this.#pending.delete(id);
    pending.permit?.finish("failed").catch(() => undefined); // on record as far as it can be
    this.#closeIfAnswered();
  }

  /** Asks the server itself which of its tools only read; kept until it says that they have changed. */
  #readOnlyTools(): Promise<ReadOnlyTools> {
    if (this.#readOnly !== undefined) return this.#readOnly;
    const asked = this.#askForTools();
    this.#readOnly = asked;
    asked.catch(() => {
      if (this.#readOnly === asked) this.#readOnly = undefined;
    });
    return asked;
  }

  async #askForTools(): Promise<ReadOnlyTools> {
    const names = new Set<string>();
    let cursor: unknown;
    for (let page = 0; page < MAX_PAGES; page++) {
      const params = cursor === undefined ? {} : { cursor };
      const { result } = await this.#probe({ method: "tools/list", params });
      if (result === undefined) break;
      for (const name of readOnlyNames(result)) names.add(name);
      cursor = result["nextCursor"];
      if (cursor === undefined) break;
    }
    return names;
  }

  #probe(request: Pick<Message, "method" | "params">): Promise<Message> {
    // No client can name it.
    const id = `guard-${randomUUID()}`;
    return new Promise((resolve) => {
      const done = (message: Message): void => {
        timer.cancel();
        this.#probes.delete(id);
        resolve(message);
      };
      const { clock } = this.#options.guard;
      const timer = clock.setTimer(PROBE_TIMEOUT_MS, () => done({ jsonrpc: "2.0", id }));
      this.#probes.set(id, done);
      this.onmessage?.({ jsonrpc: "2.0", id, ...request });
    });
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { permit } of pending) {
      permit?.finish("failed").catch(() => undefined); // on record as far as it can be
    }
    this.onclose?.();
    this.onEnded();
  }
}

/** A refusal as the answer of JSON-RPC. */
export function refusalOf(id: string | number | undefined, error: unknown): Message {
  const { reason, message, hint } = toldOf(error);
  const answer = { code: REFUSED, message, data: { reason, ...(hint !== undefined && { hint }) } };
  return { jsonrpc: "2.0", id: id ?? (null as never), error: answer };
}

function reused(id: string | number): Error {
  return invalid(
    `the id ${JSON.stringify(id).slice(0, 100)} is in use, or too many requests are open`,
  );
}
