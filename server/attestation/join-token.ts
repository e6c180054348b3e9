// Server half of join tokens: a secret that an operator hands to one node, good for one attestation.
// The token is only looked at here, so that a bad one costs no signature; it is spent in the commit
// that records the agent (NodeStore.attest), where of all that try one succeeds. The agent's SPIFFE ID
// names the token, as with SPIRE: spent tokens are no secrets.
import { isUtf8 } from "node:buffer";
import { randomBytes } from "node:crypto";
import { SpiffeId, type TrustDomain } from "../../pki/spiffe-id.ts";
import { serverError } from "../errors.ts";
import type { TokenStore } from "../store/tokens.ts";
import type { NodeAttestor } from "./node-attestor.ts";

const JOIN_TOKEN = "join_token";
/** Longest token, in characters. */
const MAX_TOKEN_LENGTH = 255;

/** Whether `token` can be a join token: it becomes a segment of a SPIFFE ID. */
export function isJoinToken(token: string): boolean {
  if (token.length > MAX_TOKEN_LENGTH || token === "." || token === "..") return false;
  return /^[A-Za-z0-9._-]+$/.test(token);
}

/** A new token: 128 random bits, written in groups as UUIDs are, so that people can compare them. */
export function formatJoinToken(random: Uint8Array = randomBytes(16)): string {
  const hex = Buffer.from(random).toString("hex");
  const cuts = [0, 8, 12, 16, 20, 32];
  return cuts
    .slice(1)
    .map((end, i) => hex.slice(cuts[i], end))
    .join("-");
}

export function joinTokenAttestor(options: {
  readonly trustDomain: TrustDomain;
  readonly tokens: TokenStore;
}): NodeAttestor {
  return {
    type: JOIN_TOKEN,
    // biome-ignore lint/correctness/useYield: an attestor without a challenge
    async *attest(payload) {
      const token = isUtf8(payload) ? Buffer.from(payload).toString("utf8") : "";
      if (!isJoinToken(token)) {
        // The same answer as for a well-formed token that was never made.
        throw serverError(
          "JOIN_TOKEN_UNKNOWN",
          "join token does not exist or has already been used",
          { hint: "make a new one with 'signet token generate'" },
        );
      }
      await options.tokens.check(token);
      return {
        agentId: SpiffeId.of(options.trustDomain, `/spire/agent/${JOIN_TOKEN}/${token}`),
        selectors: [],
        canReattest: false,
        joinToken: token,
      };
    },
  };
}
