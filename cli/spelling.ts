// Flags as SPIRE's users type them: one dash, camelCase with capital initialisms (`-parentID`,
// `-x509SVIDTTL=60`), or two. Rewritten to ours before commander sees them.

import type { Flag } from "./command.ts";

/** SPIRE's names for flags that are called otherwise here. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  socketpath: ["adminsocket", "socket"],
};

/** Rewrites the flags among `args`, up to "--". Those it does not know stay as they are. */
export function respell(args: readonly string[], flags: readonly Flag[]): string[] {
  const byLetters = new Map(flags.map((flag) => [lettersOf(flag.name), flag]));
  const end = args.indexOf("--");
  return args.map((arg, i) => {
    if (end >= 0 && i >= end) return arg;
    const match = /^--?([A-Za-z][A-Za-z0-9-]+)(?:=(.*))?$/s.exec(arg);
    if (match === null) return arg;
    const [, name = "", value] = match;
    const letters = lettersOf(name);
    const names = [letters, ...(OTHER_NAMES[letters] ?? [])];
    const flag = names.map((each) => byLetters.get(each)).find((each) => each !== undefined);
    if (flag === undefined) return arg;
    if (flag.value !== undefined)
      return value === undefined ? `--${flag.name}` : `--${flag.name}=${value}`;
    if (value === "false") return `--no-${flag.name}`;
    return value === undefined || value === "true" ? `--${flag.name}` : arg;
  });
}

function lettersOf(name: string): string {
  return name.replaceAll("-", "").toLowerCase();
}
