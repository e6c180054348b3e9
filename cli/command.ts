// A command as a value: what it is called with, what it says of itself, what it does. The table of
// them is index.ts; how they become a commander program, program.ts.

import type { Output } from "./output.ts";

/** A flag. Its SPIRE spelling (`-parentID`) follows from its name: see spelling.ts. */
export interface Flag {
  /** Kebab-case, without dashes: "parent-id". */
  readonly name: string;
  /** One letter that stands for it: "f" is -f. */
  readonly short?: string;
  /** What its value stands for, such as "<id>"; a flag without one is switched on or off. */
  readonly value?: string;
  readonly description: string;
  /** May be given any number of times. */
  readonly isRepeated?: boolean;
  readonly isRequired?: boolean;
  readonly defaultValue?: string;
  /** A variable of the environment to take it from. */
  readonly variable?: string;
  /** Left out of the help: another spelling, for people who come from elsewhere. */
  readonly isHidden?: boolean;
}

/** What a command was called with. Flags go by their camelCase name: "parentId". */
export interface Input {
  readonly args: readonly string[];
  text(flag: string): string | undefined;
  list(flag: string): readonly string[];
  isOn(flag: string): boolean;
  /** Whether the flag was given, by whatever value; a default does not count. */
  has(flag: string): boolean;
}

export interface Command {
  /** What `--help` says first. */
  readonly description: string;
  /** Positional arguments as in usage lines, such as "[id]" or "<command...>". */
  readonly args?: string;
  readonly flags: readonly Flag[];
  /** Lines to try, each with what it does. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  /** Resolves with an exit code, 0 when nothing is said. */
  run(input: Input, output: Output): Promise<number | undefined> | Promise<void>;
}

/** A row of the table: the module is loaded when the command is called. */
export interface CommandRow {
  /** Its words: "entry create". */
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}
