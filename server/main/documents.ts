// Step of the start: the public listeners, each if it is configured. What they hand out, and how, is
// server/documents/.
import type { CertificateFilePair } from "../config/documents.ts";
import { bundleEndpoint } from "../documents/bundle-endpoint.ts";
import { CertificateFiles } from "../documents/certificate-files.ts";
import { crlEndpoint, type FindCrl } from "../documents/crl-endpoint.ts";
import type { FindResource } from "../documents/document.ts";
import { startDocumentListener } from "../documents/listener.ts";
import { oidcDiscovery } from "../documents/oidc.ts";
import type { Posts } from "../documents/post.ts";
import { type ServingCertificate, svidCertificate } from "../documents/tls.ts";
import type { VisitorLimits } from "../documents/visitors.ts";
import type { Base } from "./base.ts";
import type { Ca } from "./ca.ts";
import type { Revocation } from "./revocation.ts";
import type { Stores } from "./stores.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where the public listeners are. */
export interface DocumentAddresses {
  readonly bundleEndpoint: Address | undefined;
  readonly oidc: Address | undefined;
  readonly crl: Address | undefined;
  readonly oauth: Address | undefined;
}

/** One listener to start. */
export interface WantedListener {
  readonly name: string;
  /** Of the configuration. */
  readonly section: string;
  readonly address: string;
  readonly port: number;
  /** Files, or what is shown without them; neither is plain HTTP. */
  readonly files?: CertificateFilePair | undefined;
  readonly certificate?: ServingCertificate;
  readonly isBehindProxy?: boolean;
  readonly find: FindResource;
  readonly posts?: Posts;
  readonly asksForCertificate?: boolean;
  readonly limits?: Partial<VisitorLimits>;
}

/** Starts a listener that counts what it does in the same metrics as the others. */
export type StartListener = (wanted: WantedListener) => Promise<Address>;

/** Starts the public listeners. */
export async function startDocuments(
  base: Base,
  start: StartListener,
  { bundles }: Stores,
  { identity }: Ca,
  { crls }: Revocation,
  taskCrls: FindCrl,
): Promise<Omit<DocumentAddresses, "oauth">> {
  const { trustDomain, documents, bundleRefreshHintSeconds: maxAgeSeconds } = base.config;
  const bundle = () => bundles.get(trustDomain.name);
  const { bundleEndpoint: endpoint, oidc, crl } = documents;
  return {
    bundleEndpoint:
      endpoint &&
      (await start({
        ...endpoint,
        name: "bundle",
        section: "federation.bundle_endpoint",
        certificate: svidCertificate(identity),
        find: bundleEndpoint({ ...endpoint, bundle }),
      })),
    oidc:
      oidc &&
      (await start({
        ...oidc,
        name: "oidc",
        section: "oidc",
        isBehindProxy: oidc.files === undefined,
        find: oidcDiscovery({ ...oidc, bundle, maxAgeSeconds }),
      })),
    crl:
      crl &&
      (await start({
        ...crl,
        name: "crl",
        section: "crl",
        find: crlEndpoint((authorityId) => crls.current(authorityId), taskCrls),
      })),
  };
}

/** How public listeners are started. Asked for once: all of them share their metrics. */
export function documentListeners({ lifecycle, clock, log, metrics }: Base): StartListener {
  const requests = metrics.counter({
    name: "document_requests_total",
    help: "Requests for public documents, by listener and HTTP status",
    labels: ["listener", "status"],
  });
  const open: { readonly connections: number }[] = [];
  metrics.gauge({
    name: "document_connections",
    help: "Open connections of the listeners of public documents",
    read: () => open.reduce((sum, { connections }) => sum + connections, 0),
  });
  return async ({ files, certificate, ...wanted }) => {
    const { name } = wanted;
    const shown =
      files === undefined
        ? certificate
        : await lifecycle.start(`${name} certificate`, () =>
            CertificateFiles.start({ ...files, clock, log: log.child({ listener: name }) }),
          );
    if (shown instanceof CertificateFiles) lifecycle.onReload(() => shown.reload());
    const listener = await lifecycle.start(`${name} listener`, () =>
      startDocumentListener({
        ...wanted,
        certificate: shown,
        onAnswer: (status) => requests.inc({ listener: name, status: String(status) }),
        clock,
        log,
      }),
    );
    open.push(listener);
    log.info({ listener: name, address: listener.address }, "documents are served");
    return listener.address;
  };
}
