// How soon a workload follows what happens to a foreign bundle: from the moment the server has fetched it, at
// the partner's endpoint, until a workload whose entry federates trusts by it; and from the call that
// ends a relationship until it trusts no more. Server, agent and workload are in one process, the
// endpoint too. `node bench/federation.ts [--quick]`
import { X509Source } from "../client/x509-source.ts";
import { TrustDomain } from "../pki/spiffe-id.ts";
import { createChannel } from "../proto/rpc/client.ts";
import { TrustDomainService } from "../proto/schema.gen.ts";
import { bundleToWire } from "../proto/types/bundle.ts";
import { TestAuthority } from "../test/support/test-authority.ts";
import { TestBundleEndpoint } from "../test/support/test-bundle-endpoint.ts";
import { bundleOf, documentOf } from "../test/support/test-federation.ts";
import { TestTrustDomain } from "../test/support/trust-domain.ts";

const ROUNDS = process.argv.includes("--quick") ? 50 : 500;
const south = TrustDomain.parse("south.test");
const ends: (() => unknown)[] = [];
const scope = { teardown: (end: () => unknown): void => void ends.push(end) };

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}

const [even, odd] = [
  await TestAuthority.create("south.test"),
  await TestAuthority.create("south.test"),
];
const domain = new TestTrustDomain(scope);
await domain.start();
const admin = createChannel({ address: { unix: domain.server?.adminSocket ?? "" } });
const api = admin.client(TrustDomainService);
const endpoint = await TestBundleEndpoint.start(scope, await even.issue("/spire/server"));
let answeredAt = 0;
endpoint.answer = (_, response) => {
  response.end(endpoint.document, () => {
    answeredAt = performance.now();
  });
};
let sequence = 1n;
const serve = (...authorities: TestAuthority[]): void => {
  endpoint.document = documentOf(authorities, { sequence: sequence++ });
};
const federate = async (): Promise<void> => {
  serve(even);
  const { results } = await api.batchCreateFederationRelationship({
    federationRelationships: [
      {
        trustDomain: south.name,
        bundleEndpointUrl: endpoint.url(),
        httpsSpiffe: { endpointSpiffeId: "spiffe://south.test/spire/server" },
        trustDomainBundle: bundleToWire(bundleOf([even])),
      },
    ],
  });
  if (results[0]?.status.code !== 0) throw new Error(results[0]?.status.message);
};

await federate();
// Keeps the workload's identity while the entries that federate come and go.
await domain.createEntry({ path: "/base" });
let entry = await domain.createEntry({ path: "/w", more: { federatesWith: [south.name] } });
const source = await X509Source.start({ endpoint: `unix://${domain.folder}/agent.sock` });
const roots = (): number => source.anchorsOf(south)?.length ?? 0;

/** The moment at which the workload trusts as many authorities of the other trust domain. */
function reached(count: number): Promise<number> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (roots() !== count) return;
      stop();
      resolve(performance.now());
    };
    const stop = source.onChange(look);
    look();
  });
}

await reached(1);
const arrivals: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const count = round % 2 === 0 ? 2 : 1;
  serve(...(count === 2 ? [even, odd] : [even]));
  const seen = reached(count);
  await api.refreshBundle({ trustDomain: south.name });
  arrivals.push((await seen) - answeredAt);
}
const departures: number[] = [];
for (let round = 0; round < ROUNDS / 10; round++) {
  if (round > 0) {
    await federate();
    entry = await domain.createEntry({ path: `/w${round}`, more: { federatesWith: [south.name] } });
    await reached(1);
  }
  const gone = reached(0);
  const start = performance.now();
  await api.batchDeleteFederationRelationship({ trustDomains: [south.name] });
  departures.push((await gone) - start);
  await domain.deleteEntry(entry.id);
}
process.stdout.write(
  [
    `A foreign bundle, ${ROUNDS} changes and ${departures.length} ends of a relationship`,
    `  fetched, until the workload has it   ${spread(arrivals)}   aim: < 1 s`,
    `  ended, until the workload refuses    ${spread(departures)}   aim: < 1 s`,
    "",
  ].join("\n"),
);
source.close();
admin.close();
for (const end of ends.toReversed()) await end();
