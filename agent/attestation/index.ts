// The table of node attestors, the agent's half of each: how this node proves to the server what it is.
// The exchange on the wire: agent/link/attest.ts.

import { type JoinTokenOptions, joinTokenAttestor } from "./join-token.ts";

/** Proves what this node is. */
export interface NodeAttestor {
  /** As the server knows it: "join_token". */
  readonly type: string;
  /** The opening proof; never empty. */
  payload(): Promise<Uint8Array>;
  /** The answer to a challenge. @throws ATTESTATION_REFUSED when there cannot be one */
  respond(challenge: Uint8Array): Promise<Uint8Array>;
}

export interface AttestorOptions {
  readonly joinToken: JoinTokenOptions;
}

/** The attestors by type. */
export const NODE_ATTESTORS: {
  readonly join_token: (options: AttestorOptions) => NodeAttestor;
} = {
  join_token: (options) => joinTokenAttestor(options.joinToken),
};
