// The last of many lines. Only where they are is kept while the others go by: a line holds on to all that was read
// with it, and the last hundred thousand would to gigabytes.
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { AuditStream } from "./event.ts";
import type { Line } from "./reader.ts";

/** Where a line is. */
interface Kept extends Pick<Line, "stream" | "file" | "offset" | "index"> {
  readonly length: number;
}

/** The last `count` of them, in their order, read once more. */
export async function* newest(
  folder: string,
  lines: AsyncIterable<Line>,
  count: number,
): AsyncGenerator<Pick<Line, "index" | "bytes">, void, undefined> {
  let kept: Kept[] = [];
  for await (const { stream, file, offset, index, bytes } of lines) {
    kept.push({ stream, file, offset, index, length: bytes.length });
    if (kept.length >= 2 * count) kept = kept.slice(-count);
  }
  // Lines of the streams take turns, and each stream goes from one file to the next.
  const files = new Map<AuditStream, { readonly name: string; readonly handle: FileHandle }>();
  try {
    for (const { stream, file, offset, index, length } of kept.slice(-count)) {
      let from = files.get(stream);
      if (from?.name !== file) {
        await from?.handle.close();
        files.delete(stream);
        from = { name: file, handle: await open(join(folder, file), "r") };
        files.set(stream, from);
      }
      const bytes = Buffer.allocUnsafe(length);
      const { bytesRead } = await from.handle.read(bytes, 0, length, offset);
      yield { index, bytes: bytes.subarray(0, bytesRead) };
    }
  } finally {
    for (const { handle } of files.values()) await handle.close();
  }
}
