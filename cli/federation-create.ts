// `signet federation create`.

import { codecOf, TrustDomainService } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command, Input } from "./command.ts";
import { requireSuccess } from "./entry-output.ts";
import { readRelationships } from "./federation-data.ts";
import {
  draftFromFlags,
  RELATIONSHIP_FLAGS,
  type RelationshipDraft,
  refuseFlagsBesideData,
} from "./federation-flags.ts";
import { RELATIONSHIPS } from "./federation-output.ts";
import { ADMIN_SOCKET, required } from "./flags.ts";

export const command: Command = {
  description:
    "Federates with another trust domain: the server fetches its bundle, at once and again by its refresh hint.",
  flags: [...RELATIONSHIP_FLAGS, ADMIN_SOCKET],
  examples: [
    [
      "signet federation create --trust-domain partner.test --bundle-endpoint-url https://partner.test:8443/ --bundle-endpoint-profile https_web",
      "an endpoint with a certificate of the web",
    ],
    [
      "signet federation create --trust-domain partner.test --bundle-endpoint-url https://10.0.0.9:8443/ --bundle-endpoint-profile https_spiffe --endpoint-spiffe-id spiffe://partner.test/spire/server --trust-domain-bundle-path partner.json --trust-domain-bundle-format spiffe",
      "an endpoint with an SVID, which the first bundle verifies",
    ],
  ],
  async run(input, output) {
    const drafts = await draftsOf(input, output.note);
    const response = await withServer(input, (channel) =>
      channel.client(TrustDomainService).batchCreateFederationRelationship({
        federationRelationships: drafts,
        outputMask: { bundleEndpointUrl: true, bundleEndpointProfile: true },
      }),
    );
    const codec = codecOf(
      "spire.api.server.trustdomain.v1.BatchCreateFederationRelationshipResponse",
    );
    output.show(codec.toJson(response), () => {
      const created = response.results.flatMap(({ status, federationRelationship: one }) =>
        status.code === 0 ? [one.trustDomain] : [],
      );
      return created
        .map(
          (name) => `federates with ${name}; 'signet federation show ${name}' tells how it fares`,
        )
        .join("\n");
    });
    requireSuccess(
      response.results.map(({ status }, i) => ({ status, name: drafts[i]?.trustDomain ?? "" })),
      "created",
      RELATIONSHIPS,
    );
  },
};

async function draftsOf(
  input: Input,
  note: (text: string) => void,
): Promise<readonly RelationshipDraft[]> {
  const data = input.text("data");
  if (data !== undefined) {
    refuseFlagsBesideData(input);
    return await readRelationships(data, note);
  }
  required(input, "trustDomain", "--trust-domain");
  required(input, "bundleEndpointUrl", "--bundle-endpoint-url");
  required(input, "bundleEndpointProfile", "--bundle-endpoint-profile");
  return [await draftFromFlags(input, note)];
}
