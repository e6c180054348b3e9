// Bundle endpoints that mean harm, fetched by a real server: answers without end or beginning, too large,
// too deep, in other words and in other names. What an honest one publishes arrives all the same, agents and
// workloads are served meanwhile, and nothing that was not asked for is trusted.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import t from "tap";
import { formatBundle } from "../../pki/bundle/format.ts";
import { BundleService, TrustDomainService } from "../../proto/schema.gen.ts";
import { bundleFromWire } from "../../proto/types/bundle.ts";
import { Abused } from "../support/abused.ts";
import { TestAuthority } from "../support/test-authority.ts";
import { documentOf } from "../support/test-federation.ts";
import { WebAuthority } from "../support/web-certificate.ts";

const MAX_MORE_MEBIBYTES = 128;
const JSON_TYPE = { "content-type": "application/json" };
const friend = documentOf([await TestAuthority.create("friend.test")], { sequence: 1n });
/** Of the server that fetches; once it runs. */
let ours = "";

/** Writes the same again for as long as somebody takes it. */
function pour(response: ServerResponse, text: string): void {
  const { socket } = response;
  const more = (): void => {
    while (socket?.destroyed === false && socket.write(text));
  };
  socket?.on("drain", more);
  more();
}

/** Whether what an endpoint answers is refused before the time for a fetch is over. */
const QUICK: Record<string, RequestListener> = {
  "flood.test": (_, response) => pour(response.writeHead(200), "x".repeat(65_536)),
  "chunks.test": (_, response) => {
    response.writeHead(200, { "transfer-encoding": "chunked" }).flushHeaders();
    pour(response, "1;extension=of-no-use\r\nx\r\n".repeat(1000));
  },
  "hints.test": (_, response) => pour(response, "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000)),
  "fields.test": (_, response) => pour(response, `HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(9000)}`),
  "bomb.test": (_, response) => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    response.writeHead(200, { "content-encoding": "gzip" }).end(bomb);
  },
  "loop.test": ({ url = "/" }, response) => response.writeHead(302, { location: url }).end(),
  "inside.test": (_, response) =>
    response.writeHead(302, { location: "http://169.254.169.254/latest/meta-data/" }).end(),
  "file.test": (_, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end(),
  "deep.test": (_, response) => response.end("[".repeat(200_000)),
  "junk.test": (_, response) => response.socket?.end("SSH-2.0-OpenSSH_9.9\r\n"),
  "number.test": (_, response) =>
    response.end(friend.replace(/"spiffe_sequence":1/, '"spiffe_sequence":18446744073709551616')),
};

/** Keep a fetch busy until its time is over. */
const SLOW: Record<string, RequestListener> = {
  "drip.test": (_, response) => {
    response.writeHead(200, JSON_TYPE);
    const drip = setInterval(() => response.write(" "), 50);
    response.on("close", () => clearInterval(drip));
  },
  "silent.test": () => undefined,
};

const HONEST: Record<string, RequestListener> = {
  "friend.test": (_, response) => response.writeHead(200, JSON_TYPE).end(friend),
  // As strange as it is: the keys of the server that fetches, in another name.
  "ours.test": (_, response) => response.writeHead(200, JSON_TYPE).end(ours),
};

const answers: Record<string, RequestListener> = { ...QUICK, ...SLOW, ...HONEST };
const web = new WebAuthority();
const folder = mkdtempSync(join(tmpdir(), "sg-"));
const webCaFile = join(folder, "web.pem");
writeFileSync(webCaFile, web.pem);
const endpoint = createServer(web.issue(), (request: IncomingMessage, response) => {
  request.socket.on("error", () => undefined);
  const answer = answers[request.url?.slice(1) ?? ""];
  if (answer === undefined || ours === "") response.writeHead(503).end();
  else answer(request, response);
});
await once(endpoint.listen(0, "127.0.0.1"), "listening");
const { port } = endpoint.address() as AddressInfo;
t.teardown(() => {
  endpoint.close();
  endpoint.closeAllConnections();
  rmSync(folder, { recursive: true });
});

const relationships = Object.keys(answers).map((name) => {
  return [name, { url: `https://127.0.0.1:${port}/${name}`, profile: "https_web" }];
});
const federation = {
  web_ca_file: webCaFile,
  refresh: { min: "1s", default: "1s", max: "2s" },
  federates_with: Object.fromEntries(relationships),
};
const abused = await Abused.start(t, {}, { federation });
const { admin, server } = abused;
const refresh = (trustDomain: string): Promise<unknown> =>
  admin.client(TrustDomainService).refreshBundle({ trustDomain }, { timeoutMs: 8000 });
const own = bundleFromWire(await admin.client(BundleService).getBundle({}));
ours = formatBundle(own);

t.test("what harms is refused at once, and what is honest arrives meanwhile", async (t) => {
  const before = server.residentMebibytes;
  await abused.whileServing(async () => {
    for (const name of Object.keys(QUICK)) {
      const start = performance.now();
      await t.rejects(refresh(name), { name: "IdentityError", reason: "BUNDLE_FETCH_FAILED" });
      t.ok(performance.now() - start < 5000, `${name} took ${performance.now() - start} ms`);
      await refresh("friend.test");
    }
    await refresh("ours.test");
  });
  const more = server.residentMebibytes - before;
  t.ok(more <= MAX_MORE_MEBIBYTES, `${Math.round(more)} MiB more`);
  t.equal(server.end, undefined);
});

t.test("nothing is trusted that was not asked for", async (t) => {
  const { bundles } = await admin.client(BundleService).listFederatedBundles({});
  t.same(bundles.map(({ trustDomain }) => trustDomain).sort(), ["friend.test", "ours.test"]);
  t.match(bundleFromWire(await admin.client(BundleService).getBundle({})), {
    trustDomain: own.trustDomain,
    sequence: own.sequence,
  });
});

t.test("polling them all the time leaves no connection behind", async (t) => {
  const descriptors = server.descriptors;
  await abused.whileServing(() => sleep(2500));
  t.ok(server.descriptors <= descriptors + 20, `${server.descriptors} of ${descriptors}`);
});
