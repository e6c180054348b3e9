// Counts rows: reads what the test files of this folder print (TAP), and says of every row of the
// standards whether it passed, failed or has no test. Who runs the files is run.ts.
import { rowsOf, type Standard } from "./rows.ts";

/** A row is held by an accept and a reject case: a test with fewer assertions does not count. */
const LEAST_ASSERTIONS = 2;
const TOO_FEW = "too few assertions";

/** A result at the outermost level of a test file. */
const RESULT = /^(not ok|ok) \d+(?: - (.*?))?(?: # time=\S+| # (SKIP|TODO).*)?(?: \{)?$/;
/** An assertion directly in such a test. */
const ASSERTION = /^ {4}(?:not ok|ok) \d+/;

export class Tally {
  readonly #standards: readonly Standard[];
  readonly #known: ReadonlySet<string>;
  readonly #passed = new Set<string>();
  readonly #failed = new Set<string>();
  /** One line for each thing that is wrong. */
  readonly #failures: string[] = [];

  constructor(standards: readonly Standard[]) {
    this.#standards = standards;
    this.#known = new Set(standards.flatMap(({ rows }) => rows));
  }

  /** Takes over what a test file has printed, and how it ended: null when it was killed. */
  add(file: string, output: string, exitCode: number | null): void {
    let assertions = 0;
    for (const line of output.split("\n")) {
      if (ASSERTION.test(line)) {
        if (!/ # (SKIP|TODO)\b/.test(line)) assertions += 1;
        continue;
      }
      const [whole, verdict, title = "", directive] = RESULT.exec(line) ?? [];
      if (whole === undefined) continue;
      this.#addTest(file, title, problemOf(verdict === "ok", directive, assertions));
      assertions = 0;
    }
    // A file that crashes has lost tests without saying which: other tests of the same rows hide it.
    if (exitCode !== 0) this.#failures.push(`${file} ended with ${exitCode ?? "a signal"}`);
  }

  /** The table, what is wrong line by line, and whether nothing is. */
  report(): { readonly text: string; readonly isComplete: boolean } {
    const table: (string | number)[][] = [];
    const missing: string[] = [];
    for (const { name, rows, notApplicable } of this.#standards) {
      const failed = rows.filter((id) => this.#failed.has(id)).length;
      const passed = rows.filter((id) => this.#passed.has(id) && !this.#failed.has(id)).length;
      const without = rows.filter((id) => !this.#passed.has(id) && !this.#failed.has(id));
      missing.push(...without);
      const left = Object.keys(notApplicable).length;
      table.push([name, rows.length + left, passed, failed, without.length, left]);
    }
    const problems = [...this.#failures, ...missing.map((id) => `no test: ${id}`)];
    const text = [...layOut(table), ...problems].map((line) => `${line}\n`).join("");
    return { text, isComplete: problems.length === 0 };
  }

  #addTest(file: string, title: string, problem: string | undefined): void {
    const rows = rowsOf(title);
    if (rows.length === 0 && problem === TOO_FEW) return;
    for (const id of rows) {
      if (!this.#known.has(id)) this.#failures.push(`${file}: no row ${id}: ${title}`);
      (problem === undefined ? this.#passed : this.#failed).add(id);
    }
    if (problem !== undefined) this.#failures.push(`${problem}: ${title || file}`);
  }
}

/** Why a test does not count; undefined when it does. */
function problemOf(
  isOk: boolean,
  directive: string | undefined,
  assertions: number,
): string | undefined {
  if (directive !== undefined) return directive === "SKIP" ? "skipped" : "to do";
  if (!isOk) return "failed";
  return assertions < LEAST_ASSERTIONS ? TOO_FEW : undefined;
}

/** The table with a heading and sums, in columns. */
function layOut(table: readonly (readonly (string | number)[])[]): string[] {
  const heading = ["standard", "rows", "passed", "failed", "no test", "not applicable"];
  const sums = heading.map((_, column) =>
    column === 0 ? "total" : table.reduce((sum, row) => sum + Number(row[column]), 0),
  );
  const rows = [heading, ...table, sums].map((row) => row.map(String));
  const widths = heading.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  "),
  );
}
