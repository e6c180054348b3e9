// SPIFFE Workload API, the rows that revocation has a part in: lists on the wire, what the agent no longer
// hands out or validates, what a client no longer trusts. Lists are read by @peculiar/x509 as well.
import "reflect-metadata";
import * as peculiar from "@peculiar/x509";
import t from "tap";
import { verifyPeer } from "../../client/verify.ts";
import { X509Source } from "../../client/x509-source.ts";
import { IdentityError, Status } from "../../pki/errors.ts";
import { parseCertificates } from "../../pki/x509/certificate.ts";
import { parseCrl } from "../../pki/x509/crl.ts";
import type { workload } from "../../proto/schema.gen.ts";
import { FakeWorkloadApi, x509SvidToWire } from "../support/fake-workload-api.ts";
import { entryOf, first, StreamReader, TestAgent } from "../support/test-agent.ts";
import { TestAuthority } from "../support/test-authority.ts";
import { authorityIdOf, crlOf, receivedCrl, tokenRevocation } from "../support/test-revocation.ts";

const serialOf = (message: workload.X509SVIDResponse): string =>
  parseCertificates(message.svids[0]?.x509Svid ?? new Uint8Array())[0]?.serialHex ?? "";

const HOUR_MS = 3_600_000;

t.test("WL-22 crl holds lists in DER, for both calls alike, and never PEM", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  t.strictSame((await first(client.fetchX509SVID({}))).crl, [], "nothing is revoked");
  const { x509 } = agent.signer;
  agent.revoke({ crls: [await receivedCrl(x509, ["0a1b", "7f"])] });
  const { crl } = await first(client.fetchX509SVID({}));
  t.same((await first(client.fetchX509Bundles({}))).crl, crl);
  t.equal(crl.length, 1);
  const read = new peculiar.X509Crl(Uint8Array.from(crl[0] ?? []));
  t.same(
    read.entries.map(({ serialNumber }) => serialNumber.toLowerCase()),
    ["0a1b", "7f"],
  );
  const issuer = new peculiar.X509Certificate(Uint8Array.from(x509.certificate.der));
  t.ok(await read.verify({ publicKey: issuer }), "signed by the authority of the bundle");

  const pem = Buffer.from(
    `-----BEGIN X509 CRL-----\n${read.toString("base64")}\n-----END X509 CRL-----\n`,
  );
  t.throws(() => parseCrl(pem), { reason: "CRL_INVALID", code: Status.invalidArgument });
  agent.revoke({ crls: [{ authorityId: authorityIdOf(x509.certificate), crl: undefined }] });
  t.same((await first(client.fetchX509SVID({}))).crl, crl, "what cannot be read is not passed on");
});

t.test(
  "WL-10 a change of the revocation lists is pushed, and the same lists are not",
  async (t) => {
    const agent = await TestAgent.create(t, [entryOf("db")]);
    const client = await agent.connect();
    const streams = [
      new StreamReader(client.fetchX509SVID({})),
      new StreamReader(client.fetchX509Bundles({})),
    ];
    const jwt = new StreamReader(client.fetchJWTBundles({}));
    await Promise.all([...streams, jwt].map((stream) => stream.next()));
    const list = await receivedCrl(agent.signer.x509, ["0a"]);
    agent.revoke({ crls: [list] });
    for (const stream of streams) t.equal((await stream.next()).crl.length, 1);
    agent.revoke({ crls: [list] });
    for (const stream of streams) t.ok(await stream.isQuiet());
    t.ok(await jwt.isQuiet(1), "no list concerns JWT bundles");
    agent.revoke({ removedCrls: [list.authorityId] });
    for (const stream of streams) t.equal((await stream.next()).crl.length, 0);
    await Promise.all([...streams, jwt].map((stream) => stream.close()));
  },
);

t.test(
  "WL-26 an SVID that was revoked and is held back is redacted: PermissionDenied",
  async (t) => {
    const agent = await TestAgent.create(t, [entryOf("db")]);
    const client = await agent.connect();
    const stream = new StreamReader(client.fetchX509SVID({}));
    const serial = serialOf(await stream.next());
    agent.signing.refused.add("db");
    agent.revoke({ crls: [await receivedCrl(agent.signer.x509, [serial])] });
    await t.rejects(stream.next(), { code: Status.permissionDenied });
    await t.rejects(first(client.fetchX509SVID({})), { code: Status.permissionDenied });
    agent.signing.refused.clear();
    agent.delta({ reask: true });
    t.not(serialOf(await first(client.fetchX509SVID({}))), serial);
  },
);

const north = await TestAuthority.create("north.test");

async function workloadOf(t: { teardown(fn: () => unknown): void }) {
  const fake = await FakeWorkloadApi.start(t as Parameters<typeof FakeWorkloadApi.start>[0]);
  const svids = [x509SvidToWire(await north.issue("/db"), [north])];
  fake.x509.set({ svids });
  const source = await X509Source.start({ endpoint: fake.endpoint });
  t.teardown(() => source.close());
  const said = async (answer: Parameters<typeof fake.x509.set>[0]): Promise<void> => {
    const changed = Promise.withResolvers<void>();
    const stop = source.onChange(changed.resolve);
    fake.x509.set(answer);
    await changed.promise;
    stop();
  };
  return { source, svids, said };
}

t.test("WL-27 an SVID that was revoked is used no more, by its holder or by others", async (t) => {
  const { source, svids, said } = await workloadOf(t);
  const { chain, leaf } = await north.issue("/web");
  const verify = () => verifyPeer(chain, source.anchorsOf, new Date(), "client", source.crls());
  t.ok(verify());
  const { der } = await crlOf(north.asIssuer(), [leaf.serialHex]);
  await said({ svids, crl: [der] });
  t.throws(verify, { reason: "SVID_REVOKED", code: Status.invalidArgument });
  const own = source.svid().leaf.serialHex;
  await said({ svids: [x509SvidToWire(await north.issue("/db"), [north])], crl: [der] });
  t.not(source.svid().leaf.serialHex, own, "the holder has another one");
  await said(
    new IdentityError("NO_IDENTITY_ISSUED", Status.permissionDenied, "no identity issued"),
  );
  t.throws(() => source.svid(), { reason: "IDENTITY_WITHDRAWN", code: Status.permissionDenied });
});

t.test("WL-31 revocation lists go with the bundles they stand beside", async (t) => {
  const { source, svids, said } = await workloadOf(t);
  const { der } = await crlOf(north.asIssuer(), ["0a"]);
  await said({ svids, crl: [der] });
  t.equal(source.crls()?.size, 1);
  await said({ svids });
  t.equal(source.crls(), undefined, "an empty field replaces what was there");
  await said({ svids, crl: [der] });
  await said(
    new IdentityError("NO_IDENTITY_ISSUED", Status.permissionDenied, "no identity issued"),
  );
  t.throws(() => source.crls(), { reason: "IDENTITY_WITHDRAWN", code: Status.permissionDenied });
});

t.test("WL-41 ValidateJWTSVID refuses a token that was revoked", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  const { svids } = await client.fetchJWTSVID({ audience: ["ledger"] });
  const [svid = ""] = svids.map((one) => one.svid);
  const validate = () => client.validateJWTSVID({ audience: "ledger", svid });
  t.equal((await validate()).spiffeId, "spiffe://north.test/db");
  const issuedUntilUnixSeconds = agent.clock.now().getTime() / 1000;
  agent.revoke({
    tokens: [
      tokenRevocation(
        { kind: "spiffe-id", spiffeId: "spiffe://north.test/db", issuedUntilUnixSeconds },
        new Date(agent.clock.now().getTime() + HOUR_MS),
      ),
    ],
  });
  await t.rejects(validate(), { code: Status.invalidArgument, reason: "JWT_SVID_REVOKED" });
});
