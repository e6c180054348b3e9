// The service signet.federation.v1.Federation: how relationships fare, those of the configuration too.
// What makes and ends relationships: api/trustdomain.ts.

import { TrustDomain } from "../../pki/spiffe-id.ts";
import type { Init } from "../../proto/codec.ts";
import type { Handlers } from "../../proto/rpc/service.ts";
import type { FederationService, signet } from "../../proto/schema.gen.ts";
import { serverError } from "../errors.ts";
import type { Refresher } from "../federation/refresher.ts";
import { relationshipNotFound } from "../federation/termination.ts";
import type { ActiveRelationship } from "../federation/update.ts";
import type { BundleStore } from "../store/bundles.ts";

const MAX_PAGE = 1000;

export interface FederationServiceOptions {
  readonly refresher: Pick<Refresher, "list" | "status">;
  readonly bundles: BundleStore;
}

/** The handlers of the Federation service. */
export function federationHandlers({
  refresher,
  bundles,
}: FederationServiceOptions): Handlers<typeof FederationService> {
  const show = (relationship: ActiveRelationship): Init<signet.federation.v1.Relationship> => {
    const { trustDomain, url, profile, endpointId, isStatic, createdAt } = relationship;
    const bundle = bundles.get(trustDomain.name);
    const status = refresher.status(trustDomain);
    return {
      trustDomain: trustDomain.name,
      bundleEndpointUrl: url,
      bundleEndpointProfile: profile,
      endpointSpiffeId: endpointId?.toString() ?? "",
      static: isStatic,
      createdAt: isStatic ? 0 : secondsOf(createdAt),
      hasBundle: bundle !== undefined,
      sequence: bundle === undefined || bundle.sequence === 0n ? "" : bundle.sequence.toString(),
      lastAttempt: secondsOf(status?.lastAttempt),
      lastSuccess: secondsOf(status?.lastSuccess),
      lastError: status?.lastError ?? "",
      nextPoll: secondsOf(status?.nextPoll),
    };
  };
  return {
    async listRelationships({ trustDomain: name, pageSize, pageToken }) {
      if (pageSize < 0) {
        throw serverError("FEDERATION_INVALID", `a page of ${pageSize} relationships`);
      }
      const wanted = name === "" ? undefined : TrustDomain.parse(name);
      const rest = refresher
        .list()
        .filter(({ trustDomain }) => wanted?.equals(trustDomain) ?? trustDomain.name > pageToken);
      if (wanted !== undefined && rest.length === 0) throw relationshipNotFound(wanted);
      const page = rest.slice(0, pageSize === 0 ? MAX_PAGE : Math.min(pageSize, MAX_PAGE));
      const last = page.length < rest.length ? page.at(-1)?.trustDomain.name : undefined;
      return { relationships: page.map(show), nextPageToken: last ?? "" };
    },
  };
}

function secondsOf(date: Date | undefined): number {
  return date === undefined ? 0 : Math.floor(date.getTime() / 1000);
}
