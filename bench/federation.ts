// How soon a workload follows what happens to a foreign bundle: from the moment the server has fetched it, at
// the partner's endpoint, until a workload whose entry federates trusts by it; and from the call that
// ends a relationship until it trusts no more. Server and agent are processes of their own, endpoint and
// workload this one. It runs the built command: `npm run build && node bench/federation.ts [--quick]`
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { X509Source } from "../client/x509-source.ts";
import { addX509 } from "../pki/bundle/authorities.ts";
import { type Bundle, emptyBundle } from "../pki/bundle/bundle.ts";
import { formatBundle } from "../pki/bundle/format.ts";
import { generateP256KeyPair, signerOf } from "../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../pki/spiffe-id.ts";
import { createCaCertificate } from "../pki/x509/ca.ts";
import { parseCertificate } from "../pki/x509/certificate.ts";
import { issueX509Svid, type X509Issuer } from "../pki/x509/issue.ts";
import { formatPem } from "../pki/x509/pem.ts";
import { createChannel } from "../proto/rpc/client.ts";
import { EntryService, TrustDomainService } from "../proto/schema.gen.ts";
import { bundleToWire } from "../proto/types/bundle.ts";
import { Site, TRUST_DOMAIN } from "./site.ts";

const ROUNDS = process.argv.includes("--quick") ? 50 : 500;
const HOUR_MS = 3_600_000;
const partner = TrustDomain.parse("partner.test");
const endpointId = SpiffeId.of(partner, "/endpoint");

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}

async function authority(): Promise<X509Issuer> {
  const signer = signerOf("partner", generateP256KeyPair());
  const der = await createCaCertificate({
    signer,
    trustDomain: partner,
    subject: { country: "US", organization: "Partner" },
    notBefore: new Date(Date.now() - HOUR_MS),
    notAfter: new Date(Date.now() + 24 * HOUR_MS),
  });
  return { certificate: parseCertificate(der), upstreamChain: [], signer };
}

let sequence = 1n;
function bundleOf(...authorities: readonly X509Issuer[]): Bundle {
  const bundle = authorities.reduce(
    (before, { certificate }) => addX509(before, certificate.der),
    emptyBundle(partner),
  );
  return { ...bundle, sequence: sequence++ };
}

/** The partner's endpoint: what it answers, and when it did last. */
class Endpoint {
  document = "";
  answeredAtMs = 0;
  readonly #server: ReturnType<typeof createServer>;

  private constructor(cert: string, key: string) {
    this.#server = createServer({ cert, key }, (_, response) => {
      response.end(this.document, () => {
        this.answeredAtMs = performance.now();
      });
    });
  }

  static async start(issuer: X509Issuer): Promise<Endpoint> {
    const { spki, privateKey } = generateP256KeyPair();
    const leaf = await issueX509Svid(issuer, {
      spki,
      spiffeId: endpointId,
      notBefore: new Date(Date.now() - 10_000),
      notAfter: new Date(Date.now() + HOUR_MS),
    });
    const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const endpoint = new Endpoint(formatPem("CERTIFICATE", leaf), key);
    await new Promise<void>((resolve) => endpoint.#server.listen(0, "127.0.0.1", resolve));
    return endpoint;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const [first, second] = [await authority(), await authority()];
const endpoint = await Endpoint.start(first);
const site = new Site();
await site.startServer();
await site.startAgent();
const admin = createChannel({ address: { unix: site.adminSocket } });
const api = admin.client(TrustDomainService);
const entries = admin.client(EntryService);

async function federate(): Promise<void> {
  endpoint.document = formatBundle(bundleOf(first));
  const { results } = await api.batchCreateFederationRelationship({
    federationRelationships: [
      {
        trustDomain: partner.name,
        bundleEndpointUrl: endpoint.url,
        httpsSpiffe: { endpointSpiffeId: endpointId.toString() },
        trustDomainBundle: bundleToWire({ ...bundleOf(first), sequence: 0n }),
      },
    ],
  });
  if (results[0]?.status.code !== 0) throw new Error(results[0]?.status.message);
}

async function register(path: string, federatesWith: readonly string[]): Promise<string> {
  const [trustDomain = "", ...rest] = site.agentId.replace("spiffe://", "").split("/");
  const { results } = await entries.batchCreateEntry({
    entries: [
      {
        spiffeId: { trustDomain: TRUST_DOMAIN, path },
        parentId: { trustDomain, path: `/${rest.join("/")}` },
        selectors: [{ type: "unix", value: `uid:${process.getuid?.() ?? 0}` }],
        federatesWith,
      },
    ],
  });
  if (results[0]?.status.code !== 0) throw new Error(results[0]?.status.message);
  return results[0].entry.id;
}

// Keeps the workload's identity while the entries that federate come and go.
await register("/base", []);
await federate();
let entryId = await register("/w", [partner.name]);
const source = await X509Source.start({ endpoint: `unix://${site.agentSocket}` });

/** The moment at which the workload trusts as many authorities of the partner. */
function reached(count: number): Promise<number> {
  return new Promise((resolve) => {
    let stop = (): void => {};
    const look = (): void => {
      if ((source.anchorsOf(partner)?.length ?? 0) !== count) return;
      stop();
      resolve(performance.now());
    };
    stop = source.onChange(look);
    look();
  });
}

await reached(1);
const arrivals: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const authorities = round % 2 === 0 ? [first, second] : [first];
  endpoint.document = formatBundle(bundleOf(...authorities));
  const seen = reached(authorities.length);
  await api.refreshBundle({ trustDomain: partner.name });
  arrivals.push((await seen) - endpoint.answeredAtMs);
}
const ends: number[] = [];
for (let round = 0; round < ROUNDS / 10; round++) {
  if (round > 0) {
    await federate();
    entryId = await register(`/w${round}`, [partner.name]);
    await reached(1);
  }
  const gone = reached(0);
  const start = performance.now();
  await api.batchDeleteFederationRelationship({ trustDomains: [partner.name] });
  ends.push((await gone) - start);
  await entries.batchDeleteEntry({ ids: [entryId] });
}
process.stdout.write(
  [
    `| what | figure | aim |`,
    "|---|---|---|",
    `| foreign bundle fetched -> a workload trusts by it, ${ROUNDS} changes | ${spread(arrivals)} | 1 s |`,
    `| relationship ended -> the workload refuses, ${ends.length} times | ${spread(ends)} | 1 s |`,
    "",
  ].join("\n"),
);
source.close();
admin.close();
endpoint.stop();
await site.stop();
