// What makes a row count: how the runner of this folder reads results. (No row of a standard itself.)
import t from "tap";
import { rowsOf, type Standard } from "./rows.ts";
import { Tally } from "./tally.ts";

const standards: Standard[] = [
  { name: "One", prefix: "ONE", rows: ["ONE-01", "ONE-02"], notApplicable: { "ONE-03": "why" } },
  { name: "Other", prefix: "OTHER", rows: ["OTHER-01"], notApplicable: {} },
];

/** A test as tap prints it. */
const printed = (title: string, { verdict = "ok", assertions = 2, end = " # time=1.2ms" } = {}) =>
  [
    `# Subtest: ${title}`,
    ...Array.from({ length: assertions }, (_, i) => `    ok ${i + 1} - should be equal`),
    `    1..${assertions}`,
    `${verdict} 1 - ${title}${end}`,
    "",
  ].join("\n");
const good = printed("ONE-01, ONE-02 both") + printed("OTHER-01 it");

function reportOf(output: string, exitCode: number | null = 0) {
  const tally = new Tally(standards);
  tally.add("a.test.ts", output, exitCode);
  return tally.report();
}

t.test("reads the rows at the head of a title", async (t) => {
  t.same(rowsOf("X509-03 rejects EP-06"), ["X509-03"]);
  t.same(rowsOf("EP-06, EP-07 refuse"), ["EP-06", "EP-07"]);
  t.same(rowsOf("without any, as EP-06 is not"), []);
});

t.test("is complete when every row has passed", async (t) => {
  const { text, isComplete } = reportOf(good);
  t.ok(isComplete);
  t.equal(
    text,
    [
      "standard  rows  passed  failed  no test  not applicable",
      "One          3       2       0        0               1",
      "Other        1       1       0        0               0",
      "total        4       3       0        0               1",
      "",
    ].join("\n"),
  );
});

const INCOMPLETE: [what: string, output: string, line: string][] = [
  ["a row without test", printed("ONE-01, ONE-02 both"), "no test: OTHER-01"],
  [
    "a test that failed",
    good + printed("ONE-02 more", { verdict: "not ok" }),
    "failed: ONE-02 more",
  ],
  ["a test that was skipped", good + printed("ONE-02 x", { end: " # SKIP" }), "skipped: ONE-02 x"],
  ["a test to do", good + printed("ONE-02 x", { end: " # TODO later" }), "to do: ONE-02 x"],
  ["an empty test", good + printed("ONE-02 x", { assertions: 0 }), "too few assertions: ONE-02 x"],
  [
    "an accept case alone",
    good + printed("ONE-02 x", { assertions: 1 }),
    "too few assertions: ONE-02 x",
  ],
  ["a row that there is not", good + printed("ONE-77 x"), "a.test.ts: no row ONE-77: ONE-77 x"],
];

for (const [what, output, line] of INCOMPLETE) {
  t.test(`is not complete with ${what}, and says so`, async (t) => {
    const { text, isComplete } = reportOf(output);
    t.notOk(isComplete);
    t.ok(text.split("\n").includes(line), text);
  });
}

t.test("skipped assertions count for nothing", async (t) => {
  const output = good.replaceAll("should be equal", "x # SKIP");
  t.notOk(reportOf(output).isComplete);
  t.match(reportOf(output).text, /too few assertions/);
});

t.test("a failure stays one, whatever another test of the row says", async (t) => {
  const tally = new Tally(standards);
  tally.add("a.test.ts", printed("ONE-01 x", { verdict: "not ok" }), 1);
  tally.add("b.test.ts", good, 0);
  const { text, isComplete } = tally.report();
  t.notOk(isComplete);
  t.match(text, /^One +3 +1 +1 +0 +1$/m);
});

t.test("a file that crashes is a failure, even when its rows passed elsewhere", async (t) => {
  for (const exitCode of [1, null]) t.notOk(reportOf(good, exitCode).isComplete);
  t.match(reportOf(good, 7).text, /^a\.test\.ts ended with 7$/m);
  t.match(reportOf(good, null).text, /^a\.test\.ts ended with a signal$/m);
});
