// A server that is killed between the commit of a task and its answer: whoever asks again has that task.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import t from "tap";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import { newKey, TaskServer } from "../../support/task-server.ts";

const OPENER = fileURLToPath(new URL("crash-opener.ts", import.meta.url));

t.test("a call that is made again after kill -9 is answered with the task of before", async (t) => {
  const folder = join(t.testdir({}), "store");
  const csr = createCsr(generateP256KeyPair());
  const idempotencyKey = newKey();
  const args = [OPENER, folder, Buffer.from(csr).toString("base64"), idempotencyKey];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === "committed") child.kill("SIGKILL");
  }
  await closed;
  const server = await TaskServer.start(t, { folder });
  t.equal(server.store.size, 1, "what was committed is there");
  const [committed] = [...server.tasks.values()];
  t.match(committed, { state: "ACTIVE", version: 1 });
  t.same(server.eventsOf(committed?.id ?? ""), [], "and nothing was written down of it");
  const { task, svid } = await server.open({ idempotencyKey }, { csr });
  t.equal(task.id, committed?.id);
  t.equal(svid.chain.length, 1);
  t.equal(server.store.size, 1);
  t.same(server.eventsOf(task.id), ["task.opened"], "now it is");
});
