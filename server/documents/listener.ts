// A public listener: HTTP/1.1 over TLS, or in plain text, that hands out documents to anyone. What can be
// asked for is a function; how it is answered is answer.ts. Whoever connects is bounded: in the size of
// a request, in the time for it, in connections and in requests (visitors.ts).

import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Clock, Timer } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import { serverError } from "../errors.ts";
import { type Answer, answerTo, pathOf, type Question, refusalOf, said } from "./answer.ts";
import type { FindResource } from "./document.ts";
import { bodyRefusal, PostOffice, type Posts } from "./post.ts";
import { createDocumentTls, type ServingCertificate } from "./tls.ts";
import { VISITOR_LIMITS, type VisitorLimits, Visitors } from "./visitors.ts";

const MAX_HEADER_BYTES = 8192;
const MAX_REQUESTS_PER_CONNECTION = 100;
const BACKLOG = 511;
const SHOWN_PATH_LENGTH = 200;
const ERROR_LINE_EVERY_MS = 60_000;

/** How long a connection may take. */
export interface DocumentTimes {
  /** From connecting to the end of the first request, TLS included; and for each later one once it is due. */
  readonly requestMs: number;
  /** To take in an answer. */
  readonly answerMs: number;
  /** When stopping, for the answers that are under way. */
  readonly drainMs: number;
}

const TIMES: DocumentTimes = { requestMs: 10_000, answerMs: 30_000, drainMs: 3000 };

export interface DocumentListenerOptions {
  /** In the log and in metrics: "bundle", "oidc", "crl". */
  readonly name: string;
  /** The section of the configuration that it comes from, for hints. */
  readonly section: string;
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Without it, plain HTTP. */
  readonly certificate?: ServingCertificate | undefined;
  /** All requests come from one address, which looks after its own clients: no limits per address. */
  readonly isBehindProxy?: boolean;
  readonly find: FindResource;
  /** What is sent to, and how it is answered; without it nothing is. */
  readonly posts?: Posts;
  /** Asks clients for a certificate, which they need not have. It is verified by whoever answers what they send. */
  readonly asksForCertificate?: boolean;
  readonly limits?: Partial<VisitorLimits>;
  readonly times?: Partial<DocumentTimes>;
  /** Told of every answer. */
  readonly onAnswer?: (status: number) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface RunningDocumentListener {
  readonly address: { readonly host: string; readonly port: number };
  /** Open connections. */
  readonly connections: number;
  /** Accepts no more, lets the answers under way end, and closes every connection. */
  stop(): Promise<void>;
}

/**
 * Starts listening.
 * @throws ADDRESS_UNUSABLE
 */
export async function startDocumentListener(
  options: DocumentListenerOptions,
): Promise<RunningDocumentListener> {
  const listener = new DocumentListener(options);
  await listener.listen();
  return listener;
}

class DocumentListener implements RunningDocumentListener {
  readonly #options: DocumentListenerOptions;
  readonly #times: DocumentTimes;
  readonly #visitors: Visitors;
  readonly #server: Server;
  readonly #http: HttpServer;
  readonly #tls: Server | undefined;
  /** By remote address and port: a TLS socket wraps the one that was accepted. */
  readonly #byPeer = new Map<string, Connection>();
  readonly #bySocket = new WeakMap<Socket, Connection>();
  readonly #office: PostOffice | undefined;
  #errorLoggedAtMs = -Infinity;
  #stopping = false;

  constructor(options: DocumentListenerOptions) {
    const { certificate, isBehindProxy = false, clock } = options;
    this.#options = options;
    this.#office = options.posts && new PostOffice(options.posts);
    this.#times = { ...TIMES, ...options.times };
    const unlimited = {
      maxConnectionsPerAddress: Infinity,
      connectionsPerSecond: Infinity,
      requestsPerSecond: Infinity,
    };
    this.#visitors = new Visitors({
      ...VISITOR_LIMITS,
      ...(isBehindProxy && unlimited),
      ...options.limits,
      clock,
    });
    const take = (request: IncomingMessage, response: ServerResponse): void => {
      this.#answer(request, response).catch((error: unknown) => {
        this.#logError(error);
        request.socket.destroy();
      });
    };
    this.#http = createHttpServer({ maxHeaderSize: MAX_HEADER_BYTES }, take);
    // What a client expects is refused like anything else, and counts like anything else.
    this.#http.on("checkExpectation", take);
    // Whoever asks on after the last answer would be told so each time, and never be closed.
    this.#http.on("dropRequest", (_request, socket) => (socket as Socket).destroySoon());
    this.#http.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
    this.#http.on("connect", (_request, socket) => socket.destroy());
    this.#http.on("clientError", (error: NodeJS.ErrnoException, socket) =>
      this.#refuse(error, socket as Socket),
    );
    if (certificate !== undefined) {
      this.#tls = createDocumentTls(certificate, options);
      this.#tls.on("secureConnection", (socket: Socket) => this.#speak(socket));
      this.#tls.on("tlsClientError", (error: Error, socket: Socket) => {
        this.#debug(socket.remoteAddress, error.message);
        socket.destroy();
      });
    }
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  get address(): RunningDocumentListener["address"] {
    return {
      host: this.#options.address,
      port: (this.#server.address() as AddressInfo | null)?.port ?? this.#options.port,
    };
  }

  get connections(): number {
    return this.#visitors.size;
  }

  async listen(): Promise<void> {
    const { address, port, section, log, name } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (cause) =>
        reject(
          serverError("ADDRESS_UNUSABLE", `cannot listen on ${address}:${port}: ${cause.message}`, {
            hint: `choose another address or port under '${section}', or stop what holds it`,
            cause,
          }),
        ),
      );
      this.#server.listen({ host: address, port, backlog: BACKLOG }, resolve);
    });
    this.#server.removeAllListeners("error");
    this.#server.on("error", (error) => log.error({ error, listener: name }, "listener"));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    this.#visitors.closeIdle();
    using _timer = this.#options.clock.setTimer(
      this.#times.drainMs,
      () => this.#visitors.closeAll(),
      { keepAlive: true },
    );
    await closed;
    this.#tls?.emit("close");
  }

  #accept(socket: Socket): void {
    socket.on("error", () => undefined); // its close follows
    if (this.#stopping || !this.#visitors.admit(socket)) {
      this.#debug(socket.remoteAddress, "there are too many connections");
      socket.destroy();
      return;
    }
    const connection: Connection = { accepted: socket, pending: 0, deadline: undefined };
    const key = peerKey(socket);
    this.#byPeer.set(key, connection);
    socket.once("close", () => {
      connection.deadline?.cancel();
      if (this.#byPeer.get(key) === connection) this.#byPeer.delete(key);
    });
    this.#limit(connection, this.#times.requestMs);
    if (this.#tls === undefined) this.#speak(socket);
    else this.#tls.emit("connection", socket);
  }

  /** Lets HTTP have a connection; with TLS, after the handshake. */
  #speak(socket: Socket): void {
    socket.on("error", () => undefined);
    const connection = this.#byPeer.get(peerKey(socket));
    if (connection === undefined || this.#stopping) {
      socket.destroy();
      return;
    }
    this.#bySocket.set(socket, connection);
    this.#http.emit("connection", socket);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const connection = this.#bySocket.get(request.socket);
    if (connection === undefined) {
      request.socket.destroy();
      return;
    }
    connection.pending++;
    this.#visitors.mark(connection.accepted, false);
    this.#limit(connection, this.#times.answerMs);
    response.once("close", () => {
      connection.pending--;
      if (connection.pending > 0) return;
      if (this.#stopping) request.socket.destroySoon();
      this.#visitors.mark(connection.accepted, true);
      this.#limit(connection, this.#times.requestMs);
    });
    const { remoteAddress } = request.socket;
    const { method = "", url: target = "", httpVersion: version, headers: asked } = request;
    const question = { method, target, version, headers: asked };
    // At once, before the parser reaches what may follow it.
    const refusal = this.#refusalOf(question, remoteAddress);
    const answer = refusal ?? (await this.#find(question, request, connection));
    if (answer === undefined) return;
    if (answer.isLast === true || this.#stopping) response.shouldKeepAlive = false;
    const { status, headers, body } = answer;
    response.writeHead(status, {
      ...headers,
      ...(status !== 304 && { "content-length": body.length }),
    });
    response.end(method === "HEAD" || status === 304 ? undefined : body);
    this.#options.onAnswer?.(status);
    const path = target.slice(0, SHOWN_PATH_LENGTH);
    this.#options.log.debug(
      { listener: this.#options.name, remote_address: remoteAddress, path, status },
      "document asked for",
    );
  }

  #refusalOf(question: Question, remoteAddress: string | undefined): Answer | undefined {
    if (this.#visitors.ask(remoteAddress)) {
      const { posts } = this.#options;
      const takesPost = posts?.has(pathOf(question.target) ?? "") === true;
      const refusal = refusalOf(question, takesPost);
      return refusal ?? (takesPost ? bodyRefusal(question.headers, posts) : undefined);
    }
    const answer = said(429, "too many requests from this address");
    return { ...answer, headers: { ...answer.headers, "retry-after": "1" }, isLast: true };
  }

  /** Undefined when the client went away while it was sending. */
  async #find(
    question: Question,
    request: IncomingMessage,
    connection: Connection,
  ): Promise<Answer | undefined> {
    try {
      if (this.#office !== undefined && question.method === "POST") {
        // The time for the request goes on until all of it is there.
        this.#limit(connection, this.#times.requestMs);
        const path = pathOf(question.target) ?? "";
        const onRead = (): void => this.#limit(connection, this.#times.answerMs);
        return await this.#office.take(request, path, onRead);
      }
      return await answerTo(question, this.#options.find);
    } catch (error) {
      this.#logError(error);
      return said(500, "internal error");
    }
  }

  /** Anyone can cause these lines, so they are written once a minute at most. */
  #logError(error: unknown): void {
    const { clock, log, name } = this.#options;
    const nowMs = clock.now().getTime();
    if (Math.abs(nowMs - this.#errorLoggedAtMs) < ERROR_LINE_EVERY_MS) return;
    this.#errorLoggedAtMs = nowMs;
    log.error({ error, listener: name }, "cannot make a document");
  }

  /** What is not HTTP, or too much of it. */
  #refuse(error: NodeJS.ErrnoException, socket: Socket): void {
    const connection = this.#bySocket.get(socket);
    this.#debug(socket.remoteAddress, error.message);
    if (!socket.writable || error.code === "ECONNRESET" || (connection?.pending ?? 0) > 0) {
      socket.destroy();
      return;
    }
    const status = error.code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
    this.#options.onAnswer?.(status);
    const line = `HTTP/1.1 ${status} ${STATUS_CODES[status]}`;
    socket.end(`${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
  }

  /** Closes a connection that takes longer than this for what is next. */
  #limit(connection: Connection, ms: number): void {
    connection.deadline?.cancel();
    if (connection.accepted.destroyed) return;
    connection.deadline = this.#options.clock.setTimer(ms, () => connection.accepted.destroy());
  }

  #debug(remoteAddress: string | undefined, why: string): void {
    const { log, name } = this.#options;
    log.debug({ listener: name, remote_address: remoteAddress, why }, "connection refused");
  }
}

/** One connection, from accepting it. */
interface Connection {
  readonly accepted: Socket;
  /** Answers under way. */
  pending: number;
  deadline: Timer | undefined;
}

function peerKey({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
