// `npm run conformance`: runs every test of this folder, two files at a time, and prints by standard how
// many rows there are, how many passed, and how many bind no part that exists. Exits 1 when a row failed,
// was skipped or has no test, and when a file crashed. How rows are counted: tally.ts.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { join } from "node:path";
import { STANDARDS } from "./rows.ts";
import { Tally } from "./tally.ts";

const tally = new Tally(STANDARDS);

async function runFile(file: string): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, file)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  let output = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) output += chunk;
  const [exitCode] = await ended;
  tally.add(file, output, exitCode);
}

const queue = globSync("*.test.ts", { cwd: import.meta.dirname }).sort();
const files = queue.length;
let done = 0;
await Promise.all(
  [0, 1].map(async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      await runFile(file);
      // For people who wait; standard output holds the table alone.
      process.stderr.write(`${++done} of ${files} files: ${file}\n`);
    }
  }),
);

const { text, isComplete } = tally.report();
process.stdout.write(text);
process.exitCode = isComplete ? 0 : 1;
