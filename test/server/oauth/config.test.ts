// The settings of the token issuer: what is refused, and how it is found under them.
import t from "tap";
import { parseConfig } from "../../../runtime/config.ts";
import { serverConfigSchema } from "../../../server/config.ts";
import { oauthAddresses } from "../../../server/oauth/addresses.ts";
import { TestServer } from "../../support/running-server.ts";

const parse = (oauth: string) =>
  parseConfig(
    `trust_domain: north.test\ndata_dir: /tmp/x\noauth: { ${oauth} }`,
    serverConfigSchema,
  );
const FILES = "port: 1, cert_file: a.pem, key_file: a.key";

t.test("reads a certificate, or plain HTTP on one machine", async (t) => {
  const { oauth, ca } = parse(`issuer: "https://id.north.test", ${FILES}`);
  t.match(oauth, {
    issuer: "https://id.north.test",
    address: "0.0.0.0",
    files: { certFile: "/tmp/x/a.pem" },
  });
  t.equal(ca.oauthKeyType, "ec-p256");
  t.match(parse('issuer: "http://127.0.0.1:8443", address: 127.0.0.1, port: 1, http: true').oauth, {
    files: undefined,
  });
  t.equal(
    parseConfig("trust_domain: a.test\ndata_dir: /tmp/x", serverConfigSchema).ca.oauthKeyType,
    undefined,
  );
});

t.test("refuses what could not work, or would be open to anyone on the way", async (t) => {
  const rows: [string, string, RegExp][] = [
    ["no issuer", FILES, /oauth\.issuer/],
    ["plain HTTP as issuer", `issuer: "http://id.north.test", ${FILES}`, /oauth\.issuer/],
    ["a local issuer with TLS", `issuer: "http://127.0.0.1", ${FILES}`, /oauth\.issuer/],
    ["a query", `issuer: "https://id.north.test/?a=b", ${FILES}`, /oauth\.issuer/],
    ["a user name", `issuer: "https://a@id.north.test", ${FILES}`, /oauth\.issuer/],
    ["upper case", `issuer: "https://ID.north.test", ${FILES}`, /oauth\.issuer/],
    ["no certificate", 'issuer: "https://id.north.test", port: 1', /cert_file/],
    ["half a certificate", 'issuer: "https://id.north.test", port: 1, cert_file: a', /key_file/],
    ["both", `issuer: "https://id.north.test", ${FILES}, http: true, address: 127.0.0.1`, /either/],
    ["HTTP for everyone", 'issuer: "https://id.north.test", port: 1, http: true', /127\.0\.0\.1/],
    ["an unknown key", `issuer: "https://id.north.test", ${FILES}, secret: a`, /secret/],
  ];
  for (const [name, oauth, message] of rows) t.throws(() => parse(oauth), { message }, name);
});

t.test(
  "an issuer with a path has its metadata at both places, and the rest below it",
  async (t) => {
    const issuer = "https://id.north.test/north";
    const addresses = oauthAddresses(issuer);
    t.match(addresses, {
      metadataPaths: [
        "/.well-known/oauth-authorization-server/north",
        "/north/.well-known/oauth-authorization-server",
      ],
      token: { path: "/north/token", url: `${issuer}/token` },
      taskClaim: `${issuer}/task`,
    });
    const server = await TestServer.start({
      config: `oauth: { issuer: "${issuer}", address: 127.0.0.1, port: 0, http: true }`,
    });
    t.teardown(() => server.stop());
    const { port = 0 } = server.running.documents.oauth ?? {};
    const get = async (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
    for (const path of addresses.metadataPaths) {
      const metadata = (await (await get(path)).json()) as Record<string, unknown>;
      t.match(metadata, {
        issuer,
        jwks_uri: `${issuer}/jwks`,
        token_endpoint_auth_methods_supported: ["spiffe_jwt", "private_key_jwt"],
        tls_client_certificate_bound_access_tokens: false,
      });
    }
    t.equal((await get("/north/jwks")).headers.get("content-type"), "application/jwk-set+json");
    t.equal((await get("/jwks")).status, 404);
  },
);
