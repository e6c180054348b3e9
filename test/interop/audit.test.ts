// The audit log of a running server, verified by a short Python program that was written from
// docs/audit.md and shares no code with ours; what we find in a damaged one, it finds too.
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { AuditLogService, EntryService, SvidService } from "../../proto/schema.gen.ts";
import { TestServer } from "../support/running-server.ts";
import { run, signet } from "../support/signet.ts";
import { buildDir, pythonReader } from "./readers.ts";

const dir = buildDir(t);

t.test("a Python program verifies the log, and finds what was done to a copy", async (t) => {
  const [python, program] = pythonReader(dir, "verify_audit.py");
  const elsewhere = join(t.testdir(), "checkpoint");
  const server = await TestServer.start({ config: `audit: { checkpoint_file: ${elsewhere} }` });
  t.teardown(() => server.stop());
  const svids = server.admin.client(SvidService);
  const id = { trustDomain: "north.test", path: "/db" };
  for (let i = 0; i < 10; i++) await svids.mintJWTSVID({ id, audience: ["ledger"] });
  await server.admin.client(EntryService).countEntries({});
  const audit = server.admin.client(AuditLogService);
  const { verifierKey } = await audit.checkpoint({});
  const folder = join(server.dir, "audit");
  const line =
    readFileSync(join(folder, "identity-000000000001.jsonl"), "utf8").split("\n")[0] ?? "{}";
  await audit.prove({ eventId: JSON.parse(line).id }); // signs everything that there is

  const theirs = (at: string, ...more: string[]) =>
    run(python, [program, at, verifierKey, ...more]);
  const ours = (at: string, ...more: string[]) =>
    signet([
      "audit",
      "verify",
      "--dir",
      at,
      "--key",
      verifierKey,
      ...more.flatMap((path) => ["--checkpoint", path]),
    ]);
  t.match(await theirs(folder, elsewhere), { status: 0, stdout: /^ok 20 \d+\n$/ });
  t.match(await ours(folder, elsewhere), { status: 0, stdout: /^Verified: / });

  const edit = (name: string, change: (lines: string[]) => string[]) => (at: string) => {
    const path = join(at, name);
    const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
    writeFileSync(
      path,
      change(lines)
        .map((text) => `${text}\n`)
        .join(""),
    );
  };
  const identity = "identity-000000000001.jsonl";
  const rows: readonly (readonly [name: string, harm: (at: string) => void])[] = [
    [
      "one bit flipped",
      edit(identity, ([first = "", ...rest]) => [first.replace("/db", "/dc"), ...rest]),
    ],
    [
      "one bit of the last event",
      edit("admin-000000000001.jsonl", (lines) =>
        lines.map((text, i) => (i === lines.length - 1 ? text.replace("local", "locam") : text)),
      ),
    ],
    ["an event deleted", edit(identity, ([first = "", , ...rest]) => [first, ...rest])],
    [
      "two exchanged",
      edit(identity, ([first = "", second = "", ...rest]) => [second, first, ...rest]),
    ],
    ["one stream cut off", edit(identity, (lines) => lines.slice(0, -1))],
    ["a stream removed", (at) => rmSync(join(at, identity))],
    [
      "all cut off, the checkpoints too",
      (at) => {
        for (const name of readdirSync(at).filter((one) => one.endsWith(".jsonl"))) {
          edit(name, (lines) => lines.filter((text) => JSON.parse(text).index < 11))(at);
        }
        rmSync(join(at, "checkpoints"));
        rmSync(join(at, "checkpoint"));
      },
    ],
    [
      "a forged checkpoint",
      edit("checkpoint", ([origin = "", , ...rest]) => [origin, "3", ...rest]),
    ],
  ];
  for (const [name, harm] of rows) {
    const copy = join(t.testdirName, "copy");
    rmSync(copy, { recursive: true, force: true });
    cpSync(folder, copy, { recursive: true });
    harm(copy);
    t.match(
      await theirs(copy, elsewhere),
      { status: 1, stdout: /./, stderr: "" },
      `${name}: Python`,
    );
    t.match(
      await ours(copy, elsewhere),
      { status: 1, stdout: /^NOT verified: / },
      `${name}: signet`,
    );
  }
});
