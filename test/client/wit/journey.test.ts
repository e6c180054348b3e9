// WIT-SVIDs from end to end: a real server and node agent, a service behind HTTPS that knows its callers by
// WIT-SVIDs alone, through a rotation, a revocation of the authority, and the end of an entry.
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import t from "tap";
import { authorizeAny, authorizeOneOf } from "../../../client/tls/authorize.ts";
import { httpsAgent } from "../../../client/tls/https.ts";
import { protectServer, serverTlsOptions } from "../../../client/tls/server.ts";
import { presentWit } from "../../../client/wit/present.ts";
import { ReplayCache } from "../../../client/wit/replay-cache.ts";
import { verifyWitRequest } from "../../../client/wit/verify.ts";
import { WitSource } from "../../../client/wit/wit-source.ts";
import { X509Source } from "../../../client/x509-source.ts";
import type { IdentityError } from "../../../pki/errors.ts";
import { eventually, TestTrustDomain } from "../../support/trust-domain.ts";

const FLAG = { feature_flags: ["wit-svid"] };
const ORIGIN = "https://ledger.internal";

t.test("a service knows its callers by WIT-SVIDs", async (t) => {
  const domain = new TestTrustDomain(t, { server: FLAG, agent: FLAG });
  await domain.start();
  const entry = await domain.createEntry({ path: "/db" });
  const endpoint = `unix://${join(domain.folder, "agent.sock")}`;
  const tls = await X509Source.start({ endpoint });
  const wit = await WitSource.start({ endpoint });
  t.teardown(() => tls.close());
  t.teardown(() => wit.close());

  // 1. The service: TLS for the channel, the WIT-SVID for the caller.
  const replay = new ReplayCache();
  const authorize = authorizeOneOf(["spiffe://north.test/db"]);
  const server = createServer(serverTlsOptions(), async (incoming, response) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const options = { source: wit, origin: ORIGIN, authorize, replay };
      const { id, proof } = await verifyWitRequest(incoming, {
        ...options,
        body: Buffer.concat(chunks),
      });
      response.end(`${id} by ${proof}`);
    } catch (error) {
      response.writeHead(400).end((error as IdentityError).reason);
    }
  });
  protectServer(server, { source: tls, authorize: authorizeAny() });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const agent = httpsAgent({ source: tls, authorize: authorizeAny() });
  t.teardown(() => {
    agent.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const send = async (headers: Record<string, string>, body: string) => {
    const call = request({
      host: "127.0.0.1",
      port,
      agent,
      method: "POST",
      path: "/pay?to=x",
      headers,
    });
    call.end(body);
    const [response] = (await once(call, "response")) as [IncomingMessage];
    let text = "";
    for await (const chunk of response) text += chunk;
    return text;
  };
  const present = (proof: "proof-token" | "http-signature") =>
    presentWit({ svid: wit.svid(), method: "POST", url: `${ORIGIN}/pay?to=x`, body: "42", proof });

  // 2. Both proofs pass, once; a changed body passes under neither signature nor second use.
  for (const proof of ["proof-token", "http-signature"] as const) {
    const headers = present(proof);
    t.equal(await send(headers, "42"), `spiffe://north.test/db by ${proof}`);
    t.equal(await send(headers, "42"), "WIT_PROOF_REPLAYED");
  }
  t.equal(await send(present("http-signature"), "43"), "WIT_PROOF_BINDING");

  // 3. A new authority signs; what the old one signed still verifies, until it is revoked.
  const old = wit.svid();
  const { preparedAuthority } = await domain.authorities.prepareWITAuthority({});
  const authorityId = preparedAuthority?.authorityId ?? "";
  const { activatedAuthority } = await eventually(() =>
    domain.authorities.activateWITAuthority({ authorityId }),
  );
  t.equal(activatedAuthority?.authorityId, authorityId);
  t.match(await send(present("proof-token"), "42"), /^spiffe/);
  const { old: former } = await domain.authorities.getWITAuthorityState({});
  const oldId = former?.authorityId ?? "";
  await domain.authorities.taintWITAuthority({ authorityId: oldId });
  await eventually(() => {
    if (wit.svid().token === old.token) throw new Error("not replaced yet");
  });
  t.notOk(wit.svid().key.privateKey.equals(old.key.privateKey), "a new key");
  t.match(await send(present("proof-token"), "42"), /^spiffe/);
  await domain.authorities.revokeWITAuthority({ authorityId: oldId });
  await eventually(() => {
    if (wit.witAuthoritiesOf(old.id.trustDomain)?.length !== 1) throw new Error("not gone yet");
  });
  const stale = presentWit({ svid: old, method: "POST", url: `${ORIGIN}/pay?to=x` });
  t.equal(await send(stale, "42"), "WIT_SVID_UNTRUSTED");
  t.match(await send(present("http-signature"), "42"), /^spiffe/);

  // 4. Without its entry the workload has no WIT-SVID to present.
  await domain.deleteEntry(entry.id);
  await eventually(() => {
    if (isHeld(wit)) throw new Error("not withdrawn yet");
  });
  t.throws(() => wit.svid(), { reason: "IDENTITY_WITHDRAWN", code: 7 });
});

function isHeld(wit: WitSource): boolean {
  try {
    return wit.svid() !== undefined;
  } catch {
    return false;
  }
}

t.test("without the flag there are none, and nobody asks twice", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.start();
  await domain.createEntry({ path: "/db" });
  const endpoint = `unix://${join(domain.folder, "agent.sock")}`;
  await t.rejects(WitSource.start({ endpoint }), { name: "IdentityError", code: 12 });
});
