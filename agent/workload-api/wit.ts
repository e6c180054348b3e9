// The WIT profile of the Workload API (s7, incubating: behind a feature flag): FetchWITSVID and
// FetchWITBundles. A token comes with its key, a private JWK as JSON text; bundles are JWK Sets as text.

import { SpiffeId } from "../../pki/spiffe-id.ts";
import type { Init } from "../../proto/codec.ts";
import { type CallContext, Encoded, type Handlers } from "../../proto/rpc/service.ts";
import { SpiffeWorkloadApi, type workload } from "../../proto/schema.gen.ts";
import { noIdentity, type Profile } from "../cache/view.ts";
import { agentError } from "../errors.ts";
import {
  assertVerifier,
  follow,
  followAs,
  MAX_MESSAGE_BYTES,
  mapKey,
  type StreamOptions,
} from "./stream.ts";

const { methods } = SpiffeWorkloadApi;

/** More than what SPIFFE ID, field tags and lengths take in one SVID of a message. */
const OVERHEAD_BYTES = 2200;
/** Profiles of single SPIFFE IDs that are remembered, so that their messages are encoded once. */
const MAX_SINGLE = 1024;

/** The answer of FetchWITSVID: WIT-SVIDs with keys, the default one first; of one SPIFFE ID if that was asked. */
function witSvids(only?: string): Profile {
  const profile: Profile = {
    name: "wit-svids",
    needs: "wit",
    ...(only !== undefined && { only }),
    encode(view) {
      let bytes = 0;
      const svids: Init<workload.WITSVID>[] = [];
      for (const { entry, svid } of view.witIdentities(profile)) {
        const { spiffeId, token, privateJwk } = svid;
        const { hint } = entry;
        bytes += token.length + privateJwk.length + Buffer.byteLength(hint) + OVERHEAD_BYTES;
        // Better all but the youngest identities than a message that no client can receive.
        if (bytes > MAX_MESSAGE_BYTES && svids.length > 0) break;
        svids.push({ spiffeId, witSvid: token, witSvidKey: privateJwk, hint });
      }
      return Encoded.of(methods.fetchWITSVID.response, { svids });
    },
  };
  return profile;
}

/** The answer of FetchWITBundles: one JWK Set per trust domain, with WIT keys only. */
function witBundles(options: StreamOptions): Profile {
  return {
    name: "wit-bundles",
    encode(view) {
      assertVerifier(view, options);
      if (view.own.bundle.witAuthorities.length === 0) throw noBundle();
      const bundles: Record<string, string> = { [mapKey(view.own)]: view.own.witJwks };
      for (const [, bundle] of view.federated(view.entries))
        bundles[mapKey(bundle)] = bundle.witJwks;
      return Encoded.of(methods.fetchWITBundles.response, { bundles });
    },
  };
}

/** The handlers of the WIT profile. */
export function witHandlers(options: StreamOptions): Handlers<typeof SpiffeWorkloadApi> {
  const all = witSvids();
  const single = new Map<string, Profile>();
  const bundles = witBundles(options);
  const profileOf = (spiffeId: string): Profile => {
    const profile = single.get(spiffeId) ?? witSvids(spiffeId);
    if (single.size >= MAX_SINGLE) single.clear();
    single.set(spiffeId, profile);
    return profile;
  };
  return {
    fetchWITSVID: ({ spiffeId }, context) =>
      spiffeId === "" ? follow(all, options, context) : fetchOne(spiffeId, context),
    fetchWITBundles: (_request, context) => follow(bundles, options, context),
  };

  async function* fetchOne(text: string, context: CallContext): AsyncGenerator<Encoded, void> {
    const only = SpiffeId.parse(text).toString();
    const caller = await options.admit(context);
    const { entries } = options.subscribers.view(caller.selectors);
    // Before anything is remembered of it: callers may ask for whatever they like.
    if (!entries.some(({ spiffeId }) => spiffeId === only)) throw noIdentity();
    yield* followAs(caller, profileOf(only), options);
  }
}

function noBundle(): Error {
  return agentError("WIT_BUNDLE_MISSING", "this trust domain has no WIT bundle", {
    hint: "its server issues no WIT-SVIDs: feature_flags (wit-svid) of the server's configuration",
  });
}
