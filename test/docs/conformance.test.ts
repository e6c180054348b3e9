// docs/conformance.md and its pages: every row of the standards once, with a demand and the test that
// holds it; the sums here and in README are those that `npm run conformance` counts by.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { rowsOf, STANDARDS } from "../conformance/rows.ts";
import { sectionOf, tableRows } from "../support/markdown.ts";

const root = new URL("../..", import.meta.url).pathname;
const textOf = (file: string): string => readFileSync(join(root, file), "utf8");
const page = textOf("docs/conformance.md");
const LEFT_OUT = "comes with the Broker API";
const LEVELS = ["MUST", "SHOULD", "MAY"].flatMap((level) => [level, `${level}*`]);
const ROLES = "all issuer agent validator client bes bec bks bkc".split(" ");

const tested = new Set(STANDARDS.flatMap(({ rows }) => rows));
const leftOut = new Set(STANDARDS.flatMap(({ notApplicable }) => Object.keys(notApplicable)));
const lines = globSync("docs/conformance/*.md", { cwd: root })
  .flatMap((file) => tableRows(textOf(file)).map((cells) => ({ file, cells })))
  .map(({ file, cells: [id = "", level = "", binds = "", demand = "", held = ""] }) => {
    return { file, id, level, binds: binds.split(", "), demand, held };
  });

t.test("the front page has the standards, their numbers, and why rows are left out", async (t) => {
  t.same(
    tableRows(sectionOf(page, "## Rows")).map((cells) =>
      cells.map((cell) => cell.replace(/^\[(.*)\]\(.*\)$/, "$1")),
    ),
    STANDARDS.map(({ name, rows, notApplicable }) => {
      const left = Object.keys(notApplicable).length;
      const why = [...new Set(Object.values(notApplicable))].join("; ");
      return [name, rows.length + left, rows.length, left, why].map(String);
    }),
  );
});

t.test("every row stands on one page, once, and no other", async (t) => {
  t.strictSame(lines.map(({ id }) => id).sort(), [...tested, ...leftOut].sort());
});

t.test("every row says its level, whom it binds, and its demand", async (t) => {
  for (const { id, level, binds, demand } of lines) {
    t.ok(LEVELS.includes(level), `${id}: ${level}`);
    for (const role of binds) t.ok(ROLES.includes(role), `${id}: ${role}`);
    t.match(demand, /^\S.{10,180}\.$/, id);
  }
});

t.test("the tests that a row names hold it", async (t) => {
  for (const { id, held } of lines.filter((line) => tested.has(line.id))) {
    const names = held.match(/`[^`]+`/g)?.map((name) => name.slice(1, -1)) ?? [];
    t.ok(names.length > 0, `${id} names a test`);
    for (const name of names) {
      const titles = textOf(`test/conformance/${name}`).matchAll(/["`]((?:\\.|[^"`\n])*)["`]/g);
      const holds = [...titles].some(([, title = ""]) => rowsOf(`${title} `).includes(id));
      t.ok(holds, `${id} is in ${name}`);
    }
  }
});

t.test("rows are left out only where they bind the parties of the Broker API alone", async (t) => {
  t.ok(leftOut.size > 0);
  for (const { id, binds, held } of lines.filter((line) => leftOut.has(line.id))) {
    t.match(id, /^BR[EK]-/, id);
    t.ok(
      binds.every((role) => role === "bks" || role === "bkc"),
      `${id} binds ${binds}`,
    );
    t.equal(held, LEFT_OUT, id);
  }
});

t.test("README says how many rows pass", async (t) => {
  t.match(textOf("README.md"), `${tested.size} of ${tested.size} rows`);
  t.match(page, `${tested.size + leftOut.size} rows`);
});

t.test("rows that the front page names exist, and are tested", async (t) => {
  const named = page.match(/\b(?:ID|X509|JWT|WIT|BND|FED|EP|WL|STB|BRK)-\d{2}\b/g) ?? [];
  t.ok(named.length > 20);
  for (const id of named) t.ok(tested.has(id), id);
});
