// The audit log over its files: lines, chains and tree as docs/audit.md says, by a reader of our own; what
// is found after a restart, after kill -9 and after a torn write; what a full disk does.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  cpSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import t from "tap";
import { type AuditEvent, STREAMS } from "../../../server/audit/event.ts";
import { verifyLog } from "../../../server/audit/verify.ts";
import { TestClock } from "../../support/clock.ts";
import { filesOf, merkleRoot, OBSERVER, openAudit, readLines } from "../../support/test-audit.ts";

const WRITER = fileURLToPath(new URL("writer.ts", import.meta.url));

const event = (type: string, more: Partial<AuditEvent> = {}): AuditEvent => ({
  stream: "task",
  type,
  outcome: "ok",
  ...more,
});

t.test("writes a line for each event: fields in order, chained, all in one tree", async (t) => {
  const folder = join(t.testdir(), "audit");
  const audit = await openAudit(t, folder);
  await audit.append(
    event("task.opened", {
      id: "01J8ZQ4V6W3Q5R7T9Y1B2C3D4E",
      detail: { zeta: 'quo"te', alpha: "ümlaut\n" },
      credential: { kind: "jwt-svid", name: "jti-1", sha256: "ab".repeat(32) },
      agent: "spiffe://north.test/a",
      reason: "",
    }),
  );
  await Promise.all([
    audit.append(event("x.y", { stream: "admin", observedBy: "node", observer: "spiffe://n/a" })),
    audit.append(event("task.ended"), { durable: true }),
  ]);
  const { lines, rows } = readLines(folder);
  t.equal(
    lines[0]?.toString(),
    `{"id":"01J8ZQ4V6W3Q5R7T9Y1B2C3D4E","time":"2030-01-01T00:00:00.000Z","stream":"task","seq":1,"index":0,"prev_hash":"${"0".repeat(64)}","type":"task.opened","outcome":"ok","observed_by":"issuer","observer":"${OBSERVER}","agent":"spiffe://north.test/a","credential":{"kind":"jwt-svid","name":"jti-1","sha256":"${"ab".repeat(32)}"},"detail":{"alpha":"ümlaut\\n","zeta":"quo\\"te"}}`,
  );
  t.same(
    rows.map(({ stream, seq }) => `${stream} ${seq}`),
    ["task 1", "admin 1", "task 2"],
  );
  t.match(rows[1], { observed_by: "node", observer: "spiffe://n/a" });
  t.same(audit.root(), { size: 3, root: merkleRoot(lines) });
  t.equal(statSync(folder).mode & 0o777, 0o700);
  for (const name of readdirSync(folder))
    t.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
});

t.test("has the same root as the definition, whatever comes together", async (t) => {
  const folder = join(t.testdir(), "audit");
  const audit = await openAudit(t, folder);
  for (let round = 0; round < 60; round++) {
    const count = 1 + ((round * 7) % 23);
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        audit.append(
          event("test.event", { stream: STREAMS[(round + i * i) % STREAMS.length] ?? "task" }),
        ),
      ),
    );
  }
  const { lines, rows } = readLines(folder);
  t.equal(lines.length, audit.size);
  t.equal(new Set(rows.map(({ id }) => id)).size, rows.length, "an ID each");
  t.same(audit.root().root, merkleRoot(lines));
});

t.test("goes on after a restart, whether it knows where it was or reads everything", async (t) => {
  const folder = join(t.testdir(), "audit");
  for (let start = 0; start < 6; start++) {
    const audit = await openAudit(t, folder, { more: { maxFileBytes: 1000 } });
    t.equal(audit.size, start * 9);
    if (start > 0) t.same(audit.root().root, merkleRoot(readLines(folder).lines));
    for (const stream of STREAMS) await audit.append(event("test.event", { stream }));
    await audit.close();
  }
  t.ok(filesOf(folder, "task").length > 1, "in several files");
  t.same((await verifyLog({ folder, keys: [], notes: [] })).damages, []);
});

t.test("begins another file when one is full, and on another day", async (t) => {
  const folder = join(t.testdir(), "audit");
  const clock = new TestClock("2030-01-01T23:59:59Z");
  const audit = await openAudit(t, folder, { clock });
  await audit.append(event("test.a"));
  await audit.append(event("test.b"));
  await clock.advance(2000);
  await audit.append(event("test.c"));
  t.same(filesOf(folder, "task"), ["task-000000000001.jsonl", "task-000000000003.jsonl"]);
  t.equal(readLines(folder).rows.length, 3);
});

t.test("a line that was torn at any byte is cut off, and nothing else is lost", async (t) => {
  const folder = join(t.testdir(), "audit");
  const audit = await openAudit(t, folder);
  for (const stream of ["task", "admin", "task"] as const)
    await audit.append(event("test.event", { stream }));
  await audit.close();
  const path = join(folder, "task-000000000001.jsonl");
  const whole = readFileSync(path);
  const first = whole.indexOf(0x0a) + 1;
  for (let cut = whole.length - 1; cut > first; cut -= 13) {
    writeFileSync(path, whole.subarray(0, cut));
    const again = await openAudit(t, folder);
    t.equal(again.size, 2, `${cut} bytes`);
    await again.append(event("test.after"));
    await again.close();
    t.match(readLines(folder).rows[2], { seq: 2, type: "test.after" });
  }
  t.notOk(
    readdirSync(folder).some((name) => name.startsWith("lost-")),
    "nothing whole was there",
  );
});

t.test("what is whole behind a gap is set aside, and the log says so", async (t) => {
  const folder = join(t.testdir(), "audit");
  const audit = await openAudit(t, folder);
  await audit.append(event("test.kept"));
  await audit.append(event("test.lost", { stream: "admin" }));
  await audit.append(event("test.behind"));
  await audit.close();
  // As a machine that lost its power may leave it: one file reached the disk, the other did not.
  truncateSync(join(folder, "admin-000000000001.jsonl"), 0);
  const again = await openAudit(t, folder);
  const { rows } = readLines(folder);
  t.same(
    rows.map(({ type }) => type),
    ["test.kept", "audit.cut"],
  );
  t.match(rows[1], { detail: { found: "1", signed: "0" } });
  const aside = readdirSync(folder).filter((name) => name.startsWith("lost-"));
  t.equal(aside.length, 1);
  t.match(readFileSync(join(folder, aside[0] ?? ""), "utf8"), /test\.behind/);
  await again.close();
  t.same((await verifyLog({ folder, keys: [], notes: [] })).damages, []);
});

t.test("does not start over an event that was changed", async (t) => {
  const folder = join(t.testdir(), "audit");
  const audit = await openAudit(t, folder);
  for (const type of ["test.one", "test.two", "test.three"]) await audit.append(event(type));
  await audit.close();
  const path = join(folder, "task-000000000001.jsonl");
  writeFileSync(path, readFileSync(path, "utf8").replace("test.one", "test.won"));
  writeFileSync(
    join(folder, "checkpoint"),
    `north.test/audit\n3\n${Buffer.alloc(32).toString("base64")}\n\n\u2014 n AAAAAAA=\n`,
  );
  await t.rejects(openAudit(t, folder), { reason: "AUDIT_DAMAGED", code: 15, hint: /evidence/ });
});

t.test(
  "kill -9 at any instant: whatever was answered for is there, and the log is whole",
  async (t) => {
    const folder = join(t.testdir(), "audit");
    const written = new Set<string>();
    let signed = 0;
    for (let round = 0; round < 4; round++) {
      const child: ChildProcess = spawn(process.execPath, [WRITER, folder], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const closed = once(child, "close");
      let seen = 0;
      for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
        const [what = "", value = ""] = line.split(" ");
        if (what === "signed") signed = Math.max(signed, Number(value));
        else written.add(value);
        if (++seen === 300 + round * 177) child.kill("SIGKILL");
      }
      await closed;
    }
    const audit = await openAudit(t, folder);
    const { lines, rows } = readLines(folder);
    const found = new Set(rows.map(({ id }) => id));
    t.same(
      [...written].filter((id) => !found.has(id)),
      [],
    );
    t.ok(
      written.size > 1000,
      `${written.size} answered for, ${rows.length} found, ${signed} signed`,
    );
    t.ok(rows.length >= signed && signed > 0);
    t.same(audit.root().root, merkleRoot(lines));
  },
);

t.test("a full disk: nothing is answered for; with room again it goes on by itself", async (t) => {
  const folder = t.testdir();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "none", folder], { stdio: "ignore" });
  } catch {
    t.comment("skipped: mounting a small tmpfs needs root");
    return;
  }
  const dir = join(folder, "audit");
  try {
    const audit = await openAudit(t, dir);
    let appended = 0;
    const full = (async () => {
      for (;;) {
        const stream = STREAMS[appended % 3] ?? "task";
        await audit.append(event("test.event", { stream })).then(() => appended++);
      }
    })();
    const refused = { reason: "AUDIT_UNWRITABLE", code: 14, hint: /disk/ };
    await t.rejects(full, refused);
    t.ok(appended > 100, `${appended} fit`);
    t.ok(audit.failure, "it says so");
    await t.rejects(
      Promise.all(STREAMS.map((stream) => audit.append(event("test.event", { stream })))),
      refused,
      "several streams at once, one of which may have room",
    );
    t.equal(readLines(dir).rows.length, appended, "nothing by halves");
    execFileSync("mount", ["-o", "remount,size=4m", folder]);
    for (let i = 0; i < 50; i++) await audit.append(event("test.event"), { durable: true });
    t.equal(audit.failure, undefined);
    await audit.close();
    t.equal(readLines(dir).rows.length, appended + 50);
    const again = await openAudit(t, dir);
    t.same(again.root().root, merkleRoot(readLines(dir).lines));
    await again.close();
  } finally {
    execFileSync("umount", [folder]);
  }
});

t.test(
  "what the disk refuses to keep is written again, elsewhere, before anything else",
  async (t) => {
    const folder = join(t.testdir(), "audit");
    const audit = await openAudit(t, folder);
    await audit.append(event("test.kept"), { durable: true });
    await audit.append(event("test.unsure"));
    // Nobody knows any more what this file holds: fsync fails on it.
    const path = join(folder, "task-000000000001.jsonl");
    closeSync(openAs(path));
    const refused = { reason: "AUDIT_UNWRITABLE", code: 14 };
    await t.rejects(audit.sync(), refused);
    await t.rejects(audit.append(event("test.refused")), refused, "nothing until it is mended");
    await audit.sync();
    await audit.append(event("test.after"), { durable: true });
    t.equal(audit.failure, undefined);
    t.same(filesOf(folder, "task"), ["task-000000000001.jsonl", "task-000000000002.jsonl"]);
    const { rows, lines } = readLines(folder);
    t.same(
      rows.map(({ type }) => type),
      ["test.kept", "test.unsure", "test.after"],
    );
    t.same(audit.root().root, merkleRoot(lines));
    // And a second time, with nothing on the disk of the file at all.
    await audit.append(event("test.again", { stream: "admin" }));
    closeSync(openAs(join(folder, "admin-000000000001.jsonl")));
    await t.rejects(
      audit.append(event("test.more", { stream: "admin" }), { durable: true }),
      refused,
    );
    await audit.sync();
    await audit.append(event("test.last", { stream: "admin" }), { durable: true });
    await audit.close();
    t.same(
      readLines(folder)
        .rows.filter(({ stream }) => stream === "admin")
        .map(({ type }) => type),
      ["test.again", "test.last"],
    );
    const again = await openAudit(t, folder);
    t.same(again.root().root, merkleRoot(readLines(folder).lines));
  },
);

/** The descriptor under which this process has a file open. */
function openAs(path: string): number {
  const found = readdirSync("/proc/self/fd").find((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === realpathSync(path);
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error(`${path} is not open`);
  return Number(found);
}

t.test("a failure ends by itself once a second, and leaves an event", async (t) => {
  const folder = join(t.testdir(), "audit");
  const clock = new TestClock("2030-01-01T00:00:00Z");
  const audit = await openAudit(t, folder, { clock });
  await audit.append(event("test.event"));
  const copy = `${folder}-elsewhere`;
  // The folder is gone: nothing new can be opened in it.
  cpSync(folder, copy, { recursive: true });
  rmSync(folder, { recursive: true });
  await t.rejects(audit.append(event("test.event", { stream: "admin" })), {
    reason: "AUDIT_UNWRITABLE",
    code: 14,
  });
  t.ok(audit.failure);
  cpSync(copy, folder, { recursive: true });
  const stop = new AbortController();
  const running = audit.run(stop.signal);
  while (audit.failure !== undefined) await clock.advance(1000);
  stop.abort();
  await running;
  t.match(readFileSync(join(folder, filesOf(folder, "admin")[0] ?? ""), "utf8"), /audit\.resumed/);
});

t.test("refuses what does not fit, and what looks like a secret", async (t) => {
  const folder = join(t.testdir(), "audit");
  const audit = await openAudit(t, folder);
  const jws = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
  const rows: readonly (readonly [string, Partial<AuditEvent>])[] = [
    ["another stream", { stream: "gossip" as "task" }],
    ["a type with spaces", { type: "task opened" }],
    ["a type that breaks the line", { type: 'a","b":"' }],
    ["another outcome", { outcome: "maybe" as "ok" }],
    ["another observer", { observedBy: "rumour" as "node" }],
    ["an ID that is no ULID", { id: "42" }],
    ["a time that is none", { time: new Date(Number.NaN) }],
    ["a value that is too long", { resource: "x".repeat(2049) }],
    [
      "too many details",
      { detail: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`d${i}`, ""])) },
    ],
    ["a detail's name with quotes", { detail: { 'a"': "" } }],
    ["a token", { resource: jws }],
    ["a token in the midst of a text", { detail: { header: `Bearer ${jws} and more` } }],
    ["a private key", { detail: { key: "-----BEGIN PRIVATE KEY-----\nMC4CAQ" } }],
    ["a certificate, whole", { detail: { c: "-----BEGIN CERTIFICATE-----\nMC4CAQ" } }],
    ["a private JWK", { detail: { jwk: '{"kty":"EC","d":"kXx1Zr5uV0h8bq1yPpC3Zw"}' } }],
    ["a key of a service", { detail: { key: "sk-proj-abcdefghijklmnopqrstuv" } }],
    ["one of another", { credential: { kind: "x", name: "ghp_abcdefghijklmnopqrstuvwxyz" } }],
  ];
  for (const [name, more] of rows) {
    await t.rejects(
      audit.append(event("task.opened", more)),
      { reason: "AUDIT_EVENT_INVALID", code: 3 },
      name,
    );
  }
  t.equal(audit.size, 0);
  await audit.append(
    event("task.opened", { detail: { purpose: "Read ticket 42 \u2028 \ud800 end" } }),
  );
  t.match(readLines(folder).rows[0], { detail: { purpose: "Read ticket 42 \u2028 \ufffd end" } });
});
