// Bundle maps: what is read can be written, and reads the same again; and each name is there once.
import { equalBundles } from "../../../pki/bundle/bundle.ts";
import { formatBundleMap, parseBundleMap } from "../../../pki/bundle/map.ts";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import { bytesOf, type FuzzTarget, holds, parsedOrRefused } from "../target.ts";
import { wholeBundle } from "./bundle.ts";

export const bundleMap: FuzzTarget = {
  name: "bundle-map",
  reads: "files with the bundles of many trust domains",
  maxBytes: 16_384,
  seeds: () => [
    bytesOf(
      formatBundleMap([
        wholeBundle(),
        { ...wholeBundle(), trustDomain: TrustDomain.parse("south.test") },
      ]),
    ),
    bytesOf('{"trust_domains":{}}'),
    bytesOf(
      '{"trust_domains":{"a":{"keys":[]},"\\u0062":{"keys":[],"spiffe_refresh_hint":1}},"x":1}',
    ),
  ],
  run(data) {
    const map = parsedOrRefused(() => parseBundleMap(data));
    if (map === undefined) return;
    const again = parseBundleMap(formatBundleMap(map.values()));
    holds(again.size === map.size, "a trust domain appears or is lost");
    for (const [name, bundle] of map) {
      const other = again.get(name);
      const unhinted = { ...bundle, refreshHintSeconds: 0 };
      holds(other !== undefined && equalBundles(other, unhinted), "a bundle changes");
    }
  },
};
