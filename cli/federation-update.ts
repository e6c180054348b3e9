// `signet federation update`.

import type { Init } from "../proto/codec.ts";
import { codecOf, type spire, TrustDomainService } from "../proto/schema.gen.ts";
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
import { ADMIN_SOCKET } from "./flags.ts";

type Results = spire.api.server.trustdomain.v1.BatchUpdateFederationRelationshipResponse.Result[];

export const command: Command = {
  description:
    "Changes where and how a bundle is fetched; what is not given stays as it is. Fetches at once, and forgets which sequence number was fetched last.",
  flags: [...RELATIONSHIP_FLAGS, ADMIN_SOCKET],
  examples: [
    [
      "signet federation update --trust-domain partner.test --bundle-endpoint-url https://new.partner.test/",
      "the endpoint has moved",
    ],
  ],
  async run(input, output) {
    const drafts = await draftsOf(input, output.note);
    const results = await withServer(input, async (channel) => {
      const client = channel.client(TrustDomainService);
      const all: Results = [];
      // One by one: each has a mask of its own.
      for (const draft of drafts) {
        const response = await client.batchUpdateFederationRelationship({
          federationRelationships: [draft],
          inputMask: maskOf(draft),
          outputMask: { bundleEndpointUrl: true, bundleEndpointProfile: true },
        });
        all.push(...response.results);
      }
      return all;
    });
    const codec = codecOf(
      "spire.api.server.trustdomain.v1.BatchUpdateFederationRelationshipResponse",
    );
    output.show(codec.toJson({ results }), () =>
      results
        .flatMap(({ status, federationRelationship: one }) =>
          status.code === 0 ? [`relationship with ${one.trustDomain} updated`] : [],
        )
        .join("\n"),
    );
    requireSuccess(
      results.map(({ status }, i) => ({ status, name: drafts[i]?.trustDomain ?? "" })),
      "updated",
      RELATIONSHIPS,
    );
  },
};

async function draftsOf(
  input: Input,
  note: (text: string) => void,
): Promise<readonly RelationshipDraft[]> {
  const data = input.text("data");
  if (data === undefined) return [await draftFromFlags(input, note)];
  refuseFlagsBesideData(input);
  return await readRelationships(data, note);
}

function maskOf(draft: RelationshipDraft): Init<spire.api.types.FederationRelationshipMask> {
  return {
    bundleEndpointUrl: draft.bundleEndpointUrl !== undefined,
    bundleEndpointProfile: draft.httpsWeb !== undefined || draft.httpsSpiffe !== undefined,
    trustDomainBundle: draft.trustDomainBundle !== undefined,
  };
}
