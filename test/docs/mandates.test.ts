// docs/mandates.md against the code: the table of attempts, and the example of a mandate.
import { readFileSync } from "node:fs";
import t from "tap";
import { parseJson } from "../../pki/json.ts";
import { mandateFromJson, mandateToJson } from "../../policy/authorization-details.ts";
import { MAX_SET_VALUES } from "../../policy/mandate.ts";
import { ESCALATION_KINDS } from "../../server/tasks/escalation-kinds.ts";
import { EVENTS_PER_MINUTE } from "../../server/tasks/event-allowance.ts";
import { codeBlocks, sectionOf, tableRows } from "../support/markdown.ts";

const page = readFileSync(new URL("../../docs/mandates.md", import.meta.url), "utf8");

t.test("the table of attempts is the table of the code", async (t) => {
  const rows = tableRows(sectionOf(page, "## Attempts to get more"));
  t.same(
    rows.map(([kind, severity, reaction]) => [kind, severity, reaction]),
    Object.entries(ESCALATION_KINDS).map(([kind, { severity, reaction }]) => [
      `\`${kind}\``,
      severity,
      reaction,
    ]),
  );
  t.equal(EVENTS_PER_MINUTE, 10, "as the page says");
});

t.test("the example is a mandate, in the form in which it is written", async (t) => {
  const [example = ""] = codeBlocks(page).map(({ code }) => code);
  const json = parseJson(example);
  t.same(mandateToJson(mandateFromJson(json)), JSON.parse(example));
  t.match(page, `at most ${MAX_SET_VALUES} values`);
});
