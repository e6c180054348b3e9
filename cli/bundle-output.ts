// How bundles are printed: as PEM, as the SPIFFE bundle document, or as the API's JSON.

import { formatBundle } from "../pki/bundle/format.ts";
import { formatPem } from "../pki/x509/pem.ts";
import { codecOf, type spire } from "../proto/schema.gen.ts";
import { bundleFromWire } from "../proto/types/bundle.ts";
import type { Flag, Input } from "./command.ts";
import { parseWord } from "./flags.ts";

type Wire = spire.api.types.Bundle;

export const FORMAT: Flag = {
  name: "format",
  value: "<format>",
  description:
    "pem (the X.509 authorities) or spiffe (the whole bundle as a SPIFFE bundle document)",
  defaultValue: "pem",
};

/** Writes a bundle in the format that was asked for. */
export function formatterFrom(input: Input): (bundle: Wire) => string {
  return parseWord(
    input.text("format") ?? "pem",
    {
      pem: (wire: Wire) =>
        wire.x509Authorities
          .map(({ asn1 }) => formatPem("CERTIFICATE", asn1))
          .join("")
          .trimEnd(),
      spiffe: (wire: Wire) => formatBundle(bundleFromWire(wire)),
    },
    "--format",
  );
}

export function bundleToJson(bundle: Wire): unknown {
  return codecOf("spire.api.types.Bundle").toJson(bundle);
}
