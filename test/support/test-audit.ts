// An audit log of its own folder for tests, and a reader of its files that shares nothing with ours: lines
// are JSON, chained and hashed as docs/audit.md says.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import type { Clock } from "../../runtime/clock.ts";
import { type Logger, silentLogger } from "../../runtime/log.ts";
import { AuditLog, type AuditLogOptions } from "../../server/audit/log.ts";
import { TestClock } from "./clock.ts";

export const OBSERVER = "spiffe://north.test/spire/server";

export interface TestAuditOptions {
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly more?: Partial<AuditLogOptions>;
}

/** Opens a log, closed at the end of the test. */
export async function openAudit(
  t: Test,
  folder: string,
  {
    clock = new TestClock("2030-01-01T00:00:00Z"),
    log = silentLogger,
    more = {},
  }: TestAuditOptions = {},
): Promise<AuditLog> {
  const audit = await AuditLog.open({ folder, observer: OBSERVER, clock, log, ...more });
  t.teardown(() => audit.close().catch(() => undefined));
  return audit;
}

/** An event as the file has it. */
export interface Row {
  readonly id: string;
  readonly stream: string;
  readonly seq: number;
  readonly index: number;
  readonly prev_hash: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** The files of a stream, in their order. */
export function filesOf(folder: string, stream: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${stream}-`) && name.endsWith(".jsonl"))
    .sort();
}

/** Every line of every stream, by their place. Throws when chain or numbers do not hold. */
export function readLines(folder: string): { readonly lines: Buffer[]; readonly rows: Row[] } {
  const found: { line: Buffer; row: Row }[] = [];
  const streams = new Set(
    readdirSync(folder).flatMap((name) => /^([a-z_]+)-\d+\.jsonl$/.exec(name)?.[1] ?? []),
  );
  for (const stream of streams) {
    let previous = "0".repeat(64);
    let seq = 0;
    for (const name of filesOf(folder, stream)) {
      const text = readFileSync(join(folder, name), "latin1");
      if (text === "") continue;
      if (!text.endsWith("\n")) throw new Error(`${name} has a line without its end`);
      for (const latin1 of text.slice(0, -1).split("\n")) {
        const line = Buffer.from(latin1, "latin1");
        const row = JSON.parse(line.toString()) as Row;
        if (row.seq !== ++seq || row.prev_hash !== previous || row.stream !== stream) {
          throw new Error(`${stream} ${seq} does not follow`);
        }
        previous = createHash("sha256").update(Buffer.of(0)).update(line).digest("hex");
        found.push({ line, row });
      }
    }
  }
  found.sort((a, b) => a.row.index - b.row.index);
  for (const [i, { row }] of found.entries()) if (row.index !== i) throw new Error(`no event ${i}`);
  return { lines: found.map(({ line }) => line), rows: found.map(({ row }) => row) };
}

/** RFC 6962 s2.1, of leaves. */
export function merkleRoot(leaves: readonly Uint8Array[]): Buffer {
  const sha256 = (...parts: Uint8Array[]) =>
    createHash("sha256").update(Buffer.concat(parts)).digest();
  let level = leaves.map((leaf) => sha256(Buffer.of(0), leaf));
  if (level.length === 0) return sha256();
  while (level.length > 1) {
    const pairs = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) =>
      level.slice(2 * i, 2 * i + 2),
    );
    level = pairs.map((pair) =>
      pair.length === 1 ? Buffer.concat(pair) : sha256(Buffer.of(1), ...pair),
    );
  }
  return level[0] ?? sha256();
}
