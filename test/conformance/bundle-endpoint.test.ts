// SPIFFE_Federation.md s5 as it binds who serves a bundle, in both profiles, on a running server. How the
// bundle itself is written: bundle-published.test.ts.
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { type ConnectionOptions, createServer } from "node:tls";
import t, { type Test } from "tap";
import { parseBundle } from "../../pki/bundle/parse.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import { validateX509Svid } from "../../pki/x509/svid.ts";
import { LocalAuthorityService } from "../../proto/schema.gen.ts";
import { createLogger } from "../../runtime/log.ts";
import { TestServer } from "../support/running-server.ts";
import {
  ask,
  dial,
  type Endpoint,
  north,
  prepareAll,
  problemOf,
  replaceX509,
  startEndpoint as start,
} from "../support/served-bundle.ts";
import { WebAuthority } from "../support/web-certificate.ts";

const web = new WebAuthority();

/** An endpoint that shows a certificate of a web authority, with an RSA key. */
function startWeb(t: Test): Promise<Endpoint> {
  const { certFile, keyFile } = web.write(t.testdir({}), { keyKind: "rsa-2048" });
  return start(t, `profile: https_web, cert_file: ${certFile}, key_file: ${keyFile}`);
}

t.test("FED-10 serves the configured profile, and nothing in plain HTTP", async (t) => {
  for (const { port } of [await start(t), await startWeb(t)]) {
    t.equal((await ask(port)).status, 200);
    const plain = connectTcp(port, "127.0.0.1");
    plain.on("error", () => undefined);
    plain.write("GET / HTTP/1.1\r\nHost: any\r\n\r\n");
    let answered = "";
    for await (const chunk of plain.setEncoding("latin1")) answered += chunk;
    t.notMatch(answered, /HTTP|keys/);
  }
  t.match(problemOf("profile: http"), /profile/);
  t.match(problemOf("path: /"), /profile/, "there is no default");
});

t.test("FED-11 speaks TLS as Mozilla's intermediate profile has it", async (t) => {
  // A server without scruples, which shows that the client could do what the endpoint refuses.
  const { cert, key } = web.issue({ keyKind: "rsa-2048" });
  const lax = createServer({ cert, key, minVersion: "TLSv1", ciphers: "ALL:@SECLEVEL=0" });
  await once(lax.listen(0, "127.0.0.1"), "listening");
  t.teardown(() => lax.close());
  const laxPort = (lax.address() as { port: number }).port;
  const refused: [string, ConnectionOptions][] = [
    ["TLS 1.1", { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" }],
    [
      "CBC",
      { maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256" },
    ],
    ["CBC with SHA-1", { maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-AES256-SHA:@SECLEVEL=0" }],
    ["RSA key exchange", { maxVersion: "TLSv1.2", ciphers: "AES128-GCM-SHA256:AES256-GCM-SHA384" }],
  ];
  for (const [name, options] of refused) {
    const socket = await dial(laxPort, options);
    t.ok(socket.getCipher(), name);
    socket.destroy();
  }
  for (const { port } of [await start(t), await startWeb(t)]) {
    for (const ciphers of ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"]) {
      const suites = `ECDHE-ECDSA-${ciphers}:ECDHE-RSA-${ciphers}`;
      const old = await dial(port, { maxVersion: "TLSv1.2", ciphers: suites });
      t.match(old.getCipher(), { version: "TLSv1.2", name: new RegExp(ciphers) });
      old.destroy();
    }
    const young = await dial(port);
    t.equal(young.getProtocol(), "TLSv1.3");
    young.destroy();
    for (const [name, options] of refused)
      await t.rejects(dial(port, options), { code: /SSL/ }, name);
  }
});

t.test(
  "FED-17, FED-18 https_web shows a certificate from files, which names the host",
  async (t) => {
    const { port } = await startWeb(t);
    const trusting = { ca: web.pem, rejectUnauthorized: true };
    t.equal((await ask(port, { tls: { ...trusting, servername: "localhost" } })).status, 200);
    t.equal((await ask(port, { tls: trusting })).status, 200, "by address");
    const other = { ...trusting, servername: "other.test" };
    await t.rejects(dial(port, other), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    t.match(
      problemOf("profile: https_web"),
      /expected cert_file and key_file/,
      "nothing is made up",
    );
    t.match(
      problemOf("profile: https_spiffe, cert_file: a, key_file: b"),
      /cert_file: expected nothing/,
    );
    const { certFile, keyFile } = web.write(t.testdir({}), { dnsNames: [], ipAddresses: [] });
    await t.rejects(start(t, `profile: https_web, cert_file: ${certFile}, key_file: ${keyFile}`), {
      reason: "CERTIFICATE_FILES_UNUSABLE",
      message: /names no host/,
    });
  },
);

t.test("FED-19 asks nobody who they are, in TLS or in HTTP", async (t) => {
  for (const endpoint of [await start(t), await startWeb(t)]) {
    const { port } = endpoint;
    const anonymous = await ask(port);
    t.equal(anonymous.status, 200);
    t.notOk(anonymous.headers["www-authenticate"]);
    t.equal((await ask(port, { headers: "Authorization: Basic eDp5\r\n" })).status, 200);
    const foreign = web.issue();
    t.equal((await ask(port, { tls: { cert: foreign.cert, key: foreign.key } })).status, 200);
    for (const path of ["/", "/other"]) {
      for (const method of ["GET", "POST"]) {
        const { status } = await ask(port, { path, method });
        t.notOk([401, 403, 407].includes(status), `${method} ${path}: ${status}`);
      }
    }
  }
});

t.test("FED-20 GET at the path answers the newest bundle; nothing else answers one", async (t) => {
  const endpoint = await start(t, "profile: https_spiffe, path: /bundle");
  const { port, server } = endpoint;
  const keysNow = async () =>
    JSON.parse((await ask(port, { path: "/bundle?x=1" })).body.toString()).keys;
  t.equal((await keysNow()).length, 2);
  await prepareAll(endpoint, ["X509"]);
  t.equal((await keysNow()).length, 3, "at once");
  await prepareAll(endpoint, ["JWT"]);
  t.equal((await keysNow()).length, 4);
  t.match((await ask(port, { path: "/bundle" })).headers, { "cache-control": "no-cache" });
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    t.match(await ask(port, { path: "/bundle", method }), {
      status: 405,
      headers: { allow: "GET, HEAD" },
    });
  }
  for (const path of ["/", "/bundle/", "//bundle", "/Bundle", "/bundle.json"]) {
    const other = await ask(port, { path });
    t.equal(other.status, 404, path);
    t.notMatch(other.body.toString(), /keys/);
  }
  await server.stop();
});

t.test("FED-21, FED-22 the body is JSON in UTF-8 without a mark, and says so", async (t) => {
  const { port } = await start(t);
  for (const headers of ["", "Accept-Charset: utf-16\r\n", "Accept: text/html\r\n"]) {
    const answer = await ask(port, { headers });
    t.equal(answer.headers["content-type"], "application/json");
    t.equal(answer.body[0], "{".charCodeAt(0));
    t.doesNotThrow(() => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(answer.body)));
    t.notOk(answer.body.includes(0), "not UTF-16");
  }
});

t.test("FED-23, FED-24 sends clients on to an https endpoint only, and only for now", async (t) => {
  const { port } = await start(
    t,
    'profile: https_spiffe, redirect_to: "https://new.north.test:8443/b?x"',
  );
  const answer = await ask(port);
  t.equal(answer.status, 307);
  t.equal(answer.headers["location"], "https://new.north.test:8443/b?x");
  t.equal(answer.headers["cache-control"], "no-store", "it is not to be remembered");
  t.notMatch(answer.body.toString(), /keys/);
  for (const url of [
    "http://new.north.test/",
    "https://u:p@new.north.test/",
    "new.north.test",
    "https://a b/",
  ]) {
    t.match(
      problemOf(`profile: https_spiffe, redirect_to: "${url}"`),
      /redirect_to: expected an https URL/,
      url,
    );
  }
});

t.test("FED-33 https_spiffe shows a valid X509-SVID, always the newest", async (t) => {
  const endpoint = await start(t);
  const shown = async (): Promise<Uint8Array[]> => {
    const socket = await dial(endpoint.port);
    const chain: Uint8Array[] = [];
    for (
      let one = socket.getPeerX509Certificate();
      one !== undefined;
      one = one.issuerCertificate
    ) {
      chain.push(new Uint8Array(one.raw));
    }
    socket.destroy();
    return chain;
  };
  const judge = async (chain: Uint8Array[]) => {
    const { body } = await ask(endpoint.port);
    const anchors = parseBundle(north, body).x509Authorities.map(({ der }) =>
      parseCertificate(der),
    );
    return validateX509Svid(chain, () => anchors, new Date(), "server").id.toString();
  };
  const before = await shown();
  t.equal(await judge(before), "spiffe://north.test/spire/server");
  const leaf = new X509Certificate(before[0] ?? "");
  t.equal(leaf.ca, false);
  t.equal(leaf.subjectAltName, "URI:spiffe://north.test/spire/server");
  await replaceX509(endpoint);
  const after = await shown();
  t.notSame(after, before, "another one, of the new authority");
  t.equal(await judge(after), "spiffe://north.test/spire/server");
  await t.rejects(judge(before), { name: "IdentityError" }, "the former one would be refused");
});

t.test(
  "FED-01, FED-02 where bundles are polled, a new key signs early by force only",
  async (t) => {
    const warningsOf = async (endpoint: string): Promise<string[]> => {
      const warnings: string[] = [];
      const log = createLogger({
        level: "warn",
        destination: { write: (line) => void warnings.push(String(JSON.parse(line).msg)) },
      });
      const server = await TestServer.start({ config: endpoint, log });
      t.teardown(() => server.stop());
      const authorities = server.admin.client(LocalAuthorityService);
      const { preparedAuthority } = await authorities.prepareX509Authority({});
      await authorities.activateX509Authority({
        authorityId: preparedAuthority?.authorityId ?? "",
      });
      return warnings.filter((line) => line.includes("activated"));
    };
    const endpoint = "federation: { bundle_endpoint: { port: 0, profile: https_spiffe } }";
    t.match(await warningsOf(endpoint), [/by force, before those who poll the bundle/]);
    t.same(await warningsOf(""), [], "every agent there is has acknowledged it");
    const hint = problemOf("profile: https_spiffe, refresh_hint: 3h");
    t.match(hint, /refresh_hint: expected at most 2h40m/, "there is time for three hints");
  },
);
