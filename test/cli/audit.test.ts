// `signet audit ...` against a server of the test's own, and against files alone.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { AuditLogService, EntryService, SvidService } from "../../proto/schema.gen.ts";
import { command } from "../support/command.ts";
import { TestServer } from "../support/running-server.ts";
import { readLines } from "../support/test-audit.ts";

const id = { trustDomain: "north.test", path: "/db" };

async function serve(t: Test) {
  const place = mkdtempSync(join(tmpdir(), "signet-"));
  const elsewhere = join(place, "checkpoint");
  const server = await TestServer.start({ config: `audit: { checkpoint_file: ${elsewhere} }` });
  t.teardown(async () => {
    await server.stop();
    rmSync(place, { recursive: true });
  });
  const svids = server.admin.client(SvidService);
  for (let i = 0; i < 3; i++) await svids.mintJWTSVID({ id, audience: ["ledger"] });
  const folder = join(server.dir, "audit");
  // A proof is by a checkpoint of all there is: it is signed now, and not when the server looks again.
  const { rows } = readLines(folder);
  await server.admin.client(AuditLogService).prove({ eventId: rows.at(-1)?.id ?? "" });
  const audit = (...words: string[]) =>
    command("audit", ...words, "--admin-socket", server.running.adminSocket);
  const key = (await audit("key")).out.trim();
  return { server, folder, elsewhere, place, audit, key };
}

t.test("verifies the log, by the keys beside it or by one that was noted", async (t) => {
  const { folder, key, elsewhere } = await serve(t);
  const alone = await command("audit", "verify", "--dir", folder);
  t.match(alone, {
    code: 0,
    out: /^Verified: 6 events, none changed, deleted, reordered or cut off\.\nA signed .* all of them\.\n\nEvents +6\n/,
    err: /give --key/,
  });
  const noted = await command(
    "audit",
    "verify",
    "--dir",
    folder,
    "--key",
    key,
    "--checkpoint",
    elsewhere,
  );
  t.match(noted, { code: 0, out: /Streams +(?:admin|identity) 3/, err: "" });
  const json = await command("audit", "verify", "--dir", folder, "--output", "json");
  t.match(JSON.parse(json.out), {
    verified: true,
    events: 6,
    streams: { admin: 3, identity: 3 },
    damages: [],
    keys: [key],
  });
});

t.test("says what was done to a log, and ends with 1", async (t) => {
  const { folder, place, elsewhere, audit, key } = await serve(t);
  await audit("proof", readLines(folder).rows.at(-1)?.id ?? "", "--write", join(place, "p"));
  const copy = join(place, "copy");
  cpSync(folder, copy, { recursive: true });
  const path = join(copy, "identity-000000000001.jsonl");
  writeFileSync(path, readFileSync(path, "utf8").replace("/db", "/dc"));
  const changed = await command("audit", "verify", "--dir", copy, "--key", key);
  t.match(changed, {
    code: 1,
    out: /^NOT verified: event identity 1 was changed\.\n[\s\S]*changed: event identity 1 was changed, ID \w{26} \(identity-0+1\.jsonl, byte 0\)/,
  });
  const json = await command("audit", "verify", "--dir", copy, "--output", "json");
  t.match(JSON.parse(json.out), {
    verified: false,
    damages: [{ kind: "changed", stream: "identity", seq: 1 }],
  });
  rmSync(copy, { recursive: true });
  cpSync(folder, copy, { recursive: true });
  for (const name of ["identity-000000000001.jsonl", "admin-000000000001.jsonl"]) {
    const at = join(copy, name);
    writeFileSync(at, readFileSync(at, "utf8").split("\n").slice(0, 1).concat("").join("\n"));
  }
  for (const name of ["checkpoint", "checkpoints"]) rmSync(join(copy, name));
  t.match(
    await command("audit", "verify", "--dir", copy, "--key", key),
    {
      code: 0,
      out: /^Verified: .*\nNo signed checkpoint covers them/,
      err: /no signed checkpoint/,
    },
    "nothing shows it",
  );
  const cut = await command(
    "audit",
    "verify",
    "--dir",
    copy,
    "--key",
    key,
    "--checkpoint",
    elsewhere,
  );
  t.match(cut, { code: 1, out: /truncated: events 2 to 5 are missing: 6 were signed/ });
  const other = key.replace(/\+.*/, "+14640260+AR93UjS9FN7MBPGYi5aScGTBQNoSOMu6jlLn1KIClQkh");
  const forged = await command("audit", "verify", "--dir", folder, "--key", other);
  t.match(forged, { code: 1, out: /checkpoint-forged: .*no key that is trusted/ });
  t.notMatch(forged.out, /Nothing behind it/);
  const bent = await command(
    "audit",
    "verify",
    "--dir",
    folder,
    "--key",
    `${key.slice(0, -4)}AAAA`,
  );
  t.match(bent, { code: 2, err: /--key: .*digits/ });
});

t.test("what it cannot read it says with a hint", async (t) => {
  t.match(await command("audit", "verify", "--dir", "/nowhere"), {
    code: 1,
    err: /FOLDER_UNUSABLE[\s\S]*hint: .*--dir/,
  });
  t.match(await command("audit", "verify", "--proof", "/nowhere"), {
    code: 2,
    err: /--proof needs --key/,
  });
  t.match(await command("audit", "verify", "--key", "x"), { code: 2, err: /no verifier key/ });
  for (const words of [["tail"], ["tree", "x"]]) {
    t.match(await command("audit", ...words, "--dir", "/nowhere"), {
      code: 1,
      err: /FOLDER_UNUSABLE/,
    });
  }
  t.match(await command("audit", "tail", "--last", "none"), { code: 2 });
  t.match(await command("audit", "tail", "--stream", "gossip"), { code: 2, err: /tool_call/ });
  t.match(await command("audit", "tail", "--follow", "--dir", "/x"), { code: 2 });
});

t.test("prints the newest events, from the server and from files alike", async (t) => {
  const { server, folder, audit } = await serve(t);
  await server.admin.client(EntryService).batchDeleteEntry({ ids: ["none"] });
  const tail = await audit("tail", "--last", "2");
  t.match(tail, { code: 0, out: /^\d{4}-.*MintJWTSVID.*\n.*BatchDeleteEntry.*\n$/ });
  t.equal((await command("audit", "tail", "--last", "2", "--dir", folder)).out, tail.out);
  const identity = await audit("tail", "--stream", "identity", "--output", "json");
  t.equal(JSON.parse(identity.out).events.length, 3);
  const none = await audit("tail", "--type", "admin.none");
  t.match(none, { code: 0, out: "", err: /no event is like that/ });
  const typed = await audit("tail", "--type", "admin.call", "--output", "json");
  t.equal(JSON.parse(typed.out).events.length, 4);
});

t.test("prints a task and those that came from it as a tree", async (t) => {
  const { server, folder, audit } = await serve(t);
  const top = "spiffe://north.test/ai/a/task/01J8ZQ4V6W3Q5R7T9Y1B2C3D4E";
  const below = "spiffe://north.test/ai/b/task/01J8ZQ4V6W3Q5R7T9Y1B2C3D4F";
  const agent = await server.attest();
  const node = (await server.channel(agent.svid)).client(AuditLogService);
  const event = { timeMs: 1_900_000_000_000, outcome: "ok", observedBy: "node" };
  await node.append({
    events: [
      {
        ...event,
        id: "01J8ZQ4V6W3Q5R7T9Y1B2C3D40",
        stream: "task",
        type: "task.opened",
        task: top,
        root: top,
        detail: { task_class: "triage", purpose: "a long one ".repeat(20) },
      },
      {
        ...event,
        id: "01J8ZQ4V6W3Q5R7T9Y1B2C3D41",
        stream: "tool_call",
        type: "tool.called",
        task: top,
        action: "tools/read/x",
      },
      {
        ...event,
        id: "01J8ZQ4V6W3Q5R7T9Y1B2C3D42",
        stream: "task",
        type: "task.opened",
        task: below,
        parent: top,
        root: top,
      },
      { ...event, id: "01J8ZQ4V6W3Q5R7T9Y1B2C3D43", stream: "task", type: "task.ended", task: top },
    ],
  });
  const tree = await audit("tree", top.slice(-26), "--wide");
  const lines = tree.out
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/\d{4}-\S+ /, ""));
  t.match(lines[0], top);
  t.match(lines.slice(1), [
    /^├─ +task +task\.opened/,
    /^├─ +tool_call +tool\.called .*tools\/read\/x/,
    /^├─ +task +task\.ended/,
    `└─ ${below}`,
    /^ {3}└─ +task +task\.opened/,
  ]);
  t.equal((await command("audit", "tree", top, "--dir", folder, "--wide")).out, tree.out);
  const brief = (await audit("tree", top)).out.trimEnd().split("\n");
  t.equal(brief[0], `${top}  2030-03-17T17:46:40Z`);
  t.match(brief.slice(1), [
    '├─ +0.000s  task.opened  ok  triage  "',
    "├─ +0.000s  tool.called  ok  tools/read/x",
    "├─ +0.000s  task.ended   ok",
    `└─ ${below}`,
    "   └─ +0.000s  task.opened  ok",
  ]);
  t.ok(
    brief.every((row) => row.length <= 120),
    "fits a terminal",
  );
  t.match(brief[1], /…$/, "and says where it does not");
  t.match(await audit("tree", "01J8ZQ4V6W3Q5R7T9Y1B2C3D4Z"), { code: 2, err: /no event/ });
});

t.test("what a workload has said moves no cursor of whoever reads it", async (t) => {
  const { server, audit } = await serve(t);
  const task = "spiffe://north.test/ai/a/task/01J8ZQ4V6W3Q5R7T9Y1B2C3D4E";
  const agent = await server.attest();
  const node = (await server.channel(agent.svid)).client(AuditLogService);
  const sequence = "\u001b[2J\u009b1A\r\nall is well";
  await node.append({
    events: [
      {
        ...{ id: "01J8ZQ4V6W3Q5R7T9Y1B2C3D40", timeMs: 1_900_000_000_000, observedBy: "node" },
        ...{ stream: "tool_call", type: "tool.called", outcome: "ok", task, root: task },
        ...{ action: sequence, reason: sequence, detail: { note: sequence } },
      },
    ],
  });
  for (const words of [
    ["tail", "--task", task],
    ["tree", task],
    ["tree", task, "--wide"],
  ]) {
    const { code, out } = await audit(...words);
    t.equal(code, 0);
    t.match(out, /\\u001b\[2J/, words.join(" "));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    t.notMatch(out, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]|^all/m);
  }
});

t.test("says whose doing an event was, and nothing twice", async (t) => {
  const { server, audit } = await serve(t);
  const agent = "spiffe://north.test/ai/a";
  const task = `${agent}/task/01J8ZQ4V6W3Q5R7T9Y1B2C3D4F`;
  const where = "https://tool.north.test/tickets";
  const node = await server.attest();
  await (await server.channel(node.svid)).client(AuditLogService).append({
    events: [
      {
        ...{ id: "01J8ZQ4V6W3Q5R7T9Y1B2C3D4G", timeMs: 1_900_000_000_000, observedBy: "node" },
        ...{ stream: "tool_call", type: "tool.called", outcome: "ok", task, root: task, agent },
        ...{ principal: agent, action: "tools/read/x", resource: where, destination: where },
      },
    ],
  });
  const { out } = await audit("tail", "--stream", "tool_call");
  t.match(out, `tool.called  ok  ${task}  tools/read/x  ${where}  `);
  t.equal(out.split(where).length, 2);
  t.equal(out.split(agent).length, 2, "the task names its AI agent");
  const wide = await audit("tree", task, "--wide");
  t.equal(wide.out.split(task).length, 2, "above its events alone");
});

t.test("proves an event to somebody who has the key alone", async (t) => {
  const { folder, place, elsewhere, audit, key } = await serve(t);
  const { rows } = readLines(folder);
  const file = join(place, "event.json");
  t.match(await audit("proof", rows[3]?.id ?? "", "--checkpoint", elsewhere, "--write", file), {
    code: 0,
  });
  const verified = await command("audit", "verify", "--proof", file, "--key", key);
  t.match(verified, {
    code: 0,
    out: /Verified +yes\nLog +north\.test\/audit\nEvent +3 of 6\nAdds to/,
  });
  const proof = JSON.parse(readFileSync(file, "utf8"));
  const rejects: readonly (readonly [string, object])[] = [
    ["another line", { line: proof.line.replace("ok", "no") }],
    ["another place", { index: 2 }],
    ["a hash less", { inclusion: proof.inclusion.slice(1) }],
    ["no proof of growth", { consistency: ["AAAA"] }],
    ["another format", { format: "x" }],
    ["no checkpoint", { checkpoint: undefined }],
    ["a checkpoint that is no text", { checkpoint: 7 }],
    ["an older checkpoint that is no text", { old_checkpoint: null }],
    ["hashes that are no list", { consistency: "AAAA" }],
  ];
  for (const [name, change] of rejects) {
    writeFileSync(file, JSON.stringify({ ...proof, ...change }));
    t.match(
      await command("audit", "verify", "--proof", file, "--key", key),
      { code: 1, err: /PROOF_WRONG/ },
      name,
    );
  }
  writeFileSync(file, "null");
  t.match(await command("audit", "verify", "--proof", file, "--key", key), {
    code: 1,
    err: /PROOF_WRONG/,
  });
  writeFileSync(
    file,
    JSON.stringify({ ...proof, checkpoint: proof.checkpoint.replace("\n6\n", "\n7\n") }),
  );
  t.match(await command("audit", "verify", "--proof", file, "--key", key), {
    code: 1,
    err: /NOTE_UNVERIFIED/,
  });
  t.match(await audit("proof", "01J8ZQ4V6W3Q5R7T9Y1B2C3D4Z"), {
    code: 1,
    err: /AUDIT_EVENT_NOT_FOUND/,
  });
  t.match(await audit("key", "--checkpoint"), {
    code: 0,
    out: /^north\.test\/audit\+[\s\S]*\n\u2014 north\.test/,
  });
});
