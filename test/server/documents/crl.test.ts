// Revocation lists over HTTP: a running server's lists, as whoever verifies certificates fetches them.

import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import t, { type Test } from "tap";
import { parseCrl } from "../../../pki/x509/crl.ts";
import { LocalAuthorityService, RevocationService } from "../../../proto/schema.gen.ts";
import { parseConfig } from "../../../runtime/config.ts";
import { serverConfigSchema } from "../../../server/config.ts";
import { TestServer } from "../../support/running-server.ts";

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: Uint8Array;
}

interface Started {
  readonly server: TestServer;
  /** The ID of the authority that signs. */
  authority(): Promise<string>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
}

async function start(t: Test, more = ""): Promise<Started> {
  const server = await TestServer.start({
    config: `crl: { address: 127.0.0.1, port: 0${more} }`,
  });
  t.teardown(() => server.stop());
  return {
    server,
    async authority() {
      const state = await server.admin.client(LocalAuthorityService).getX509AuthorityState({});
      return state.active?.authorityId ?? "";
    },
    async get(path, headers = {}) {
      const { port } = server.running.documents.crl ?? {};
      const asked = request({ host: "127.0.0.1", port, path, headers, agent: false }).end();
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      const chunks: Uint8Array[] = [];
      for await (const chunk of response) chunks.push(chunk as Uint8Array);
      const body = new Uint8Array(Buffer.concat(chunks));
      return { status: response.statusCode, headers: response.headers, body };
    },
  };
}

t.test(
  "serves an empty list of an authority that revoked nothing, then what it revoked",
  async (t) => {
    const { server, authority, get } = await start(t);
    const path = `/crl/${await authority()}.crl`;
    const { leaf } = await server.mint("/db");
    const before = await get(path);
    t.match(before, {
      status: 200,
      headers: { "content-type": "application/pkix-crl", "cache-control": "no-cache" },
    });
    const empty = parseCrl(before.body);
    t.equal(empty.size, 0);
    const [anchor] = await server.anchors();
    t.ok(anchor !== undefined && empty.isSignedBy(anchor.publicKey));
    const revocation = server.admin.client(RevocationService);
    await revocation.revokeSVID({ serial: leaf.serialHex, reason: 1 });
    const after = parseCrl((await get(path)).body);
    t.equal(after.reasonOf(leaf.serialHex), "key-compromise", "as soon as the command has ended");
    t.ok((after.number ?? 0n) > (empty.number ?? 0n));
  },
);

t.test("tells who asks again whether anything has changed", async (t) => {
  const { server, authority, get } = await start(t);
  const path = `/crl/${await authority()}.crl`;
  const { leaf } = await server.mint("/db");
  const { headers } = await get(path);
  const known = { "if-none-match": String(headers.etag) };
  t.equal((await get(path, known)).status, 304);
  await server.admin.client(RevocationService).revokeSVID({ serial: leaf.serialHex });
  t.equal((await get(path, known)).status, 200);
});

t.test("has the list of an old authority, and none of strangers", async (t) => {
  const { server, authority, get } = await start(t);
  const first = await authority();
  const authorities = server.admin.client(LocalAuthorityService);
  const { preparedAuthority } = await authorities.prepareX509Authority({});
  await authorities.activateX509Authority({ authorityId: preparedAuthority?.authorityId ?? "" });
  for (const id of [first, await authority()]) t.equal((await get(`/crl/${id}.crl`)).status, 200);
  const strange = [
    "00".repeat(20),
    first.toUpperCase(),
    `${first}.crl/..`,
    "",
    "../store",
    "%2e%2e",
  ];
  for (const id of strange) t.equal((await get(`/crl/${id}.crl`)).status, 404, id);
  t.equal((await get(`/crl/${first}`)).status, 404);
});

t.test("SVIDs say where their list is when that is configured", async (t) => {
  const told = await start(t, ", url: http://crl.north.test/lists");
  const { leaf } = await told.server.mint("/db");
  const url = `http://crl.north.test/lists/crl/${await told.authority()}.crl`;
  t.ok(Buffer.from(leaf.der).includes(url));
  const untold = await start(t);
  t.notOk(Buffer.from((await untold.server.mint("/db")).leaf.der).includes("http://"));
  const refused = [
    "https://crl.test",
    "http://crl.test/",
    "crl.test",
    "http://u@crl.test",
    "http://a b",
  ];
  for (const bad of refused) {
    const text = `trust_domain: a.test\ndata_dir: /tmp/none\ncrl: { port: 80, url: "${bad}" }`;
    t.throws(() => parseConfig(text, serverConfigSchema), { message: /crl\.url/ }, bad);
  }
});
