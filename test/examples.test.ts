// Every example is run by something: `npm start` and `npm run demo:tasks`, which take too long for these
// tests and are steps of their own in .ci/run, or the tour of README, which test/readme.test.ts runs.
import { readdirSync, readFileSync } from "node:fs";
import t from "tap";
import { codeBlocks, sectionOf } from "./support/markdown.ts";

const root = new URL("..", import.meta.url).pathname;
const read = (file: string): string => readFileSync(`${root}${file}`, "utf8");

t.test("every example is run", async (t) => {
  const { scripts } = JSON.parse(read("package.json")) as {
    scripts: { start: string; "demo:tasks": string };
  };
  const tour = codeBlocks(sectionOf(read("README.md"), "## Five minutes"))
    .filter(({ info }) => info.startsWith("sh"))
    .map(({ code }) => code)
    .join("\n");
  const run = `${scripts.start}\n${scripts["demo:tasks"]}\n${tour}`;
  for (const found of readdirSync(`${root}examples`, { withFileTypes: true })) {
    if (found.isDirectory()) t.match(run, `node examples/${found.name}/`);
  }
  t.match(read(".ci/run"), /^npm start$/m);
  t.match(read(".ci/run"), /^npm run demo:tasks$/m);
});
