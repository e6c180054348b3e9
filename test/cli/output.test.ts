import t from "tap";
import {
  formatError,
  formatMoment,
  formatRecord,
  formatTable,
  outputTo,
} from "../../cli/output.ts";
import { IdentityError, Status } from "../../pki/errors.ts";

const ESCAPE = String.fromCharCode(27);

t.test("a table has aligned columns and no trailing spaces", async (t) => {
  const text = formatTable(
    ["ID", "NAME"],
    [
      ["1", "a"],
      ["100", "bb"],
    ],
  );
  t.equal(text, "ID   NAME\n1    a\n100  bb");
});

t.test("values cannot move the cursor or turn text around", async (t) => {
  const evil = `x${ESCAPE}[2J\ny${String.fromCharCode(0x202e)}`;
  t.equal(formatTable(["A"], [[evil]]), "A\nx\\u001b[2J\\u000ay\\u202e");
  const error = new IdentityError("X", Status.notFound, `no "${ESCAPE}[31m"`, { hint: ESCAPE });
  t.notOk(formatError(error).includes(ESCAPE));
});

t.test("neither JSON nor remarks nor unexpected errors move the cursor", async (t) => {
  // U+009B starts a sequence like ESC [ does; JSON.stringify leaves it as it is.
  const evil = `${String.fromCharCode(0x9b)}2J${String.fromCharCode(0x202e)}`;
  const written: string[] = [];
  const streams = {
    out: (text: string) => void written.push(text),
    err: (text: string) => void written.push(text),
  };
  const output = outputTo("json", streams);
  output.show({ hint: evil }, () => "");
  t.strictSame(JSON.parse(written.join("")), { hint: evil }, "it is still the same value");
  output.note(`first\n${evil}`);
  t.match(written.at(-1), /first\n\\u009b2J/);
  written.push(formatError(new Error(evil)));
  for (const text of written)
    t.notOk(text.includes(evil.slice(0, 1)) || text.includes(evil.slice(-1)));
});

t.test("a record indents further lines", async (t) => {
  t.equal(formatRecord([["Name", "a\nb"]]), "Name  a\n      b");
});

t.test("an error is its message, its reason and its hint", async (t) => {
  const error = new IdentityError("ENTRY_NOT_FOUND", Status.notFound, "no entry", { hint: "look" });
  t.equal(formatError(error), "error: no entry (ENTRY_NOT_FOUND)\nhint: look");
  t.match(formatError(new Error("broken")), /^error: unexpected: Error: broken/);
});

t.test("moments are read by people everywhere", async (t) => {
  t.equal(formatMoment(0), "never");
  t.equal(formatMoment(1_800_000_000), "2027-01-15T08:00:00Z");
  t.equal(formatMoment(Number.MAX_SAFE_INTEGER), String(Number.MAX_SAFE_INTEGER));
});

t.test("an error of several lines has its reason on the first", async (t) => {
  const error = new IdentityError("CONFIG_INVALID", Status.invalidArgument, "2 problems\n  a\n  b");
  t.equal(formatError(error), "error: 2 problems (CONFIG_INVALID)\n  a\n  b");
});
