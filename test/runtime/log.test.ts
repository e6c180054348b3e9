// Log lines: JSON with fixed names, without secrets; the audit trail cannot be switched off by level.

import { generateKeyPairSync } from "node:crypto";
import t from "tap";
import { runtimeError } from "../../runtime/errors.ts";
import { createLogger, type Logger, type LogLevel, silentLogger } from "../../runtime/log.ts";

function recorded(level: LogLevel = "info"): {
  log: Logger;
  lines: Record<string, unknown>[];
  raw: string[];
} {
  const raw: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => {
    raw.push(line);
    lines.push(JSON.parse(line));
  };
  return { log: createLogger({ level, destination: { write } }), lines, raw };
}

t.test("writes one JSON line with time, level, fields and message", async (t) => {
  const { log, lines, raw } = recorded();
  log
    .child({ agent_id: "spiffe://example.org/a" })
    .info({ entry_id: "e1", count: 3n }, "entry created");
  log.info("plain");
  log.debug({}, "below the level");
  t.equal(lines.length, 2);
  t.match(lines[0], {
    level: "info",
    agent_id: "spiffe://example.org/a",
    entry_id: "e1",
    count: "3",
    msg: "entry created",
  });
  t.match(lines[0]?.["time"], /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  t.equal(raw[0]?.endsWith("}\n"), true);
});

t.test("no secret gets into a line: by name, by kind of value, or inside a text", async (t) => {
  const { log, raw } = recorded();
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  const jwt = `eyJhbGciOiJFUzI1NiJ9.${"c".repeat(40)}.${"d".repeat(86)}`;
  log.child({ token: "join-token-1" }).warn(
    {
      private_key: "k-2",
      privateKey: "k-3",
      nested: { x509_svid_key: "k-4", list: [{ svid: "k-5" }] },
      Authorization: "k-6",
      object: privateKey,
      bytes: Buffer.from("k-7"),
      error: new Error(`cannot use ${pem} and ${jwt}`, { cause: { password: "k-8" } }),
      text: jwt,
    },
    `failed with ${jwt}`,
  );
  const line = raw.join("");
  t.notMatch(line, /k-\d|join-token|PRIVATE KEY|eyJ|cccc|dddd/);
  t.match(line, /\[3 bytes\]/);
});

t.test("an error of ours keeps reason, hint and cause; others their stack", async (t) => {
  const { log, lines } = recorded();
  const cause = Object.assign(new Error("EACCES: x"), { code: "EACCES" });
  log.error(
    { error: runtimeError("FILE_UNREADABLE", "cannot read", { hint: "check it", cause }) },
    "no",
  );
  t.match(lines[0], {
    error: {
      reason: "FILE_UNREADABLE",
      hint: "check it",
      cause: { code: "EACCES", stack: /Error: EACCES/ },
    },
  });
});

t.test("huge, deep and circular values end", async (t) => {
  const { log, raw } = recorded();
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  log.info(
    { circle, list: Array.from({ length: 10_000 }, (_, i) => i), text: "x".repeat(1e6) },
    "big",
  );
  t.ok((raw[0]?.length ?? 0) < 10_000);
});

t.test("a line feed in a value cannot forge a second line", async (t) => {
  const { log, raw } = recorded();
  log.info({ name: 'a"}\n{"level":"fatal"' }, "x\ny");
  t.equal(raw.join("").split("\n").length, 2);
});

t.test("audit lines come whatever the level is, but from a silent logger", async (t) => {
  const { log, lines } = recorded("error");
  const record = {
    who: "uid:0",
    method: "/spire.api.server.entry.v1.Entry/BatchCreateEntry",
    object: "e1",
    outcome: "ok",
  };
  log.child({ part: "api" }).audit({ ...record, token: "t" });
  log.info("not this");
  t.match(lines, [{ ...record, part: "api", audit: true, msg: "audit", token: "[redacted]" }]);
  t.equal(lines.length, 1);
  silentLogger.audit(record);
  t.equal(log.isLevelEnabled("warn"), false);
});
