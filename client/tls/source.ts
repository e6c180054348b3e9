// What TLS needs from whoever holds identities: the SVID to show, the anchors to trust, and word of
// changes. X509Source is one; the server and the node agent have their own.

import type { KeyObject } from "node:crypto";
import type { SpiffeId } from "../../pki/spiffe-id.ts";
import type { AnchorsOf } from "../verify.ts";

/** An X509-SVID with its private key. */
export interface X509Svid {
  readonly id: SpiffeId;
  /** DER, leaf first, then the intermediates; without the root. */
  readonly chain: readonly Uint8Array[];
  readonly privateKey: KeyObject;
  readonly expiresAt: Date;
  /** Tells apart several identities of one workload; "" when there is none. */
  readonly hint: string;
}

export interface TlsSource {
  /** The SVID to show now; undefined when this side shows none, which only a client may do. */
  svid(): X509Svid | undefined;
  readonly anchorsOf: AnchorsOf;
  /** Calls `listener` after each change of the SVID or of the anchors; returns how to stop that. */
  onChange(listener: () => void): () => void;
}
