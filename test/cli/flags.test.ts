import t from "tap";
import { agentConfigSchema } from "../../agent/config.ts";
import { DEFAULT_ADMIN_SOCKET, DEFAULT_AGENT_SOCKET } from "../../cli/flags.ts";
import { loadConfig } from "../../runtime/config.ts";
import { serverConfigSchema } from "../../server/config.ts";

const deploy = new URL("../../deploy/", import.meta.url).pathname;

t.test("where commands look by default is where the daemons of the samples listen", async (t) => {
  const server = await loadConfig({ path: `${deploy}server.yaml` }, serverConfigSchema);
  const agent = await loadConfig({ path: `${deploy}agent.yaml` }, agentConfigSchema);
  t.equal(DEFAULT_ADMIN_SOCKET, server.adminSocket.path);
  t.equal(DEFAULT_AGENT_SOCKET, `unix://${agent.socket.path}`);
  t.not(server.health?.port, agent.health?.port, "both fit on one machine");
});
