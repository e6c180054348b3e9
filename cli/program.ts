// Turns the table of commands into a commander program, runs the one that was asked for, and ends
// with 0 (done), 1 (failed) or 2 (misused). Only that command's module is loaded. Sole user of commander.

import { Command as Commander, CommanderError, Option } from "commander";
import { IdentityError } from "../pki/errors.ts";
import type { Command, CommandRow, Flag, Input } from "./command.ts";
import { misuse, OUTPUT } from "./flags.ts";
import { formatError, outputTo, PROCESS_STREAMS, type Streams } from "./output.ts";
import { respell } from "./spelling.ts";

const DONE = 0;
const FAILED = 1;
const MISUSED = 2;

export interface ProgramOptions {
  readonly rows: readonly CommandRow[];
  /** What each group of commands, "entry" or "api fetch", is about. */
  readonly groups: Readonly<Record<string, string>>;
  readonly version: string;
  readonly streams?: Streams;
}

/** Runs the command line `args` (without program name) and resolves with the exit code. */
export async function runProgram(
  args: readonly string[],
  options: ProgramOptions,
): Promise<number> {
  const { streams = PROCESS_STREAMS } = options;
  let code: number | undefined;
  const row = findRow(args, options.rows);
  const command = await row?.load();
  const root = newCommander("signet", "Workload identities for processes and AI agents.", streams);
  root.version(options.version, "-V, --version", "print the version").usage("<command> [flags]");
  for (const each of options.rows) {
    const [parent, name] = parentOf(root, each.name, options.groups, streams);
    const leaf = newCommander(name, each.summary, streams);
    parent.addCommand(leaf);
    if (each === row && command !== undefined) {
      define(leaf, command, async (input) => {
        const format = input.text("output") ?? "table";
        if (format !== "table" && format !== "json")
          throw misuse(`--output: "${format}" is neither table nor json`);
        code = (await command.run(input, outputTo(format, streams))) ?? DONE;
      });
    }
  }
  try {
    const words = row?.name.split(" ").length ?? 0;
    const flags = command === undefined ? [] : [...command.flags, OUTPUT];
    const rest = respell(args.slice(words), flags);
    await root.parseAsync([...args.slice(0, words), ...rest], { from: "user" });
    return code ?? DONE;
  } catch (error) {
    return report(error, streams);
  }
}

function report(error: unknown, streams: Streams): number {
  if (error instanceof CommanderError) {
    // Commander has written what it has to say; a help that was asked for is no misuse.
    const isAnswer = error.code === "commander.helpDisplayed" || error.code === "commander.version";
    return isAnswer ? DONE : MISUSED;
  }
  streams.err(`${formatError(error)}\n`);
  return error instanceof IdentityError && error.reason === "USAGE_INVALID" ? MISUSED : FAILED;
}

/** The row with the most words that `args` begins with. */
function findRow(args: readonly string[], rows: readonly CommandRow[]): CommandRow | undefined {
  return rows
    .filter(({ name }) => name.split(" ").every((word, i) => args[i] === word))
    .sort((a, b) => b.name.length - a.name.length)[0];
}

/** The commander of the group that a command belongs to, made when it is not there, and its last word. */
function parentOf(
  root: Commander,
  name: string,
  groups: Readonly<Record<string, string>>,
  streams: Streams,
): [Commander, string] {
  const words = name.split(" ");
  const last = words.pop() ?? "";
  let parent = root;
  words.forEach((word, i) => {
    let group = parent.commands.find((child) => child.name() === word);
    if (group === undefined) {
      group = newCommander(word, groups[words.slice(0, i + 1).join(" ")] ?? "", streams);
      parent.addCommand(group);
    }
    parent = group;
  });
  return [parent, last];
}

function newCommander(name: string, description: string, streams: Streams): Commander {
  return new Commander(name)
    .description(description)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.out(text),
      writeErr: (text) => streams.err(text),
    })
    .helpCommand(false)
    .helpOption("-h, --help", "show this help")
    .showSuggestionAfterError()
    .showHelpAfterError("(add --help for what is possible)")
    .configureHelp({ showGlobalOptions: false });
}

function define(leaf: Commander, command: Command, run: (input: Input) => Promise<void>): void {
  const flags = [...command.flags, OUTPUT];
  leaf.description(command.description);
  if (command.args !== undefined) leaf.arguments(command.args);
  for (const flag of flags) for (const option of optionsOf(flag)) leaf.addOption(option);
  const examples = command.examples.map(([line, does]) => `  # ${does}\n  ${line}`);
  if (examples.length > 0) leaf.addHelpText("after", `\nExamples:\n${examples.join("\n\n")}`);
  leaf.action(async () => {
    await run(inputOf(leaf));
  });
}

function optionsOf(flag: Flag): Option[] {
  const { name, value, variable, short } = flag;
  const spelled = short === undefined ? `--${name}` : `-${short}, --${name}`;
  const option = new Option(
    value === undefined ? spelled : `${spelled} ${value}`,
    flag.description,
  );
  if (flag.isRepeated === true) option.argParser(collect).description += " (repeatable)";
  if (flag.isRequired === true) option.makeOptionMandatory();
  if (flag.isHidden === true) option.hideHelp();
  if (variable !== undefined) option.env(variable);
  if (flag.defaultValue !== undefined) option.default(flag.defaultValue);
  if (value !== undefined) return [option];
  // What SPIRE's users write as -flag=false.
  return [option, new Option(`--no-${name}`).hideHelp().default(undefined)];
}

function collect(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value];
}

function inputOf(leaf: Commander): Input {
  const values = leaf.opts<Record<string, unknown>>();
  return {
    args: leaf.args,
    text: (flag) => values[flag] as string | undefined,
    list: (flag) => ((values[flag] as string[] | undefined) ?? []).filter((item) => item !== ""),
    isOn: (flag) => values[flag] === true,
    has: (flag) => !["default", undefined].includes(leaf.getOptionValueSource(flag)),
  };
}
