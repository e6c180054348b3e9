// A node agent that is nothing but a key and an SVID, for benchmarks that load the server alone: it attests
// with a join token and calls over mutual TLS, as agents do.

import { authorizeId } from "../client/tls/authorize.ts";
import { secureSocket } from "../client/tls/connect.ts";
import { exportPkcs8, generateP256KeyPair } from "../pki/keys.ts";
import { type Certificate, parseCertificate } from "../pki/x509/certificate.ts";
import { createCsr } from "../pki/x509/csr.ts";
import { parseX509Svid, type X509Svid } from "../pki/x509/svid.ts";
import { type Channel, createChannel } from "../proto/rpc/client.ts";
import { AgentService, BundleService } from "../proto/schema.gen.ts";
import { type Site, TRUST_DOMAIN } from "./site.ts";

export interface BenchNode {
  /** Its SPIFFE ID. */
  readonly id: string;
  readonly channel: Channel;
}

/** Attests a new node. */
export async function attestNode(site: Site): Promise<BenchNode> {
  const admin = createChannel({ address: { unix: site.adminSocket } });
  const { x509Authorities } = await admin.client(BundleService).getBundle({});
  admin.close();
  const anchors = x509Authorities.map(({ asn1 }) => parseCertificate(new Uint8Array(asn1)));
  const keyPair = generateP256KeyPair();
  const first = channelOf(site, anchors, undefined);
  const call = first.client(AgentService).attestAgent();
  const payload = Buffer.from(await site.token());
  await call.send({
    params: { data: { type: "join_token", payload }, params: { csr: createCsr(keyPair) } },
  });
  let chain: Uint8Array[] = [];
  for await (const { result } of call.responses) {
    chain = result?.svid?.certChain.map((der) => new Uint8Array(der)) ?? [];
    break;
  }
  call.end();
  first.close();
  const svid = parseX509Svid(chain, exportPkcs8(keyPair.privateKey));
  return { id: svid.id.toString(), channel: channelOf(site, anchors, svid) };
}

function channelOf(
  site: Site,
  anchors: readonly Certificate[],
  svid: X509Svid | undefined,
): Channel {
  const source = { svid: () => svid, anchorsOf: () => anchors, onChange: () => () => undefined };
  return createChannel({
    address: { host: "127.0.0.1", port: site.port },
    secure: (socket) =>
      secureSocket(socket, {
        source,
        authorize: authorizeId(`spiffe://${TRUST_DOMAIN}/spire/server`),
        alpnProtocols: ["h2"],
      }),
  });
}
