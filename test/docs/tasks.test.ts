// docs/tasks.md: its tour and its programs run as they stand, against the real thing.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { TaskState } from "../../proto/schema.gen.ts";
import { codeBlocks, sectionOf, tableRows } from "../support/markdown.ts";
import { run } from "../support/signet.ts";
import { Terminal } from "../support/terminal.ts";

const root = new URL("../..", import.meta.url).pathname;
const client = new URL("../../client/index.ts", import.meta.url).href;
const page = readFileSync(join(root, "docs/tasks.md"), "utf8");

t.test(
  "the tour and the programs of docs/tasks.md run as they stand",
  { timeout: 60_000 },
  async (t) => {
    const home = mkdtempSync(join(tmpdir(), "tour-"));
    const path = `${root}bin:${root}node_modules/.bin:${process.env["PATH"]}`;
    const options = { cwd: home, env: { PATH: path, HOME: home } };
    const [up, main] = [new Terminal(options), new Terminal(options)];
    t.teardown(async () => {
      await main.close();
      await up.close();
      rmSync(home, { recursive: true });
    });
    let printed = "";
    for (const { info, code } of codeBlocks(sectionOf(page, "## Five minutes"))) {
      if (info === "sh terminal") {
        up.type(code);
        await up.until(/^Ready/m);
      } else if (info === "sh") {
        const result = await main.run(`set -e\n${code}\nset +e`);
        t.equal(result.code, 0, `${code}\n${result.output}`);
        printed = result.output;
      } else {
        const text = code
          .trim()
          .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
          .replaceAll("…", ".*");
        t.match(printed, new RegExp(text));
      }
    }

    const blocks = codeBlocks(page).filter(({ info }) => info === "ts");
    t.equal(blocks.length, 2);
    const end = "\nserver.close(); tasks.close(); source.close();\n";
    for (const [i, { code }] of blocks.entries()) {
      const file = join(home, `block-${i}.mjs`);
      const program = code.replaceAll("@signet-identity/signet/client", client);
      writeFileSync(file, i === 1 ? program + end : program);
      const env = { PATH: path, SPIFFE_ENDPOINT_SOCKET: `unix://${home}/dev/agent.sock` };
      const done = await run(process.execPath, [file], { env });
      t.equal(done.status, 0, `${code}\n${done.stderr}`);
      if (i === 0) {
        t.match(done.stdout, /^spiffe:\/\/example\.test\/agent\/researcher\/task\/\w{26} until 20/);
      }
    }
    const list = await main.run("signet task list --all --output json");
    const { tasks } = JSON.parse(list.output) as { tasks: { state: string }[] };
    t.strictSame(
      tasks.map(({ state }) => state),
      ["COMPLETED", "COMPLETED"],
    );
  },
);

t.test("every state stands in the table of states", async (t) => {
  const named = tableRows(sectionOf(page, "## States")).flatMap(([states = ""]) =>
    states.split(", "),
  );
  const all = Object.keys(TaskState).filter((name) => name !== "TASK_STATE_UNSPECIFIED");
  t.strictSame(named.sort(), all.sort());
});
