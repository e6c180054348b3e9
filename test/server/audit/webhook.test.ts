// Checkpoints that are handed on: over TLS, to whom the operator trusts, and never at the price of the log.
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import t, { type Test } from "tap";
import { parseCheckpoint } from "../../../pki/merkle/checkpoint.ts";
import { openNote, parseVerifierKey } from "../../../pki/merkle/note.ts";
import { AuditLogService } from "../../../proto/schema.gen.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { parseConfig } from "../../../runtime/config.ts";
import { createLogger } from "../../../runtime/log.ts";
import { CheckpointWebhook } from "../../../server/audit/webhook.ts";
import { serverConfigSchema } from "../../../server/config.ts";
import { WebTrust } from "../../../server/federation/web-trust.ts";
import { TestServer } from "../../support/running-server.ts";
import { until } from "../../support/until.ts";
import { WebAuthority } from "../../support/web-certificate.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Somebody who keeps what is sent. */
class Keeper {
  readonly notes: string[] = [];
  readonly requests: IncomingMessage[] = [];
  answer: Answer = (_, response) => void response.end();
  readonly #server: Server;

  constructor(t: Test, web?: WebAuthority, names: Parameters<WebAuthority["issue"]>[0] = {}) {
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      this.requests.push(request);
      let note = "";
      request.setEncoding("utf8").on("data", (text: string) => {
        note += text;
      });
      request.on("end", () => {
        this.notes.push(note);
        this.answer(request, response);
      });
      response.on("error", () => undefined);
    };
    this.#server =
      web === undefined ? createHttpServer(listener) : createServer(web.issue(names), listener);
    t.teardown(() => {
      this.#server.close();
      (this.#server as ReturnType<typeof createHttpServer>).closeAllConnections();
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }
}

interface Sender {
  readonly webhook: CheckpointWebhook;
  readonly results: string[];
  readonly log: string[];
}

/** Sends to a URL until the test is over. */
function send(t: Test, url: string, caFile?: string, timeoutMs = 5000): Sender {
  const results: string[] = [];
  const log: string[] = [];
  const trust = new WebTrust(caFile, "audit.checkpoint_webhook_ca_file");
  const webhook = new CheckpointWebhook({
    url,
    context: () => trust.context(),
    clock: {
      ...systemClock,
      now: () => systemClock.now(),
      setTimer: (...args) => systemClock.setTimer(...args),
      // Tries again at once.
      sleep: (_, signal) => systemClock.sleep(5, signal),
    },
    log: createLogger({
      level: "info",
      destination: { write: (line: string) => void log.push(line) },
    }),
    onPosted: (result) => void results.push(result),
    timeoutMs,
  });
  const stopping = new AbortController();
  const running = webhook.run(stopping.signal);
  t.teardown(async () => {
    stopping.abort();
    await running;
  });
  return { webhook, results, log };
}

t.test("a server hands on what it signs, over TLS, and the last one too", async (t) => {
  const web = new WebAuthority();
  const keeper = new Keeper(t, web);
  const port = await keeper.listen();
  const caFile = join(t.testdir({}), "ca.pem");
  writeFileSync(caFile, web.pem);
  const server = await TestServer.start({
    config: `audit: { checkpoint_webhook: "https://localhost:${port}/notes?key=k", checkpoint_webhook_ca_file: ${caFile} }
oauth: { issuer: "http://127.0.0.1:9876/id", address: 127.0.0.1, port: 0, http: true }`,
  });
  let isStopped = false;
  t.teardown(() => (isStopped ? undefined : server.stop()));
  await server.token();
  await until(() => keeper.notes.length > 0, 30_000);
  const { verifierKey } = await server.admin.client(AuditLogService).checkpoint({});
  const sizeOf = (note: string): number =>
    parseCheckpoint(openNote(note, [parseVerifierKey(verifierKey)]).text).size;
  const [first = ""] = keeper.notes;
  t.ok(sizeOf(first) > 0);
  t.match(keeper.requests[0], { method: "POST", url: "/notes?key=k" });
  t.match(keeper.requests[0]?.headers, { "content-type": /^text\/plain/ });

  const address = server.running.documents.oauth;
  const answer = await fetch(`http://127.0.0.1:${address?.port}/id/audit/checkpoint`);
  t.equal(answer.status, 200, "whoever wants may have it");
  t.match(answer.headers.get("content-type"), /^text\/plain/);
  t.ok(sizeOf(await answer.text()) > 0);
  t.equal((await fetch(`http://127.0.0.1:${address?.port}/audit/checkpoint`)).status, 404);

  await server.token();
  const { length } = keeper.notes;
  isStopped = true;
  await server.stop();
  await until(() => keeper.notes.length > length);
  t.ok(sizeOf(keeper.notes.at(-1) ?? "") > sizeOf(first), "what was signed at the end");
});

t.test("hands the newest on once the other side is back, and says so once", async (t) => {
  const keeper = new Keeper(t);
  const { webhook, results, log } = send(t, `http://127.0.0.1:${await keeper.listen()}/?secret=s`);
  keeper.answer = (_, response) => void response.writeHead(503).end("no");
  webhook.offer("one");
  await until(() => results.length >= 3);
  webhook.offer("two");
  keeper.answer = (_, response) => void response.writeHead(204).end();
  await until(() => results.includes("ok") && !webhook.isBehind);
  t.equal(keeper.notes.at(-1), "two");
  t.equal(keeper.notes.lastIndexOf("one") < keeper.notes.indexOf("two"), true);
  t.equal(log.length, 2, "that it fails, and that it goes again");
  t.match(log[0], /it answers 503/);
  t.notMatch(log.join(""), /secret/, "a query may be a secret");
});

t.test("believes nobody and waits for nobody", async (t) => {
  const folder = t.testdir({});
  const web = new WebAuthority();
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, web.pem);
  const other = new Keeper(t);
  const otherPort = await other.listen();

  const redirecting = new Keeper(t, web);
  redirecting.answer = (_, response) =>
    void response.writeHead(307, { location: `http://127.0.0.1:${otherPort}/` }).end();
  const silent = new Keeper(t, web);
  silent.answer = () => undefined;
  const endless = new Keeper(t, web);
  endless.answer = (_, response) => {
    response.writeHead(200);
    const write = (): void => {
      while (response.writable && response.write(Buffer.alloc(65_536)));
      if (response.writable) response.once("drain", write);
    };
    write();
  };
  const misnamed = new Keeper(t, web, { dnsNames: ["elsewhere.test"], ipAddresses: [] });
  const rows = [
    [
      "a redirect is followed nowhere",
      redirecting,
      caFile,
      "localhost",
      "failed",
      /it answers 307/,
    ],
    ["no answer", silent, caFile, "localhost", "failed", /no answer in/],
    ["an answer without an end is not read", endless, caFile, "localhost", "ok", /^/],
    [
      "an authority that nobody trusts",
      new Keeper(t, web),
      undefined,
      "localhost",
      "failed",
      /certificate|issuer/,
    ],
    ["another name", misnamed, caFile, "localhost", "failed", /IP|Host|altnames/i],
    [
      "no authorities",
      new Keeper(t, web),
      join(folder, "none"),
      "localhost",
      "failed",
      /no certificates/,
    ],
  ] as const;
  for (const [name, keeper, trusted, host, result, said] of rows) {
    const bound = `https://${host}:${await keeper.listen()}/`;
    const timeoutMs = keeper === silent ? 300 : 10_000;
    const { webhook, results, log } = send(t, bound, trusted, timeoutMs);
    webhook.offer("note");
    await until(() => results.length > 0, 20_000);
    t.equal(results[0], result, name);
    t.match(log.join(""), said, name);
  }
  t.same(other.notes, []);
});

t.test("settings that cannot be are refused, each with what was expected", (t) => {
  const parse = (audit: string) => () =>
    parseConfig(`trust_domain: north.test\ndata_dir: /d\naudit: ${audit}`, serverConfigSchema);
  const rows = [
    ["{ checkpoint_webhook: 'http://keeper.test/' }", /expected an https URL/],
    ["{ checkpoint_webhook: 'https://me:secret@keeper.test/' }", /expected an https URL/],
    ["{ checkpoint_webhook: 'https://keeper.test/#x' }", /expected an https URL/],
    ["{ checkpoint_webhook: 'keeper' }", /expected an https URL/],
    ["{ checkpoint_webhook: 'file:///etc' }", /expected an https URL/],
    ["{ checkpoint_webhook_ca_file: ca.pem }", /expected checkpoint_webhook/],
    [
      "{ checkpoint_webhook: 'http://127.0.0.1/', checkpoint_webhook_ca_file: ca.pem }",
      /an https URL/,
    ],
  ] as const;
  for (const [audit, said] of rows) t.throws(parse(audit), said, audit);
  const { audit } = parse("{ checkpoint_webhook: 'http://[::1]:8000/x' }")();
  t.same(audit, {
    checkpointFile: undefined,
    checkpointWebhook: "http://[::1]:8000/x",
    checkpointWebhookCaFile: undefined,
  });
  t.end();
});
