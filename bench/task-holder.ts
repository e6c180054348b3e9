// A process of an AI agent, for task-revocation.ts: opens a task and gives its identity away, as a process that
// was broken into would. "complete" completes the task and opens the next one, "next" opens the next one;
// killed, it leaves its task to the node agent.
import { createInterface } from "node:readline";
import { openTask, type Task } from "../client/index.ts";
import { exportPkcs8 } from "../pki/keys.ts";

/** What it says: a task is open, with its identity; when it was told to complete it, and when that was answered. */
export type Held =
  | {
      readonly opened: string;
      /** DER in base64. */
      readonly chain: readonly string[];
      /** PKCS #8 DER in base64. */
      readonly key: string;
    }
  | { readonly askedAt: string; readonly answeredAt: string };

function say(held: Held): void {
  process.stdout.write(`${JSON.stringify(held)}\n`);
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

async function open(): Promise<Task> {
  const task = await openTask({ taskClass: "standard", purpose: "to be ended" });
  const { chain, privateKey } = task.x509.svid();
  say({
    opened: task.id,
    chain: chain.map((der) => base64(der)),
    key: base64(exportPkcs8(privateKey)),
  });
  return task;
}

let task = await open();
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "complete") {
    const askedAt = process.hrtime.bigint();
    await task.complete();
    say({ askedAt: String(askedAt), answeredAt: String(process.hrtime.bigint()) });
  }
  task = await open();
}
process.exit(0);
