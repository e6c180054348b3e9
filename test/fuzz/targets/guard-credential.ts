// The credentials of a request to a guarded service, in its header lines. Texts in braces are signed: as an access
// token, a JWT-SVID or a DPoP proof. Whoever is let through has shown one credential, for this service, that is
// good by a second reading of the same lines.
import { createHash } from "node:crypto";
import { ReplayCache } from "../../../client/wit/replay-cache.ts";
import { Authenticator, type AuthenticatorOptions } from "../../../guard/authenticate.ts";
import { spkiToJwk } from "../../../pki/bundle/jwk.ts";
import { validateJwtSvid } from "../../../pki/jwt/svid.ts";
import { jwkThumbprint } from "../../../pki/token/thumbprint.ts";
import { formatAuthorizationDetails } from "../../../policy/authorization-details.ts";
import { TestClock } from "../../support/clock.ts";
import { doneOrRefused, fixedKey, signedToken } from "../signed-token.ts";
import { bytesOf, type FuzzTarget, holds, textOf } from "../target.ts";

const ISSUER = "https://id.north.test";
const TOOL = "https://mcp.north.test/tickets";
const AGENT = "spiffe://north.test/agent/researcher";
const TASK = `${AGENT}/task/01JD0000000000000000000000`;
const NOW = "2030-01-01T00:00:00Z";
const NOW_SECONDS = Date.parse(NOW) / 1000;
const issuer = fixedKey("issuer");
const authority = fixedKey("jwt authority");
const holder = fixedKey("holder");
const jkt = jwkThumbprint(holder.spki);
const HEADERS = {
  access: { alg: "ES256", kid: "k", typ: "at+jwt" },
  svid: { alg: "ES256", kid: "j", typ: "JWT" },
  proof: { alg: "ES256", typ: "dpop+jwt", jwk: spkiToJwk(holder.spki) },
};

const mandate = {
  ...{ locations: [TOOL], actions: ["tools/**"], datatypes: [], uses: undefined, depth: 0 },
  ...{ maxSensitivity: 0, untilUnixSeconds: undefined, environment: "production" },
};
const times = { iat: NOW_SECONDS, exp: NOW_SECONDS + 60 };
const svid = { sub: TASK, aud: [TOOL], ...times };
const token = {
  ...{ iss: ISSUER, sub: AGENT, client_id: AGENT, aud: TOOL, jti: "j", ...times },
  authorization_details: formatAuthorizationDetails({ mandate, task: TASK }),
};
const bound = { ...token, cnf: { jkt } };
/** "@" stands for the hash of the token. */
const proof = { jti: "p", htm: "POST", htu: TOOL, iat: NOW_SECONDS, ath: "@" };

function request(target: string, ...lines: readonly string[]): Uint8Array {
  return bytesOf([target, ...lines].join("\n"));
}
const bearer = (claims: object): string => `authorization: Bearer ${JSON.stringify(claims)}`;
const dpop = (claims: object): string => `authorization: DPoP ${JSON.stringify(claims)}`;

export const guardCredential: FuzzTarget = {
  name: "guard-credential",
  reads: "credentials of requests to guarded services: a target, then header lines",
  maxBytes: 2048,
  seeds: () => [
    request("/tickets", bearer(token)),
    request("/tickets/7?a=b", bearer(svid), "accept: */*"),
    request("/tickets", dpop(bound), `DPoP: ${JSON.stringify(proof)}`),
    request("/tickets?q", dpop(bound), `dpop: ${JSON.stringify({ ...proof, htu: `${TOOL}?x` })}`),
    request("/tickets", bearer(bound)),
    request("/tickets", bearer(token), bearer(svid)),
    request("/\\\\other.test/a", dpop(bound), `dpop: ${JSON.stringify(proof)}`),
    request(
      "/\\other.test/a",
      dpop(bound),
      `dpop: ${JSON.stringify({ ...proof, htu: "https://other.test/a" })}`,
    ),
    request("/tickets?access_token=a", "Authorization: Basic YTpi"),
  ],
  async run(data) {
    const [target = "", ...lines] = textOf(data).split("\n");
    const rawHeaders = headersOf(lines);
    const presented = await doneOrRefused(
      authenticator().authenticate({
        ...{ method: "POST", url: target, rawHeaders, socket: { encrypted: true } },
      }),
    );
    if (presented === undefined) return;
    const sent = valuesOf(rawHeaders, "authorization");
    holds(sent.length === 1, "not one credential");
    const [scheme = "", jwt = ""] = sent[0]?.split(/ +/) ?? [];
    const claims = payloadOf(jwt);
    holds([claims["aud"]].flat().join() === TOOL, "a token for another service");
    holds(Number(claims["exp"]) > NOW_SECONDS - 121, "a token that has expired");
    const details = claims["authorization_details"] as { task?: unknown }[] | undefined;
    holds((details?.[0]?.task ?? claims["sub"]) === presented.spiffeId, "another task");
    holds(presented.spiffeId.startsWith(`${presented.agent}/task/`), "another AI agent");
    const cnf = claims["cnf"] as { jkt?: unknown } | undefined;
    holds(presented.isBound === (cnf !== undefined), "a key that nobody showed");
    const proofs = valuesOf(rawHeaders, "dpop");
    holds((scheme.toLowerCase() === "dpop") === (cnf !== undefined), "another scheme");
    holds(proofs.length === (cnf === undefined ? 0 : 1), "not one proof");
    if (cnf === undefined) return;
    const { htu, htm, ath } = payloadOf(proofs[0] ?? "");
    holds(cnf.jkt === jkt && htm === "POST" && ath === hashOf(jwt), "a proof of something else");
    holds(new URL(String(htu)).origin === new URL(TOOL).origin, "a proof for another service");
  },
};

function authenticator(): Authenticator {
  const clock = new TestClock(NOW);
  const authorities = [{ keyId: "j", spki: authority.spki, expiresAt: undefined, tainted: false }];
  const options = {
    resource: TOOL,
    issuer: { name: ISSUER, keys: { find: async () => [{ keyId: "k", spki: issuer.spki }] } },
    jwtSource: async () => ({
      validateJwtSvid: (jwt: string, audience: string) =>
        validateJwtSvid(jwt, {
          audience: [audience],
          authoritiesOf: () => authorities,
          now: clock.now(),
        }),
    }),
    replay: new ReplayCache({ clock }),
    requireTls: true,
    clock,
  };
  return new Authenticator(options as unknown as AuthenticatorOptions);
}

/** Names and values in turn, with what is in braces signed. */
function headersOf(lines: readonly string[]): string[] {
  let last = "";
  return lines.flatMap((line) => {
    const at = line.indexOf(":");
    const [name, value] = [line.slice(0, Math.max(at, 0)), line.slice(at + 1).trim()];
    const [, before = "", json] = /^([^{]*)(\{.*\})$/.exec(value) ?? [];
    if (json === undefined) return [name, value];
    const isProof = name.toLowerCase() === "dpop";
    const kind = isProof ? "proof" : json.includes("client_id") ? "access" : "svid";
    const key = { proof: holder, access: issuer, svid: authority }[kind];
    const payload = isProof ? json.replace('"@"', `"${hashOf(last)}"`) : json;
    last = signedToken(bytesOf(JSON.stringify(HEADERS[kind])), bytesOf(payload), key);
    return [name, before + last];
  });
}

function valuesOf(rawHeaders: readonly string[], wanted: string): string[] {
  return rawHeaders.flatMap((name, i) =>
    i % 2 === 0 && name.toLowerCase() === wanted ? [(rawHeaders[i + 1] ?? "").trim()] : [],
  );
}

function payloadOf(jwt: string): Record<string, unknown> {
  const payload = Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString();
  return JSON.parse(payload) as Record<string, unknown>;
}

function hashOf(jwt: string): string {
  return createHash("sha256").update(jwt, "latin1").digest("base64url");
}
