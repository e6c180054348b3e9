// spire.api.server.debug.v1.Debug: a few figures of a running server.
import type { TlsSource } from "../../client/tls/source.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import type { Handlers } from "../../proto/rpc/service.ts";
import type { DebugService } from "../../proto/schema.gen.ts";
import { spiffeIdToWire } from "../../proto/types/spiffe-id.ts";
import type { Clock } from "../../runtime/clock.ts";

export interface DebugApiOptions {
  readonly clock: Clock;
  /** The server's own SVID. */
  readonly source: Pick<TlsSource, "svid">;
  readonly agents: { readonly size: number };
  readonly entries: { readonly size: number };
  /** All bundles, the own one among them. */
  readonly bundles: { list(): readonly unknown[] };
}

/** The handlers of the service. The server counts as started at this moment. */
export function debugHandlers(options: DebugApiOptions): Handlers<typeof DebugService> {
  const { clock, source, agents, entries, bundles } = options;
  const startedMs = clock.now().getTime();
  return {
    async getInfo() {
      const { id, chain = [] } = source.svid() ?? {};
      return {
        svidChain: chain.map((der, i) => {
          const { notAfter, uris } = parseCertificate(der);
          const uri = i === 0 ? id?.toString() : uris[0];
          return {
            ...(uri !== undefined && { id: spiffeIdToWire(uri) }),
            expiresAt: Math.floor(notAfter.getTime() / 1000),
          };
        }),
        uptime: Math.floor((clock.now().getTime() - startedMs) / 1000),
        agentsCount: agents.size,
        entriesCount: entries.size,
        federatedBundlesCount: Math.max(0, bundles.list().length - 1),
      };
    },
  };
}
