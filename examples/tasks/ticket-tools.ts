// The tools of a ticket system, as any MCP server has them: nothing here knows of Signet.
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { z } from "zod";

const TICKETS = new Map([["42", "The printer on floor 2 prints everything twice."]]);

/** A new MCP server with the tools; each session has one of its own. */
export function ticketServer(): McpServer {
  const server = new McpServer({ name: "tickets", version: "1.0.0" });
  const input = { id: z.string() };
  server.registerTool(
    "read_ticket",
    { description: "Reads a ticket", inputSchema: input, annotations: { readOnlyHint: true } },
    ({ id }) => ({ content: [{ type: "text", text: TICKETS.get(id) ?? "no such ticket" }] }),
  );
  server.registerTool(
    "delete_ticket",
    { description: "Deletes a ticket", inputSchema: input },
    ({ id }) => {
      TICKETS.delete(id);
      return { content: [{ type: "text", text: `ticket ${id} is gone` }] };
    },
  );
  return server;
}
