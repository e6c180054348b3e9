// Bundle documents and JWK Sets: what is read can be written, and reads the same again.
import { type Bundle, equalBundles } from "../../../pki/bundle/bundle.ts";
import { formatBundle } from "../../../pki/bundle/format.ts";
import { parseBundle, parseJwks, parseWitJwks } from "../../../pki/bundle/parse.ts";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import { LaxAuthority } from "../../support/lax-authority.ts";
import { testKeyPair } from "../../support/test-certificate.ts";
import { bytesOf, type FuzzTarget, holds, parsedOrRefused } from "../target.ts";

const north = TrustDomain.parse("north.test");

/** A bundle with authorities of every kind. */
export function wholeBundle(): Bundle {
  const authority = (keyId: string, kind: "ec-p256" | "rsa-2048") => ({
    keyId,
    spki: testKeyPair(kind).spki,
    expiresAt: undefined,
    tainted: false,
  });
  return {
    trustDomain: north,
    x509Authorities: [{ der: LaxAuthority.create().certificate.der, tainted: false }],
    jwtAuthorities: [authority("a", "ec-p256"), authority("b", "rsa-2048")],
    witAuthorities: [authority("c", "ec-p256")],
    sequence: 9_007_199_254_740_993n,
    refreshHintSeconds: 300,
  };
}

export const bundle: FuzzTarget = {
  name: "bundle",
  reads: "bundle documents of other trust domains and of files",
  maxBytes: 16_384,
  seeds: () => [
    bytesOf(formatBundle(wholeBundle())),
    bytesOf('{"keys":[{"kty":"EC","use":"x509-svid","x5c":[]},{"kty":"oct"}],"spiffe_sequence":1}'),
    bytesOf('{"keys":[],"spiffe_refresh_hint":60,"extra":{"keys":[]}}'),
  ],
  run(data) {
    parsedOrRefused(() => parseJwks(data));
    parsedOrRefused(() => parseWitJwks(data));
    const parsed = parsedOrRefused(() => parseBundle(north, data));
    if (parsed === undefined) return;
    const again = parseBundle(north, formatBundle(parsed));
    holds(equalBundles(again, parsed), "a bundle changes when it is written and read");
    holds(again.sequence === parsed.sequence, "a sequence number changes");
  },
};
