// What the token issuer tells of itself (RFC 8414, RFC 8705 s3.3, RFC 9449 s5.1, RFC 9396 s10): where its
// endpoints are and how clients, who all have SVIDs and no secret, speak to it.

import { SIGNING_ALGORITHM } from "../../pki/jwt/algorithms.ts";
import { TASK_DETAIL_TYPE } from "../../pki/token/access-token.ts";
import { type Document, documentOf } from "../documents/document.ts";
import type { OAuthAddresses } from "./addresses.ts";

export const CLIENT_CREDENTIALS = "client_credentials";
export const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** Of client assertions and proofs: all that JWT-SVIDs may have. */
const ALGORITHMS: readonly string[] = [
  "ES256",
  "ES384",
  "ES512",
  "PS256",
  "PS384",
  "PS512",
  "RS256",
  "RS384",
  "RS512",
];

/** Client authentication by an SVID, by the names of the SPIFFE draft and by those that libraries know. */
const BY_ASSERTION = ["spiffe_jwt", "private_key_jwt"];
const BY_CERTIFICATE = ["spiffe_x509", "tls_client_auth"];

/** The document; `takesCertificates`: the listener does TLS itself, so that clients can show theirs. */
export function metadataDocument(
  { issuer, token, introspection, jwks }: OAuthAddresses,
  { takesCertificates, maxAgeSeconds }: MetadataOptions,
): Document {
  const methods = [...BY_ASSERTION, ...(takesCertificates ? BY_CERTIFICATE : [])];
  const json = {
    issuer,
    token_endpoint: token.url,
    jwks_uri: jwks.url,
    introspection_endpoint: introspection.url,
    // Nobody is sent here to log in.
    response_types_supported: [],
    grant_types_supported: [CLIENT_CREDENTIALS, JWT_BEARER],
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
    introspection_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
    dpop_signing_alg_values_supported: ALGORITHMS,
    authorization_details_types_supported: [TASK_DETAIL_TYPE],
    access_token_signing_alg_values_supported: [
      ...new Set(Object.values(SIGNING_ALGORITHM).map(({ alg }) => alg)),
    ],
    tls_client_certificate_bound_access_tokens: takesCertificates,
  };
  return documentOf(
    Buffer.from(JSON.stringify(json)),
    "application/json",
    `public, max-age=${maxAgeSeconds}`,
  );
}

export interface MetadataOptions {
  readonly takesCertificates: boolean;
  readonly maxAgeSeconds: number;
}
