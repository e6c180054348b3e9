// The ticket server: an MCP server over HTTPS, with the guard before it. Clients show the X509-SVID of a task, or
// an access token of one.
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { serverTlsOptions } from "../../client/index.ts";
import { createGuard, guardMcp, protect } from "../../guard/index.ts";
import { report } from "./report.ts";
import { ticketServer } from "./ticket-tools.ts";

const guard = await createGuard({
  resource: process.env["RESOURCE"] ?? "",
  issuer: process.env["ISSUER"] ?? "",
});
const handler = guardMcp(guard, {
  server: ticketServer,
  transport: (options) => new StreamableHTTPServerTransport(options),
});
const server = protect(guard, createServer(serverTlsOptions(), handler));
server.listen(0, "127.0.0.1", () => {
  report({ event: "listening", port: (server.address() as AddressInfo).port });
});
process.stdin.resume().once("end", () => process.exit(0));
