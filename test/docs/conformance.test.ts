import { readFileSync } from "node:fs";
import t from "tap";
import { STANDARDS } from "../conformance/rows.ts";
import { sectionOf, tableRows } from "../support/markdown.ts";

const page = readFileSync(new URL("../../docs/conformance.md", import.meta.url), "utf8");

t.test(
  "docs/conformance.md has the standards, their numbers, and why rows are left out",
  async (t) => {
    t.same(
      tableRows(sectionOf(page, "## Rows")),
      STANDARDS.map(({ name, rows, notApplicable }) => {
        const left = Object.keys(notApplicable).length;
        const why = [...new Set(Object.values(notApplicable))].join("; ");
        return [name, rows.length + left, rows.length, left, why].map(String);
      }),
    );
  },
);

t.test("rows that it names exist, and are tested", async (t) => {
  const tested = new Set(STANDARDS.flatMap(({ rows }) => rows));
  const named = page.match(/\b(?:ID|X509|JWT|BND|EP|WL)-\d{2}\b/g) ?? [];
  t.ok(named.length > 20);
  for (const id of named) t.ok(tested.has(id), id);
});
