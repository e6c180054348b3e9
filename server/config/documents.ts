// The settings of the public listeners, and what they must agree on with the rest of the file: the
// bundle endpoint (`federation.bundle_endpoint`), OpenID discovery (`oidc`) and revocation lists (`crl`).

import { resolve } from "node:path";
import { activateAt, prepareAt } from "../../pki/lifetime.ts";
import { formatDuration, section, z } from "../../runtime/config.ts";
import { isIssuer } from "../documents/oidc.ts";
import { lifetime, path, port, text } from "./values.ts";

/** Where a public listener listens. */
interface Place {
  readonly address: string;
  readonly port: number;
}

/** A certificate that somebody else renews. Absolute paths. */
export interface CertificateFilePair {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Where the bundle is served to other trust domains. */
export interface BundleEndpointConfig extends Place {
  readonly path: string;
  /** Without it the server shows its own X509-SVID: `https_spiffe`. */
  readonly files: CertificateFilePair | undefined;
  /** Where clients are sent instead of getting the bundle here. */
  readonly redirectTo: string | undefined;
}

/** Where OpenID discovery and keys are served. */
export interface OidcConfig extends Place {
  readonly issuer: string;
  /** Without it plain HTTP, for a proxy that does TLS. */
  readonly files: CertificateFilePair | undefined;
}

/** Where revocation lists are served, in plain HTTP: they are signed. */
export interface CrlListenerConfig extends Place {
  /** Under which address others reach it; in every X509-SVID, if it is given. Without a slash at its end. */
  readonly url: string | undefined;
}

/** The public listeners; each is off unless it is configured. */
export interface DocumentsConfig {
  readonly bundleEndpoint: BundleEndpointConfig | undefined;
  readonly oidc: OidcConfig | undefined;
  readonly crl: CrlListenerConfig | undefined;
}

/** The section `federation.bundle_endpoint`, as it stands in the file. */
interface BundleEndpointFile extends Place, PairFile {
  readonly path: string;
  readonly refresh_hint?: number | undefined;
  readonly profile: "https_spiffe" | "https_web";
  readonly redirect_to?: string | undefined;
}

/** The section `oidc`, as it stands in the file. */
interface OidcFile extends Place, PairFile {
  readonly http: boolean;
  readonly behind_proxy: boolean;
  readonly issuer?: string | undefined;
}

/** The section `crl`, as it stands in the file. */
interface CrlFile extends Place {
  readonly url?: string | undefined;
}

interface PairFile {
  readonly cert_file?: string | undefined;
  readonly key_file?: string | undefined;
}

const place = { address: text.default("0.0.0.0"), port };
const files = { cert_file: path.optional(), key_file: path.optional() };
const PATH = /^\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/;
const CRL_URL = /^http:\/\/[^/?#@\s]+(?:\/[^?#\s]*[^/?#\s])?$/;

export const bundleEndpointSection: z.ZodType<BundleEndpointFile> = section({
  ...place,
  path: z.string().max(1024).regex(PATH, "expected a path that starts with '/'").default("/"),
  refresh_hint: lifetime.optional(),
  profile: z.enum(["https_spiffe", "https_web"]),
  ...files,
  redirect_to: z.string().max(2048).optional(),
});

export const oidcSection: z.ZodType<OidcFile> = section({
  ...place,
  ...files,
  http: z.boolean().default(false),
  behind_proxy: z.boolean().default(false),
  issuer: text.optional(),
});

export const crlSection: z.ZodType<CrlFile> = section({
  ...place,
  url: z
    .string()
    .max(1024)
    .regex(CRL_URL, "expected a URL such as http://crl.example.org")
    .optional(),
});

/** The parts of the file that are read here. */
export interface DocumentsInput {
  readonly federation: { readonly bundle_endpoint?: BundleEndpointFile | undefined };
  readonly oidc?: OidcFile | undefined;
  readonly crl?: CrlFile | undefined;
  readonly oauth?: object | undefined;
  readonly jwt_issuer?: string | undefined;
  readonly ca: { readonly ttl: number };
  readonly bundle_refresh_hint: number;
}

/** Told of each setting that does not fit, by its path. */
export type Report = (path: readonly string[], message: string) => void;

/** Checks what the sections must agree on. */
export function documentsConfig(
  from: DocumentsInput,
  dataDir: string,
  report: Report,
): DocumentsConfig {
  const { bundle_endpoint: endpoint } = from.federation;
  checkRefreshHint(from, report);
  return {
    bundleEndpoint: endpoint && bundleEndpointOf(endpoint, dataDir, report),
    oidc: from.oidc && oidcOf(from.oidc, from.jwt_issuer, dataDir, report),
    crl: from.crl && { address: from.crl.address, port: from.crl.port, url: from.crl.url },
  };
}

/** The refresh hint of the own bundle, in seconds. */
export function refreshHintOf({ federation, bundle_refresh_hint }: DocumentsInput): number {
  return federation.bundle_endpoint?.refresh_hint ?? bundle_refresh_hint;
}

/** Authorities must be public for three refresh hints before they sign, and there must be time for that. */
function checkRefreshHint(from: DocumentsInput, report: Report): void {
  const { bundle_endpoint: endpoint } = from.federation;
  if (endpoint === undefined && from.oidc === undefined && from.oauth === undefined) return;
  const end = new Date(from.ca.ttl * 1000);
  const gapMs = activateAt(new Date(0), end).getTime() - prepareAt(new Date(0), end).getTime();
  if (3 * refreshHintOf(from) * 1000 <= gapMs) return;
  const at =
    endpoint?.refresh_hint === undefined
      ? ["bundle_refresh_hint"]
      : ["federation", "bundle_endpoint", "refresh_hint"];
  const most = formatDuration(Math.max(Math.floor(gapMs / 3000) * 1000, 1000));
  report(
    at,
    `expected at most ${most}, a ninth of ca.ttl: whoever polls must see a new authority three times before it signs`,
  );
}

function bundleEndpointOf(
  from: BundleEndpointFile,
  dataDir: string,
  report: Report,
): BundleEndpointConfig {
  const at = ["federation", "bundle_endpoint"];
  const pair = pairOf(from, dataDir, at, report);
  if (from.profile === "https_web" && pair === undefined) {
    report(
      at,
      "expected cert_file and key_file: https_web shows a certificate of a public authority",
    );
  }
  if (from.profile === "https_spiffe" && pair !== undefined) {
    report(
      [...at, "cert_file"],
      "expected nothing: https_spiffe shows the server's own X509-SVID; remove it or set profile: https_web",
    );
  }
  const redirectTo = from.redirect_to === undefined ? undefined : endpointUrlOf(from.redirect_to);
  if (from.redirect_to !== undefined && redirectTo === undefined) {
    report(
      [...at, "redirect_to"],
      "expected an https URL without a user name, of an endpoint of the same profile",
    );
  }
  return {
    address: from.address,
    port: from.port,
    path: from.path,
    files: pair,
    redirectTo,
  };
}

function oidcOf(
  from: OidcFile,
  jwtIssuer: string | undefined,
  dataDir: string,
  report: Report,
): OidcConfig {
  const at = ["oidc"];
  const issuer = from.issuer ?? jwtIssuer;
  if (jwtIssuer === undefined) {
    report(
      ["jwt_issuer"],
      "expected the https URL under which 'oidc' is reached, such as https://oidc.example.org: OpenID clients compare it with the iss claim of tokens",
    );
  } else if (issuer !== jwtIssuer) {
    report(
      [...at, "issuer"],
      "expected what jwt_issuer says, to the letter: OpenID clients compare it with the iss claim of tokens",
    );
  } else if (!isIssuer(jwtIssuer)) {
    report(
      ["jwt_issuer"],
      "expected an https URL in its plain form, lower case, without port 443, user name, query and fragment: 'oidc' is on",
    );
  }
  const pair = pairOf(from, dataDir, at, report);
  if (from.http === (pair !== undefined)) {
    report(
      at,
      "expected either cert_file and key_file, or http: true behind a proxy that does TLS",
    );
  }
  if (from.http && !from.behind_proxy && !isLoopback(from.address)) {
    report(
      [...at, "http"],
      "expected an address such as 127.0.0.1 with it: anyone on the way could exchange the keys. If the proxy is on another host and the network between is trusted, set behind_proxy: true",
    );
  }
  return { address: from.address, port: from.port, issuer: issuer ?? "", files: pair };
}

/** The files of a certificate, if they are given. */
export function pairOf(
  from: PairFile,
  dataDir: string,
  at: readonly string[],
  report: Report,
): CertificateFilePair | undefined {
  const { cert_file: certFile, key_file: keyFile } = from;
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined) report([...at, "cert_file"], "expected beside key_file");
  if (keyFile === undefined) report([...at, "key_file"], "expected beside cert_file");
  return { certFile: resolve(dataDir, certFile ?? ""), keyFile: resolve(dataDir, keyFile ?? "") };
}

/** A URL as it goes into a header, if it may be that of a bundle endpoint (SPIFFE Federation s5.2.1.1). */
function endpointUrlOf(url: string): string | undefined {
  const parsed = /\s/.test(url) ? null : URL.parse(url);
  if (parsed === null || parsed.protocol !== "https:") return undefined;
  return parsed.username + parsed.password + parsed.hash === "" ? parsed.href : undefined;
}

/** Whether nobody but this machine can reach an address. */
export function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || /^127\.\d+\.\d+\.\d+$/.test(address);
}
