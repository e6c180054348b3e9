// Reading the audit log as an auditor does: what came of a task, whether the log is whole, and whether one byte
// that was flipped in a copy of it is found.
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Site } from "./site.ts";

export interface AuditRead {
  readonly tree: string;
  readonly verified: string;
  readonly isIntact: boolean;
  /** The refused tool is there as an attempt to get more than was granted. */
  readonly hasEscalation: boolean;
  readonly flipped: { readonly said: string; readonly isFound: boolean };
}

/** How long what a guard has seen may take to the server: it is on the guard's own disk before. */
const ON_THE_WAY_MS = 5000;

/** Reads what the log has of a task. */
export async function readAudit(site: Site, taskId: string): Promise<AuditRead> {
  const deadline = performance.now() + ON_THE_WAY_MS;
  let tree = site.must("audit", "tree", taskId);
  while (!/escalation/i.test(tree) && performance.now() < deadline) {
    await sleep(100);
    tree = site.must("audit", "tree", taskId);
  }
  const folder = join(site.serverDir, "audit");
  const verified = site.signet("audit", "verify", "--dir", folder);
  const copy = join(site.dir, "copy");
  cpSync(folder, copy, { recursive: true });
  flipOneByte(copy, taskId);
  const again = site.signet("audit", "verify", "--dir", copy);
  return {
    tree,
    verified: verified.text.trim(),
    isIntact: verified.status === 0,
    hasEscalation: /escalation/i.test(tree),
    flipped: { said: again.text.trim(), isFound: again.status !== 0 },
  };
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
