// What a workload sees of an agent that was just started: its identity, once the agent serves again.
import { setTimeout as sleep } from "node:timers/promises";
import { WorkloadApi } from "../../client/workload-api.ts";

const PATIENCE_MS = 20_000;

/** The default SPIFFE ID that this process gets from `socket`, asking until the agent serves it. */
export async function fetchFirstId(socket: string): Promise<string> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    using api = new WorkloadApi({ endpoint: `unix://${socket}` });
    try {
      const { id } = await api.fetchX509Svid({ timeoutMs: 2000 });
      return id.toString();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await sleep(50);
  }
}
