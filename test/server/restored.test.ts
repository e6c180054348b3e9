// A store that was put back from a copy: what ended since does not go on, whoever it is that notices, and
// nothing of before is taken for something of now.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { parseJwks } from "../../pki/token/jwks.ts";
import { TokenStatus } from "../../pki/token/status-list.ts";
import { validateStatusListToken } from "../../pki/token/status-list-token.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import {
  NodeTasksService,
  RegistryService,
  type signet,
  TaskControlService,
  TaskState,
} from "../../proto/schema.gen.ts";
import { systemClock } from "../../runtime/clock.ts";
import { parseConfig } from "../../runtime/config.ts";
import { createLogger } from "../../runtime/log.ts";
import { serverConfigSchema } from "../../server/config.ts";
import { markRestored } from "../../server/main/restored.ts";
import { type TestAgent, TestServer } from "../support/running-server.ts";
import { readLines } from "../support/test-audit.ts";
import { TestLink } from "../support/test-link.ts";

type Task = signet.task.v1.Task;

const ISSUER = "http://127.0.0.1:9876";
const CONFIG = `oauth: { issuer: "${ISSUER}", address: 127.0.0.1, port: 0, http: true }`;
const RESTORED = "restored from a backup";

/** A folder of a server, what lies beside it, and a node agent with an AI agent. */
class Site {
  readonly base: string;
  readonly dir: string;
  readonly log: string[] = [];
  server!: TestServer;
  agent!: TestAgent;
  #entryIds: string[] = [];

  constructor(t: Test) {
    this.base = mkdtempSync(join(tmpdir(), "signet-"));
    this.dir = join(this.base, "data");
    t.teardown(async () => {
      await this.server.stop();
      rmSync(this.base, { recursive: true, force: true });
    });
  }

  async start(config = ""): Promise<void> {
    const log = createLogger({
      level: "warn",
      destination: { write: (line: string) => void this.log.push(line) },
    });
    this.server = await TestServer.start({ dir: this.dir, config: `${CONFIG}\n${config}`, log });
  }

  static async started(t: Test, config = ""): Promise<Site> {
    const site = new Site(t);
    await site.start(config);
    site.agent = await site.server.attest();
    const parent = { trustDomain: "north.test", path: site.agent.svid.id.path };
    const { aiAgent } = await site.server.admin.client(RegistryService).createAiAgent({
      aiAgent: {
        spiffeId: "spiffe://north.test/ai/one",
        owner: "team:test",
        purpose: "tests",
        environment: "test",
        validUntil: Math.floor(Date.now() / 1000) + 86_400,
        ceiling: {
          locations: { any: true },
          actions: { values: ["tools/**"] },
          datatypes: { any: true },
          environment: { values: ["test"] },
        },
        taskClasses: ["standard"],
      },
      entry: {
        spiffeId: { trustDomain: "north.test", path: "/ai/one" },
        parentId: parent,
        selectors: [{ type: "test", value: "a" }],
      },
    });
    site.#entryIds = [...(aiAgent?.entryIds ?? [])];
    return site;
  }

  /** The server stops, and all of it, or a part, is copied. */
  async copy(...parts: string[]): Promise<void> {
    await this.server.stop();
    for (const part of parts) {
      cpSync(join(this.dir, part), join(this.base, "copy", part), { recursive: true });
    }
    await this.start();
  }

  /** What was copied is put back in the place of what is there. The server is stopped. */
  putBack(...parts: string[]): void {
    for (const part of parts) {
      rmSync(join(this.dir, part), { recursive: true, force: true });
      cpSync(join(this.base, "copy", part), join(this.dir, part), { recursive: true });
    }
  }

  async open(): Promise<Task> {
    const channel = await this.server.channel(this.agent.svid);
    const { task } = await channel.client(NodeTasksService).open({
      entryIds: this.#entryIds,
      task: { taskClass: "standard", purpose: "a test", csr: createCsr(generateP256KeyPair()) },
    });
    if (task === undefined) throw new Error("no task");
    return task;
  }

  get control() {
    return this.server.admin.client(TaskControlService);
  }

  async stateOf({ id }: Task): Promise<[state: string, reason: string]> {
    const { task } = await this.control.getTask({ id });
    const name = Object.entries(TaskState).find(([, value]) => value === task?.state)?.[0] ?? "";
    return [name, task?.stateReason ?? ""];
  }

  async statusOf({ status }: Task): Promise<number | undefined> {
    const { port } = this.server.running.documents.oauth ?? { port: 0 };
    const at = `http://127.0.0.1:${port}`;
    const answer = await fetch(`${at}/status/${status?.list}`);
    if (answer.status !== 200) return undefined;
    const { list } = await validateStatusListToken(await answer.text(), {
      uri: `${ISSUER}/status/${status?.list}`,
      keys: parseJwks(await (await fetch(`${at}/jwks`)).text()),
      now: new Date(),
    });
    return list.get(status?.index ?? -1);
  }

  restoredEvents(): Record<string, unknown>[] {
    const { rows } = readLines(join(this.dir, "audit"));
    return rows.filter(({ type }) => type === "store.restored");
  }
}

t.test(
  "a store that is behind the audit log: every open task of it ends, and stays ended",
  async (t) => {
    const site = await Site.started(t);
    const open = await site.open();
    const completed = await site.open();
    await site.copy("store");
    await site.control.completeTask({ id: completed.id, outcome: TaskState.COMPLETED });
    const later = await site.open();
    t.equal(await site.statusOf(later), TokenStatus.valid);
    await site.server.stop();
    t.notMatch(site.log.join(""), /older|restored/);

    site.putBack("store");
    await site.start();
    t.same(await site.stateOf(open), ["REVOKED", RESTORED]);
    t.same(await site.stateOf(completed), ["REVOKED", RESTORED], "it was open in the copy");
    t.match(site.log.join(""), /the audit log knows of later changes/, "and says so aloud");
    t.match(site.restoredEvents(), [
      { outcome: "failed", detail: { open_tasks: "2", tasks_since: "1" } },
    ]);

    t.equal(await site.statusOf(later), TokenStatus.invalid, "what the copy knows nothing of, too");
    const channel = await site.server.channel(site.agent.svid);
    const renewed = channel
      .client(NodeTasksService)
      .newJWTSVID({ taskId: later.id, audience: ["x"] });
    await t.rejects(renewed, { reason: "TASK_ENDED", code: 7 });

    const fresh = await site.open();
    t.not(fresh.status?.list, later.status?.list, "lists of now have other names");
    t.equal(await site.statusOf(fresh), TokenStatus.valid);

    await site.server.stop();
    await site.start();
    t.same((await site.stateOf(fresh))[0], "ACTIVE", "once: the next start ends nothing");
    t.equal(site.restoredEvents().length, 1);
  },
);

t.test("puts back the same copy twice: nothing has the name of something before", async (t) => {
  const site = await Site.started(t);
  await site.copy("store");
  const lists: string[] = [(await site.open()).status?.list ?? ""];
  for (let round = 0; round < 2; round++) {
    await site.server.stop();
    site.putBack("store");
    await site.start();
    const task = await site.open();
    lists.push(task.status?.list ?? "");
    t.equal(await site.statusOf(task), TokenStatus.valid);
  }
  t.equal(new Set(lists).size, 3, lists.join(" "));
});

t.test("an end that a crash kept from the log is written at the next start", async (t) => {
  const site = await Site.started(t);
  const [kept, lost] = [await site.open(), await site.open()];
  for (const { id } of [kept, lost]) {
    await site.control.completeTask({ id, outcome: TaskState.COMPLETED });
  }
  await site.server.stop();
  const audit = join(site.dir, "audit");
  const [file = ""] = readdirSync(audit).filter((name) => name.startsWith("task-0"));
  const lines = readFileSync(join(audit, file), "utf8").split("\n");
  t.match(lines.at(-2), new RegExp(`task.ended.*${lost.id}`));
  // As a kill right after the commit leaves it: neither this line, nor anything that came after it.
  writeFileSync(join(audit, file), `${lines.slice(0, -2).join("\n")}\n`);
  for (const name of ["checkpoint", "checkpoints", "state.json"]) rmSync(join(audit, name));
  await site.start();
  const ends = () =>
    readLines(audit).rows.filter(
      ({ type, task }) => type === "task.ended" && task === lost.spiffeId,
    );
  t.match(ends(), [{ detail: { by: "unknown", state: "COMPLETED" } }]);
  t.same(await site.stateOf(lost), ["COMPLETED", ""]);
  await site.server.stop();
  await site.start();
  t.equal(ends().length, 1, "once");
});

t.test("of a store that is as it was, nothing ends", async (t) => {
  const site = await Site.started(t);
  const task = await site.open();
  await site.copy("store");
  t.equal((await site.stateOf(task))[0], "ACTIVE", "after an orderly stop");
  await site.server.stop();
  site.putBack("store");
  await site.start();
  t.equal((await site.stateOf(task))[0], "ACTIVE", "and from a copy that missed nothing");
  t.same(site.restoredEvents(), []);
});

t.test(
  "everything was put back: a checkpoint elsewhere, a node agent or an operator knows",
  async (t) => {
    const elsewhere = mkdtempSync(join(tmpdir(), "signet-"));
    t.teardown(() => rmSync(elsewhere, { recursive: true }));
    const checkpoint = `audit: { checkpoint_file: ${join(elsewhere, "checkpoint")} }`;
    const ALL = ["store", "audit", "ledger", "keys"];

    t.test("a checkpoint that was kept elsewhere", async (t) => {
      const site = await Site.started(t, checkpoint);
      const task = await site.open();
      await site.copy(...ALL);
      await site.server.stop();
      await site.start(checkpoint);
      await site.control.completeTask({ id: task.id, outcome: TaskState.COMPLETED });
      await site.server.stop();
      site.putBack(...ALL);
      await site.start(checkpoint);
      t.same(await site.stateOf(task), ["REVOKED", RESTORED]);
      t.match(site.restoredEvents(), [{ detail: { why: /checkpoint/ } }]);
    });

    t.test("a checkpoint there that others wrote says nothing", async (t) => {
      const file = join(elsewhere, "forged");
      const config = `audit: { checkpoint_file: ${file} }`;
      const site = await Site.started(t, config);
      const task = await site.open();
      await site.server.stop();
      const [origin = "", size = "", ...rest] = readFileSync(file, "utf8").split("\n");
      writeFileSync(file, [origin, `${size}000`, ...rest].join("\n"));
      await site.start(config);
      t.equal((await site.stateOf(task))[0], "ACTIVE");
      t.same(site.restoredEvents(), []);
      const { rows } = readLines(join(site.dir, "audit"));
      t.notOk(rows.some(({ type }) => type === "audit.gap"));
      t.match(site.log.join(""), /a checkpoint is not of this audit log/, "but to the operator");
    });

    t.test("a log that has lost its end ends nothing: the store remembers it", async (t) => {
      const own = join(elsewhere, "other");
      const site = await Site.started(t);
      await site.copy("audit");
      await site.server.stop();
      await site.start(`audit: { checkpoint_file: ${own} }`);
      const task = await site.open();
      await site.server.stop();
      site.putBack("audit");
      await site.start(`audit: { checkpoint_file: ${own} }`);
      t.equal((await site.stateOf(task))[0], "ACTIVE");
      t.match(site.log.join(""), /shorter than its last checkpoint/);
      t.same(site.restoredEvents(), []);
    });

    t.test(
      "a node agent whose cursor is ahead, and nobody without the server's word for it",
      async (t) => {
        const site = await Site.started(t);
        const task = await site.open();
        await site.copy(...ALL);
        await site.control.completeTask({ id: task.id, outcome: TaskState.COMPLETED });
        const link = await (await TestLink.open(site.server, site.agent)).synced();
        const { cursor } = link;
        link.close();
        await site.server.stop();
        site.putBack(...ALL);
        await site.start();
        t.equal((await site.stateOf(task))[0], "ACTIVE", "nothing here can tell");

        const forged = { epoch: cursor?.epoch ?? "", revision: (cursor?.revision ?? 0) + 1000 };
        const other = await (
          await TestLink.open(site.server, site.agent, { cursor: forged })
        ).synced();
        t.equal(other.resumed, false, "a cursor that was made up says nothing");
        other.close();

        const ended = t.rejects(site.server.running.failed, { reason: "STORE_RESTORED", code: 14 });
        const again = await TestLink.open(
          site.server,
          site.agent,
          cursor === undefined ? {} : { cursor },
        );
        await t.rejects(again.next(), { reason: "STORE_RESTORED", code: 14 });
        await ended;
        await site.server.stop();
        await site.start();
        t.same(await site.stateOf(task), ["REVOKED", RESTORED]);
        const back = await TestLink.open(
          site.server,
          site.agent,
          cursor === undefined ? {} : { cursor },
        );
        await back.synced();
        t.equal(back.resumed, false, "it is given everything");
        back.close();
      },
    );

    t.test("an operator, as often as wanted", async (t) => {
      const site = await Site.started(t);
      const task = await site.open();
      const config = parseConfig(
        `trust_domain: north.test\ndata_dir: ${site.dir}\n${CONFIG}`,
        serverConfigSchema,
      );
      await t.rejects(markRestored(config, systemClock), { reason: "STORE_LOCKED", code: 9 });
      await site.server.stop();
      t.same(await markRestored(config, systemClock), { wasMarked: false, openTasks: 1 });
      t.same(await markRestored(config, systemClock), { wasMarked: true, openTasks: 1 });
      await site.start();
      t.same(await site.stateOf(task), ["REVOKED", RESTORED]);
      t.equal(await site.statusOf(task), TokenStatus.invalid);
      t.match(site.restoredEvents(), [{ detail: { why: "an operator said so" } }]);
    });
    t.end();
  },
);
