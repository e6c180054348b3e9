// A file that declares an AI agent and its processes, with the processes that a person has: `signet up`, the
// command, a program in a task. What the file says is so; when the AI agent is ended, so is all it had.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { type Finished, signet, startUp } from "../support/signet.ts";
import { eventually } from "../support/trust-domain.ts";

const CLI = new URL("../../cli/index.ts", import.meta.url).pathname;
const ID = "spiffe://north.test/agent/researcher";
const soon = <T>(attempt: () => Promise<T>): Promise<T> => eventually(attempt, 30_000);

const declared = (parentId: string, actions: string): string => `
apiVersion: signet/v1
kind: AiAgent
metadata: { owner: "team:support" }
spec:
  spiffe_id: ${ID}
  purpose: answers tickets
  environment: production
  valid_until: 2099-01-01
  task_classes: [read-only]
  ceiling: { locations: any, actions: [${actions}] }
---
apiVersion: signet/v1
kind: Entry
metadata: { owner: "team:support" }
spec:
  spiffe_id: ${ID}
  parent_id: ${parentId}
  selectors: ["unix:uid:${process.getuid?.()}"]
`;

t.test("from a file to a task, and to its end", { timeout: 120_000 }, async (t) => {
  const up = await startUp();
  t.teardown(() => up.stop());
  const env = {
    ...process.env,
    SIGNET_ADMIN_SOCKET: up.adminSocket,
    SPIFFE_ENDPOINT_SOCKET: `unix://${up.agentSocket}`,
  };
  const run = (...args: string[]): Promise<Finished> => signet(args, { env });
  const { agents } = JSON.parse(await up.admin("agent", "list", "--output", "json")) as {
    agents: { id: { trustDomain: string; path: string } }[];
  };
  const parentId = `spiffe://north.test${agents[0]?.id.path}`;
  const file = join(up.dir, "identities.yaml");

  t.comment("1. what is declared is shown, made so, and then there is nothing to change");
  writeFileSync(file, declared(parentId, "tools/read/**"));
  t.match(await up.admin("apply", "-f", file, "--dry-run"), /2 to create/);
  t.match(await up.admin("apply", "-f", file), /2 created/);
  t.match(await up.admin("apply", "-f", file), /nothing to change: 2 objects are as declared/);
  await soon(async () => {
    const { status, stderr } = await run("api", "fetch", "x509");
    if (status !== 0) throw new Error(stderr);
  });

  t.comment("2. a program runs in a task of the AI agent");
  const work = ["task", "run", "--class", "read-only", "--purpose", "triage", "--grace", "1s"];
  const child = spawn(process.execPath, [CLI, ...work, "--", "sleep", "60"], {
    env: { ...env, NODE_OPTIONS: undefined },
    stdio: "ignore",
  });
  t.teardown(() => child.kill("SIGKILL"));
  await soon(async () => {
    const shown = await up.admin("ai-agent", "show", ID);
    if (!/Open tasks +1/.test(shown)) throw new Error(shown);
  });

  t.comment("3. disabled: the task ends, the SVIDs go, and come back");
  await up.admin("ai-agent", "disable", ID, "--reason", "misbehaves");
  t.match(
    await up.admin("ai-agent", "show", ID),
    /State +disabled: misbehaves\n.*Open tasks +0\n/s,
  );
  await exited(child);
  t.match(await up.admin("task", "list", "--all"), / revoked /);
  await soon(async () => {
    const { status } = await run("api", "fetch", "x509");
    if (status === 0) throw new Error("it still has one");
  });
  t.match(await up.admin("apply", "-f", file), /nothing to change/, "a file does not enable it");
  await up.admin("ai-agent", "enable", ID);
  await soon(async () => {
    const { status, stderr } = await run("api", "fetch", "x509");
    if (status !== 0) throw new Error(stderr);
  });

  t.comment("4. a change is shown by field; what is declared no more goes");
  writeFileSync(file, declared(parentId, "tools/read/*"));
  const changed = await up.admin("apply", "-f", file);
  t.match(changed, /ceiling\.actions: \["tools\/read\/\*\*"\] -> \["tools\/read\/\*"\]/);
  writeFileSync(file, "# nothing any more\n");
  t.match(await up.admin("apply", "-f", file, "--prune"), /2 deleted/);
  t.match(await up.admin("ai-agent", "list"), /no AI agents/);
  await soon(async () => {
    const { status } = await run("api", "fetch", "x509");
    if (status === 0) throw new Error("it still has one");
  });
});

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}
