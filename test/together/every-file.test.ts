// No test file is forgotten: each runs in a process of its own, or in one of the rooms beside this file.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parse } from "yaml";

const root = join(import.meta.dirname, "../..");
const files = (pattern: string): string[] => globSync(pattern, { cwd: root });

t.test("every test file is run, and run once", async (t) => {
  const { include } = parse(readFileSync(join(root, ".taprc"), "utf8")) as { include: string[] };
  const runs = include.flatMap(files);
  for (const room of files("test/together/*.test.ts")) {
    const [, folders = ""] =
      /^together\(([^)]*)\);$/m.exec(readFileSync(join(root, room), "utf8")) ?? [];
    for (const [, folder] of folders.matchAll(/"([^"]+)"/g)) {
      runs.push(...files(`test/${folder}/**/*.test.ts`));
    }
  }
  t.same(
    runs.sort(),
    files("test/**/*.test.ts")
      .filter((f) => !f.startsWith("test/interop/"))
      .sort(),
  );
});
