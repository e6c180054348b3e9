// A workload of revocation.test.ts, a process of its own: does what a line of its input says, and prints
// a line for each thing that happens.
import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { createInterface } from "node:readline";
import { authorizeMemberOf } from "../../client/tls/authorize.ts";
import { secureSocket } from "../../client/tls/connect.ts";
import { createTlsServer } from "../../client/tls/server.ts";
import { WorkloadApi } from "../../client/workload-api.ts";
import { X509Source } from "../../client/x509-source.ts";
import { IdentityError } from "../../pki/errors.ts";

/** What it is told, and what it says. */
export type Order =
  | { readonly do: "connect"; readonly port: number }
  | { readonly do: "serial" }
  | { readonly do: "token" }
  | { readonly do: "validate"; readonly token: string };
export interface Said {
  readonly event: "listening" | "refused" | "closed" | "lost" | "answer";
  readonly port?: number;
  readonly reason?: string;
  readonly value?: string;
}

const [hint = "", role = ""] = process.argv.slice(2);
const authorize = authorizeMemberOf("north.test");
const say = (said: Said): void => void process.stdout.write(`${JSON.stringify(said)}\n`);
const reasonOf = (error: unknown): string =>
  error instanceof IdentityError ? error.reason : String(error);

const source = await X509Source.start({ pick: hint });
const api = new WorkloadApi();

/** Greets its peers, and echoes. */
async function serve(): Promise<void> {
  const server = createTlsServer({
    source,
    authorize,
    onRefused: (error) => say({ event: "refused", reason: error.reason }),
    onClosed: (error) => say({ event: "closed", reason: error.reason }),
    onConnection: (socket) => {
      socket.on("error", () => {});
      socket.write("hello");
      socket.pipe(socket);
    },
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  say({ event: "listening", port: (server.address() as AddressInfo).port });
}

/** Connects, and says when the connection is gone. */
async function call(port: number): Promise<string> {
  const tcp = connect(port, "127.0.0.1");
  await once(tcp, "connect");
  const socket = await secureSocket(tcp, { source, authorize });
  const gone = new Promise<string>((resolve) => {
    socket.on("error", () => {});
    socket.once("close", () => resolve("closed"));
  });
  const outcome = await Promise.race([once(socket, "data").then(() => "hello"), gone]);
  if (outcome === "hello") void gone.then(() => say({ event: "lost" }));
  return outcome;
}

async function obey(order: Order): Promise<string> {
  if (order.do === "connect") return call(order.port);
  if (order.do === "serial") return source.svid().leaf.serialHex;
  if (order.do === "token") {
    return (await api.fetchJwtSvid({ audience: "tool", hint })).token;
  }
  return (await api.validateJwtSvid(order.token, "tool")).id.toString();
}

if (role === "server") await serve();
for await (const line of createInterface({ input: process.stdin })) {
  const value = await obey(JSON.parse(line) as Order).catch(reasonOf);
  say({ event: "answer", value });
}
source.close();
api.close();
process.exit();
