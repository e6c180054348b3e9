// The guard of MCP servers: over Streamable HTTP (mcp-http.ts) and on stdio (mcp-stdio.ts). The SDK is the
// caller's: nothing of it is imported here.

export {
  guardMcp,
  type McpGuardOptions,
  type McpHttpTransport,
  type McpServerLike,
} from "./mcp-http.ts";
export { guardStdio } from "./mcp-stdio.ts";
export type { McpTransport } from "./mcp-transport.ts";
