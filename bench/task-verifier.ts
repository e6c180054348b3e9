// The service at the other end of task-revocation.ts, a process of its own: holds connections of tasks open
// and says when it is that it closes one. Moments are of the machine's monotonic clock, which all processes
// share.
import type { AddressInfo } from "node:net";
import { authorizeMemberOf, createTlsServer, TaskStatuses, X509Source } from "../client/index.ts";
import { TRUST_DOMAIN } from "./site.ts";

/** Where it listens; then whose connection it closed and when, in nanoseconds. */
export type Refusal =
  | { readonly port: number }
  | { readonly task: string; readonly refusedAt: string };

function say(refusal: Refusal): void {
  process.send?.(refusal);
}

const tasks = await TaskStatuses.start();
const server = createTlsServer({
  source: await X509Source.start(),
  tasks,
  authorize: authorizeMemberOf(TRUST_DOMAIN),
  onConnection: (socket, peer) => {
    const id = peer?.id.toString() ?? "";
    socket.on("error", () => undefined).resume();
    socket.write("hello\n");
    socket.once("close", () => {
      if (tasks.verdict(id) === "good") return;
      say({ task: id.slice(id.lastIndexOf("/") + 1), refusedAt: String(process.hrtime.bigint()) });
    });
  },
});
server.listen(0, "127.0.0.1", () => say({ port: (server.address() as AddressInfo).port }));
process.once("disconnect", () => process.exit(0));
