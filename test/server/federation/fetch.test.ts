// Fetching one document: whom it is taken from, and what an endpoint may not do to who asks.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import t from "tap";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import { formatPem } from "../../../pki/x509/pem.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { createFetcher, type FetcherOptions } from "../../../server/federation/fetch.ts";
import { TestAuthority } from "../../support/test-authority.ts";
import { TestBundleEndpoint } from "../../support/test-bundle-endpoint.ts";

const south = await TestAuthority.create("south.test");
const serverId = SpiffeId.parse("spiffe://south.test/spire/server");
const svid = await south.issue("/spire/server");
const never = new AbortController().signal;

const options: FetcherOptions = {
  anchorsOf: TestAuthority.anchorsOf(south),
  clock: systemClock,
  followRedirects: true,
  webCaFile: undefined,
};
const spiffe = (url: string) => ({ url, profile: "https_spiffe" as const, endpointId: serverId });
const web = (url: string) => ({ url, profile: "https_web" as const, endpointId: undefined });
const FAILED = { reason: "BUNDLE_FETCH_FAILED", code: 14 };

t.test("asks plainly, and says who answered", async (t) => {
  const endpoint = await TestBundleEndpoint.start(t, svid);
  endpoint.document = "{}";
  const fetched = await createFetcher(options)(spiffe(endpoint.url("/b?x=1")), never);
  t.equal(Buffer.from(fetched.document).toString(), "{}");
  t.match(fetched, { url: endpoint.url("/b?x=1"), peer: serverId.toString() });
  t.same(endpoint.requests, ["GET /b?x=1"]);
  t.match(endpoint.headers, { host: `127.0.0.1:${endpoint.port}`, "accept-encoding": "identity" });
  t.notOk("authorization" in endpoint.headers || "cookie" in endpoint.headers);
});

const ANSWERS = [
  ["an error page", 500, {}, "{}"],
  ["a page that is not there", 404, {}, "{}"],
  ["another kind of success", 201, {}, "{}"],
  ["no content", 204, {}, ""],
  ["a redirect to nowhere", 302, {}, ""],
  ["what is compressed without being asked", 200, { "content-encoding": "gzip" }, "x"],
  ["a head that is too long", 200, { x: "y".repeat(20_000) }, "{}"],
  ["a body that is too long", 200, {}, "x".repeat(256 * 1024 + 1)],
] as const;

for (const [name, status, headers, body] of ANSWERS) {
  t.test(`does not take ${name}`, async (t) => {
    const endpoint = await TestBundleEndpoint.start(t, svid);
    endpoint.answer = (_, response) => response.writeHead(status, headers).end(body);
    await t.rejects(createFetcher(options)(spiffe(endpoint.url()), never), FAILED);
    t.equal(endpoint.count, 1);
  });
}

t.test("says what a path that is not there may mean", async (t) => {
  const endpoint = await TestBundleEndpoint.start(t, svid);
  endpoint.answer = (_, response) => response.writeHead(404).end("{}");
  const missed = { ...FAILED, message: /answers 404/, hint: /correct the path/ };
  await t.rejects(createFetcher(options)(spiffe(endpoint.url()), never), missed);
});

t.test("does not take an answer that breaks off", async (t) => {
  const endpoint = await TestBundleEndpoint.start(t, svid);
  endpoint.answer = (_, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("{}", () => response.destroy());
  };
  await t.rejects(createFetcher(options)(spiffe(endpoint.url()), never), FAILED);
});

t.test("does not wait for an answer that never ends, nor for one that never begins", async (t) => {
  const fetch = createFetcher({ ...options, timeoutMs: 150 });
  const endpoint = await TestBundleEndpoint.start(t, svid);
  endpoint.answer = (_, response) => {
    response.writeHead(200);
    const drip = setInterval(() => response.write(" "), 10);
    response.on("close", () => clearInterval(drip));
  };
  const start = performance.now();
  await t.rejects(fetch(spiffe(endpoint.url()), never), { ...FAILED, message: /150 ms/ });
  const silent = createServer((socket) => socket.on("error", () => {})).listen(0, "127.0.0.1");
  await once(silent, "listening");
  t.teardown(() => silent.close());
  const { port } = silent.address() as { port: number };
  await t.rejects(fetch(spiffe(`https://127.0.0.1:${port}/`), never), FAILED);
  t.ok(performance.now() - start < 3000);
});

t.test("does not listen to an endpoint that announces and never answers", async (t) => {
  const endpoint = await TestBundleEndpoint.start(t, svid);
  const hints = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(1000);
  let sent = 0;
  endpoint.answer = ({ socket }) => {
    const more = (): void => {
      while (!socket.destroyed && socket.write(hints)) sent += hints.length;
    };
    socket.on("drain", more);
    more();
  };
  const start = performance.now();
  await t.rejects(createFetcher(options)(spiffe(endpoint.url()), never), {
    ...FAILED,
    message: /announces/,
  });
  t.ok(performance.now() - start < 5000, "long before the end of the time for a fetch");
  t.ok(sent < 8 * 1024 * 1024, `${sent} bytes`);
  endpoint.answer = (_, response) => {
    response.writeEarlyHints({ link: "</x>" });
    response.end("{}");
  };
  await createFetcher(options)(spiffe(endpoint.url()), never);
});

t.test("does not gather a document from crumbs", async (t) => {
  const endpoint = await TestBundleEndpoint.start(t, svid);
  endpoint.answer = ({ socket }) => {
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    socket.write("1\r\nx\r\n".repeat(50_000));
    socket.write("0\r\n\r\n");
  };
  const failure = createFetcher(options)(spiffe(endpoint.url()), never);
  await t.rejects(failure, { ...FAILED, message: /pieces/ });
});

t.test("gives up when it is told to", async (t) => {
  const endpoint = await TestBundleEndpoint.start(t, svid);
  const stop = new AbortController();
  endpoint.answer = () => stop.abort(new Error("stopped"));
  const failure = createFetcher(options)(spiffe(endpoint.url()), stop.signal);
  await t.rejects(failure, { ...FAILED, message: /stopped/ });
});

t.test("follows at most three redirects", async (t) => {
  const endpoint = await TestBundleEndpoint.start(t, svid);
  endpoint.answer = ({ url = "/" }, response) => {
    const left = Number(url.slice(1));
    if (left === 0) response.writeHead(200).end("{}");
    else response.writeHead(307, { location: `/${left - 1}` }).end();
  };
  const fetched = await createFetcher(options)(spiffe(endpoint.url("/3")), never);
  t.equal(fetched.url, `https://127.0.0.1:${endpoint.port}/0`);
  await t.rejects(createFetcher(options)(spiffe(endpoint.url("/4")), never), FAILED);
  t.equal(endpoint.count, 8);
});

t.test("takes web authorities from a file, whatever it holds by then", async (t) => {
  const host = await TestAuthority.create("web.test");
  const other = await TestAuthority.create("other.test");
  const endpoint = await TestBundleEndpoint.start(
    t,
    await host.issue("/site", { dnsNames: ["localhost"] }),
  );
  endpoint.document = "{}";
  const webCaFile = join(t.testdir({}), "ca.pem");
  const fetch = createFetcher({ ...options, webCaFile });
  const url = endpoint.url("/", "localhost");
  await t.rejects(fetch(web(url), never), { ...FAILED, message: /holds no certificates/ });
  writeFileSync(webCaFile, formatPem("CERTIFICATE", other.root.der));
  await t.rejects(fetch(web(url), never), { ...FAILED, hint: /web_ca_file/ });
  writeFileSync(webCaFile, formatPem("CERTIFICATE", host.root.der));
  t.match(await fetch(web(url), never), { peer: "localhost" });
  t.equal(endpoint.count, 1, "nothing was asked of an endpoint that was not verified");
});

t.test("says where to look when nobody is at the address, whatever the profile", async (t) => {
  const nobody = createServer().listen(0, "127.0.0.1");
  await once(nobody, "listening");
  const url = `https://127.0.0.1:${(nobody.address() as { port: number }).port}/`;
  nobody.close();
  await once(nobody, "close");
  for (const endpoint of [web(url), spiffe(url)]) {
    const refused = { ...FAILED, message: /ECONNREFUSED/, hint: /host and port/ };
    await t.rejects(createFetcher(options)(endpoint, never), refused, endpoint.profile);
  }
});

t.test("says what to do when an endpoint with https_web shows an X509-SVID", async (t) => {
  const endpoint = await TestBundleEndpoint.start(t, svid);
  await t.rejects(createFetcher(options)(web(endpoint.url()), never), {
    ...FAILED,
    hint: /https_spiffe/,
  });
});

t.test("the environment switches neither checks off nor proxies on", async (t) => {
  const endpoint = await TestBundleEndpoint.start(t, svid);
  endpoint.document = "{}";
  const proxy = createServer((socket) => {
    proxied++;
    socket.destroy();
  }).listen(0, "127.0.0.1");
  let proxied = 0;
  await once(proxy, "listening");
  t.teardown(() => proxy.close());
  const through = `http://127.0.0.1:${(proxy.address() as { port: number }).port}`;
  const script = `
    import { createFetcher } from ${JSON.stringify(new URL("../../../server/federation/fetch.ts", import.meta.url).href)};
    const fetch = createFetcher({ anchorsOf: () => [], clock: { now: () => new Date() }, followRedirects: true, webCaFile: undefined });
    const endpoint = { url: process.argv[1], profile: "https_web", endpointId: undefined };
    await fetch(endpoint, new AbortController().signal).then(
      () => console.log("fetched"),
      (error) => console.log(error.message),
    );`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, endpoint.url()], {
    env: {
      PATH: process.env["PATH"],
      NODE_TLS_REJECT_UNAUTHORIZED: "0",
      NODE_USE_ENV_PROXY: "1",
      HTTPS_PROXY: through,
      https_proxy: through,
    },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  await once(child, "close");
  t.match(printed, /nothing was fetched/);
  t.equal(proxied, 0, "the proxy was not asked");
  t.equal(endpoint.count, 0, "and the endpoint was given no request");
});
