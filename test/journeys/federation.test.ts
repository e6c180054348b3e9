// Two trust domains on one machine, each with a server, a node agent and a workload: they learn each other's
// bundles from each other's endpoints, talk mutual TLS, replace every key on both sides while traffic
// goes on, and stop when one of them ends it.

import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import t from "tap";
import {
  authorizeId,
  httpsAgent,
  peerOf,
  protectServer,
  serverTlsOptions,
  X509Source,
} from "../../client/index.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import { type Channel, createChannel } from "../../proto/rpc/client.ts";
import {
  BundleService,
  FederationService,
  LocalAuthorityService,
  TrustDomainService,
} from "../../proto/schema.gen.ts";
import { bundleToWire } from "../../proto/types/bundle.ts";
import { TestAuthority } from "../support/test-authority.ts";
import { TestBundleEndpoint } from "../support/test-bundle-endpoint.ts";
import { bundleOf, documentOf, until } from "../support/test-federation.ts";
import { TestTrustDomain } from "../support/trust-domain.ts";

/** One of the two: its parts, and the word of its administrators. */
class Side {
  readonly name: string;
  readonly domain: TestTrustDomain;
  readonly #t: { teardown(fn: () => unknown): void };
  #admin: Channel | undefined;

  constructor(test: { teardown(fn: () => unknown): void }, name: string) {
    this.#t = test;
    this.name = name;
    this.domain = new TestTrustDomain(test, {
      name,
      server: {
        federation: {
          bundle_endpoint: {
            address: "127.0.0.1",
            port: 0,
            profile: "https_spiffe",
            refresh_hint: "1s",
          },
          refresh: { min: "1s" },
        },
      },
    });
  }

  get admin(): Channel {
    if (this.#admin === undefined) {
      this.#admin = createChannel({ address: { unix: this.domain.server?.adminSocket ?? "" } });
      this.#t.teardown(() => this.#admin?.close());
    }
    return this.#admin;
  }

  /** Where others fetch its bundle. */
  get endpoint(): string {
    const port = this.domain.server?.documents.bundleEndpoint?.port;
    return `https://127.0.0.1:${port}/`;
  }

  async federateWith(other: Side): Promise<void> {
    const trustDomainBundle = await other.admin.client(BundleService).getBundle({});
    const { results } = await this.admin
      .client(TrustDomainService)
      .batchCreateFederationRelationship({
        federationRelationships: [
          {
            trustDomain: other.name,
            bundleEndpointUrl: other.endpoint,
            httpsSpiffe: { endpointSpiffeId: `spiffe://${other.name}/spire/server` },
            trustDomainBundle,
          },
        ],
      });
    if (results[0]?.status.code !== 0) throw new Error(results[0]?.status.message);
  }

  async endFederationWith(other: Side): Promise<void> {
    const trustDomains = [other.name];
    const client = this.admin.client(TrustDomainService);
    const { results } = await client.batchDeleteFederationRelationship({ trustDomains });
    if (results[0]?.status.code !== 0) throw new Error(results[0]?.status.message);
  }

  /** A workload that trusts the other side; this process plays it. */
  async workload(path: string, other: Side): Promise<X509Source> {
    await this.domain.createEntry({ path, more: { federatesWith: [other.name] } });
    const endpoint = `unix://${join(this.domain.folder, "agent.sock")}`;
    const source = await X509Source.start({ endpoint });
    this.#t.teardown(() => source.close());
    return source;
  }
}

const idsOf = (source: X509Source, name: string): string[] =>
  (source.anchorsOf(TrustDomain.parse(name)) ?? []).map(({ subjectKeyId = new Uint8Array() }) =>
    Buffer.from(subjectKeyId).toString("hex"),
  );

/** Replaces the X.509 authority of `side` as an operator does when its key may be known to others. */
async function replaceAuthority(side: Side, own: X509Source, foreign: X509Source): Promise<void> {
  const authorities = side.admin.client(LocalAuthorityService);
  const old = (await authorities.getX509AuthorityState({})).active?.authorityId ?? "";
  const { preparedAuthority } = await authorities.prepareX509Authority({});
  const { authorityId } = preparedAuthority;
  await until(
    () => idsOf(foreign, side.name).includes(authorityId),
    "the next one is known abroad",
  );
  await authorities.activateX509Authority({ authorityId });
  const serial = own.svid()?.leaf.serialHex;
  await authorities.taintX509Authority({ authorityId: old });
  await until(() => own.svid()?.leaf.serialHex !== serial, "the workload has a new SVID");
  await authorities.revokeX509Authority({ authorityId: old });
  await until(() => !idsOf(foreign, side.name).includes(old), "the old one is forgotten abroad");
}

t.test("two trust domains federate, rotate and part", { timeout: 60_000 }, async (t) => {
  const north = new Side(t, "north.test");
  const south = new Side(t, "south.test");
  await Promise.all([north.domain.start(), south.domain.start()]);

  t.comment("1. each federates with the other: its endpoint, its ID, its first bundle");
  await north.federateWith(south);
  await south.federateWith(north);
  const client = await north.workload("/client", south);
  const service = await south.workload("/service", north);
  await until(() => idsOf(client, "south.test").length === 1, "north knows south");
  await until(() => idsOf(service, "north.test").length === 1, "south knows north");

  t.comment("2. their workloads talk mutual TLS");
  const server = createServer(serverTlsOptions(), ({ socket }, response) =>
    response.end(String(peerOf(socket)?.id)),
  );
  protectServer(server, { source: service, authorize: authorizeId("spiffe://north.test/client") });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const agent = httpsAgent({
    source: client,
    authorize: authorizeId("spiffe://south.test/service"),
    http: { keepAlive: false },
  });
  const { port } = server.address() as AddressInfo;
  const call = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port, agent }, (response) => {
        response.setEncoding("utf8").on("data", resolve).on("error", reject);
      });
      sent.on("error", reject).end();
    });
  t.equal(await call(), "spiffe://north.test/client");

  t.comment("3. every authority of both is replaced while traffic goes on");
  const failures: string[] = [];
  let calls = 0;
  let goesOn = true;
  t.teardown(() => {
    goesOn = false;
  });
  const traffic = (async () => {
    while (goesOn) {
      calls++;
      await call().catch((error: Error) => failures.push(error.message));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  await replaceAuthority(north, client, service);
  await replaceAuthority(south, service, client);
  goesOn = false;
  await traffic;
  t.same(failures, [], `none of ${calls} calls failed`);
  t.ok(calls > 50, `${calls} calls`);
  const status = await north.admin.client(FederationService).listRelationships({});
  t.match(status.relationships, [{ trustDomain: "south.test", lastError: "", hasBundle: true }]);

  t.comment("4. south ends it: north's workload is refused within a second");
  let start = performance.now();
  await south.endFederationWith(north);
  for (;;) {
    const refused = await call().then(
      () => false,
      () => true,
    );
    if (refused) break;
    if (performance.now() - start > 1000) break;
  }
  const refusedMs = performance.now() - start;
  t.ok(refusedMs < 1000, `refused after ${refusedMs.toFixed(0)} ms`);
  await t.rejects(call());
  t.equal(service.anchorsOf(TrustDomain.parse("north.test")), undefined);

  t.comment("5. north still trusts south until it says otherwise: relationships go one way");
  t.equal(idsOf(client, "south.test").length, 1);
  start = performance.now();
  await north.endFederationWith(south);
  await until(() => client.anchorsOf(TrustDomain.parse("south.test")) === undefined, "gone");
  t.ok(performance.now() - start < 1000);

  t.comment(
    "6. federated again, by hand, they trust each other again within a second of the bundle",
  );
  await south.federateWith(north);
  const again = await south.workload("/service-2", north);
  await until(() => idsOf(again, "north.test").length === 1, "south knows north again");
});

t.test("a foreign bundle is a workload's within a second of its arrival", async (t) => {
  const [even, odd] = [
    await TestAuthority.create("south.test"),
    await TestAuthority.create("south.test"),
  ];
  const domain = new TestTrustDomain(t);
  await domain.start();
  const admin = createChannel({ address: { unix: domain.server?.adminSocket ?? "" } });
  t.teardown(() => admin.close());
  const api = admin.client(TrustDomainService);
  const endpoint = await TestBundleEndpoint.start(t, await even.issue("/spire/server"));
  endpoint.document = documentOf([even], { sequence: 1n });
  await api.batchCreateFederationRelationship({
    federationRelationships: [
      {
        trustDomain: "south.test",
        bundleEndpointUrl: endpoint.url(),
        httpsSpiffe: { endpointSpiffeId: "spiffe://south.test/spire/server" },
        trustDomainBundle: bundleToWire(bundleOf([even])),
      },
    ],
  });
  await domain.createEntry({ path: "/db", more: { federatesWith: ["south.test"] } });
  const source = await X509Source.start({ endpoint: `unix://${domain.folder}/agent.sock` });
  t.teardown(() => source.close());
  const served = [[even, odd], [odd, even, even], [even], [even, odd], [even]];
  for (const [i, authorities] of served.entries()) {
    endpoint.document = documentOf(authorities, { sequence: BigInt(i + 2) });
    await api.refreshBundle({ trustDomain: "south.test" });
    const start = performance.now();
    const count = new Set(authorities).size;
    await until(() => idsOf(source, "south.test").length === count, "the workload has it");
    const ms = performance.now() - start;
    t.ok(ms < 1000, `${ms.toFixed(0)} ms`);
  }
});
