// What TLS needs from whoever holds identities: the SVID to show, the anchors to trust, and word of
// changes. X509Source is one; the server and the node agent have their own.

import type { AnchorsOf, X509Svid } from "../../pki/x509/svid.ts";

export interface TlsSource {
  /** The SVID to show now; undefined when this side shows none, which only a client may do. */
  svid(): X509Svid | undefined;
  readonly anchorsOf: AnchorsOf;
  /** Calls `listener` after each change of the SVID or of the anchors; returns how to stop that. */
  onChange(listener: () => void): () => void;
}
