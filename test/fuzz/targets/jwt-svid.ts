// JWT-SVIDs: the token as it is, and the input as header and claims of a token that is signed here, so
// that what lies behind the check of the signature is reached too.
import { sign } from "node:crypto";
import { parseJwtSvidInsecurely, validateJwtSvid } from "../../../pki/jwt/svid.ts";
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
const authority = { keyId: "k", spki: keys.spki, expiresAt: undefined, tainted: false };
const now = new Date("2026-01-01T00:00:00Z");
const HEADER = '{"alg":"ES256","kid":"k","typ":"JWT"}';
const CLAIMS = '{"sub":"spiffe://north.test/db","aud":["a"],"exp":1767225700,"iat":1767225600}';
/** Stands between header and claims in an input. */
const SEPARATOR = "\n";

export const jwtSvid: FuzzTarget = {
  name: "jwt-svid",
  reads: "JWT-SVIDs that callers present",
  maxBytes: 4096,
  seeds: () => [
    bytesOf(HEADER + SEPARATOR + CLAIMS),
    bytesOf(signed(bytesOf(HEADER), bytesOf(CLAIMS))),
    bytesOf(`${HEADER}${SEPARATOR}{"sub":"spiffe://n/a","aud":"a","exp":2e9,"nbf":1,"jti":"x"}`),
  ],
  async run(data) {
    parsedOrRefused(() => parseJwtSvidInsecurely(textOf(data)));
    const at = data.indexOf(SEPARATOR.charCodeAt(0));
    const header = at < 0 ? bytesOf(HEADER) : data.subarray(0, at);
    const token = signed(header, data.subarray(at + 1));
    try {
      const authoritiesOf = () => [authority];
      const svid = await validateJwtSvid(token, { audience: ["a"], authoritiesOf, now });
      holds(svid.audience.includes("a"), "a token for somebody else is accepted");
      holds(svid.expiresAt.getTime() > now.getTime() - 120_000, "an expired token is accepted");
      holds(svid.keyId === "k", "a token of another key is accepted");
    } catch (error) {
      assertRefusal(error);
    }
  },
};

function signed(header: Uint8Array, claims: Uint8Array): string {
  const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
  const input = `${base64url(header)}.${base64url(claims)}`;
  const key = { key: keys.privateKey, dsaEncoding: "ieee-p1363" } as const;
  return `${input}.${base64url(sign("sha256", bytesOf(input), key))}`;
}
