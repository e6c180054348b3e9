// The package as it is published: packed, installed into an empty folder, run and imported there.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { run } from "../support/signet.ts";
import { buildDir } from "./readers.ts";

const root = new URL("../..", import.meta.url).pathname;
/** What a workload must not load to import the client. */
const NOT_FOR_CLIENTS = [
  "level",
  "classic-level",
  "pg",
  "koffi",
  "pino",
  "zod",
  "yaml",
  "@peculiar",
];

t.test("the packed tarball, installed in an empty folder", async (t) => {
  const dir = buildDir(t);
  const built = await run("npm", ["run", "build"], { cwd: root });
  t.equal(built.status, 0, built.stderr + built.stdout);
  const packed = await run(
    "npm",
    ["pack", "--json", "--ignore-scripts", "--pack-destination", dir],
    { cwd: root },
  );
  t.equal(packed.status, 0, packed.stderr);
  const listed = JSON.parse(packed.stdout) as unknown;
  const entry = (Array.isArray(listed) ? listed[0] : Object.values(listed as object)[0]) as {
    filename: string;
    files: { path: string }[];
  };
  t.notOk(
    entry.files.some(({ path }) => path.startsWith("test/") || path.endsWith("build.ts")),
    "holds no tests",
  );
  const home = join(dir, "home");
  mkdirSync(home);
  writeFileSync(join(home, "package.json"), JSON.stringify({ type: "module", private: true }));
  const tarball = join(dir, entry.filename);
  const installed = await run("npm", ["install", "--no-audit", "--no-fund", tarball], {
    cwd: home,
  });
  t.equal(installed.status, 0, installed.stderr);

  await t.test("runs signet --help", async (t) => {
    const help = await run(process.execPath, ["node_modules/.bin/signet", "--help"], { cwd: home });
    t.equal(help.status, 0, help.stderr);
    t.match(help.stdout, /server/);
  });

  await t.test("imports ./client without loading what only servers and agents need", async (t) => {
    writeFileSync(
      join(home, "load.js"),
      `import { registerHooks } from "node:module";
const loaded = [];
registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
const client = await import("@signet-identity/signet/client");
console.log(JSON.stringify({ exports: Object.keys(client), loaded }));
`,
    );
    const result = await run(process.execPath, ["load.js"], { cwd: home });
    t.equal(result.status, 0, result.stderr);
    const { exports, loaded } = JSON.parse(result.stdout) as {
      exports: string[];
      loaded: string[];
    };
    t.ok(exports.includes("X509Source"));
    t.ok(loaded.length > 10, "the list of what was loaded is not empty");
    for (const name of NOT_FOR_CLIENTS) {
      t.notOk(
        loaded.some((url) => url.includes(`/node_modules/${name}/`)),
        `${name} is not loaded`,
      );
    }
  });
});
