// Bundles that a command is given, as PEM certificates or as a SPIFFE bundle document.

import { emptyBundle } from "../pki/bundle/bundle.ts";
import { parseBundle } from "../pki/bundle/parse.ts";
import { TrustDomain } from "../pki/spiffe-id.ts";
import { parseCertificate } from "../pki/x509/certificate.ts";
import { parsePem } from "../pki/x509/pem.ts";
import type { Init } from "../proto/codec.ts";
import type { spire } from "../proto/schema.gen.ts";
import { bundleToWire } from "../proto/types/bundle.ts";
import { asMisuse, misuse, parseWord } from "./flags.ts";

/** As much as a file with a bundle may hold. */
export const MAX_BUNDLE_FILE_BYTES: number = 4 * 1024 * 1024;

/** A trust domain by its name or its ID. @throws USAGE_INVALID */
export function parseTrustDomain(text: string, spelled: string): TrustDomain {
  return asMisuse(spelled, () => TrustDomain.parse(text));
}

/**
 * Reads a bundle of a trust domain. `note` is told of what a document holds and cannot be used.
 * @throws USAGE_INVALID
 */
export function readBundle(
  trustDomain: TrustDomain,
  text: string,
  format: string,
  spelled: string,
  note: (text: string) => void,
): Init<spire.api.types.Bundle> {
  const read = parseWord(
    format,
    {
      pem: () => ({
        ...emptyBundle(trustDomain),
        x509Authorities: parsePem(text).map(({ der }) => {
          if (parseCertificate(der).isCa) return { der, tainted: false };
          throw misuse(`${spelled}: there is a certificate that is not one of an authority`);
        }),
      }),
      spiffe: () => parseBundle(trustDomain, text, note),
    },
    "--format",
  );
  const flag = spelled.endsWith("-path") ? `${spelled.slice(0, -"path".length)}format ` : "";
  if (format === "pem" && text.trimStart().startsWith("{")) {
    throw misuse(`${spelled}: this is no PEM but looks like a SPIFFE bundle document`, {
      hint: flag === "" ? "say that its format is spiffe" : `say so with ${flag}spiffe`,
    });
  }
  if (format === "spiffe" && text.trimStart().startsWith("-----BEGIN")) {
    throw misuse(`${spelled}: this is no SPIFFE bundle document but looks like PEM`, {
      hint: flag === "" ? "say that its format is pem" : `say so with ${flag}pem`,
    });
  }
  return bundleToWire(asMisuse(spelled, read));
}
