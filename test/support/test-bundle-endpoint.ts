// A bundle endpoint that a test plays: a real https server that shows the certificate it is given and
// answers what it is told to, right or wrong. It counts who asks for what.

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { formatPem } from "../../pki/x509/pem.ts";
import type { X509Svid } from "../../pki/x509/svid.ts";

interface Teardown {
  teardown(fn: () => unknown): void;
}

export class TestBundleEndpoint {
  /** What it answers, unless `answer` does. */
  document: string | Uint8Array = "";
  /** Answers instead. */
  answer: RequestListener | undefined;
  /** Request lines so far, such as "GET /bundle". */
  readonly requests: string[] = [];
  /** Headers of the last request. */
  headers: IncomingMessage["headers"] = {};
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => this.#onRequest(request, response));
  }

  /** Listens on 127.0.0.1, showing `svid`: a certificate like any other to those who do not know SPIFFE. */
  static async start(t: Teardown, svid: X509Svid): Promise<TestBundleEndpoint> {
    const server = createServer(certificateOf(svid));
    const endpoint = new TestBundleEndpoint(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.teardown(() => endpoint.stop());
    return endpoint;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get count(): number {
    return this.requests.length;
  }

  /** A URL of it. `host` is a name that leads to 127.0.0.1. */
  url(path = "/", host = "127.0.0.1"): string {
    return `https://${host}:${this.port}${path}`;
  }

  /** Shows another certificate from now on. */
  show(svid: X509Svid): void {
    this.#server.setSecureContext(certificateOf(svid));
  }

  /** Redirects every request. */
  redirect(location: string, status = 302): void {
    this.answer = (_, response) => response.writeHead(status, { location }).end();
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${request.method} ${request.url}`);
    this.headers = request.headers;
    if (this.answer !== undefined) this.answer(request, response);
    else response.writeHead(200, { "content-type": "application/json" }).end(this.document);
  }
}

function certificateOf({ chain, privateKey }: X509Svid): SecureContextOptions {
  return {
    cert: chain.map((der) => formatPem("CERTIFICATE", der)).join(""),
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
  };
}
