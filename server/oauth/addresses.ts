// Where everything of the token issuer is, for whoever reaches it under its issuer URL: paths as they are
// asked for, and whole URLs as they stand in documents.

/** The issuer's addresses. */
export interface OAuthAddresses {
  /** The `iss` of what it signs, to the letter. */
  readonly issuer: string;
  /** Both paths under which its metadata can be asked for (RFC 8414 s3.1, and below the issuer). */
  readonly metadataPaths: readonly string[];
  readonly token: Place;
  readonly introspection: Place;
  readonly jwks: Place;
  /** The newest signed checkpoint of the audit log. */
  readonly checkpoint: Place;
  /** With a slash at its end; the name of a list follows. */
  readonly status: Place;
  /** The name of the claim about tasks. */
  readonly taskClaim: string;
}

interface Place {
  readonly path: string;
  readonly url: string;
}

const METADATA = "/.well-known/oauth-authorization-server";

/** The addresses of an issuer, which is a URL without query and fragment. */
export function oauthAddresses(issuer: string): OAuthAddresses {
  const base = issuer.replace(/\/$/, "");
  const prefix = new URL(base).pathname.replace(/\/$/, "");
  const place = (end: string): Place => ({ path: prefix + end, url: base + end });
  return {
    issuer,
    metadataPaths: [...new Set([`${METADATA}${prefix}`, `${prefix}${METADATA}`])],
    token: place("/token"),
    introspection: place("/introspect"),
    jwks: place("/jwks"),
    checkpoint: place("/audit/checkpoint"),
    status: place("/status/"),
    taskClaim: `${base}/task`,
  };
}
