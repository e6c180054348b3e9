// The child of crash.test.ts: opens a task with the key pair and the idempotency key that it is given, and
// once the commit is on the disk prints "committed" and answers nobody.
import { writeSync } from "node:fs";
import type { Test } from "tap";
import type { OrderedLog } from "../../../server/store/log.ts";
import { TaskServer } from "../../support/task-server.ts";

const [folder = "", csr = "", idempotencyKey = ""] = process.argv.slice(2);
const test = { testdir: () => folder, teardown: () => undefined } as unknown as Test;
const server = await TaskServer.start(test, { folder, wrapLog: stopping });
await server.open({ idempotencyKey }, { csr: Buffer.from(csr, "base64") });

/** The same log, which answers no commit of a task. */
function stopping(log: OrderedLog): OrderedLog {
  return {
    storeId: log.storeId,
    get revision() {
      return log.revision;
    },
    get failure() {
      return log.failure;
    },
    get: (key) => log.get(key),
    getMany: (keys) => log.getMany(keys),
    list: (prefix, page) => log.list(prefix, page),
    watch: (after, signal) => log.watch(after, signal),
    close: () => log.close(),
    async commit(commit) {
      const revision = await log.commit(commit);
      if (!commit.puts?.some(({ key }) => key.startsWith("task/"))) return revision;
      writeSync(1, "committed\n");
      setInterval(() => undefined, 1000);
      return new Promise<number>(() => undefined);
    },
  };
}
