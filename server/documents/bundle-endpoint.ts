// The bundle endpoint (SPIFFE Federation s5): the newest bundle of the own trust domain, to anyone who
// asks, as the SPIFFE bundle document in UTF-8. How it is written: pki/bundle/format.ts.

import type { Bundle } from "../../pki/bundle/bundle.ts";
import { formatBundle } from "../../pki/bundle/format.ts";
import { ASK_EACH_TIME, type Document, documentOf, type FindResource } from "./document.ts";

export interface BundleEndpointOptions {
  /** Compared to the letter. */
  readonly path: string;
  /** The newest bundle; undefined when there is none yet. */
  readonly bundle: () => Bundle | undefined;
  /** Sends clients elsewhere, for the time being. */
  readonly redirectTo?: string | undefined;
}

/** What stands at the paths of the bundle endpoint. */
export function bundleEndpoint({ path, bundle, redirectTo }: BundleEndpointOptions): FindResource {
  const documents = new WeakMap<Bundle, Document>();
  return (asked) => {
    if (asked !== path) return undefined;
    if (redirectTo !== undefined) return { location: redirectTo };
    const newest = bundle();
    if (newest === undefined) return null;
    let document = documents.get(newest);
    if (document === undefined) {
      document = documentOf(Buffer.from(formatBundle(newest)), "application/json", ASK_EACH_TIME);
      documents.set(newest, document);
    }
    return document;
  };
}
