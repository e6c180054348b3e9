// Makes join tokens, as an administrator asks for them: for how long, with which value, and with which
// alias for the agent. What happens to a token that is used: join-token.ts and store/nodes.ts.
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import type { Init } from "../../proto/codec.ts";
import type { spire } from "../../proto/schema.gen.ts";
import { spiffeIdFromWire } from "../../proto/types/spiffe-id.ts";
import type { Clock } from "../../runtime/clock.ts";
import { serverError } from "../errors.ts";
import type { TokenStore } from "../store/tokens.ts";
import { formatJoinToken, isJoinToken } from "./join-token.ts";

/** @throws JOIN_TOKEN_INVALID, JOIN_TOKEN_ALREADY_EXISTS */
export async function createJoinToken(
  request: spire.api.server.agent.v1.CreateJoinTokenRequest,
  options: {
    readonly tokens: TokenStore;
    readonly trustDomain: TrustDomain;
    readonly clock: Clock;
  },
): Promise<Init<spire.api.types.JoinToken>> {
  const { tokens, trustDomain, clock } = options;
  if (request.ttl < 1) {
    throw serverError("JOIN_TOKEN_INVALID", "a join token needs a ttl of at least one second", {
      hint: "give --ttl",
    });
  }
  if (request.token !== "" && !isJoinToken(request.token)) {
    throw serverError(
      "JOIN_TOKEN_INVALID",
      "a join token has at most 255 characters, letters, digits, dots, dashes and underscores",
      { hint: "leave the value out to get a random one" },
    );
  }
  const aliasSpiffeId =
    request.agentId === undefined ? "" : aliasFromWire(request.agentId, trustDomain);
  const value = request.token === "" ? formatJoinToken() : request.token;
  const expiresAt = Math.floor(clock.now().getTime() / 1000) + request.ttl;
  await tokens.create(value, { expiresAtUnixSeconds: expiresAt, aliasSpiffeId });
  return { value, expiresAt };
}

/** The ID an alias may give: a workload's, since those below /spire are the system's own. */
function aliasFromWire(wire: spire.api.types.SPIFFEID, trustDomain: TrustDomain): string {
  const id = spiffeIdFromWire(wire);
  const isReserved = id.path === "/spire" || id.path.startsWith("/spire/");
  if (!id.isMemberOf(trustDomain) || id.path === "" || isReserved) {
    throw serverError("JOIN_TOKEN_INVALID", `"${id}" cannot be the alias of an agent`, {
      hint: `give an ID of the trust domain "${trustDomain}" with a path outside /spire`,
    });
  }
  return id.toString();
}
