// A program that tests start: a process of an AI agent, which opens tasks and calls for them as it is told. One
// line of JSON in, one line of JSON out.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdirSync, readlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { exportPkcs8, generateP256KeyPair, importPkcs8, keyPairOf } from "../../pki/keys.ts";
import { issueTaskProof } from "../../pki/task-proof.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import { createChannel } from "../../proto/rpc/client.ts";
import { TaskAPIService } from "../../proto/schema.gen.ts";

/** What it is told. */
export type HolderCommand =
  /** Opens a task; answers its ID and the key. */
  | { readonly do: "open"; readonly taskClass?: string }
  /** Asks for a token of a task with a key; answers "ok" or the reason why not. */
  | { readonly do: "token"; readonly id: string; readonly key: string; readonly audience: string }
  /** The same by a child of its own. */
  | {
      readonly do: "child-token";
      readonly id: string;
      readonly key: string;
      readonly audience: string;
    }
  /** Asks for a task that is open already, with its key; answers as "token". */
  | { readonly do: "claim"; readonly id: string; readonly key: string }
  /** Starts a child that holds its connections; answers the child's pid. */
  | { readonly do: "fork" };

export interface HolderAnswer {
  readonly id: string;
  /** PKCS #8, base64. */
  readonly key: string;
  readonly pid: number;
  readonly said: string;
}

const [socket = ""] = process.argv.slice(2);
const channel = createChannel({
  address: { unix: socket },
  metadata: { "workload.spiffe.io": "true" },
});
const client = channel.client(TaskAPIService);
setTimeout(() => process.exit(3), 30_000); // whatever becomes of the test

async function token(id: string, key: string, audience: string): Promise<string> {
  const { privateKey } = keyPairOf(importPkcs8(Buffer.from(key, "base64")));
  const method = "FetchTaskJWTSVID";
  const jws = issueTaskProof(privateKey, { method, taskId: id, now: new Date() });
  return client.fetchTaskJWTSVID({ proof: { taskId: id, jws }, audience }).then(
    () => "ok",
    (error: unknown) => String((error as { readonly reason?: unknown }).reason),
  );
}

async function claim(claimTaskId: string, key: string): Promise<string> {
  const csr = createCsr(keyPairOf(importPkcs8(Buffer.from(key, "base64"))));
  return client.openTask({ claimTaskId, csr }).then(
    () => "ok",
    (error: unknown) => String((error as { readonly reason?: unknown }).reason),
  );
}

async function answer(command: HolderCommand): Promise<Partial<HolderAnswer>> {
  switch (command.do) {
    case "open": {
      const pair = generateP256KeyPair();
      const { task } = await client.openTask({
        taskClass: command.taskClass ?? "standard",
        purpose: "a test",
        csr: createCsr(pair),
        idempotencyKey: randomUUID(),
      });
      return {
        id: task?.id ?? "",
        key: Buffer.from(exportPkcs8(pair.privateKey)).toString("base64"),
      };
    }
    case "token":
      return { said: await token(command.id, command.key, command.audience) };
    case "claim":
      return { said: await claim(command.id, command.key) };
    case "child-token": {
      const child = spawn(process.execPath, [import.meta.filename, socket], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      child.stdin.write(`${JSON.stringify({ ...command, do: "token" })}\n`);
      const { said } = await new Promise<HolderAnswer>((resolve) =>
        createInterface(child.stdout).once("line", (line) => resolve(JSON.parse(line))),
      );
      child.kill();
      return { said };
    }
    case "fork": {
      const koffi = createRequire(import.meta.url)("koffi");
      const fcntl = koffi.load(null).func("int fcntl(int, int, int)");
      // Its sockets stay open across the exec of the child.
      for (const fd of readdirSync("/proc/self/fd").map(Number)) {
        if (isSocket(fd)) fcntl(fd, 2, 0);
      }
      const child = spawn("/bin/sleep", ["30"], { stdio: "ignore", detached: true });
      return { pid: child.pid ?? 0 };
    }
  }
}

function isSocket(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
  } catch {
    return false;
  }
}

for await (const line of createInterface(process.stdin)) {
  const said = await answer(JSON.parse(line) as HolderCommand).catch((error: unknown) => ({
    said: String(error),
  }));
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
process.exit(0);
