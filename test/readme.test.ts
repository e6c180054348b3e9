// README: its tour runs as it stands, against the real command; its lists are those of the code.
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import t from "tap";
import { ROWS } from "../cli/index.ts";
import { respell } from "../cli/spelling.ts";
import type { ReasonTable } from "../pki/errors.ts";
import { codeBlocks, relativeLinks, sectionOf, tableRows } from "./support/markdown.ts";
import { Terminal } from "./support/terminal.ts";

const root = new URL("..", import.meta.url).pathname;
t.setTimeout(400_000);
const readme = readFileSync(join(root, "README.md"), "utf8");
const PAGES = [
  "README.md",
  "SECURITY.md",
  "CHANGELOG.md",
  ...globSync("docs/**/*.md", { cwd: root }),
];

/** What a block of output stands for: "…" is any text, and other lines may come between. */
function patternOf(text: string): RegExp {
  const lines = text.trimEnd().split("\n");
  const quoted = lines.map((line) =>
    line
      .split("…")
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join("[^\n]*"),
  );
  return new RegExp(quoted.map((line) => `^${line}`).join("(?:[^\n]*\n)+?"), "m");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

t.test("the tour runs as it is written", { timeout: 390_000 }, async (t) => {
  const home = mkdtempSync(join(tmpdir(), "signet-"));
  const options = {
    cwd: root,
    env: { PATH: process.env["PATH"], HOME: home, PORT: String(await freePort()) },
  };
  const terminals = new Map<string, Terminal>();
  const main = new Terminal(options);
  t.teardown(async () => {
    for (const terminal of [...terminals.values(), main]) await terminal.close();
    rmSync(home, { recursive: true });
  });

  let setup = "";
  let printed = "";
  let waiting: Terminal | undefined;
  for (const { info, code } of codeBlocks(sectionOf(readme, "## Five minutes"))) {
    const [language, what = "", name = ""] = info.split(" ");
    if (language === "ts") {
      t.equal(code, readFileSync(join(root, what), "utf8"), `${what} stands in it word for word`);
    } else if (language === "text" && what === "in") {
      await terminals.get(name)?.until(patternOf(code));
    } else if (language === "text" && waiting !== undefined) {
      await waiting.until(patternOf(code));
      waiting = undefined;
    } else if (language === "text") {
      t.match(printed, patternOf(code));
    } else if (what === "setup") {
      setup += code;
      t.equal((await main.run(code)).code, 0);
    } else if (what === "terminal") {
      await terminals.get(name)?.close();
      waiting = new Terminal(options);
      terminals.set(name, waiting);
      waiting.type(setup + code);
    } else {
      const result = await main.run(what === "fails" ? code : `set -e\n${code}\nset +e`);
      printed = result.output;
      t.equal(result.code === 0, what !== "fails", `${code}\n${printed}`);
    }
  }
});

t.test("the code of the client library stands in it word for word", async (t) => {
  for (const { info, code } of codeBlocks(sectionOf(readme, "## Client library"))) {
    const [language, file = ""] = info.split(" ");
    t.equal(language, "ts");
    t.equal(code, readFileSync(join(root, file), "utf8"));
  }
});

t.test("every command is in its table, with what the command says of itself", async (t) => {
  t.same(
    tableRows(sectionOf(readme, "## Commands")),
    ROWS.map(({ name, summary }) => [`\`signet ${name}\``, summary]),
  );
});

t.test("every reason stands in one table only, in the code and here", async (t) => {
  const seen = new Map<string, string>();
  const section = sectionOf(readme, "## Reasons");
  for (const file of globSync("*/errors.ts", { cwd: root, exclude: ["dist/**"] })) {
    const folder = dirname(file);
    const { REASONS } = (await import(join(root, file))) as { REASONS: ReasonTable };
    for (const reason of Object.keys(REASONS)) {
      t.equal(seen.get(reason), undefined, `${reason} is a reason of ${folder} alone`);
      seen.set(reason, folder);
    }
    const rows = tableRows(sectionOf(section, `### ${folder}`));
    t.same(
      rows.map(([reason, status]) => [reason, status]),
      Object.entries(REASONS)
        .map(([reason, status]) => [`\`${reason}\``, upper(status)])
        .toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1)),
      folder,
    );
    for (const [reason = "", , meaning = ""] of rows) t.match(meaning, /\w+.*\.$/, reason);
  }
  t.equal(tableRows(section).length, seen.size);
});

/** "notFound" as gRPC writes it: "NOT_FOUND". */
function upper(status: string): string {
  return status.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

t.test("links lead somewhere", async (t) => {
  for (const page of PAGES) {
    for (const link of relativeLinks(readFileSync(join(root, page), "utf8"))) {
      t.ok(existsSync(join(root, dirname(page), link)), `${page}: ${link}`);
    }
  }
});

t.test("every command in a code block of a page exists, with its flags", async (t) => {
  for (const page of PAGES) {
    const blocks = codeBlocks(readFileSync(join(root, page), "utf8"));
    const lines = blocks
      .filter(({ info }) => info.startsWith("sh"))
      .flatMap(({ code }) => code.replaceAll("\\\n", " ").split("\n"))
      .flatMap((line) => line.match(/(?<![\w/-])signet [^|>#)]*/g) ?? []);
    for (const line of lines) {
      const words = line.trim().split(/\s+/).slice(1);
      const row = ROWS.filter(({ name }) => `${words.join(" ")} `.startsWith(`${name} `)).at(-1);
      if (row === undefined) {
        t.fail(`${page}: there is no command in "${line}"`);
        continue;
      }
      const { flags } = await row.load();
      const known = new Set([...flags.map(({ name }) => `--${name}`), "--output", "--help"]);
      const own = words.slice(0, words.includes("--") ? words.indexOf("--") : undefined);
      for (const word of respell(own, flags).filter((each) => each.startsWith("--"))) {
        t.ok(known.has(word.split("=", 1)[0] ?? ""), `${page}: ${word} in "${line}"`);
      }
    }
  }
});
