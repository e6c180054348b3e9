// The table of workload attestors, and how their answers become the selectors of a process. Adding one
// is a new file and a line in ATTESTORS.

import type { Selector } from "../../proto/types/selector.ts";
import type { Logger } from "../../runtime/log.ts";
import { agentError } from "../errors.ts";
import type { Peer } from "../peer/index.ts";
import { type UnixAttestorOptions, unixAttestor } from "./unix.ts";

export type { UnixAttestorSettings } from "./unix.ts";

/** Finds out properties of a process. */
export interface WorkloadAttestor {
  /** The type of its selectors. */
  readonly name: string;
  /** Selectors of the process; rejects when nothing can be said about it. */
  attest(peer: Peer, signal: AbortSignal): Promise<readonly Selector[]>;
}

/** Every attestor, by the name it has in the configuration. */
export const ATTESTORS: {
  readonly unix: (options: UnixAttestorOptions) => WorkloadAttestor;
} = { unix: unixAttestor };

export interface WorkloadAttestationOptions {
  readonly attestors: readonly WorkloadAttestor[];
  readonly log: Logger;
}

/** Finds out the selectors of the process at the other end of a connection. */
export interface WorkloadAttestation {
  /** @throws CALLER_GONE when the process has ended, ATTESTATION_FAILED when no attestor answered */
  attest(peer: Peer, signal: AbortSignal): Promise<readonly Selector[]>;
}

/** Asks all attestors side by side. One that fails is logged and left out. */
export function workloadAttestation(options: WorkloadAttestationOptions): WorkloadAttestation {
  const { attestors, log } = options;
  return {
    async attest(peer, signal) {
      const answers = await Promise.allSettled(
        attestors.map(async (attestor) => attestor.attest(peer, signal)),
      );
      signal.throwIfAborted();
      // Only now is it known that everything that was read belonged to this process.
      if (!peer.isAlive()) {
        throw agentError("CALLER_GONE", `process ${peer.pid} ended while it was attested`);
      }
      const selectors: Selector[] = [];
      const failures: unknown[] = [];
      for (const [i, answer] of answers.entries()) {
        if (answer.status === "fulfilled") {
          selectors.push(...answer.value);
          continue;
        }
        failures.push(answer.reason);
        log.warn(
          { attestor: attestors[i]?.name, pid: peer.pid, error: answer.reason },
          "a workload attestor failed",
        );
      }
      if (failures.length > 0 && failures.length === attestors.length) {
        throw agentError("ATTESTATION_FAILED", `process ${peer.pid} could not be attested`, {
          hint: "see the agent's log for what each workload attestor said",
          cause: failures[0],
        });
      }
      return selectors;
    },
  };
}
