// `npm run fuzz`: fuzzes every parser of bytes from outside, guided by coverage, and prints one table.
//   npm run fuzz -- [TARGET...] [--seconds N] [--jobs N] [--keep]
// Exits with 1 when an input crashed a parser, made it hang, or took too much memory; the input is then
// in .fuzz/findings/TARGET. --keep replaces the kept corpus by inputs of every length of the new one.
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { keepInputs } from "./corpus.ts";
import { fuzz, inputsToKeep, type Outcome, prepareEngine } from "./engine.ts";
import { TARGETS } from "./targets/index.ts";

const { values, positionals } = readArguments();

const unknown = positionals.filter((name) => !TARGETS.some((target) => target.name === name));
const seconds = Number(values.seconds);
const jobs = Number(values.jobs);
if (unknown.length > 0) refuse(`there is no target ${unknown.join(", ")}`);
if (!(seconds >= 1) || !(jobs >= 1)) refuse("--seconds and --jobs are numbers from 1 on");

const loading = prepareEngine();
const waiting = TARGETS.filter(
  ({ name }) => positionals.length === 0 || positionals.includes(name),
);
const outcomes: Outcome[] = [];
print(["target", "runs", "seconds", "runs/s", "branches", "peak MB", "findings"]);
await Promise.all(Array.from({ length: jobs }, work));
const total = outcomes.reduce((sum, { runs }) => sum + runs, 0);
const found = outcomes.flatMap(({ findings }) => findings);
process.stdout.write(`${total} inputs, ${found.length} findings\n`);
for (const file of found) process.stdout.write(`  ${relative(process.cwd(), file)}\n`);
process.exitCode = found.length > 0 || outcomes.some(isBroken) ? 1 : 0;

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        seconds: { type: "string", default: "60" },
        jobs: { type: "string", default: "2" },
        keep: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function refuse(why: string): never {
  const targets = TARGETS.map(({ name }) => name).join(", ");
  process.stderr.write(
    `error: ${why}\nusage: npm run fuzz -- [TARGET...] [--seconds N] [--jobs N] [--keep]\ntargets: ${targets}\n`,
  );
  process.exit(2);
}

/** One job: takes a target after the other. */
async function work(): Promise<void> {
  for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
    const outcome = await fuzz(target, seconds, loading);
    outcomes.push(outcome);
    const { runs, coverage, peakMemoryMb, findings } = outcome;
    const perSecond = Math.round(runs / Math.max(1, outcome.seconds));
    print([target.name, runs, outcome.seconds, perSecond, coverage, peakMemoryMb, findings.length]);
    if (findings.length > 0 || isBroken(outcome)) {
      process.stdout.write(`${outcome.output.slice(-4000)}\n`);
    } else if (values.keep) {
      keepInputs(target, inputsToKeep(target));
    }
  }
}

/** A run that counted nothing was none. */
function isBroken({ runs }: Outcome): boolean {
  return runs === 0;
}

function print(cells: readonly (string | number)[]): void {
  const [name = "", ...rest] = cells.map(String);
  process.stdout.write(`${name.padEnd(16)}${rest.map((cell) => cell.padStart(11)).join("")}\n`);
}
