// Files that a command is given, or standard input as "-".

import { open } from "node:fs/promises";
import { misuse } from "./flags.ts";

/** The text of a file, or of standard input for "-". @throws USAGE_INVALID when it cannot be read or is too large */
export async function readInput(
  path: string,
  spelled: string,
  limitBytes: number,
): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    const file = path === "-" ? undefined : await open(path);
    const stream = file?.createReadStream() ?? process.stdin;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > limitBytes) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw misuse(
      `${spelled}: cannot read ${path}: ${cause instanceof Error ? cause.message : cause}`,
    );
  }
  if (length > limitBytes) throw misuse(`${spelled}: ${path} has more than ${limitBytes} bytes`);
  return Buffer.concat(chunks).toString("utf8");
}
