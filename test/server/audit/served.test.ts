// The audit log of a whole server: what becomes an event, who may read and add to it, what node agents
// pass on, proofs, and that nothing secret is ever in it.
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { exportPkcs8, generateP256KeyPair } from "../../../pki/keys.ts";
import { parseCheckpoint } from "../../../pki/merkle/checkpoint.ts";
import { leafHash } from "../../../pki/merkle/hash.ts";
import { openNote, parseVerifierKey } from "../../../pki/merkle/note.ts";
import { verifyConsistency, verifyInclusion } from "../../../pki/merkle/proof.ts";
import { newUlid } from "../../../pki/task-id.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import type { Init } from "../../../proto/codec.ts";
import {
  AgentService,
  AuditLogService,
  EntryService,
  SvidService,
  type signet,
} from "../../../proto/schema.gen.ts";
import { createLogger } from "../../../runtime/log.ts";
import { hex, tokenDigest } from "../../../server/ledger/document.ts";
import { TestServer } from "../../support/running-server.ts";
import { Secrets } from "../../support/secrets.ts";
import { type Row, readLines } from "../../support/test-audit.ts";

async function serve(
  t: Test,
  options: Parameters<typeof TestServer.start>[0] = {},
): Promise<TestServer> {
  const server = await TestServer.start(options);
  t.teardown(() => server.stop());
  return server;
}

/** A folder whose path is short enough for a socket. */
function folderOf(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), "signet-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  return dir;
}

const rowsOf = (server: TestServer): Row[] => readLines(join(server.dir, "audit")).rows;
const id = { trustDomain: "north.test", path: "/db" };

const ulid = (): string => newUlid(new Date(), randomBytes(10));
const toolCall = (more: Init<signet.audit.v1.Event> = {}): Init<signet.audit.v1.Event> => ({
  id: ulid(),
  timeMs: Date.now(),
  stream: "tool_call",
  type: "tool.called",
  outcome: "ok",
  observedBy: "guard",
  observer: "spiffe://north.test/mcp/tickets",
  action: "tools/read/ticket",
  ...more,
});

t.test(
  "every document and every change is an event before the answer; reading is none",
  async (t) => {
    const server = await serve(t);
    const agent = await server.attest();
    const channel = await server.channel(agent.svid);
    const entries = server.admin.client(EntryService);
    await entries.countEntries({});
    const selectors = [{ type: "unix", value: "uid:1" }];
    const parentId = {
      trustDomain: "north.test",
      path: agent.id.slice("spiffe://north.test".length),
    };
    const task = { ...id, path: `/ai/helper/task/${ulid()}` };
    const made = await entries.batchCreateEntry({
      entries: [id, task].map((spiffeId) => ({ spiffeId, parentId, selectors })),
    });
    const svids = channel.client(SvidService);
    const before = rowsOf(server).length;
    const [entryId = "", taskEntry = ""] = made.results.map(({ entry }) => entry?.id ?? "");
    const csr = createCsr(generateP256KeyPair());
    const { results } = await svids.batchNewX509SVID({
      params: [entryId, taskEntry, entryId].map((one) => ({ entryId: one, csr })),
    });
    const rows = rowsOf(server).slice(before);
    t.equal(rows.length, 3);
    const [first] = results;
    t.match(rows[0], {
      stream: "identity",
      type: "x509-svid.issued",
      outcome: "ok",
      observed_by: "issuer",
      observer: "spiffe://north.test/spire/server",
      resource: "spiffe://north.test/db",
      destination: agent.id,
      credential: { kind: "x509-svid", name: /^[0-9a-f]{32}$/ },
      detail: { authority: /^[0-9a-f]{40}$/, expires: String(first?.svid?.expiresAt) },
    });
    t.match(rows[1], {
      agent: "spiffe://north.test/ai/helper",
      task: `spiffe://north.test${task.path}`,
    });
    t.notOk("task" in (rows[0] ?? {}));
    const jwt = await svids.newJWTSVID({ entryId, audience: ["ledger"] });
    t.match(rowsOf(server).at(-1), {
      type: "jwt-svid.issued",
      credential: { name: hex(tokenDigest(jwt.svid?.token ?? "")) },
      destination: agent.id,
    });
    await entries.batchDeleteEntry({ ids: [entryId, "none"] });
    t.match(rowsOf(server).at(-1), {
      stream: "admin",
      type: "admin.call",
      principal: "local",
      action: "/spire.api.server.entry.v1.Entry/BatchDeleteEntry",
      outcome: "failed",
      detail: { result: "1 of 2 failed", entry_ids: `${entryId},none` },
    });
    await t.rejects(channel.client(EntryService).batchDeleteEntry({ ids: [entryId] }), { code: 7 });
    t.match(rowsOf(server).at(-1), {
      outcome: "denied",
      principal: agent.id,
      reason: "CALLER_NOT_AUTHORIZED",
    });
  },
);

t.test(
  "takes events that node agents pass on, each once, and says whose word they are",
  async (t) => {
    const server = await serve(t);
    const agent = await server.attest();
    const audit = (await server.channel(agent.svid)).client(AuditLogService);
    const [one, two] = [
      toolCall(),
      toolCall({ observedBy: "node", observer: "spiffe://north.test/forged" }),
    ];
    await audit.append({ events: [one, two] });
    await audit.append({
      events: [
        two,
        one,
        toolCall({ stream: "escalation", type: "escalation.probing", outcome: "denied" }),
      ],
    });
    const rows = rowsOf(server).filter(({ stream }) => stream === "tool_call");
    t.equal(rows.length, 2, "twice sent is once written");
    t.match(rows[0], {
      id: one.id,
      observed_by: "guard",
      observer: "spiffe://north.test/mcp/tickets",
      detail: { node: agent.id },
    });
    t.match(
      rows[1],
      { observed_by: "node", observer: agent.id },
      "a node cannot speak for another",
    );

    const elsewhere = await server.attest();
    const other = (await server.channel(elsewhere.svid)).client(AuditLogService);
    await other.append({ events: [one] });
    t.match(
      rowsOf(server).at(-1),
      { id: one.id, detail: { node: elsewhere.id } },
      "no node can take an ID away from another",
    );

    const refused: readonly (readonly [string, Init<signet.audit.v1.Event>])[] = [
      ["in the server's name", toolCall({ observedBy: "issuer" })],
      ["a document of its own making", toolCall({ stream: "identity", type: "x509-svid.issued" })],
      ["an administrator's call", toolCall({ stream: "admin" })],
      ["without an ID", toolCall({ id: "" })],
      ["of nobody", toolCall({ observer: "" })],
      ["with a type that breaks the line", toolCall({ type: 'a","outcome":"ok' })],
      ["of a moment that is none", toolCall({ timeMs: -1 })],
    ];
    for (const [name, event] of refused) {
      const before = rowsOf(server).length;
      await audit.append({ events: [event, toolCall()] });
      const added = rowsOf(server).slice(before);
      t.equal(added.length, 2, `${name}: what came with it is taken`);
      t.match(
        added.find(({ stream }) => stream === "admin"),
        {
          type: "audit.refused",
          outcome: "denied",
          reason: "AUDIT_EVENT_INVALID",
          destination: agent.id,
        },
      );
    }
    const token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
    await audit.append({ events: [toolCall({ resource: token, detail: { ok: "yes" } })] });
    t.match(rowsOf(server).at(-1), {
      resource: "[redacted]",
      detail: { redacted: "resource", ok: "yes" },
    });

    const tooMany = Array.from({ length: 1001 }, () => toolCall());
    await t.rejects(audit.append({ events: tooMany }), {
      reason: "AUDIT_REQUEST_INVALID",
      code: 3,
    });
    const many = Array.from({ length: 1000 }, () => toolCall());
    await t.rejects(
      (async () => {
        for (let i = 0; i < 30; i++)
          await audit.append({ events: many.map((event) => ({ ...event, id: "" })) });
      })(),
      { reason: "RATE_LIMITED", code: 8 },
    );
  },
);

t.test("knows an event again after a restart", async (t) => {
  const dir = folderOf(t);
  const first = await TestServer.start({ dir });
  const agent = await first.attest();
  const event = toolCall();
  await (await first.channel(agent.svid)).client(AuditLogService).append({ events: [event] });
  await first.stop();
  const again = await serve(t, { dir });
  await (await again.channel(agent.svid))
    .client(AuditLogService)
    .append({ events: [event, toolCall()] });
  t.equal(rowsOf(again).filter(({ stream }) => stream === "tool_call").length, 2);
});

t.test("is read by administrators alone, and added to by node agents alone", async (t) => {
  const server = await serve(t);
  const agent = await server.attest();
  const asAgent = (await server.channel(agent.svid)).client(AuditLogService);
  const asStranger = (await server.channel(undefined)).client(AuditLogService);
  const asAdmin = server.admin.client(AuditLogService);
  const denied = { reason: "CALLER_NOT_AUTHORIZED", code: 7 };
  const tail = async (from: typeof asAgent) => {
    for await (const _ of from.tail({})) break;
  };
  await t.rejects(tail(asAgent), denied);
  await t.rejects(tail(asStranger), denied);
  await t.rejects(asAgent.checkpoint({}), denied);
  await t.rejects(asAgent.prove({ eventId: "x" }), denied);
  await t.rejects(asAdmin.append({ events: [] }), denied);
  await t.rejects(asStranger.append({ events: [] }), denied);
});

t.test("tells what is asked for, and goes on with what comes", async (t) => {
  const server = await serve(t);
  const agent = await server.attest();
  const audit = server.admin.client(AuditLogService);
  const node = (await server.channel(agent.svid)).client(AuditLogService);
  const [top, below, other] = [ulid(), ulid(), ulid()].map(
    (one) => `spiffe://north.test/ai/a/task/${one}`,
  ) as [string, string, string];
  await node.append({
    events: [
      toolCall({ task: top, action: "1" }),
      toolCall({ task: below, parent: top, root: top, action: "2" }),
      toolCall({ task: other, action: "3" }),
      toolCall({ task: below, stream: "decision", type: "decision.made", action: "4" }),
    ],
  });
  const read = async (request: Init<signet.audit.v1.TailRequest>): Promise<Row[]> => {
    const rows: Row[] = [];
    for await (const { events } of audit.tail(request)) {
      rows.push(...events.map(({ line }) => JSON.parse(Buffer.from(line).toString()) as Row));
    }
    return rows;
  };
  const actions = async (request: Init<signet.audit.v1.TailRequest>) =>
    (await read(request)).map((row) => row["action"]);
  t.same(await actions({ task: top }), ["1"]);
  t.same(await actions({ task: top.slice(-26), tree: true }), ["1", "2", "4"]);
  t.same(await actions({ streams: ["decision"] }), ["4"]);
  t.same(await actions({ type: "decision.made" }), ["4"]);
  t.same(await actions({ last: 2, streams: ["tool_call", "decision"] }), ["3", "4"]);
  t.equal((await read({})).length, rowsOf(server).length);
  await t.rejects(read({ streams: ["gossip"] }), {
    reason: "AUDIT_REQUEST_INVALID",
    code: 3,
    hint: /tool_call/,
  });
  await t.rejects(read({ last: 1_000_000 }), { reason: "AUDIT_REQUEST_INVALID", code: 3 });

  const followed: string[] = [];
  const call = audit.tail({ streams: ["tool_call"], last: 1, follow: true });
  for await (const { events } of call) {
    followed.push(
      ...events.map(({ line }) => String(JSON.parse(Buffer.from(line).toString()).action)),
    );
    if (followed.length === 6) break;
    if (followed.length === 1) {
      for (const action of ["5", "6", "7", "8", "9"])
        await node.append({ events: [toolCall({ action })] });
    }
  }
  t.same(followed, ["3", "5", "6", "7", "8", "9"]);
});

t.test("proves that an event is in it, and that it has only grown", async (t) => {
  const server = await serve(t);
  const svids = server.admin.client(SvidService);
  const audit = server.admin.client(AuditLogService);
  await svids.mintJWTSVID({ id, audience: ["ledger"] });
  const { note: older, verifierKey } = await audit.checkpoint({});
  const key = parseVerifierKey(verifierKey);
  t.equal(key.name, "north.test/audit");
  const agent = await server.attest();
  const node = (await server.channel(agent.svid)).client(AuditLogService);
  await node.append({ events: Array.from({ length: 300 }, () => toolCall()) });
  const old = parseCheckpoint(openNote(older, [key]).text);
  const rows = rowsOf(server);
  for (const at of [0, 255, 256, rows.length - 1]) {
    const proof = await audit.prove({ eventId: rows[at]?.id ?? "", oldSize: BigInt(old.size) });
    const { size, root } = parseCheckpoint(openNote(proof.note, [key]).text);
    const leaf = leafHash(Buffer.from(proof.event?.line ?? ""));
    t.equal(Number(proof.event?.index), at);
    t.ok(
      verifyInclusion(leaf, at, size, proof.inclusion.map(Buffer.from), root),
      `event ${at} of ${size}`,
    );
    t.ok(verifyConsistency(old.size, old.root, size, root, proof.consistency.map(Buffer.from)));
  }
  await t.rejects(audit.prove({ eventId: ulid() }), { reason: "AUDIT_EVENT_NOT_FOUND", code: 5 });
  await t.rejects(audit.prove({ eventId: rows[0]?.id ?? "", oldSize: 1_000_000n }), {
    reason: "AUDIT_REQUEST_INVALID",
    code: 3,
  });
});

t.test("keeps its key over a restart, and signs when it stops", async (t) => {
  const dir = folderOf(t);
  const elsewhere = `${dir}/elsewhere`;
  const config = `audit: { checkpoint_file: ${elsewhere} }`;
  const first = await TestServer.start({ dir, config });
  await first.admin.client(SvidService).mintJWTSVID({ id, audience: ["ledger"] });
  const { verifierKey } = await first.admin.client(AuditLogService).checkpoint({});
  await first.stop();
  const key = parseVerifierKey(verifierKey);
  const { size } = parseCheckpoint(openNote(readFileSync(elsewhere, "utf8"), [key]).text);
  const again = await serve(t, { dir, config });
  t.equal(rowsOf(again).length, size, "everything was signed");
  t.equal((await again.admin.client(AuditLogService).checkpoint({})).verifierKey, verifierKey);
});

t.test("holds no secret of all that were made", async (t) => {
  const secrets = new Secrets();
  let logged = "";
  const write = (line: string): void => {
    logged += line;
  };
  const log = createLogger({ destination: { write } });
  const server = await serve(t, { log });
  const joinToken = await server.admin.client(AgentService).createJoinToken({ ttl: 60 });
  secrets.add("a join token", joinToken.value);
  const agent = await server.attest();
  secrets.add("the node agent's key", exportPkcs8(agent.keyPair.privateKey));
  const svids = server.admin.client(SvidService);
  for (let i = 0; i < 5; i++) {
    const { svid } = await svids.mintJWTSVID({ id, audience: ["ledger"] });
    secrets.add("a JWT-SVID", svid?.token ?? "");
  }
  const entries = server.admin.client(EntryService);
  const selectors = [{ type: "unix", value: "uid:1" }];
  await entries.batchCreateEntry({
    entries: [{ spiffeId: id, parentId: { ...id, path: "/n" }, selectors }],
  });
  const audit = (await server.channel(agent.svid)).client(AuditLogService);
  const token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
  await audit.append({ events: [toolCall({ detail: { argument: token } })] });
  await svids.mintJWTSVID({ id, audience: [token] }).catch(() => undefined);
  t.same(secrets.findBelow(join(server.dir, "audit")), []);
  t.same(secrets.findIn(logged, "log"), []);
  t.ok(secrets.size >= 12);
  t.equal(secrets.findIn(`x ${joinToken.value}`, "f").length, 1, "what is there is found");
});
