// Access tokens of tasks, and the mandate in them. Inputs are read as they are, and as header and payload of a
// token that the issuer's key signs: whatever is signed, what is accepted is for this service, of now, of one
// task of its own AI agent, and restricted as a second reader of the same payload says.
import { presentedByToken } from "../../../guard/presented.ts";
import { signerOf } from "../../../pki/keys.ts";
import { parseTaskId } from "../../../pki/task-id.ts";
import { type AccessToken, validateAccessToken } from "../../../pki/token/access-token.ts";
import { issueAccessToken } from "../../../pki/token/issue-access-token.ts";
import { formatJwks, parseJwks } from "../../../pki/token/jwks.ts";
import { jwkThumbprint } from "../../../pki/token/thumbprint.ts";
import { formatAuthorizationDetails } from "../../../policy/authorization-details.ts";
import { leq, type Mandate, validateMandate } from "../../../policy/mandate.ts";
import { doneOrRefused, fixedKey, partsOf, signedParts } from "../signed-token.ts";
import { bytesOf, type FuzzTarget, holds, parsedOrRefused, textOf } from "../target.ts";

const key = fixedKey("issuer");
const keys = [{ keyId: "k", spki: key.spki }];
const now = new Date("2030-01-01T00:00:00Z");
const NOW_SECONDS = now.getTime() / 1000;
const ISSUER = "https://id.north.test";
const TOOL = "https://mcp.north.test/tickets";
const AGENT = "spiffe://north.test/agent/researcher";
const TASK = `${AGENT}/task/01JD0000000000000000000000`;
const HEADER = { alg: "ES256", kid: "k", typ: "at+jwt" };
const LEEWAY_SECONDS = 30;
const expectation = { issuer: ISSUER, audience: TOOL, keys, now, leewaySeconds: LEEWAY_SECONDS };

const mandate: Mandate = {
  locations: [TOOL],
  actions: ["tools/read/*", "resources/**"],
  datatypes: ["public"],
  uses: 5,
  depth: 1,
  maxSensitivity: 2,
  untilUnixSeconds: NOW_SECONDS + 600,
  environment: "production",
};

async function issued(more: object): Promise<string> {
  return issueAccessToken({
    signer: signerOf("k", key),
    keyId: "k",
    issuer: ISSUER,
    subject: AGENT,
    clientId: AGENT,
    audience: TOOL,
    jti: "j",
    issuedAt: now,
    expiresAt: new Date(now.getTime() + 120_000),
    details: formatAuthorizationDetails({ mandate, task: TASK }),
    txn: "01JD0000000000000000000000",
    status: { idx: 7, uri: `${ISSUER}/status/2030-01-01T00` },
    ...more,
  });
}

const bearer = await issued({});
const tokens = [
  bearer,
  await issued({ cnf: { jkt: jwkThumbprint(key.spki) } }),
  await issued({ act: { sub: AGENT, iss: ISSUER, act: { sub: "a", iss: "b" } } }),
  await issued({ more: { [`${ISSUER}/task`]: { agent: AGENT, fail_mode: "closed" } } }),
  await issued({ details: [], status: undefined }),
];

export const accessToken: FuzzTarget = {
  name: "access-token",
  reads: "access tokens that tasks present, and the mandates in them",
  maxBytes: 4096,
  seeds: () => [bytesOf(bearer), ...tokens.map(partsOf)],
  async run(data) {
    await doneOrRefused(validateAccessToken(textOf(data), expectation));
    const token = signedParts(data, HEADER, key);
    const read = await doneOrRefused(validateAccessToken(token, expectation));
    if (read === undefined) return;
    checkAgain(token, read);
    const presented = parsedOrRefused(() => presentedByToken(token, read, false));
    if (presented?.mandate === undefined) return;
    holds(presented.agent === read.clientId, "a task of another AI agent");
    const { mandate: allowed } = presented;
    holds(leq(allowed, validateMandate(allowed)), "a mandate is not in normal form");
  },
};

/** The payload once more, by JSON.parse and no code of ours. */
function checkAgain(token: string, read: AccessToken): void {
  const [header, claims] = token
    .split(".")
    .slice(0, 2)
    .map(
      (part) => JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>,
    );
  holds(/^(?:application\/)?at\+jwt$/.test(String(header?.["typ"])), "a token of another kind");
  holds(header?.["alg"] === "ES256" && header["kid"] === "k", "another key");
  holds(!("crit" in (header ?? {})), "what is critical was not understood");
  const { iss, aud, exp, iat, nbf = 0, authorization_details: details = [] } = claims ?? {};
  holds(iss === ISSUER, "another issuer");
  holds(aud === TOOL || JSON.stringify(aud) === JSON.stringify([TOOL]), "another audience");
  // To the millisecond: moments are kept no more exactly.
  holds(Number(exp) > NOW_SECONDS - LEEWAY_SECONDS - 0.001, "an expired token");
  holds(Number(iat) < NOW_SECONDS + LEEWAY_SECONDS + 0.001, "a token of the future");
  holds(Number(nbf) < NOW_SECONDS + LEEWAY_SECONDS + 0.001, "a token that is not valid yet");
  holds(Number(exp) - Number(iat) < 3600.002, "a token that lives too long");
  const ofTasks = (details as { type?: unknown; task?: unknown }[]).filter(
    ({ type }) => type === "agent_task",
  );
  holds(ofTasks.length <= 1, "mandates of several tasks");
  holds(ofTasks[0]?.task === read.taskId?.toString(), "another task than the one in the token");
  if (read.taskId !== undefined) {
    holds(parseTaskId(read.taskId)?.agent === read.clientId, "a task that is not its AI agent's");
  }
  holds(
    (claims?.["cnf"] === undefined) === (read.cnf === undefined),
    "a token that is bound is taken for a bearer token",
  );
}

export const jwks: FuzzTarget = {
  name: "jwks",
  reads: "the keys that a token issuer publishes",
  maxBytes: 8192,
  seeds: () => [
    bytesOf(formatJwks(keys)),
    bytesOf(formatJwks([...keys, { keyId: "other", spki: fixedKey("other").spki }])),
    bytesOf(
      '{"keys":[{"kid":"k","use":"jwt-svid","kty":"EC"},{"kid":"r","use":"sig","kty":"RSA"}]}',
    ),
  ],
  run(data) {
    const found = parsedOrRefused(() => parseJwks(data));
    if (found === undefined) return;
    const { keys: list } = JSON.parse(textOf(data)) as { keys: { kid?: unknown; use?: unknown }[] };
    for (const { keyId } of found) {
      const named = list.filter((one) => one?.kid === keyId && one.use === "sig");
      holds(named.length >= 1, "a key that is not for signatures");
    }
    const ids = found.map(({ keyId }) => keyId);
    holds(new Set(ids).size === ids.length, "two keys with one ID");
    // One that is no sound key is refused when it is used.
    const document = parsedOrRefused(() => formatJwks(found));
    if (document === undefined) return;
    const again = parseJwks(document);
    holds(JSON.stringify(again) === JSON.stringify(found), "keys change when they are written");
  },
};
