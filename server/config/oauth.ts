// The settings of the token issuer (`oauth`): its name, and where it listens. Without them no access
// tokens are issued; SVIDs of tasks are.

import { section, z } from "../../runtime/config.ts";
import { isIssuer } from "../documents/oidc.ts";
import { type CertificateFilePair, isLoopback, pairOf, type Report } from "./documents.ts";
import { path, port, text } from "./values.ts";

/** Where access tokens are issued. */
export interface OAuthConfig {
  readonly issuer: string;
  readonly address: string;
  readonly port: number;
  /** Without it plain HTTP, for a proxy that does TLS or for one machine. */
  readonly files: CertificateFilePair | undefined;
  /** All clients come through a proxy, which looks after them. */
  readonly isBehindProxy: boolean;
}

/** The section `oauth`, as it stands in the file. */
export interface OAuthFile {
  readonly issuer: string;
  readonly address: string;
  readonly port: number;
  readonly cert_file?: string | undefined;
  readonly key_file?: string | undefined;
  readonly http: boolean;
  readonly behind_proxy: boolean;
}

export const oauthSection: z.ZodType<OAuthFile> = section({
  issuer: text,
  address: text.default("0.0.0.0"),
  port,
  cert_file: path.optional(),
  key_file: path.optional(),
  http: z.boolean().default(false),
  behind_proxy: z.boolean().default(false),
});

/** Checks what must fit together. */
export function oauthConfig(
  from: OAuthFile | undefined,
  dataDir: string,
  report: Report,
): OAuthConfig | undefined {
  if (from === undefined) return undefined;
  const at = ["oauth"];
  const files = pairOf(from, dataDir, at, report);
  if (from.http === (files !== undefined)) {
    report(
      at,
      "expected either cert_file and key_file, or http: true behind a proxy that does TLS or for one machine",
    );
  }
  if (from.http && !from.behind_proxy && !isLoopback(from.address)) {
    report(
      [...at, "http"],
      "expected an address such as 127.0.0.1 with it: anyone on the way could take the tokens. If the proxy is on another host and the network between is trusted, set behind_proxy: true",
    );
  }
  if (!isIssuer(from.issuer) && !(from.http && isLocalIssuer(from.issuer))) {
    report(
      [...at, "issuer"],
      "expected the https URL under which clients reach it, in its plain form: lower case, without port 443, user name, query and fragment (with http: true also http://127.0.0.1:PORT)",
    );
  }
  return {
    issuer: from.issuer,
    address: from.address,
    port: from.port,
    files,
    isBehindProxy: from.http && from.behind_proxy,
  };
}

/** Plain HTTP that never leaves this machine. */
function isLocalIssuer(issuer: string): boolean {
  const url = URL.parse(issuer);
  if (url === null || url.protocol !== "http:" || !isLoopback(url.hostname.replace(/^\[|\]$/g, "")))
    return false;
  return isIssuer(issuer.replace(/^http:/, "https:"));
}
