// The ticket server on stdio, as an agent starts it under `signet task run`: behind the guard of its task.

import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { createGuard, guardStdio } from "../../guard/index.ts";
import { ticketServer } from "./guarded-mcp.ts";

const guard = await createGuard({ resource: process.env["RESOURCE"] ?? "mcp:tickets" });
await ticketServer([]).connect(guardStdio(guard, new StdioServerTransport()));
