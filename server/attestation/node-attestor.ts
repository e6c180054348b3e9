// What the server half of a node attestor does: it turns what a node presents into who the node is.
// The table of attestors is index.ts; what all of them have in common (limits, banning, signing,
// recording) is server/api/agent.ts.
import type { SpiffeId } from "../../pki/spiffe-id.ts";
import type { Selector } from "../../proto/types/selector.ts";

/** What a node has proven. */
export interface ProvenNode {
  readonly agentId: SpiffeId;
  readonly selectors: readonly Selector[];
  /** Whether it can prove the same again, and so must instead of renewing. */
  readonly canReattest: boolean;
  /** A join token to spend in the commit that records the agent. */
  readonly joinToken?: string;
}

/** The server half of one way to attest nodes. */
export interface NodeAttestor {
  /** Its name on the wire, and the first segment after /spire/agent/. */
  readonly type: string;
  /**
   * Judges a payload. What it yields is sent to the node as a challenge, whose response comes back.
   * @throws when nothing is proven
   */
  attest(payload: Uint8Array): AsyncGenerator<Uint8Array, ProvenNode, Uint8Array>;
}
