// The commands for other trust domains, against a real server that fetches from a real endpoint.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { formatPem } from "../../pki/x509/pem.ts";
import { command } from "../support/command.ts";
import { TestServer } from "../support/running-server.ts";
import { TestAuthority } from "../support/test-authority.ts";
import { TestBundleEndpoint } from "../support/test-bundle-endpoint.ts";
import { documentOf } from "../support/test-federation.ts";

const south = await TestAuthority.create("south.test");
const next = await TestAuthority.create("south.test");
const ENDPOINT = "spiffe://south.test/spire/server";

async function setUp(t: Test, config = "") {
  const server = await TestServer.start({ config });
  t.teardown(() => server.stop());
  const endpoint = await TestBundleEndpoint.start(t, await south.issue("/spire/server"));
  endpoint.document = documentOf([south], { sequence: 3n });
  const dir = t.testdir({
    "south.json": documentOf([south]),
    "south.pem": formatPem("CERTIFICATE", south.root.der),
    "leaf.pem": formatPem("CERTIFICATE", (await south.issue("/x")).leaf.der),
  });
  const socket = ["--admin-socket", server.running.adminSocket];
  const signet = (line: string, ...more: string[]) =>
    command(...line.split(" "), ...more, ...socket);
  return { endpoint, dir, signet };
}

const json = <T>(out: string): T => JSON.parse(out) as T;

t.test("a relationship is created, shown, refreshed, updated and ended", async (t) => {
  const { endpoint, dir, signet } = await setUp(t);
  const created = await signet(
    `federation create --trust-domain south.test --bundle-endpoint-url ${endpoint.url()} --bundle-endpoint-profile https_spiffe --endpoint-spiffe-id ${ENDPOINT} --trust-domain-bundle-format spiffe --trust-domain-bundle-path`,
    join(dir, "south.json"),
  );
  t.match(created, { code: 0, out: /federates with south\.test/, err: "" });
  t.match(await signet("federation refresh south.test"), { code: 0, out: /fetched/ });
  const shown = await signet("federation show south.test");
  t.match(shown.out, /Endpoint SPIFFE ID +spiffe:\/\/south\.test\/spire\/server/);
  t.match(shown.out, /Bundle +sequence number 3/);
  t.match(shown.out, /Next poll +2/);
  t.notMatch(shown.out, /Last error/);

  endpoint.answer = (_, response) => response.writeHead(500).end();
  const failed = await signet("federation refresh --id south.test");
  t.match(failed, { code: 1, err: /answers 500.*BUNDLE_FETCH_FAILED/ });
  t.match((await signet("federation show south.test")).out, /Last error +.*answers 500/);
  const listed = await signet("federation list");
  t.match(listed.out, /south\.test +https_spiffe +https:\S+ +API .*failing/);
  const asJson = json<{ relationships: object[] }>(
    (await signet("federation list --output json")).out,
  );
  t.match(asJson.relationships, [{ trustDomain: "south.test", lastError: /500/, static: false }]);

  endpoint.answer = undefined;
  const moved = endpoint.url("/moved");
  t.match(
    await signet(`federation update --trust-domain south.test --bundle-endpoint-url ${moved}`),
    {
      code: 0,
    },
  );
  await signet("federation refresh south.test");
  t.match(endpoint.requests.at(-1), "GET /moved");
  t.match((await signet("federation show south.test")).out, /https_spiffe/, "the profile stayed");

  t.match(await signet("federation delete south.test"), { code: 0, out: /has ended/ });
  t.match(await signet("federation show south.test"), { code: 1, err: /FEDERATION_NOT_FOUND/ });
  t.match(await signet("federation delete south.test"), { code: 1, err: /no federation/ });
  t.match(await signet("federation list"), { code: 0, out: "no federation relationships\n" });
  t.match(await signet("bundle list"), { out: "no federated bundles\n" });
});

t.test("SPIRE's spelling works, and its files", async (t) => {
  const { endpoint, dir, signet } = await setUp(t);
  const file = join(dir, "data.json");
  const pem = formatPem("CERTIFICATE", south.root.der);
  writeFileSync(
    file,
    JSON.stringify({
      federationRelationships: [
        {
          trustDomain: "south.test",
          bundleEndpointURL: endpoint.url(),
          bundleEndpointProfile: "https_spiffe",
          endpointSPIFFEID: ENDPOINT,
          trustDomainBundle: pem,
          trustDomainBundleFormat: "pem",
        },
        {
          trustDomain: "west.test",
          bundleEndpointURL: endpoint.url(),
          bundleEndpointProfile: "https_web",
        },
      ],
    }),
  );
  t.match(await signet("federation create -data", file), { code: 0 });
  t.match(await signet("federation show -trustDomain south.test"), { code: 0 });
  t.match(await signet("federation refresh -id south.test"), { code: 0 });
  t.match(await signet("federation delete -id south.test"), { code: 0 });
  t.match(
    await signet(
      `federation create -trustDomain south.test -bundleEndpointURL ${endpoint.url()} -bundleEndpointProfile https_web`,
    ),
    { code: 0 },
  );
  const { out } = await signet("federation list --output json");
  writeFileSync(file, out);
  await signet("federation delete south.test");
  t.match(await signet("federation create --data", file), {
    code: 1,
    err: /1 of 2 relationships could not be created .*\n +west\.test: there is a federation/,
  });
  t.match(await signet("federation show south.test"), { code: 0 });
});

const MISUSES: [name: string, args: string, says: RegExp][] = [
  ["no trust domain", "federation create", /--trust-domain is missing/],
  ["no URL", "federation create --trust-domain a.test", /--bundle-endpoint-url is missing/],
  [
    "no profile",
    "federation create --trust-domain a.test --bundle-endpoint-url https://h/",
    /--bundle-endpoint-profile is missing/,
  ],
  [
    "an unknown profile",
    "federation create --trust-domain a.test --bundle-endpoint-url https://h/ --bundle-endpoint-profile web",
    /not one of https_web, https_spiffe/,
  ],
  [
    "https_spiffe without an ID",
    "federation create --trust-domain a.test --bundle-endpoint-url https://h/ --bundle-endpoint-profile https_spiffe",
    /SPIFFE ID of the endpoint is missing/,
  ],
  [
    "https_web with an ID",
    `federation create --trust-domain a.test --bundle-endpoint-url https://h/ --bundle-endpoint-profile https_web --endpoint-spiffe-id ${ENDPOINT}`,
    /proves no SPIFFE ID/,
  ],
  ["a bad name", "federation show A.test", /trust domain/],
  ["two names", "federation show a.test --trust-domain b.test", /give one trust domain/],
  ["nobody to refresh", "federation refresh", /give one trust domain/],
  ["flags beside a file", "federation create --data x --trust-domain a.test", /exclude each other/],
  ["a bundle of nobody", "bundle set", /--id is missing/],
  ["a mode there is not", "bundle delete --id a.test --mode maybe", /--mode/],
];

for (const [name, args, says] of MISUSES) {
  t.test(`${name} is misuse: exit code 2`, async (t) => {
    t.match(await command(...args.split(" ")), { code: 2, out: "", err: says });
  });
}

t.test("bundles are set, counted and deleted by hand", async (t) => {
  const { dir, signet } = await setUp(t);
  t.match(await signet("bundle count"), { code: 0, out: "1 bundle\n" });
  const set = "bundle set --id spiffe://south.test";
  t.match(await signet(`${set} --path`, join(dir, "south.pem")), {
    code: 0,
    out: /south\.test set/,
  });
  t.match(await signet("bundle list --id south.test"), { out: /BEGIN CERTIFICATE/ });
  t.match(await signet(`${set} --format spiffe --path`, join(dir, "south.json")), { code: 0 });
  t.match(await signet("bundle count"), { out: "2 bundles\n" });
  t.match(await signet(`${set} --path`, join(dir, "leaf.pem")), {
    code: 2,
    err: /not one of an authority/,
  });
  t.match(await signet(`${set} --path`, join(dir, "south.json")), { code: 2, err: /PEM/ });
  t.match(await signet(`${set} --format spiffe --path`, join(dir, "south.pem")), { code: 2 });
  t.match(await signet("bundle set --id north.test --path", join(dir, "south.pem")), {
    code: 1,
    err: /own trust domain/,
  });

  const entry =
    "entry create --parent-id spiffe://north.test/n --spiffe-id spiffe://north.test/w --selector unix:uid:1 --federates-with";
  t.match(await signet(entry, "west.test"), {
    code: 1,
    err: /unable to find federated bundle "west\.test": .*signet federation create/,
  });
  t.match(await signet(entry, "south.test"), { code: 0 });
  const remove = "bundle delete --id south.test";
  t.match(await signet(remove), { code: 1, err: /1 entries federate/ });
  t.match(await signet(`${remove} --mode dissociate`), { code: 0 });
  t.notMatch((await signet("entry show")).out, /Federates/);
  t.match(await signet(remove), { code: 1, err: /there is no bundle/ });
});

t.test(
  "a relationship of the configuration is shown as one, and stands over the API's",
  async (t) => {
    const endpoint = await TestBundleEndpoint.start(t, await next.issue("/spire/server"));
    endpoint.document = documentOf([next]);
    const config = `federation: { federates_with: { south.test: { url: "${endpoint.url("/fixed")}", profile: https_web } } }`;
    const { signet } = await setUp(t, config);
    t.match((await signet("federation list")).out, /south\.test +https_web .*configuration/);
    const create = `federation create --trust-domain south.test --bundle-endpoint-profile https_web --bundle-endpoint-url https://other.test/`;
    t.match(await signet(create), { code: 0 });
    t.match((await signet("federation show south.test")).out, /\/fixed\n/);
    t.match(await signet("federation delete south.test"), { code: 0 });
    t.match(await signet("federation delete south.test"), { code: 1, err: /no federation/ });
    t.match((await signet("federation show south.test")).out, /Made by +the configuration/);
  },
);
