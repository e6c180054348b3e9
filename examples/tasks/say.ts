// What a person sees.

/** Prints lines, each after `indent`. */
export function say(text: string, indent = ""): void {
  for (const line of text.trimEnd().split("\n")) process.stdout.write(`${indent}${line}\n`);
}
