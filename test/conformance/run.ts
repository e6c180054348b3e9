// `npm run conformance`: runs every test of this folder and prints, by standard, how many rows there
// are, how many passed, and how many bind no part that exists. Exits 1 when a row failed or has no test.
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { rowsOf, STANDARDS } from "./rows.ts";

type Outcome = "passed" | "failed";

const results = new Map<string, Outcome>();
const failures: string[] = [];

async function runFile(file: string): Promise<void> {
  const child = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  for await (const chunk of child.stdout) output += chunk;
  for (const line of output.split("\n")) {
    const match = /^\s*(not ok|ok) \d+ - (.*?)(?: # time=.*| # (SKIP|TODO).*)?$/.exec(line);
    if (!match) continue;
    const title = match[2] ?? "";
    const skipped = match[3] !== undefined;
    for (const id of rowsOf(title)) {
      const passed = match[1] === "ok" && !skipped;
      if (!passed) failures.push(`${id}: ${title}${skipped ? " (skipped)" : ""}`);
      results.set(id, passed && results.get(id) !== "failed" ? "passed" : "failed");
    }
  }
}

const files = globSync("*.test.ts", { cwd: import.meta.dirname }).sort();
const queue = files.map((file) => join(import.meta.dirname, file));
await Promise.all(
  [0, 1].map(async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) await runFile(file);
  }),
);

const lines: string[][] = [["standard", "rows", "passed", "failed", "no test", "not applicable"]];
const totals = [0, 0, 0, 0, 0];
const missing: string[] = [];
for (const standard of STANDARDS) {
  const without = standard.rows.filter((id) => !results.has(id));
  missing.push(...without);
  const passed = standard.rows.filter((id) => results.get(id) === "passed").length;
  const failed = standard.rows.filter((id) => results.get(id) === "failed").length;
  const left = Object.keys(standard.notApplicable).length;
  const counts = [standard.rows.length + left, passed, failed, without.length, left];
  counts.forEach((count, index) => {
    totals[index] = (totals[index] ?? 0) + count;
  });
  lines.push([standard.name, ...counts.map(String)]);
}
lines.push(["total", ...totals.map(String)]);

const widths = (lines[0] ?? []).map((_, column) =>
  Math.max(...lines.map((line) => line[column]?.length ?? 0)),
);
for (const line of lines) {
  const cells = line.map((cell, column) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
  );
  process.stdout.write(`${cells.join("  ")}\n`);
}
for (const failure of failures) process.stdout.write(`failed: ${failure}\n`);
for (const id of missing) process.stdout.write(`no test: ${id}\n`);
process.exitCode = failures.length + missing.length > 0 ? 1 : 0;
