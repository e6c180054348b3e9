// The ways a node can attest, as a table: adding one is a file in this folder and a line here.
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import type { TokenStore } from "../store/tokens.ts";
import { joinTokenAttestor } from "./join-token.ts";
import type { NodeAttestor } from "./node-attestor.ts";

/** The attestors of a server, by type. */
export function nodeAttestors(options: {
  readonly trustDomain: TrustDomain;
  readonly tokens: TokenStore;
}): ReadonlyMap<string, NodeAttestor> {
  const attestors = [joinTokenAttestor(options)];
  return new Map(attestors.map((attestor) => [attestor.type, attestor]));
}
