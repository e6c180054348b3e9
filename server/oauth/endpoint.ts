// What stands at the paths of the token issuer's listener: documents that anyone may have (metadata, keys,
// status lists, the checkpoint of the audit log), and the two endpoints that are sent to.

import {
  ASK_EACH_TIME,
  type Document,
  documentOf,
  type FindResource,
} from "../documents/document.ts";
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
  /** The newest signed checkpoint of the audit log, as a note; undefined before the first. */
  readonly checkpoint: () => Promise<string | undefined>;
}

/** What can be asked for. */
export function oauthDocuments({
  addresses,
  keys,
  lists,
  checkpoint,
  ...options
}: OAuthDocuments): FindResource {
  const metadata = metadataDocument(addresses, options);
  const { metadataPaths, jwks, status } = addresses;
  const checkpointPath = addresses.checkpoint.path;
  return (path) => {
    if (metadataPaths.includes(path)) return metadata;
    if (path === jwks.path) return keys.document();
    if (path === checkpointPath) return checkpoint().then(noteDocument);
    if (!path.startsWith(status.path)) return undefined;
    const name = path.slice(status.path.length);
    return lists.current(name);
  };
}

/** `null`: it is not there yet. */
function noteDocument(note: string | undefined): Document | null {
  if (note === undefined) return null;
  return documentOf(Buffer.from(note), "text/plain; charset=utf-8", ASK_EACH_TIME);
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
