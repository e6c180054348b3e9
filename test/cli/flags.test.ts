import t from "tap";
import { agentConfigSchema } from "../../agent/config.ts";
import { DEFAULT_ADMIN_SOCKET, DEFAULT_AGENT_SOCKET, parseSeconds } from "../../cli/flags.ts";
import { Status } from "../../pki/errors.ts";
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

t.test("a lifetime that the wire has no room for is refused, and not made another", async (t) => {
  t.equal(parseSeconds("2147483647", "--ttl"), 2_147_483_647);
  t.equal(parseSeconds("1h30m", "--ttl"), 5400);
  for (const text of ["4294969200", "1193047h", "2147483648"]) {
    t.throws(
      () => parseSeconds(text, "--ttl"),
      { reason: "USAGE_INVALID", code: Status.invalidArgument },
      text,
    );
  }
});
