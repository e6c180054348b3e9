// The guard of an MCP server over Streamable HTTP: every request is a task's; a session belongs to the task that
// opened it; what the mandate does not cover is refused with 403 before the server hears of it; when the task
// ends its sessions, streams and connections are closed.

import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { isMetadataRequest, metadataOf, refusedBy, sendJson, sendRefused } from "./challenge.ts";
import { guardError } from "./errors.ts";
import type { Guard } from "./guard.ts";
import { followSocket, targetOf } from "./http.ts";
import { invalid, type Message, readMessage } from "./mcp-messages.ts";
import { GuardedTransport, type McpTransport, refusalOf } from "./mcp-transport.ts";
import type { PresentedTask } from "./presented.ts";
import { refusedActionOf } from "./refusals.ts";
import { forgetCredentials, valuesOf } from "./request.ts";

/** StreamableHTTPServerTransport of the MCP SDK. */
export interface McpHttpTransport extends McpTransport {
  // biome-ignore lint/suspicious/noExplicitAny: request and response with what the SDK adds to them
  handleRequest(request: any, response: any, body?: unknown): Promise<void>;
}

/** McpServer, or Server, of the MCP SDK. */
export interface McpServerLike {
  // biome-ignore lint/suspicious/noExplicitAny: the SDK's own type of transports, of whichever version
  connect(transport: any): Promise<void>;
}

export interface McpGuardOptions {
  /** A server for a new session of a task. */
  readonly server: (task: PresentedTask) => McpServerLike;
  /** `(options) => new StreamableHTTPServerTransport(options)` */
  readonly transport: (options: { readonly sessionIdGenerator: () => string }) => McpHttpTransport;
  /** What clients that show no credential are told to ask for. Default: tools, resources and prompts. */
  readonly scopes?: string;
  /** Origins of web pages that may call. Default: this service's own alone. */
  readonly allowedOrigins?: readonly string[];
  /** Default 1 MiB. */
  readonly maxBodyBytes?: number;
  /** Sessions of one task at a time, default 32, and of all, default 10,000; a quarter of these of one AI agent. */
  readonly maxSessionsPerTask?: number;
  readonly maxSessions?: number;
  /** Told why a request was refused. */
  readonly onRefused?: (error: unknown, request: IncomingMessage) => void;
}

interface Session {
  readonly taskId: string;
  readonly agent: string;
  readonly inner: McpHttpTransport;
  readonly guarded: GuardedTransport;
  usedAtMs: number;
}

/** A request that is let through. */
interface Passed {
  readonly session: Session;
  readonly task: PresentedTask;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: unknown;
}

const SCOPES = "tools/** resources/** prompts/**";
const MAX_BODY_BYTES = 1024 * 1024;
/** A session that nobody has used for so long makes room for others. */
const IDLE_MS = 30 * 60_000;

/** Makes the handler of an MCP server's address, for node:http, node:https and Express. */
export function guardMcp(
  guard: Guard,
  options: McpGuardOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const endpoint = new McpEndpoint(guard, options);
  return (request, response) => void endpoint.serve(request, response); // never rejects
}

class McpEndpoint {
  readonly #guard: Guard;
  readonly #options: McpGuardOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #scopes: string;

  constructor(guard: Guard, options: McpGuardOptions) {
    this.#guard = guard;
    this.#options = options;
    this.#scopes = options.scopes ?? SCOPES;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const guard = this.#guard;
    const target = targetOf(request);
    if (isMetadataRequest(request.method, target, guard.resource)) {
      const headers = { "access-control-allow-origin": "*" };
      sendJson(response, 200, metadataOf(guard, this.#scopes), headers);
      return;
    }
    let scope = this.#scopes;
    let id: Message["id"];
    try {
      this.#checkPlace(request, target);
      const task = await guard.authenticate(request);
      followSocket(guard, request, response, task);
      const body = request.method === "POST" ? await this.#read(request) : undefined;
      const message = body === undefined ? undefined : readMessage(body);
      id = message?.id;
      const session = await this.#sessionOf(request, task, message);
      try {
        if (message !== undefined) await session.guarded.admit(message, task);
      } catch (error) {
        scope = refusedActionOf(error) ?? scope;
        throw error;
      }
      await this.#pass({ session, task, request, response, body });
    } catch (error) {
      this.#options.onRefused?.(error, request);
      const body = id === undefined ? undefined : refusalOf(id, error);
      sendRefused(response, refusedBy(error, { guard, scope }), body);
    }
  }

  async #pass({ session, task, request, response, body }: Passed): Promise<void> {
    const { inner, guarded } = session;
    const { id } = (body ?? {}) as Message;
    // Tools learn who calls, and never get the token: it is for this service alone.
    forgetCredentials(request);
    const auth = {
      token: "",
      clientId: task.agent,
      scopes: [],
      expiresAt: Math.floor(task.expiresAt.getTime() / 1000),
      extra: { task: task.spiffeId, principal: task.principal ?? task.agent },
    };
    try {
      await inner.handleRequest(Object.assign(request, { auth }), response, body);
    } finally {
      await guarded.abandonUnlessReceived(id);
    }
    // It did not become one: the transport refused to initialize it.
    if (inner.sessionId === undefined) await guarded.close();
  }

  /** @throws GUARD_SESSION_UNKNOWN: also for a session of another task, which is not told from none */
  async #sessionOf(
    request: IncomingMessage,
    task: PresentedTask,
    message: Message | undefined,
  ): Promise<Session> {
    const sent = valuesOf(request, "mcp-session-id");
    const [id] = sent;
    if (id === undefined && message?.method === "initialize") return this.#open(task);
    if (id === undefined || sent.length > 1) throw invalid("it names no session");
    const session = this.#sessions.get(id);
    if (session === undefined) throw sessionUnknown();
    if (session.taskId !== task.taskId) {
      await this.#guard.attempted(task, "not-owner", "GUARD_SESSION_UNKNOWN");
      throw sessionUnknown();
    }
    session.usedAtMs = this.#nowMs();
    return session;
  }

  async #open(task: PresentedTask): Promise<Session> {
    const guard = this.#guard;
    await this.#makeRoom(task);
    // Its class may have it refused, or its streams closed, before it ever calls anything.
    await guard.rightsOf(task);
    this.#assertRoom(task);
    const id = randomUUID();
    const inner = this.#options.transport({ sessionIdGenerator: () => id });
    const guarded = new GuardedTransport({ guard, inner });
    const { taskId, agent } = task;
    const session: Session = { taskId, agent, inner, guarded, usedAtMs: this.#nowMs() };
    this.#sessions.set(id, session);
    const forget = guard.connections.add(task.taskId, { close: () => void this.#close(session) });
    guarded.onEnded = () => {
      this.#sessions.delete(id);
      forget();
    };
    try {
      await this.#options.server(task).connect(guarded);
    } catch (error) {
      guarded.onEnded();
      throw error;
    }
    return session;
  }

  /** Closes what nobody has used for long, where there is no room. */
  async #makeRoom(task: PresentedTask): Promise<void> {
    if (this.#hasRoom(task)) return;
    const nowMs = this.#nowMs();
    for (const session of [...this.#sessions.values()]) {
      if (Math.abs(nowMs - session.usedAtMs) > IDLE_MS) await this.#close(session);
    }
  }

  #assertRoom(task: PresentedTask): void {
    if (this.#hasRoom(task)) return;
    throw guardError("GUARD_SESSIONS_TOO_MANY", "too many sessions are open", {
      hint: "end sessions with DELETE when they are done",
    });
  }

  #hasRoom({ taskId, agent }: PresentedTask): boolean {
    const { maxSessionsPerTask = 32, maxSessions = 10_000 } = this.#options;
    if (this.#sessions.size >= maxSessions) return false;
    const ofTask = { most: maxSessionsPerTask, own: 0 };
    // An AI agent has as many tasks as it opens: none shuts the others out.
    const ofAgent = { most: Math.ceil(maxSessions / 4), own: 0 };
    for (const session of this.#sessions.values()) {
      if (session.taskId === taskId) ofTask.own += 1;
      if (session.agent === agent) ofAgent.own += 1;
    }
    return ofTask.own < ofTask.most && ofAgent.own < ofAgent.most;
  }

  #nowMs(): number {
    return this.#guard.clock.now().getTime();
  }

  async #close({ guarded }: Session): Promise<void> {
    await guarded.close().catch(() => undefined); // what is left of it is gone with its connections
  }

  /** @throws GUARD_SESSION_UNKNOWN for another path, GUARD_ORIGIN_REFUSED for a web page from elsewhere */
  #checkPlace(request: IncomingMessage, target: string): void {
    const own = new URL(this.#guard.resource);
    const path = target.split("?", 1)[0] ?? "";
    if (path !== own.pathname) {
      throw guardError("GUARD_SESSION_UNKNOWN", "nothing is served there", {
        hint: `the server is at ${own.pathname}`,
      });
    }
    const { origin } = request.headers;
    const allowed = this.#options.allowedOrigins ?? [own.origin];
    if (origin === undefined || allowed.includes(origin)) return;
    // A page in somebody's browser that was led here by a name of its own (DNS rebinding).
    throw guardError("GUARD_ORIGIN_REFUSED", "a web page of another origin calls", {
      hint: "name its origin in allowedOrigins, if it is yours",
    });
  }

  async #read(request: IncomingMessage): Promise<unknown> {
    const limit = this.#options.maxBodyBytes ?? MAX_BODY_BYTES;
    // Read already, and bounded, by a framework.
    const { body } = request as { readonly body?: unknown };
    if (body !== undefined) return body;
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of request as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > limit) throw invalid(`it is larger than ${limit} bytes`);
      pieces.push(piece);
    }
    try {
      return JSON.parse(Buffer.concat(pieces).toString("utf8"));
    } catch {
      throw invalid("it is no JSON");
    }
  }
}

function sessionUnknown(): Error {
  return guardError("GUARD_SESSION_UNKNOWN", "there is no such session", {
    hint: "initialize a new one",
  });
}
