// The first bundle of a relationship: an endpoint that proves itself with an X509-SVID can be asked only
// when there is a bundle of the endpoint's trust domain (SPIFFE Federation s5.2.2.2). With a self-serving
// endpoint somebody must give that bundle; otherwise the endpoint's trust domain is federated with as
// well, or its bundle was given by hand. Afterwards the newest fetched bundle counts (s5.2.2.4).

import type { Bundle } from "../../pki/bundle/bundle.ts";
import { emptyBundle } from "../../pki/bundle/bundle.ts";
import { parseBundle } from "../../pki/bundle/parse.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import { parsePem } from "../../pki/x509/pem.ts";
import { readFileBounded } from "../../runtime/files.ts";
import { serverError } from "../errors.ts";
import type { Relationship } from "../store/relationships.ts";
import { isSelfServing } from "./relationship.ts";

const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Checks that the endpoint of a relationship can be verified. `hasBundle` and `hasRelationship` tell
 * what there is, by bare name, the relationship's own first bundle included.
 * @throws FEDERATION_INCOMPLETE
 */
export function checkVerifiable(
  relationship: Relationship,
  hasBundle: (trustDomain: string) => boolean,
  hasRelationship: (trustDomain: string) => boolean,
): void {
  const { trustDomain, endpointId } = relationship;
  if (endpointId === undefined) return;
  const { name } = endpointId.trustDomain;
  if (hasBundle(name)) return;
  if (!isSelfServing(relationship) && hasRelationship(name)) return;
  throw serverError(
    "FEDERATION_INCOMPLETE",
    `the endpoint of "${trustDomain}" proves itself as "${endpointId}", and there is no bundle of "${name}" to verify that with`,
    {
      hint: isSelfServing(relationship)
        ? "give the first bundle with the relationship (--trust-domain-bundle-path, or bundle_file in the configuration), or with 'signet bundle set'"
        : `federate with "${name}" first, or give its bundle with 'signet bundle set'`,
    },
  );
}

/**
 * Reads a first bundle from a file: a SPIFFE bundle document, or X.509 authorities as PEM.
 * @throws FEDERATION_INCOMPLETE
 */
export async function readBundleFile(trustDomain: TrustDomain, path: string): Promise<Bundle> {
  try {
    const bytes = await readFileBounded(path, { limitBytes: MAX_FILE_BYTES });
    if (bytes === undefined) throw new Error("it is not there");
    const text = Buffer.from(bytes).toString("utf8");
    if (text.trimStart().startsWith("{")) return parseBundle(trustDomain, text);
    const x509Authorities = parsePem(text).map(({ der }) => {
      if (!parseCertificate(der).isCa) throw new Error("it holds what is no authority");
      return { der, tainted: false };
    });
    return { ...emptyBundle(trustDomain), x509Authorities };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw serverError(
      "FEDERATION_INCOMPLETE",
      `the bundle of "${trustDomain}" in "${path}": ${why}`,
      {
        hint: "bundle_file takes a SPIFFE bundle document or PEM certificates of authorities",
        cause,
      },
    );
  }
}
