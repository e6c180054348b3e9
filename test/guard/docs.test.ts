// The code of docs/guard.md, as it stands: the MCP server, the HTTP server beside it, the server on stdio.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import t from "tap";
import { authorizeAny } from "../../client/tls/authorize.ts";
import { httpsAgent } from "../../client/tls/https.ts";
import { FakeGuardNode } from "../support/fake-guard-node.ts";

const page = readFileSync(new URL("../../docs/guard.md", import.meta.url), "utf8");
const blocks = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code ?? "");
const root = new URL("../../", import.meta.url).href;

/** As a stranger's program, but for where the packages are. */
function program(code: string): string {
  return code
    .replaceAll('"@signet-identity/signet/client"', JSON.stringify(`${root}client/index.ts`))
    .replaceAll('"@signet-identity/signet/guard"', JSON.stringify(`${root}guard/index.ts`))
    .replaceAll(
      '"@modelcontextprotocol/sdk/',
      `"${root}node_modules/@modelcontextprotocol/sdk/dist/esm/`,
    )
    .replace("listen(8443)", "listen(0)")
    .replace("listen(8444)", "listen(0)");
}

t.test("the servers of docs/guard.md let a task in for what its mandate says", async (t) => {
  t.equal(blocks.length, 3);
  const [mcp = "", http = "", stdio = ""] = blocks;
  const node = await FakeGuardNode.start(t);
  const file = join(t.testdir(), "program.mjs");
  const ports =
    'for (const one of [server, api]) { if (!one.listening) await new Promise((done) => one.once("listening", done)); console.log(one.address().port); }';
  writeFileSync(file, program(`${mcp}\n${http}\n${ports}`));
  const env = { ...process.env, SPIFFE_ENDPOINT_SOCKET: node.endpoint };
  const child = spawn(process.execPath, [file], { env, stdio: ["ignore", "pipe", "inherit"] });
  t.teardown(() => child.kill("SIGKILL"));
  let said = "";
  child.stdout.on("data", (piece: Buffer) => {
    said += piece.toString();
  });
  while (said.split("\n").length < 3) await once(child.stdout, "data");
  const [mcpPort, apiPort] = said.split("\n");
  const locations = ["https://mcp.example.org/tickets"];
  const task = node.open({ mandate: { locations, actions: ["http/get/hello", "tools/read/*"] } });
  const agent = httpsAgent({
    source: await node.tlsOf(task.spiffeId),
    authorize: authorizeAny(),
  });
  t.teardown(() => agent.destroy());
  const get = (port: string | undefined, path: string): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const options = { agent, host: "localhost", port: Number(port), path };
      request(options, (response) => {
        let text = "";
        response.on("data", (piece: Buffer) => {
          text += piece.toString();
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      })
        .on("error", reject)
        .end();
    });
  t.match(await get(apiPort, "/hello"), { status: 200, text: `hello ${task.aiAgent}` });
  t.match(await get(apiPort, "/other"), { status: 403 });
  t.match(await get(mcpPort, "/.well-known/oauth-protected-resource/tickets"), { status: 200 });
  t.match(await get(mcpPort, "/tickets"), { status: 400 }, "no session");

  t.comment("on stdio it wants a task of its own");
  const functions = mcp.slice(mcp.indexOf("function ticketServer"), mcp.indexOf("const guard"));
  const imports = 'import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";\n';
  writeFileSync(file, program(`${imports}${functions}${stdio}`));
  const refused = spawn(process.execPath, [file], { env, stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  refused.stderr.on("data", (piece: Buffer) => {
    errors += piece.toString();
  });
  await once(refused, "close");
  t.match(errors, "GUARD_TASK_REQUIRED");
});
