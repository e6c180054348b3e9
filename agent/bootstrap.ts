// The bundle that an operator gives an agent for its first contact with the server: PEM certificates, or
// a SPIFFE bundle document. Which of the two it is, its first character says.

import type { Bundle } from "../pki/bundle/bundle.ts";
import { MAX_BUNDLE_BYTES, parseBundle } from "../pki/bundle/parse.ts";
import type { TrustDomain } from "../pki/spiffe-id.ts";
import { parseCertificate } from "../pki/x509/certificate.ts";
import { parsePem } from "../pki/x509/pem.ts";
import { readFileBounded } from "../runtime/files.ts";
import { agentError } from "./errors.ts";

/**
 * Reads a bundle file.
 * @throws BOOTSTRAP_BUNDLE_INVALID, FILE_UNREADABLE, FILE_TOO_LARGE
 */
export async function readBootstrapBundle(path: string, trustDomain: TrustDomain): Promise<Bundle> {
  const bytes = await readFileBounded(path, { limitBytes: MAX_BUNDLE_BYTES });
  if (bytes === undefined) throw invalid(path, "there is no such file");
  let bundle: Bundle;
  try {
    const text = Buffer.from(bytes).toString("utf8");
    bundle = text.trimStart().startsWith("{")
      ? parseBundle(trustDomain, text)
      : fromPem(trustDomain, text);
  } catch (cause) {
    throw invalid(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (bundle.x509Authorities.length === 0) throw invalid(path, "it holds no X.509 authority");
  return bundle;
}

function fromPem(trustDomain: TrustDomain, text: string): Bundle {
  const blocks = parsePem(text).filter(({ label }) => label === "CERTIFICATE");
  return {
    trustDomain,
    x509Authorities: blocks.map(({ der }) => ({ der: parseCertificate(der).der, tainted: false })),
    jwtAuthorities: [],
    witAuthorities: [],
    sequence: 0n,
    refreshHintSeconds: 0,
  };
}

function invalid(path: string, why: string, cause?: unknown): Error {
  return agentError("BOOTSTRAP_BUNDLE_INVALID", `cannot use the bundle file "${path}": ${why}`, {
    hint: "write it with 'signet bundle show' on the server",
    cause,
  });
}
