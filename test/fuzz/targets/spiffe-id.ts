// SPIFFE IDs, held to the grammar written a second time as a regular expression.
import { MAX_SPIFFE_ID_BYTES, SpiffeId, TrustDomain } from "../../../pki/spiffe-id.ts";
import { bytesOf, type FuzzTarget, holds, parsedOrRefused } from "../target.ts";

const ID = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/(?!\.\.?(?:\/|$))[A-Za-z0-9._-]+)*$/;

export const spiffeId: FuzzTarget = {
  name: "spiffe-id",
  reads: "SPIFFE IDs in certificates, tokens, requests and configuration",
  maxBytes: 4096,
  seeds: () =>
    ["spiffe://north.test/db", "spiffe://n", "spiffe://n_1-a.test/.a/a../...", "north.test"].map(
      bytesOf,
    ),
  run(data) {
    // Latin-1: every byte is a character, so that no input is lost to decoding.
    const text = Buffer.from(data).toString("latin1");
    const id = parsedOrRefused(() => SpiffeId.parse(text));
    const isId = ID.test(text) && !text.endsWith("\n") && text.length <= MAX_SPIFFE_ID_BYTES;
    holds((id !== undefined) === isId, `"${text}" is ${isId ? "" : "no "}SPIFFE ID`);
    if (id !== undefined) {
      holds(id.toString() === text, "an ID changes when it is read and written");
      const rebuilt = SpiffeId.of(TrustDomain.parse(id.trustDomain.name), id.path);
      holds(rebuilt.equals(id), "an ID differs from its parts");
    }
    parsedOrRefused(() => TrustDomain.parse(text));
  },
};
