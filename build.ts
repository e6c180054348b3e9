// Emits dist/: JavaScript and declarations of the product's folders, for publishing. Node strips no
// types below node_modules, so the package's bin and exports point there.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, globSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

const root = import.meta.dirname;
rmSync(join(root, "dist"), { recursive: true, force: true });

const { status } = spawnSync(
  join(root, "node_modules/.bin/tsc"),
  ["--noEmit", "false", "--outDir", "dist", "--project", "tsconfig.build.json"],
  { cwd: root, stdio: "inherit" },
);
if (status !== 0) process.exit(status ?? 1);

for (const file of globSync("proto/**/*.proto", { cwd: root })) {
  cpSync(
    join(root, file),
    join(root, "dist", dirname(file), file.slice(file.lastIndexOf("/") + 1)),
  );
}
chmodSync(join(root, "dist/cli/index.js"), 0o755);
