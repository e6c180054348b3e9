// The X.509 profile of the Workload API (s5): FetchX509SVID and FetchX509Bundles. Certificates are DER,
// one after another; keys are unencrypted PKCS #8 DER. Every message carries the whole state (s4.3).

import type { Init } from "../../proto/codec.ts";
import { Encoded, type Handlers } from "../../proto/rpc/service.ts";
import { SpiffeWorkloadApi, type workload } from "../../proto/schema.gen.ts";
import type { Profile, View } from "../cache/view.ts";
import { assertVerifier, follow, MAX_MESSAGE_BYTES, mapKey, type StreamOptions } from "./stream.ts";

const { methods } = SpiffeWorkloadApi;

/** More than what SPIFFE IDs, field tags and lengths take in one SVID or bundle of a message. */
const OVERHEAD_BYTES = 2200;

/** The answer of FetchX509SVID: SVIDs with keys, the default one first, federated bundles, and what is revoked. */
export const X509_SVIDS: Profile = {
  name: "x509-svids",
  needs: "x509",
  encode(view) {
    const bundle = view.own.x509;
    const identities = view.x509Identities(X509_SVIDS);
    const federatedBundles = bundleMap(view.federated(identities.map(({ entry }) => entry)));
    let bytes = sizeOf(federatedBundles);
    const svids: Init<workload.X509SVID>[] = [];
    for (const { entry, svid } of identities) {
      const { spiffeId, chain, privateKey } = svid;
      const { hint } = entry;
      const size = chain.length + privateKey.length + bundle.length + hint.length + OVERHEAD_BYTES;
      // Better all but the youngest identities than a message that no client can receive.
      if (bytes + size > MAX_MESSAGE_BYTES && svids.length > 0) break;
      bytes += size;
      svids.push({ spiffeId, x509Svid: chain, x509SvidKey: privateKey, bundle, hint });
    }
    const crl = view.crls(MAX_MESSAGE_BYTES - bytes);
    return Encoded.of(methods.fetchX509SVID.response, { svids, crl, federatedBundles });
  },
};

/** The answer of FetchX509Bundles: the own trust domain's and those its entries federate with. */
function x509Bundles(options: StreamOptions): Profile {
  return {
    name: "x509-bundles",
    encode(view) {
      assertVerifier(view, options);
      const bundles = {
        [mapKey(view.own)]: view.own.x509,
        ...bundleMap(view.federated(view.entries)),
      };
      const crl = view.crls(MAX_MESSAGE_BYTES - sizeOf(bundles));
      return Encoded.of(methods.fetchX509Bundles.response, { crl, bundles });
    },
  };
}

/** The handlers of the X.509 profile. */
export function x509Handlers(options: StreamOptions): Handlers<typeof SpiffeWorkloadApi> {
  const bundles = x509Bundles(options);
  return {
    fetchX509SVID: (_request, context) => follow(X509_SVIDS, options, context),
    fetchX509Bundles: (_request, context) => follow(bundles, options, context),
  };
}

// A bundle of zero bytes is an error to clients in Java and Python: a foreign trust domain without X.509
// authorities is left out, which trusts nobody there just as well.
function bundleMap(bundles: ReturnType<View["federated"]>): Record<string, Uint8Array> {
  const map: Record<string, Uint8Array> = {};
  for (const [, bundle] of bundles) if (bundle.x509.length > 0) map[mapKey(bundle)] = bundle.x509;
  return map;
}

function sizeOf(map: Readonly<Record<string, Uint8Array>>): number {
  return Object.values(map).reduce((sum, bytes) => sum + bytes.length + OVERHEAD_BYTES, 0);
}
