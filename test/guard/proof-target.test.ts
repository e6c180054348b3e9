// Which URL a DPoP proof must be about: this service's own, whatever the target of the request looks like; and
// what is said when proofs cannot be remembered.
import t from "tap";
import { ReplayCache, type ReplayGuard } from "../../client/wit/replay-cache.ts";
import { Authenticator, type AuthenticatorOptions } from "../../guard/authenticate.ts";
import { Status } from "../../pki/errors.ts";
import { generateP256KeyPair, signerOf } from "../../pki/keys.ts";
import { issueDpopProof } from "../../pki/token/dpop.ts";
import { issueAccessToken } from "../../pki/token/issue-access-token.ts";
import { jwkThumbprint } from "../../pki/token/thumbprint.ts";
import { formatAuthorizationDetails } from "../../policy/authorization-details.ts";
import { TestClock } from "../support/clock.ts";

const RESOURCE = "https://mcp.north.test/tickets";
const ISSUER = "https://id.north.test";
const AGENT = "spiffe://north.test/agent/researcher";
const TASK = `${AGENT}/task/01JD0000000000000000000000`;
const clock = new TestClock("2030-01-01T00:00:00Z");
const issuer = generateP256KeyPair();
const key = { ...generateP256KeyPair(), alg: "ES256" };
const mandate = {
  ...{ locations: [RESOURCE], actions: ["http/**"], datatypes: [], uses: undefined, depth: 0 },
  ...{ maxSensitivity: 0, untilUnixSeconds: undefined, environment: "test" },
};

/** Shows a token with a proof to a service that remembers proofs so. */
async function shower(replay: ReplayGuard) {
  const accessToken = await issueAccessToken({
    ...{ signer: signerOf("k", issuer), keyId: "k", issuer: ISSUER, jti: "j", audience: RESOURCE },
    ...{ subject: AGENT, clientId: AGENT, cnf: { jkt: jwkThumbprint(key.spki) } },
    issuedAt: clock.now(),
    expiresAt: new Date(clock.now().getTime() + 60_000),
    details: formatAuthorizationDetails({ mandate, task: TASK }),
  });
  const options = {
    resource: RESOURCE,
    issuer: { name: ISSUER, keys: { find: async () => [{ keyId: "k", spki: issuer.spki }] } },
    replay,
    requireTls: true,
    clock,
  };
  const authenticator = new Authenticator(options as unknown as AuthenticatorOptions);
  return (target: string, url: string) => {
    const proof = issueDpopProof({ key, method: "GET", url, accessToken, now: clock.now() });
    const rawHeaders = ["authorization", `DPoP ${accessToken}`, "dpop", proof];
    const socket = { encrypted: true };
    return authenticator.authenticate({ method: "GET", url: target, rawHeaders, socket });
  };
}

t.test("a proof for another host is none, however the target is written", async (t) => {
  const show = await shower(new ReplayCache({ clock }));
  t.match(await show("/a?b", "https://mcp.north.test/a"), { spiffeId: TASK, isBound: true });
  for (const target of ["/\\other.test/a", "//other.test/a", "/\\/other.test/a"]) {
    const shown = show(target, "https://other.test/a");
    await t.rejects(shown, { reason: "DPOP_PROOF_BINDING", code: Status.unauthenticated }, target);
  }
});

t.test("proofs that cannot be remembered are no replays", async (t) => {
  const full = await shower(new ReplayCache({ clock, limit: 0 }));
  await t.rejects(full("/a", "https://mcp.north.test/a"), {
    reason: "WIT_REPLAY_CACHE_FULL",
    code: Status.resourceExhausted,
  });
  const away = new Error("the memory that processes share cannot be reached");
  const broken = await shower({ remember: () => Promise.reject(away) });
  await t.rejects(broken("/a", "https://mcp.north.test/a"), away);
});
