// The TLS parameters of every connection of ours: TLS 1.2 or newer, AEAD with forward secrecy, a
// post-quantum hybrid first, and no session resumption, because a resumed session skips the check of
// the peer against the bundle of today.

import { constants } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import type { X509Svid } from "../../pki/x509/svid.ts";

const GROUPS = "X25519MLKEM768:X25519:P-256:P-384";
const CIPHERS: string = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/** Parameters that show this SVID, or no certificate at all. */
export function contextOptions(svid: X509Svid | undefined): SecureContextOptions {
  return {
    // No anchors for OpenSSL, not even the public ones it would load: verify.ts does this work, and an
    // empty list asks clients for a certificate of any issuer.
    ca: [],
    minVersion: "TLSv1.2",
    ecdhCurve: GROUPS,
    ciphers: CIPHERS,
    // Renegotiation could swap the peer's certificate after it was checked.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    ...(svid !== undefined && {
      cert: svid.chain.map(certificatePem).join(""),
      key: svid.privateKey.export({ type: "pkcs8", format: "pem" }),
    }),
  };
}

const contexts = new WeakMap<X509Svid, SecureContext>();
let anonymousContext: SecureContext | undefined;

/** The context that shows an SVID, made once for each. */
export function secureContext(svid: X509Svid | undefined): SecureContext {
  if (svid === undefined) {
    anonymousContext ??= createSecureContext(contextOptions(undefined));
    return anonymousContext;
  }
  let context = contexts.get(svid);
  if (context === undefined) {
    context = createSecureContext(contextOptions(svid));
    contexts.set(svid, context);
  }
  return context;
}

function certificatePem(der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.length).toString("base64");
  const lines = base64.replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
