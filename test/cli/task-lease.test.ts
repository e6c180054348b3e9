// The lease of `signet task run`, towards node agents that do not answer. Those that do: task-run.test.ts.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { TaskLease } from "../../cli/task-lease.ts";
import { createChannel } from "../../proto/rpc/client.ts";
import { TaskAPIService } from "../../proto/schema.gen.ts";

t.test(
  "a node agent that takes the call and says nothing is not waited for for ever",
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "lease-"));
    const unix = join(folder, "s");
    // As one that was stopped: the kernel takes connections for it.
    const taken: Socket[] = [];
    const silent = createServer((socket) => taken.push(socket.on("error", () => {}).resume()));
    await new Promise<void>((resolve) => silent.listen(unix, resolve));
    const channel = createChannel({ address: { unix } });
    t.teardown(() => {
      channel.close();
      silent.close();
      for (const socket of taken) socket.destroy();
      rmSync(folder, { recursive: true });
    });
    const opening = TaskLease.open({
      client: channel.client(TaskAPIService),
      request: { taskClass: "standard", purpose: "x" },
      ...{ claim: "", launchName: "", answerWaitMs: 50 },
    });
    await t.rejects(opening, {
      reason: "DAEMON_UNREACHABLE",
      message: "the node agent did not answer within 0.05 s",
      hint: /stopped or overloaded/,
    });
  },
);
