// The public listener as its clients see it: methods, paths, conditional requests, and what it does
// with those who keep no rules.
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import t, { type Test } from "tap";
import { systemClock } from "../../../runtime/clock.ts";
import { createLogger } from "../../../runtime/log.ts";
import { documentOf, type FindResource } from "../../../server/documents/document.ts";
import {
  type DocumentListenerOptions,
  type RunningDocumentListener,
  startDocumentListener,
} from "../../../server/documents/listener.ts";

import { WebAuthority } from "../../support/web-certificate.ts";

const page = documentOf(Buffer.from("{}"), "application/json", "no-cache");

const find: FindResource = (path) => {
  if (path === "/page") return page;
  if (path === "/later") return null;
  if (path === "/moved") return { location: "https://elsewhere.test/page" };
  if (path === "/broken") throw new Error("the secret of the inside");
  return undefined;
};

interface Started {
  readonly listener: RunningDocumentListener;
  readonly port: number;
  readonly statuses: number[];
  readonly lines: Record<string, unknown>[];
  connect(): Promise<Socket>;
}

async function start(t: Test, options: Partial<DocumentListenerOptions> = {}): Promise<Started> {
  const statuses: number[] = [];
  const lines: Record<string, unknown>[] = [];
  const listener = await startDocumentListener({
    name: "test",
    section: "test",
    address: "127.0.0.1",
    port: 0,
    find,
    onAnswer: (status) => statuses.push(status),
    clock: systemClock,
    log: createLogger({
      level: "debug",
      destination: { write: (line) => void lines.push(JSON.parse(line)) },
    }),
    ...options,
  });
  t.teardown(() => listener.stop());
  const { port } = listener.address;
  return {
    listener,
    port,
    statuses,
    lines,
    async connect() {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => undefined);
      t.teardown(() => socket.destroy());
      await once(socket, "connect");
      return socket;
    },
  };
}

interface Got {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

async function get(
  port: number,
  path: string,
  options: Record<string, unknown> = {},
): Promise<Got> {
  const request = httpRequest({ host: "127.0.0.1", port, path, agent: false, ...options });
  request.end(options["body"]);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += chunk;
  return { status: response.statusCode, headers: response.headers, body };
}

/** Everything that comes back on a connection until it closes. */
async function rest(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("latin1");
  for await (const chunk of socket) text += chunk;
  return text;
}

t.test("answers GET and HEAD, and other methods with 405", async (t) => {
  const { port, statuses } = await start(t);
  const whole = await get(port, "/page?ignored=1");
  t.match(whole, {
    status: 200,
    body: "{}",
    headers: {
      "content-type": "application/json",
      "content-length": "2",
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
      etag: page.etag,
    },
  });
  const head = await get(port, "/page", { method: "HEAD" });
  t.match(head, { status: 200, body: "", headers: { "content-length": "2", etag: page.etag } });
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"]) {
    const refused = await get(port, "/page", { method });
    t.match(refused, { status: 405, headers: { allow: "GET, HEAD", "cache-control": "no-store" } });
  }
  t.same(statuses.slice(0, 3), [200, 200, 405]);
});

t.test("compares paths to the letter", async (t) => {
  const { port } = await start(t);
  for (const path of ["/", "/page/", "//page", "/PAGE", "/%70age", "/./page", "/a/../page", "*"]) {
    t.equal((await get(port, path)).status, 404, path);
  }
  t.equal((await get(port, "http://any.test/page")).status, 200, "the form that proxies send");
});

t.test("answers 304 to who has the document already", async (t) => {
  const { port } = await start(t);
  const ask = (headers: Record<string, string>) => get(port, "/page", { headers });
  for (const tag of [page.etag, `W/${page.etag}`, `"other", ${page.etag}`, "*"]) {
    const known = await ask({ "if-none-match": tag });
    t.match(known, { status: 304, body: "", headers: { etag: page.etag } }, tag);
  }
  t.equal((await ask({ "if-none-match": '"other"' })).status, 200);
  const later = new Date(Date.now() + 60_000).toUTCString();
  const dated = await ask({ "if-modified-since": later });
  t.equal(dated.status, 200, "two documents of one second would look the same");
  t.notOk(dated.headers["last-modified"]);
});

t.test("says when to come back, and where else to go", async (t) => {
  const { port } = await start(t);
  t.match(await get(port, "/later"), { status: 503, headers: { "retry-after": /^\d+$/ } });
  const moved = await get(port, "/moved");
  t.match(moved, { status: 307, headers: { location: "https://elsewhere.test/page" } });
});

t.test("an error inside is 500, says nothing, and is logged once a minute", async (t) => {
  const { port, lines } = await start(t);
  for (let i = 0; i < 3; i++) {
    const broken = await get(port, "/broken");
    t.equal(broken.status, 500);
    t.notMatch(JSON.stringify(broken), /secret/);
  }
  t.equal(lines.filter(({ level }) => level === "error").length, 1);
  t.equal((await get(port, "/page")).status, 200, "it goes on");
});

t.test("reads no body, so that what follows one is not taken for a request", async (t) => {
  const { connect, statuses } = await start(t);
  for (const head of ["Content-Length: 40", "Transfer-Encoding: chunked"]) {
    const socket = await connect();
    socket.write(
      `GET /page HTTP/1.1\r\nHost: h\r\n${head}\r\n\r\nGET /page HTTP/1.1\r\nHost: h\r\n\r\n`,
    );
    const answer = await rest(socket);
    t.match(answer, /^HTTP\/1\.1 400 /);
    t.match(answer, /connection: close/i);
    t.equal(answer.split("HTTP/1.1 ").length, 2, "one answer");
  }
  t.same(statuses, [400, 400]);
});

t.test("refuses what is not HTTP/1.1, and headers that are too large", async (t) => {
  const { connect, statuses } = await start(t);
  const answerTo = async (text: string): Promise<string> => {
    const socket = await connect();
    socket.write(text);
    return rest(socket);
  };
  t.match(await answerTo("\x16\x03\x01\x00\x05hello\r\n\r\n"), /^HTTP\/1\.1 400 /);
  t.match(await answerTo("GET /page HTTP/1.1\r\n\r\n"), /^HTTP\/1\.1 400 /, "no host");
  const both =
    "GET /page HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
  t.match(await answerTo(both), /^HTTP\/1\.1 400 /);
  const large = `GET /page HTTP/1.1\r\nHost: h\r\nX: ${"x".repeat(9000)}\r\n\r\n`;
  t.match(await answerTo(large), /^HTTP\/1\.1 431 /);
  t.match(statuses, [400, 400, 431], "the missing host is the parser's own business");
  t.equal(await answerTo("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n"), "");
});

t.test("closes a connection that takes too long for a request, however it drips", async (t) => {
  const { connect, listener } = await start(t, { times: { requestMs: 150 } });
  const socket = await connect();
  socket.on("error", () => undefined); // a drop that comes too late
  const drip = setInterval(() => socket.write("GET /page HTTP/1.1\r\n".slice(0, 1)), 20);
  t.teardown(() => clearInterval(drip));
  const silent = await connect();
  const began = performance.now();
  t.equal(await rest(silent), "");
  if (!socket.destroyed) await once(socket, "close");
  t.ok(performance.now() - began < 2000);
  const kept = await connect();
  kept.write("GET /page HTTP/1.1\r\nHost: h\r\n\r\n");
  t.match(await rest(kept), /^HTTP\/1\.1 200 /, "also between two requests");
  while (listener.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

t.test("closes a connection that does not take its answer", async (t) => {
  const large = documentOf(Buffer.alloc(20_000_000), "application/json", "no-cache");
  const { connect, listener } = await start(t, { find: () => large, times: { answerMs: 200 } });
  const socket = await connect();
  socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await once(socket, "readable");
  while (listener.connections > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  t.pass("it is closed");
});

t.test("bounds connections of one address, and lets the idle make room for others", async (t) => {
  const few = await start(t, { limits: { maxConnectionsPerAddress: 2 } });
  const first = await few.connect();
  await few.connect();
  t.equal(await rest(await few.connect()), "", "the third is closed");
  t.equal(few.listener.connections, 2);
  first.destroy();
  while (few.listener.connections > 1) await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal((await get(few.port, "/page")).status, 200);

  const full = await start(t, { limits: { maxConnections: 2 } });
  const oldest = await full.connect();
  await full.connect();
  const closed = once(oldest, "close");
  t.equal((await get(full.port, "/page")).status, 200);
  await closed;
});

t.test("bounds requests of one address; those of a proxy are its own business", async (t) => {
  const { port } = await start(t, { limits: { requestsPerSecond: 3 } });
  const statuses: (number | undefined)[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await get(port, "/page")).status);
  t.same(statuses, [200, 200, 200, 429]);
  t.match(await get(port, "/page"), { status: 429, headers: { "retry-after": "1" } });
  const proxied = await start(t, { isBehindProxy: true });
  for (let i = 0; i < 60; i++) await get(proxied.port, "/page");
  t.equal(proxied.statuses.length, 60);
  t.notOk(proxied.statuses.includes(429));
});

t.test("bounds how often one address connects", async (t) => {
  const { connect, listener } = await start(t, { limits: { connectionsPerSecond: 3 } });
  for (let i = 0; i < 3; i++) (await connect()).destroy();
  t.equal(await rest(await connect()), "", "closed, before any handshake");
  while (listener.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

t.test("an answer that cannot be sent ends the connection, not the process", async (t) => {
  const { connect, port, lines } = await start(t, {
    find: (path) => (path === "/bad" ? { location: "https://a.test/\u{1f600}" } : page),
  });
  const socket = await connect();
  socket.write("GET /bad HTTP/1.1\r\nHost: h\r\n\r\n");
  t.equal(await rest(socket), "");
  t.equal(lines.filter(({ level }) => level === "error").length, 1);
  t.equal((await get(port, "/page")).status, 200);
});

t.test("upgrades to nothing", async (t) => {
  const { port } = await start(t);
  const headers = { connection: "upgrade", upgrade: "h2c" };
  t.equal((await get(port, "/page", { headers })).status, 200);
});

t.test("with TLS too: no handshake, no request, no end", async (t) => {
  const { cert, key } = new WebAuthority().issue();
  const certificate = { current: () => ({ cert, key }), onChange: () => () => undefined };
  const { connect, listener, port } = await start(t, { certificate, times: { requestMs: 300 } });
  t.equal(await rest(await connect()), "", "no handshake");
  const secured = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
  secured.on("error", () => undefined);
  await once(secured, "secureConnect");
  if (!secured.destroyed) await once(secured.resume(), "close");
  while (listener.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  t.pass("no request");
  const open = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
  open.on("error", () => undefined);
  await once(open, "secureConnect");
  await listener.stop();
  if (!open.destroyed) await once(open.resume(), "close");
  t.pass("it stops");
});

t.test("stops at once when nobody waits for an answer, else lets the answer end", async (t) => {
  const idle = await start(t);
  await idle.connect();
  const began = performance.now();
  await idle.listener.stop();
  t.ok(performance.now() - began < 1000);

  const large = documentOf(Buffer.alloc(8_000_000, "x"), "application/json", "no-cache");
  const busy = await start(t, { find: () => large });
  const socket = await busy.connect();
  socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  while (busy.statuses.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const stopping = busy.listener.stop();
  t.ok((await rest(socket)).length > 8_000_000, "it is whole");
  await stopping;
  t.equal(busy.listener.connections, 0);
});

t.test("gives up on who takes no answer when it stops", async (t) => {
  const large = documentOf(Buffer.alloc(20_000_000), "application/json", "no-cache");
  const { connect, listener, statuses } = await start(t, {
    find: () => large,
    times: { drainMs: 100 },
  });
  const socket = await connect();
  socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  while (statuses.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const began = performance.now();
  await listener.stop();
  t.ok(performance.now() - began < 2000);
});

t.test("says what to change when the port is taken", async (t) => {
  const { port } = await start(t);
  const again = startDocumentListener({
    name: "test",
    section: "oidc",
    address: "127.0.0.1",
    port,
    find,
    clock: systemClock,
    log: createLogger({ level: "silent" }),
  });
  await t.rejects(again, {
    name: "IdentityError",
    reason: "ADDRESS_UNUSABLE",
    hint: /under 'oidc'/,
  });
});
