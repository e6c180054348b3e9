// An AI agent as tests start it under `signet task run`: starts an MCP server on stdio and calls the tools that it
// is told, a line each; answers with a line of JSON each. "pid" answers the server's.

import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const transport = new StdioClientTransport({
  command: process.execPath,
  args: [new URL("stdio-tickets.ts", import.meta.url).pathname],
  // stdio takes credentials from the environment.
  env: { ...process.env } as Record<string, string>,
  stderr: "inherit",
});
const client = new Client({ name: "agent", version: "1.0.0" });
const say = (answer: object): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);
client.onclose = () => say({ closed: true });
await client.connect(transport);
const { tools } = await client.listTools();
say({ tools: tools.map(({ name }) => name), pid: transport.pid });
for await (const name of createInterface({ input: process.stdin })) {
  try {
    say({ result: await client.callTool({ name, arguments: {} }, undefined, { timeout: 5000 }) });
  } catch (error) {
    const { code, data } = error as { code?: number; data?: { reason?: string } };
    say({ code, reason: data?.reason, message: (error as Error).message });
  }
}
