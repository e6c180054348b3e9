// Proofs of the keys of tasks: DPoP proofs, which belong to one request, and proofs for the task service. Inputs
// are read as they are, and as header and payload that the holder's key signs.
import { jwkToSpki, spkiToJwk } from "../../../pki/bundle/jwk.ts";
import { issueTaskProof, TASK_PROOF_TYPE, validateTaskProof } from "../../../pki/task-proof.ts";
import { type DpopExpectation, issueDpopProof, verifyDpopProof } from "../../../pki/token/dpop.ts";
import { jwkThumbprint } from "../../../pki/token/thumbprint.ts";
import { doneOrRefused, fixedKey, partsOf, signedParts } from "../signed-token.ts";
import { bytesOf, type FuzzTarget, holds, parsedOrRefused, textOf } from "../target.ts";

const holder = fixedKey("holder");
const jkt = jwkThumbprint(holder.spki);
const now = new Date("2030-01-01T00:00:00Z");
const NOW_SECONDS = now.getTime() / 1000;
const METHOD = "POST";
const URL_OF_TOOL = "https://mcp.north.test/tickets";
const ACCESS_TOKEN = "a.b.c";
/** SHA-256 of the access token. */
const ATH = "hF4wRIgJ4ryJWOsCW_x5UjXROwd6U9DDq70jhRcNybg";
const HEADER = { typ: "dpop+jwt", alg: "ES256", jwk: spkiToJwk(holder.spki) };

function proofOf(target: { url?: string; accessToken?: string; nonce?: string }): string {
  const key = { privateKey: holder.privateKey, alg: "ES256", spki: holder.spki };
  return issueDpopProof({ key, now, method: METHOD, url: URL_OF_TOOL, ...target });
}

const atResource = proofOf({ accessToken: ACCESS_TOKEN });
const atEndpoint = proofOf({ nonce: "n", url: `${URL_OF_TOOL}?a=b#c` });

export const dpopProof: FuzzTarget = {
  name: "dpop-proof",
  reads: "DPoP proofs that come with token requests and access tokens",
  maxBytes: 4096,
  seeds: () => [bytesOf(atResource), bytesOf(atEndpoint), partsOf(atResource), partsOf(atEndpoint)],
  async run(data) {
    const target = { method: METHOD, url: URL_OF_TOOL, now };
    await check(textOf(data), { ...target, accessToken: ACCESS_TOKEN });
    const proof = signedParts(data, HEADER, holder);
    await check(proof, target);
    await check(proof, { ...target, accessToken: ACCESS_TOKEN, jkt });
  },
};

async function check(proof: string, expectation: DpopExpectation): Promise<void> {
  const verified = await doneOrRefused(verifyDpopProof(proof, expectation));
  if (verified === undefined) return;
  const [header, claims] = payloadsOf(proof);
  const jwk = header?.["jwk"] as Parameters<typeof jwkToSpki>[0] & object;
  const spki = jwkToSpki(jwk);
  holds(spki !== undefined && jwkThumbprint(spki) === verified.jkt, "a proof of another key");
  holds(!("d" in jwk) && !("k" in jwk), "a proof with a private key");
  holds(expectation.jkt === undefined || expectation.jkt === verified.jkt, "another key");
  const { htm, htu, ath, iat, jti } = claims ?? {};
  holds(htm === METHOD, "a proof of another method");
  const url = new URL(String(htu));
  holds(url.origin + url.pathname === URL_OF_TOOL, "a proof of another URL");
  holds(ath === (expectation.accessToken === undefined ? undefined : ATH), "of another token");
  holds(jti === verified.jti && jti !== "", "a proof without an ID");
  const age = NOW_SECONDS - Number(iat);
  // To the millisecond: moments are kept no more exactly.
  holds(age < 70.001 && age > -10.001, `a proof that is ${age} s old`);
  holds(verified.until.getTime() > now.getTime(), "a proof that may come again");
}

const TASK = "01JD0000000000000000000000";
const expected = { method: "WatchTask", taskId: TASK, publicKey: holder.publicKey, now };
const taskProofs = [
  issueTaskProof(holder.privateKey, { method: "WatchTask", taskId: TASK, now, jti: "j" }),
  issueTaskProof(holder.privateKey, { method: "Complete", taskId: TASK, now, jti: "j" }),
];

export const taskProof: FuzzTarget = {
  name: "task-proof",
  reads: "proofs with calls of a node agent's task service",
  maxBytes: 4096,
  seeds: () => [...taskProofs.map(bytesOf), ...taskProofs.map(partsOf)],
  run(data) {
    parsedOrRefused(() => validateTaskProof(textOf(data), expected));
    const proof = signedParts(data, { alg: "ES256", typ: TASK_PROOF_TYPE }, holder);
    const verified = parsedOrRefused(() => validateTaskProof(proof, expected));
    if (verified === undefined) return;
    const [header, claims] = payloadsOf(proof);
    holds(header?.["typ"] === TASK_PROOF_TYPE, "a token of another kind");
    holds(claims?.["aud"] === "WatchTask" && claims["sub"] === TASK, "a proof of another call");
    holds(claims["jti"] === verified.jti && verified.jti !== "", "a proof without an ID");
    holds(Math.abs(NOW_SECONDS - Number(claims["iat"])) < 60.001, "a proof of another time");
    holds(verified.until.getTime() >= now.getTime(), "a proof that may come again");
  },
};

/** Header and payload by JSON.parse. */
function payloadsOf(token: string): Record<string, unknown>[] {
  const texts = token.split(".").slice(0, 2);
  return texts.map((part) => JSON.parse(Buffer.from(part, "base64url").toString()));
}
