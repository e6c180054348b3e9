// Reading the audit log as an auditor does: what came of a task, whether the log is whole, and whether one byte
// that was flipped in a copy of it is found.
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Site } from "./site.ts";

export interface AuditVerified {
  readonly said: string;
  readonly isIntact: boolean;
  readonly flipped: { readonly said: string; readonly isFound: boolean };
}

/** How long what a guard has seen may take to the server: it is on the guard's own disk before. */
const ON_THE_WAY_MS = 5000;

/** What the log has of a task, with the attempt to get more than was granted if there was one. */
export async function readTree(site: Site, taskId: string): Promise<string> {
  const deadline = performance.now() + ON_THE_WAY_MS;
  for (;;) {
    const tree = site.must("audit", "tree", taskId);
    if (hasEscalation(tree) || performance.now() > deadline) return tree;
    await sleep(100);
  }
}

export function hasEscalation(tree: string): boolean {
  return tree.includes("escalation.mandate-exceeded");
}

/** Verifies the files of the log, and a copy in which one byte is another. No server is needed. */
export function verifyFiles(site: Site, taskId: string): AuditVerified {
  const folder = join(site.serverDir, "audit");
  const verified = site.signet("audit", "verify", "--dir", folder);
  const copy = join(site.dir, "copy");
  cpSync(folder, copy, { recursive: true });
  flipOneByte(copy, taskId);
  const again = site.signet("audit", "verify", "--dir", copy);
  return {
    said: verdictOf(verified.text),
    isIntact: verified.status === 0,
    flipped: { said: verdictOf(again.text), isFound: again.status !== 0 },
  };
}

/** What the command says first; counts and names follow. */
function verdictOf(text: string): string {
  return text.trim().split("\n\n", 1)[0] ?? "";
}

/** In the one place where somebody would: the ticket that was read becomes another one. */
function flipOneByte(folder: string, taskId: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!/tool_call/.test(name)) continue;
    const path = join(folder, name);
    const bytes = readFileSync(path);
    const at = bytes.indexOf(taskId);
    if (at < 0) continue;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    return;
  }
  throw new Error("the log has no call of a tool");
}
