// Test files of one folder, one after the other in one process: to start a process and to load the test
// runner and the product into it takes longer than most files themselves. Each still runs alone.
import { globSync } from "node:fs";
import { join } from "node:path";
import t from "tap";

const root = join(import.meta.dirname, "..");

/** Runs every test file below these folders of test/; a file is loaded once the tests of the last one are done. */
export function together(...folders: string[]): void {
  const files = folders.flatMap((folder) =>
    globSync(`${folder}/**/*.test.ts`, { cwd: root }).sort(),
  );
  const load = (index: number): void => {
    const file = files[index];
    if (file === undefined) return;
    t.test(`test/${file}`, async (t) => {
      await import(`../${file}`).finally(() => load(index + 1));
      t.pass("is loaded");
    });
  };
  load(0);
}
