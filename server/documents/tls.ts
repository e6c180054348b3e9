// TLS of the public listeners: the parameters of client/tls, which are those of Mozilla's "intermediate"
// profile (SPIFFE Federation s5): TLS 1.2 with forward-secret AEAD suites, and TLS 1.3. Clients are not
// asked for a certificate, but where one can speak for them; OpenSSL verifies none. What is shown: the server's own X509-SVID here, files in certificate-files.ts.

import { createServer, type SecureContextOptions, type Server } from "node:tls";
import { contextOptions } from "../../client/tls/context.ts";
import type { TlsSource } from "../../client/tls/source.ts";

const HANDSHAKE_TIMEOUT_MS = 10_000;

/** A certificate to show, which changes over time. */
export interface ServingCertificate {
  /** Chain and key for new connections. */
  current(): SecureContextOptions;
  /** Calls `listener` after each change; returns how to stop that. */
  onChange(listener: () => void): () => void;
}

/** The certificate of whoever holds an SVID: `https_spiffe`. */
export function svidCertificate(source: TlsSource): ServingCertificate {
  return {
    current: () => contextOptions(source.svid()),
    onChange: (listener) => source.onChange(listener),
  };
}

/** A TLS server that shows this certificate to connections it is given; it listens nowhere itself. */
export function createDocumentTls(
  certificate: ServingCertificate,
  { asksForCertificate = false }: { readonly asksForCertificate?: boolean | undefined } = {},
): Server {
  const server = createServer({
    ...certificate.current(),
    requestCert: asksForCertificate,
    rejectUnauthorized: false,
    honorCipherOrder: true,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    ALPNProtocols: ["http/1.1"],
  });
  let shown = JSON.stringify([certificate.current().cert]);
  const stopFollowing = certificate.onChange(() => {
    const next = certificate.current();
    const name = JSON.stringify([next.cert]);
    if (name === shown) return;
    shown = name;
    server.setSecureContext(next);
  });
  server.once("close", stopFollowing);
  return server;
}
