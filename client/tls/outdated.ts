// Connections of HTTP/1.1 that are kept for later calls are given up, between two calls, once this side has another
// SVID: the next call is made over a new one, in which both sides show what they have now. So when an authority is
// replaced, nothing rests on the old one by the time it is revoked, and no call is cut off with its connection.

import { equalBytes } from "../../pki/x509/certificate.ts";
import type { X509Svid } from "../../pki/x509/svid.ts";
import type { TlsSource } from "./source.ts";

/** What this side shows now; undefined when it was withdrawn or has expired, or the source was closed. */
export function currentSvid(source: TlsSource): X509Svid | undefined {
  try {
    return source.svid();
  } catch {
    return undefined;
  }
}

/** Whether this side would show another SVID now. Not when it has none: that is for others to judge. */
export function isOutdated(shown: X509Svid | undefined, source: TlsSource): boolean {
  const now = currentSvid(source);
  if (shown === undefined || now === undefined || now === shown) return false;
  return !equalBytes(now.leaf.der, shown.leaf.der);
}
