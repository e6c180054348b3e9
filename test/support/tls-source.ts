// A TlsSource whose SVID and anchors a test sets.

import type { TlsSource } from "../../client/tls/source.ts";
import type { AnchorsOf, X509Svid } from "../../pki/x509/svid.ts";

export class TestTlsSource implements TlsSource {
  anchorsOf: AnchorsOf;
  private current: X509Svid | undefined;
  private readonly listeners: Set<() => void> = new Set();

  constructor(svid: X509Svid | undefined, anchorsOf: AnchorsOf) {
    this.current = svid;
    this.anchorsOf = anchorsOf;
  }

  svid(): X509Svid | undefined {
    return this.current;
  }

  rotate(svid: X509Svid | undefined): void {
    this.current = svid;
    for (const listener of this.listeners) listener();
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get listenerCount(): number {
    return this.listeners.size;
  }
}
