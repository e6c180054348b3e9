// An AI agent's program for tasks.test.ts, a process of its own. It opens a task, or (with SIGNET_TASK_ID) has
// the one that it was launched in, connects to a verifier as that, and does what lines of its input say. It
// prints a line for each thing that happens.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { openTask } from "../../client/tasks/open.ts";
import type { Task } from "../../client/tasks/task.ts";
import { authorizeMemberOf } from "../../client/tls/authorize.ts";
import { secureSocket } from "../../client/tls/connect.ts";
import type { TlsSource } from "../../client/tls/source.ts";
import { X509Source } from "../../client/x509-source.ts";
import { IdentityError } from "../../pki/errors.ts";

const [port = "0", aiAgent = ""] = process.argv.slice(2);
const say = (event: string, value = ""): void =>
  void process.stdout.write(`${JSON.stringify({ event, value })}\n`);

/** Leaves every socket of this process to a child that lives on, as a careless program does. */
function fork(): number | undefined {
  const sockets = readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return Number(fd) > 2 && readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
    } catch {
      return false;
    }
  });
  const stdio = ["ignore" as const, "ignore" as const, "ignore" as const, ...sockets.map(Number)];
  return spawn("sleep", ["60"], { stdio }).pid;
}

let task: Task | undefined;
let source: TlsSource;
const launched = process.env["SIGNET_TASK_SPIFFE_ID"];
if (launched === undefined) {
  task = await openTask({ taskClass: "standard", purpose: "a journey", aiAgent });
  void task.ended.then(({ state }) => say("ended", state));
  source = task.x509;
} else {
  source = await X509Source.start();
}
const socket = await secureSocket(connect({ host: "127.0.0.1", port: Number(port) }), {
  source,
  authorize: authorizeMemberOf("north.test"),
});
socket.on("error", () => {});
await once(socket, "data");
say("connected", source.svid()?.id.toString());

const orders = createInterface({ input: process.stdin });
orders.on("close", () => process.exit(0)); // the test is over
orders.on("line", async (line) => {
  try {
    if (line === "complete") await task?.complete();
    if (line === "echo") {
      socket.write("still?");
      await once(socket, "data");
    }
    if (line === "token") await task?.jwtSvid("https://mcp.north.test/tickets");
    if (line === "fork") say("forked", String(fork()));
    if (line === "die") process.kill(process.pid, "SIGKILL");
    if (line === "exit") process.exit(0);
    say("done", line);
  } catch (error) {
    say("failed", error instanceof IdentityError ? error.reason : String(error));
  }
});
