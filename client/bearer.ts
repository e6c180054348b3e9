// Sending a JWT-SVID (JWT-SVID s5.2, s5.3, s7.3): as a bearer token, over channels that nobody can listen
// to. Whoever reads a token on its way can use it.

import { isWit } from "../pki/wit/svid.ts";
import { clientError } from "./errors.ts";

/** Schemes of targets whose every hop is confidential: TLS, or a socket that does not leave the host. */
const CONFIDENTIAL: readonly string[] = ["https:", "wss:", "grpcs:", "unix:"];

/**
 * The header that carries a token to `target`, a URL: for HTTP as it is, for gRPC as metadata.
 * @throws TRANSPORT_NOT_CONFIDENTIAL when the token would travel in plain text, WIT_PRESENTATION_INVALID for
 * a WIT-SVID, which is no bearer token
 */
export function bearerHeader(
  token: string,
  target: string | URL,
): { readonly authorization: string } {
  if (isWit(token)) {
    throw clientError("WIT_PRESENTATION_INVALID", "a WIT-SVID is not sent in Authorization", {
      hint: "present it with a proof of its key: presentWit",
    });
  }
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(String(target))?.[0].toLowerCase();
  if (scheme === undefined || !CONFIDENTIAL.includes(scheme)) {
    throw clientError(
      "TRANSPORT_NOT_CONFIDENTIAL",
      `a JWT-SVID is not sent over ${scheme ?? "an unknown transport"}: whoever listens could use it`,
      { hint: `use one of ${CONFIDENTIAL.map((known) => `${known}//`).join(", ")}` },
    );
  }
  return { authorization: `Bearer ${token}` };
}
