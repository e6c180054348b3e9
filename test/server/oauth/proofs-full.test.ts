// A token endpoint to which more proofs have come than it can remember.
import t from "tap";
import { ReplayCache } from "../../../client/wit/replay-cache.ts";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import { issueDpopProof } from "../../../pki/token/dpop.ts";
import type { OAuthAddresses } from "../../../server/oauth/addresses.ts";
import { CLIENT_CREDENTIALS } from "../../../server/oauth/metadata.ts";
import { TokenEndpoint, type TokenEndpointOptions } from "../../../server/oauth/token-endpoint.ts";
import { TestClock } from "../../support/clock.ts";

const AGENT = "spiffe://north.test/agent/researcher";
const TASK = `${AGENT}/task/01JD0000000000000000000000`;
const TOKEN_URL = "https://id.north.test/token";

t.test("says that it has no room, not that a proof came before", async (t) => {
  const clock = new TestClock();
  const ended: string[] = [];
  const endpoint = new TokenEndpoint({
    addresses: { token: { path: "/token", url: TOKEN_URL } } as unknown as OAuthAddresses,
    callers: { identify: async () => ({ id: SpiffeId.parse(TASK) }) },
    tasks: { get: () => ({ agentId: AGENT }), noteUse: () => ({}) },
    proofs: new ReplayCache({ clock, limit: 0 }),
    onEnd: (result: string) => ended.push(result),
    clock,
  } as unknown as TokenEndpointOptions);
  const key = { ...generateP256KeyPair(), alg: "ES256" };
  const dpop = issueDpopProof({ key, method: "POST", url: TOKEN_URL, now: clock.now() });
  const { status, headers, body } = await endpoint.answer({
    path: "/token",
    query: "",
    headers: { dpop, "content-type": "application/x-www-form-urlencoded" },
    body: Buffer.from(`grant_type=${CLIENT_CREDENTIALS}&resource=https://tools.test`),
    certificates: [],
    remoteAddress: undefined,
  });
  t.equal(status, 503);
  t.equal(headers["retry-after"], "1");
  t.match(JSON.parse(Buffer.from(body).toString()), { reason: "WIT_REPLAY_CACHE_FULL" });
  t.same(ended, ["temporarily_unavailable"]);
});
