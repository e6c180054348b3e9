// An HTTP tool service behind mutual TLS: it serves the AI agents named in CALLERS and nobody else.
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import {
  authorizeOneOf,
  peerOf,
  protectServer,
  serverTlsOptions,
  X509Source,
} from "../../client/index.ts";
import { report, reportIdentity, untilTold } from "./report.ts";

const source = await X509Source.start();
reportIdentity(source.svid());
const stopReporting = source.onChange(() => reportIdentity(source.svid()));

const server = createServer(serverTlsOptions(), (request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(
    JSON.stringify({ tool: "inventory", caller: peerOf(request.socket)?.id.toString() }),
  );
});
protectServer(server, {
  source,
  authorize: authorizeOneOf((process.env["CALLERS"] ?? "").split(",")),
  onRefused: (error) => report({ event: "refused", reason: error.reason, message: error.message }),
});
server.listen(0, "127.0.0.1", () => {
  report({ event: "listening", port: (server.address() as AddressInfo).port });
});

await untilTold();
stopReporting();
server.closeAllConnections();
server.close();
source.close();
