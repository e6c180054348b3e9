// OpenID discovery of a running server, read by the libraries that relying parties use: jose and
// openid-client. A Go library reads it in test/interop/oidc.test.ts.
import { createRemoteJWKSet, customFetch, decodeProtectedHeader, jwtVerify } from "jose";
import * as client from "openid-client";
import t, { type Test } from "tap";
import { LocalAuthorityService, SvidService } from "../../../proto/schema.gen.ts";
import { parseConfig } from "../../../runtime/config.ts";
import { serverConfigSchema } from "../../../server/config.ts";
import { isIssuer } from "../../../server/documents/oidc.ts";
import { freePort } from "../../support/listening.ts";
import { TestServer } from "../../support/running-server.ts";
import { WebAuthority } from "../../support/web-certificate.ts";
import { type Fetch, webFetch } from "../../support/web-fetch.ts";

const authority = new WebAuthority();

interface Provider {
  readonly server: TestServer;
  readonly issuer: string;
  readonly fetch: Fetch;
  token(audience?: string): Promise<string>;
}

/** A server whose discovery listener is reached at its issuer. */
async function startProvider(t: Test, config = "", path = ""): Promise<Provider> {
  const { certFile, keyFile } = authority.write(t.testdir({}));
  const port = await freePort();
  const issuer = `https://localhost:${port}${path}`;
  const server = await TestServer.start({
    config: [
      `jwt_issuer: ${issuer}`,
      `oidc: { address: 127.0.0.1, port: ${port}, cert_file: ${certFile}, key_file: ${keyFile} }`,
      config,
    ].join("\n"),
  });
  t.teardown(() => server.stop());
  return {
    server,
    issuer,
    fetch: webFetch(authority.pem),
    async token(audience = "sts.cloud.test") {
      const id = { trustDomain: "north.test", path: "/db" };
      const { svid } = await server.admin
        .client(SvidService)
        .mintJWTSVID({ id, audience: [audience] });
      return svid.token;
    },
  };
}

async function discover({ issuer, fetch }: Provider): Promise<client.Configuration> {
  return client.discovery(new URL(issuer), "any-client", undefined, undefined, {
    [client.customFetch]: fetch as client.CustomFetch,
  });
}

for (const [what, config, path] of [
  ["P-256 keys", "", ""],
  ["P-384 keys", "ca: { jwt_key_type: ec-p384 }", ""],
  ["RSA keys", "ca: { jwt_key_type: rsa-2048 }", ""],
  ["an issuer with a path", "", "/tenants/north"],
  ["an issuer that ends with a slash", "", "/tenants/north/"],
] as const) {
  t.test(`OpenID libraries accept JWT-SVIDs: ${what}`, async (t) => {
    const provider = await startProvider(t, config, path);
    const metadata = (await discover(provider)).serverMetadata();
    t.equal(metadata.issuer, provider.issuer, "to the letter");
    const keys = createRemoteJWKSet(new URL(metadata.jwks_uri ?? ""), {
      [customFetch]: provider.fetch,
    });
    const algorithms = metadata.id_token_signing_alg_values_supported ?? [];
    const expected = { issuer: metadata.issuer, audience: "sts.cloud.test", algorithms };
    const { payload } = await jwtVerify(await provider.token(), keys, expected);
    t.equal(payload.sub, "spiffe://north.test/db");
    await t.rejects(jwtVerify(await provider.token("other"), keys, expected), /aud/);
    const [head = "", body = "", signature = ""] = (await provider.token()).split(".");
    const forged = [head, body, signature.replace(/^./, (c) => (c === "A" ? "B" : "A"))].join(".");
    await t.rejects(jwtVerify(forged, keys, expected), /signature/);
  });
}

t.test("openid-client refuses discovery under another name", async (t) => {
  const provider = await startProvider(t);
  const other = { ...provider, issuer: provider.issuer.replace("localhost", "127.0.0.1") };
  await t.rejects(discover(other), /unexpected.*issuer|issuer/i);
});

t.test("discovery and keys hold what relying parties need, and no more", async (t) => {
  const { issuer, fetch, server } = await startProvider(t, "feature_flags: [wit-svid]");
  const discovery = await fetch(`${issuer}/.well-known/openid-configuration`);
  t.equal(discovery.headers.get("content-type"), "application/json");
  t.same(await discovery.json(), {
    issuer,
    jwks_uri: `${issuer}/keys`,
    authorization_endpoint: "",
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256", "ES384", "RS256"],
    claims_supported: ["iss", "sub", "aud", "exp", "iat", "jti"],
  });
  const jwks = await fetch(`${issuer}/keys`);
  t.equal(jwks.headers.get("content-type"), "application/json");
  const { keys } = (await jwks.json()) as { keys: Record<string, unknown>[] };
  t.same(
    keys.map((key) => Object.keys(key).sort()),
    [["alg", "crv", "kid", "kty", "use", "x", "y"]],
  );
  t.match(keys, [{ use: "sig", alg: "ES256" }], "no X.509 keys, no keys of WIT-SVIDs");
  const authorities = server.admin.client(LocalAuthorityService);
  const { active } = await authorities.getJWTAuthorityState({});
  t.equal(keys[0]?.["kid"], active?.authorityId);
  for (const path of ["/", "/.well-known/openid-configuration/", "/.well-known/jwks.json"]) {
    t.equal((await fetch(issuer + path)).status, 404, path);
  }
});

t.test("rotation: what was fetched before the new key signs validates what it signs", async (t) => {
  const provider = await startProvider(t, "bundle_refresh_hint: 90s");
  const authorities = provider.server.admin.client(LocalAuthorityService);
  const fetched: string[] = [];
  const jwks = new URL(`${provider.issuer}/keys`);
  // A relying party that fetches once and never again.
  const remembering = () =>
    createRemoteJWKSet(jwks, {
      [customFetch]: webFetch(authority.pem, fetched),
      cooldownDuration: Infinity,
      cacheMaxAge: Infinity,
    });
  const expected = { issuer: provider.issuer, audience: "sts.cloud.test" };
  const before = remembering();
  const old = await provider.token();
  await jwtVerify(old, before, expected);
  const { preparedAuthority } = await authorities.prepareJWTAuthority({});
  const between = remembering();
  await jwtVerify(old, between, expected);
  const authorityId = preparedAuthority?.authorityId ?? "";
  await authorities.activateJWTAuthority({ authorityId });
  const young = await provider.token();
  t.equal(decodeProtectedHeader(young).kid, authorityId);
  await jwtVerify(young, between, expected);
  await jwtVerify(old, remembering(), expected);
  await t.rejects(jwtVerify(young, before, expected), /no applicable key/, "fetched too early");
  t.equal(fetched.length, 3);
  // Why nobody is too early when nothing is forced: a new key is public for three times as long.
  const answer = await provider.fetch(jwks);
  t.equal(answer.headers.get("cache-control"), "public, max-age=90");
});

t.test("revoked keys are gone at once", async (t) => {
  const provider = await startProvider(t);
  const authorities = provider.server.admin.client(LocalAuthorityService);
  const old = await provider.token();
  const { active } = await authorities.getJWTAuthorityState({});
  const { preparedAuthority } = await authorities.prepareJWTAuthority({});
  await authorities.activateJWTAuthority({ authorityId: preparedAuthority?.authorityId ?? "" });
  const authorityId = active?.authorityId ?? "";
  await authorities.taintJWTAuthority({ authorityId });
  await authorities.revokeJWTAuthority({ authorityId });
  const keys = createRemoteJWKSet(new URL(`${provider.issuer}/keys`), {
    [customFetch]: provider.fetch,
  });
  await t.rejects(jwtVerify(old, keys), /no applicable key/);
  t.ok(await jwtVerify(await provider.token(), keys));
});

const MINIMAL = "trust_domain: north.test\ndata_dir: /tmp/none\n";

function problemOf(text: string): string {
  try {
    parseConfig(MINIMAL + text, serverConfigSchema, "server.yaml");
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

t.test("a configuration that clients could not use is refused, with what to do", async (t) => {
  const files = "cert_file: a, key_file: b";
  const issuer = "jwt_issuer: https://oidc.north.test\n";
  t.equal(problemOf(`${issuer}oidc: { port: 443, ${files} }`), "");
  t.match(problemOf(`oidc: { port: 443, ${files} }`), /jwt_issuer: expected the https URL/);
  t.match(
    problemOf(`${issuer}oidc: { port: 443, ${files}, issuer: "https://oidc.north.test/" }`),
    /oidc\.issuer: expected what jwt_issuer says/,
  );
  for (const bad of [
    "http://a.test",
    "north.test",
    "https://A.test",
    "https://a.test:443",
    "https://a.test?x",
    "https://u@a.test",
    "https://a.test#f",
  ]) {
    t.match(problemOf(`jwt_issuer: "${bad}"\noidc: { port: 443, ${files} }`), /plain form/, bad);
    t.notOk(isIssuer(bad), bad);
  }
  t.match(
    problemOf(`${issuer}oidc: { port: 443 }`),
    /either cert_file and key_file, or http: true/,
  );
  t.match(problemOf(`${issuer}oidc: { port: 443, http: true, ${files} }`), /either/);
  t.match(problemOf(`${issuer}oidc: { port: 443, cert_file: a }`), /key_file: expected beside/);
  t.match(problemOf(`${issuer}oidc: { port: 80, http: true }`), /oidc\.http: .*behind_proxy/);
  t.equal(problemOf(`${issuer}oidc: { port: 80, http: true, address: 127.0.0.1 }`), "");
  t.equal(problemOf(`${issuer}oidc: { port: 80, http: true, behind_proxy: true }`), "");
  t.match(
    problemOf(`${issuer}bundle_refresh_hint: 3h\noidc: { port: 443, ${files} }`),
    /bundle_refresh_hint: expected at most 2h40m/,
  );
});

t.test("serves in plain text behind a proxy", async (t) => {
  const server = await TestServer.start({
    config:
      "jwt_issuer: https://oidc.north.test\noidc: { address: 127.0.0.1, port: 0, http: true }",
  });
  t.teardown(() => server.stop());
  const { port } = server.running.documents.oidc ?? { port: 0 };
  const answer = await fetch(`http://127.0.0.1:${port}/keys`, {
    headers: { host: "oidc.north.test" },
  });
  t.equal(answer.status, 200);
  const post = await fetch(`http://127.0.0.1:${port}/keys`, { method: "POST", body: "x" });
  t.equal(post.status, 405);
});
