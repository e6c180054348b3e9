// What TLS needs from whoever holds identities: the SVID to show, the anchors to trust, and word of
// changes. X509Source is one; the server and the node agent have their own.

import type { CrlSet } from "../../pki/x509/crl-set.ts";
import type { AnchorsOf, X509Svid } from "../../pki/x509/svid.ts";

export interface TlsSource {
  /** The SVID to show now; undefined when this side shows none, which only a client may do. */
  svid(): X509Svid | undefined;
  readonly anchorsOf: AnchorsOf;
  /** The revocation lists of these trust domains; none, or undefined, when nothing is known to be revoked. */
  readonly crls?: () => CrlSet | undefined;
  /** Calls `listener` after each change of the SVID, the anchors or the lists; returns how to stop that. */
  onChange(listener: () => void): () => void;
}
