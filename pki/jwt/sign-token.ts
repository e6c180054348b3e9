// Signs tokens with the key of an authority: compact JWS through a Signer, with node:crypto, because this is
// a hot path and a JOSE library costs three times the signature. What goes into which token: issue.ts.

import type { Signer } from "../keys.ts";
import { derToRaw, SIGNING_ALGORITHM } from "./algorithms.ts";
import { encodePart } from "./signature.ts";

export interface TokenHeader {
  /** Goes into the header as `kid`: the bundle's key ID of the signer's key. */
  readonly keyId: string;
  readonly typ: "JWT" | "wit+jwt" | "at+jwt" | "statuslist+jwt";
}

/** Signs claims under a header of `alg`, `kid` and `typ`. Answers at once when the signer can sign at once. */
export function signToken(
  signer: Signer,
  header: TokenHeader,
  claims: object,
): string | Promise<string> {
  const algorithm = SIGNING_ALGORITHM[signer.keyType];
  const input = `${encodeHeader(algorithm.alg, header)}.${encodePart(claims)}`;
  const data = Buffer.from(input, "latin1");
  const finish = (signature: Uint8Array): string => {
    const raw =
      algorithm.halfBytes === undefined ? signature : derToRaw(signature, algorithm.halfBytes);
    return `${input}.${Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString("base64url")}`;
  };
  if (signer.signSync !== undefined) return finish(signer.signSync(data, algorithm.hash));
  return signer.sign(data, algorithm.hash).then(finish);
}

/** The last header of each type: all tokens of one authority share it. */
const last = {
  JWT: { alg: "", keyId: "", encoded: "" },
  "wit+jwt": { alg: "", keyId: "", encoded: "" },
  "at+jwt": { alg: "", keyId: "", encoded: "" },
  "statuslist+jwt": { alg: "", keyId: "", encoded: "" },
};

function encodeHeader(alg: string, { keyId, typ }: TokenHeader): string {
  if (last[typ].alg !== alg || last[typ].keyId !== keyId) {
    if (keyId === "") throw new TypeError("a token needs a key ID");
    last[typ] = { alg, keyId, encoded: encodePart({ alg, kid: keyId, typ }) };
  }
  return last[typ].encoded;
}
