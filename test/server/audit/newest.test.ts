// The last of many lines, of several streams and files.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { newest } from "../../../server/audit/newest.ts";
import type { Line } from "../../../server/audit/reader.ts";

const FILES = ["task-1", "task-2", "admin-1"];

t.test(
  "are those that were written, in their order, and not kept while others are looked at",
  async (t) => {
    const folder = t.testdir();
    const text = (file: string, i: number): string => `${file} ${"x".repeat(i)}`;
    const lines: Line[] = [];
    const offsets = new Map<string, number>();
    for (let index = 0; index < 30; index++) {
      const file = (index % 3 === 0 ? FILES[2] : index < 15 ? FILES[0] : FILES[1]) ?? "";
      const offset = offsets.get(file) ?? 0;
      const bytes = Buffer.from(text(file, index));
      offsets.set(file, offset + bytes.length + 1);
      const stream = file.slice(0, -2) as Line["stream"];
      lines.push({ stream, file, offset, index, bytes } as Line);
    }
    for (const name of FILES) {
      const own = lines.filter(({ file }) => file === name);
      writeFileSync(join(folder, name), own.map(({ bytes }) => `${bytes}\n`).join(""));
    }
    /** As a reader has them: what they are views of is used for others. */
    async function* gone(): AsyncGenerator<Line> {
      for (const line of lines) {
        const bytes = Buffer.from(line.bytes);
        yield { ...line, bytes };
        bytes.fill(0);
      }
    }
    for (const count of [1, 7, 20, 30, 100]) {
      const found: string[] = [];
      for await (const { index, bytes } of newest(folder, gone(), count)) {
        found.push(`${index} ${bytes}`);
      }
      const wanted = lines.slice(-count).map(({ index, file }) => `${index} ${text(file, index)}`);
      t.same(found, wanted, String(count));
    }
  },
);
