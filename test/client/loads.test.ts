import { execFile } from "node:child_process";
import { promisify } from "node:util";
import t from "tap";

const FORBIDDEN = [
  "level",
  "classic-level",
  "pg",
  "koffi",
  "pino",
  "zod",
  "prom-client",
  "yaml",
  "@peculiar/",
  "reflect-metadata",
  "commander",
  "@cedar-policy/",
];

t.test("importing the client loads nothing that only daemons need", async (t) => {
  // --cpu-prof and the like aside, the loader itself is the witness: every resolved URL, in a process of its own.
  const program = `
    import { registerHooks } from "node:module";
    const seen = new Set();
    registerHooks({ load(url, context, next) { seen.add(url); return next(url, context); } });
    await import(${JSON.stringify(new URL("../../client/index.ts", import.meta.url).href)});
    console.log(JSON.stringify([...seen]));`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--input-type=module",
    "-e",
    program,
  ]);
  const urls = JSON.parse(stdout) as string[];
  t.ok(
    urls.some((url) => url.includes("/node_modules/@grpc/grpc-js/")),
    "the witness sees packages",
  );
  for (const name of FORBIDDEN) {
    t.strictSame(
      urls.filter((url) => url.includes(`/node_modules/${name}`)),
      [],
      name,
    );
  }
  const folders = new Set(
    urls.map((url) => /\/(server|agent|cli)\//.exec(url.replace(/.*node_modules.*/, ""))?.[1]),
  );
  t.strictSame([...folders], [undefined]);
});
