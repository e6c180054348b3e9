// What stands at the paths of the token issuer's listener: documents that anyone may have (metadata, keys,
// status lists), and the two endpoints that are sent to.

import type { FindResource } from "../documents/document.ts";
import type { Posts } from "../documents/post.ts";
import type { OAuthAddresses } from "./addresses.ts";
import type { Introspection } from "./introspection.ts";
import type { OAuthKeys } from "./keys.ts";
import { type MetadataOptions, metadataDocument } from "./metadata.ts";
import type { StatusLists } from "./status-lists.ts";
import type { TokenEndpoint } from "./token-endpoint.ts";

/** A JWT-SVID, a mandate of many locations, and what their escapes add to them. */
const MAX_BODY_BYTES = 65_536;
/** Two cores verify some ten thousand signatures a second: more at a time would only wait. */
const MAX_AT_ONCE = 256;

export interface OAuthDocuments extends MetadataOptions {
  readonly addresses: OAuthAddresses;
  readonly keys: OAuthKeys;
  readonly lists: Pick<StatusLists, "current">;
}

/** What can be asked for. */
export function oauthDocuments({
  addresses,
  keys,
  lists,
  ...options
}: OAuthDocuments): FindResource {
  const metadata = metadataDocument(addresses, options);
  const { metadataPaths, jwks, status } = addresses;
  return (path) => {
    if (metadataPaths.includes(path)) return metadata;
    if (path === jwks.path) return keys.document();
    if (!path.startsWith(status.path)) return undefined;
    const name = path.slice(status.path.length);
    return lists.current(name);
  };
}

/** What can be sent. */
export function oauthPosts(
  { token, introspection }: OAuthAddresses,
  endpoints: {
    readonly token: Pick<TokenEndpoint, "answer">;
    readonly introspection: Pick<Introspection, "answer">;
  },
): Posts {
  return {
    has: (path) => path === token.path || path === introspection.path,
    answer: (post) =>
      (post.path === token.path ? endpoints.token : endpoints.introspection).answer(post),
    maxBodyBytes: MAX_BODY_BYTES,
    maxAtOnce: MAX_AT_ONCE,
  };
}
