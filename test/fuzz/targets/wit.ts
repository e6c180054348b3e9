// WIT-SVIDs and the proofs that come with them. Inputs are also put as header and claims into tokens that
// are signed here, and as headers into requests: what lies behind the check of the signature is reached too.

import { sign } from "node:crypto";
import { signerOf } from "../../../pki/keys.ts";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import { findTokens, type HttpRequest } from "../../../pki/wit/http-request.ts";
import { verifyRequestSignature } from "../../../pki/wit/http-signature.ts";
import { issueWitSvid } from "../../../pki/wit/issue.ts";
import { formatPrivateJwk, parsePrivateJwk } from "../../../pki/wit/private-jwk.ts";
import { verifyProofToken } from "../../../pki/wit/proof-token.ts";
import { formatInnerList, parseDictionary } from "../../../pki/wit/structured-fields.ts";
import { validateWitSvid } from "../../../pki/wit/svid.ts";
import { testKeyPair } from "../../support/test-certificate.ts";
import {
  assertRefusal,
  bytesOf,
  type FuzzTarget,
  holds,
  parsedOrRefused,
  textOf,
} from "../target.ts";

const keys = testKeyPair();
const holder = testKeyPair();
const now = new Date("2026-01-01T00:00:00Z");
const authority = { keyId: "k", spki: keys.spki, expiresAt: undefined, tainted: false };
const authoritiesOf = () => [authority];
const HEADER = '{"alg":"ES256","kid":"k","typ":"wit+jwt"}';
const PROOF_HEADER = '{"alg":"ES256","typ":"wpt+jwt"}';
const wit = await issueWitSvid({
  signer: signerOf("k", keys),
  keyId: "k",
  spiffeId: SpiffeId.parse("spiffe://north.test/db"),
  spki: holder.spki,
  issuedAt: now,
  expiresAt: new Date(now.getTime() + 60_000),
});
const { confirmation } = await validateWitSvid(wit, { authoritiesOf, now });

function signed(header: Uint8Array, claims: Uint8Array, by: typeof keys): string {
  const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
  const input = `${base64url(header)}.${base64url(claims)}`;
  const key = { key: by.privateKey, dsaEncoding: "ieee-p1363" } as const;
  return `${input}.${base64url(sign("sha256", bytesOf(input), key))}`;
}

async function refusedOr<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    assertRefusal(error);
    return undefined;
  }
}

export const witSvid: FuzzTarget = {
  name: "wit-svid",
  reads: "WIT-SVIDs that callers present, and private keys that an agent hands out",
  maxBytes: 4096,
  seeds: () => [
    bytesOf(wit),
    Buffer.from(wit.split(".")[1] ?? "", "base64url"),
    bytesOf(formatPrivateJwk(holder.privateKey)),
  ],
  async run(data) {
    await refusedOr(validateWitSvid(textOf(data), { authoritiesOf, now }));
    parsedOrRefused(() => parsePrivateJwk(textOf(data)));
    const token = signed(bytesOf(HEADER), data, keys);
    const svid = await refusedOr(validateWitSvid(token, { authoritiesOf, now }));
    if (svid === undefined) return;
    holds(svid.claims["aud"] === undefined, "a token for somebody is accepted");
    holds(svid.expiresAt.getTime() > now.getTime() - 121_000, "an expired token is accepted");
    holds(svid.confirmation.key.type === "public", "a token with a private key is accepted");
  },
};

/** A request whose headers are the lines of the input. */
function requestOf(data: Uint8Array): HttpRequest {
  const fields = textOf(data)
    .split("\n")
    .map((line): [string, string] => {
      const at = line.indexOf(":");
      return at < 0
        ? ["signature-input", line]
        : [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    });
  return { method: "POST", target: "/a?b=c", fields };
}

const SIGNATURE_INPUT =
  'signature-input:s=("@method" "@request-target" "workload-identity-token");created=1767225600;expires=1767225660;nonce="n";tag="wimse-workload-to-workload";wimse-aud="https://a"';

export const proof: FuzzTarget = {
  name: "proof",
  reads: "proofs of possession: proof tokens, and signatures and digests in HTTP headers",
  maxBytes: 4096,
  seeds: () => [
    bytesOf(`{"aud":"https://a","exp":1767225660,"jti":"j","wth":"w"}`),
    bytesOf(`${SIGNATURE_INPUT}\nsignature:s=:AAAA:\nworkload-identity-token:${wit}`),
    bytesOf("content-digest:sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"),
    bytesOf("authorization:WPT abc\nworkload-proof-token:abc"),
  ],
  async run(data) {
    const request = requestOf(data);
    const tokens = parsedOrRefused(() => findTokens(request));
    const given = tokens ?? findTokens({ ...request, fields: [] });
    const common = { wit, confirmation, isAudience: () => true, request, tokens: given, now };
    parsedOrRefused(() => verifyRequestSignature({ ...common, body: data }));
    await refusedOr(verifyProofToken(textOf(data), common));
    await refusedOr(verifyProofToken(signed(bytesOf(PROOF_HEADER), data, holder), common));
    for (const [, value] of request.fields) readField(value);
  },
};

/** What is read of a structured field reads the same again when it is written. */
function readField(text: string): void {
  let members: ReturnType<typeof parseDictionary>;
  try {
    members = parseDictionary(text);
  } catch (error) {
    if (error instanceof SyntaxError) return;
    throw error;
  }
  for (const [name, member] of members) {
    if (!("items" in member)) continue;
    const written = formatInnerList(member);
    const again = parseDictionary(`${name}=${written}`).get(name);
    holds(again !== undefined && "items" in again, "a list is none any more");
    holds(formatInnerList(again) === written, "a list changes when it is written and read");
  }
}
