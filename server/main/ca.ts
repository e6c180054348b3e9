// Second step of the start: the authorities and what they issue.
import { withIssuedEvents } from "../audit/issued.ts";
import { Authorities } from "../ca/authority.ts";
import { countIssued } from "../ca/count-issued.ts";
import { Issuer } from "../ca/issuer.ts";
import { Rotation } from "../ca/rotation.ts";
import { lifetimeWarning } from "../config.ts";
import { crlUrlOf, taskCrlUrlOf } from "../documents/crl-endpoint.ts";
import { ServerIdentity } from "../identity.ts";
import { openKeyManager } from "../keymanager/index.ts";
import { type RecordedIssuing, recordIssued } from "../ledger/record-issued.ts";
import type { Audit } from "./audit.ts";
import type { Base } from "./base.ts";
import type { Recording } from "./revocation.ts";
import type { Stores } from "./stores.ts";

/** The authorities, what they issue, and the server's own SVID. */
export interface Ca {
  readonly authorities: Authorities;
  readonly issuer: RecordedIssuing;
  readonly identity: ServerIdentity;
}

/** Starts them, and their rotation. */
export async function startCa(
  { config, log, clock, lifecycle, metrics }: Base,
  stores: Stores,
  recording: Recording,
  audit: Audit,
): Promise<Ca> {
  const { trustDomain, dataDir } = config;
  const { store, bundles, hub } = stores;
  const keys = await openKeyManager(config.keyManager, { dataDir, log });
  const crlUrl = config.documents.crl?.url;
  const authorities = await Authorities.start({
    trustDomain,
    ca: config.ca,
    refreshHintSeconds: config.bundleRefreshHintSeconds,
    log: store,
    bundles,
    keys,
    publication: hub,
    crlUrlOf: crlUrl === undefined ? undefined : (id) => crlUrlOf(crlUrl, id),
    taskCrlUrlOf: crlUrl === undefined ? undefined : (id) => taskCrlUrlOf(crlUrl, id),
    isPolled: (kind) =>
      kind === "oauth" ||
      config.documents.bundleEndpoint !== undefined ||
      (kind === "jwt" && config.documents.oidc !== undefined),
    clock,
    logger: log,
  });
  const warning = lifetimeWarning(config);
  if (warning !== undefined) log.warn(warning);
  const issuer = new Issuer({
    authorities,
    x509SvidTtlSeconds: config.x509SvidTtlSeconds,
    jwtSvidTtlSeconds: config.jwtSvidTtlSeconds,
    witSvidTtlSeconds: config.witSvidTtlSeconds,
    jwtIssuer: config.jwtIssuer,
    jwtAudiencePolicy: config.jwtAudiencePolicy,
    clock,
    logger: log,
  });
  lifecycle.own("issuer", () => issuer.stop());
  const ttlSeconds = config.x509SvidTtlSeconds;
  const identity = await ServerIdentity.start({
    trustDomain,
    issuer,
    bundles,
    ttlSeconds,
    clock,
    log,
  });
  lifecycle.own("identity", () => identity.stop());
  lifecycle.own(
    "identity renewal",
    authorities.onTaint(({ kind }) => {
      if (kind === "x509") void identity.renew();
    }),
  );
  const rotation = new Rotation({ authorities, clock, logger: log });
  lifecycle.run("rotation", (signal) => rotation.run(signal));
  metrics.gauge({ name: "issuing", help: "SVIDs being signed", read: () => issuer.pending });
  const counted = countIssued(issuer, metrics);
  const ledger = withIssuedEvents(recording.ledger, audit.log);
  const recorded = recordIssued({ issuer: counted, held: recording.held, ledger, clock });
  return { authorities, issuer: recorded, identity };
}
