// `signet apply`: makes what files declare so. First a dry run, whose changes are shown; then those
// changes and no others: the server refuses when something was changed in between.

import { createInterface } from "node:readline/promises";
import type { Init } from "../proto/codec.ts";
import type { Channel } from "../proto/rpc/client.ts";
import { codecOf, RegistryService, type signet } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import { formatChanges, formatSummary } from "./apply-output.ts";
import type { Command, Input } from "./command.ts";
import { type DeclaredObject, declarationInvalid, readDeclared } from "./declared-files.ts";
import type { DeclaredWire } from "./declared-schema.ts";
import { ADMIN_SOCKET, misuse } from "./flags.ts";
import type { Output } from "./output.ts";

type Options = Init<signet.registry.v1.ApplyOptions>;
type Request = Init<signet.registry.v1.ApplyRequest>;

const DEFAULT_SET = "default";
/** Objects of one message, which has to stay below 4 MiB. */
const MAX_AT_ONCE = 200;
const MAX_CHARACTERS = 1024 * 1024;

export const command: Command = {
  description:
    "Makes what files declare so: registration entries, AI agents and task classes, all of them in one step, or none. Shows what changes. What is made by hand is left alone.",
  flags: [
    {
      name: "file",
      short: "f",
      value: "<file or folder>",
      description: 'YAML; of a folder all *.yaml in it; "-" is standard input',
      isRepeated: true,
    },
    { name: "dry-run", description: "show what would change, and change nothing" },
    {
      name: "prune",
      description: "delete what the set declared before and these files do not any more",
    },
    {
      name: "set",
      value: "<name>",
      description: "the name of what is declared together: --prune stays within it",
      defaultValue: DEFAULT_SET,
    },
    {
      name: "adopt",
      description: "take over what was made by hand, or by another set, and is declared otherwise",
    },
    { name: "yes", description: "do not ask before something is deleted" },
    ADMIN_SOCKET,
  ],
  examples: [
    ["signet apply -f agents.yaml --dry-run", "what would change"],
    [
      "signet apply -f identities/ --set team-a --prune",
      "the folder, and nothing else, is team-a's",
    ],
    ["signet apply -f identities/ --output json", "for a pipeline: what was changed, as JSON"],
  ],
  async run(input, output) {
    const files = [...input.list("file"), ...input.args];
    if (files.length === 0) throw misuse("--file is missing", { hint: "such as -f agents.yaml" });
    const objects = await readDeclared(files);
    const isPrune = input.isOn("prune");
    if (objects.length === 0 && !isPrune) throw misuse("these files declare nothing");
    const set = input.text("set") || DEFAULT_SET;
    const options = { set, prune: isPrune, adopt: input.isOn("adopt") };
    await withServer(input, async (channel) => {
      const planned = await call(channel, { ...options, dryRun: true }, objects);
      if (planned.problems.length > 0) throw refused(planned.problems, objects);
      const isColoured = process.stdout.isTTY === true && !process.env["NO_COLOR"];
      if (!output.isJson) output.show({}, () => formatChanges(planned.changes, isColoured));
      const dryRun = input.isOn("dryRun");
      if (dryRun || planned.changes.length === 0) {
        return show(output, { ...planned, summary: { ...planned.summary, dryRun } });
      }
      await confirm(input, output, planned.summary);
      const expectedPlan = planned.summary.plan;
      show(output, await call(channel, { ...options, dryRun: false, expectedPlan }, objects));
    });
  },
};

/** What the server answered, in one piece. */
interface Answer {
  readonly changes: readonly signet.registry.v1.AppliedChange[];
  readonly problems: readonly signet.registry.v1.ApplyProblem[];
  readonly summary: signet.registry.v1.ApplySummary;
}

async function call(
  channel: Channel,
  options: Options,
  objects: readonly DeclaredObject[],
): Promise<Answer> {
  const changes: signet.registry.v1.AppliedChange[] = [];
  const problems: signet.registry.v1.ApplyProblem[] = [];
  let summary: signet.registry.v1.ApplySummary | undefined;
  const wires = objects.map(({ declared }) => declared);
  const stream = channel.client(RegistryService).apply();
  for (const request of requests(options, wires)) await stream.send(request);
  stream.end();
  for await (const part of stream.responses) {
    changes.push(...part.changes);
    problems.push(...part.problems);
    summary = part.summary ?? summary;
  }
  if (summary === undefined) throw new TypeError("the server answered without a summary");
  return { changes, problems, summary };
}

function* requests(
  options: Options,
  wires: readonly DeclaredWire[],
): Generator<Request, void, undefined> {
  yield { options };
  let part: DeclaredWire[] = [];
  let characters = 0;
  for (const one of wires) {
    characters += JSON.stringify(one.wire).length;
    part.push(one);
    if (part.length < MAX_AT_ONCE && characters < MAX_CHARACTERS) continue;
    yield requestOf(part);
    part = [];
    characters = 0;
  }
  if (part.length > 0) yield requestOf(part);
}

function requestOf(wires: readonly DeclaredWire[]): Request {
  return {
    entries: wires.flatMap((one) => (one.kind === "entry" ? [one.wire] : [])),
    aiAgents: wires.flatMap((one) => (one.kind === "ai-agent" ? [one.wire] : [])),
    taskClasses: wires.flatMap((one) => (one.kind === "task-class" ? [one.wire] : [])),
  };
}

function show(output: Output, { changes, summary }: Answer): void {
  const codec = codecOf("signet.registry.v1.ApplyResponse");
  const { changes: told, summary: sum } = codec.toJson({ changes, summary });
  output.show({ changes: told, summary: sum }, () => formatSummary(summary));
}

/** What the server found, with the places in the files. */
function refused(
  problems: readonly signet.registry.v1.ApplyProblem[],
  objects: readonly DeclaredObject[],
): Error {
  const faults = problems.map(({ kind, index, message, hint }) => {
    const ofKind = objects.filter(({ declared }) => declared.kind === kind);
    const place = ofKind[index - 1]?.place ?? "--prune";
    return `${place}: ${message}${hint === "" ? "" : ` (${hint})`}`;
  });
  return declarationInvalid(faults);
}

/** Asks a person before something is deleted; a program has said what it wants. */
async function confirm(
  input: Input,
  output: Output,
  { deleted }: signet.registry.v1.ApplySummary,
): Promise<void> {
  const isPerson = process.stdin.isTTY === true && process.stdout.isTTY === true;
  if (deleted === 0 || !isPerson || output.isJson || input.isOn("yes")) return;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(`delete ${deleted}? [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    prompt.close();
  }
  throw misuse("nothing is changed", { hint: "leave --prune out, or say yes" });
}
