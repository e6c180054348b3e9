// The version of this program, from the package.json it came with.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Such as "0.1.0". */
export function readVersion(): string {
  // cli/ in a checkout, dist/cli/ in the package.
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    try {
      const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
        version?: string;
      };
      if (version !== undefined) return version;
    } catch {
      if (folder === dirname(folder)) return "unknown"; // no package.json up to the root
    }
  }
}
