// The revocation lists of the Workload API in the hands of a workload.
import type { Test } from "tap";
import t from "tap";
import { verifyPeer } from "../../client/verify.ts";
import { WorkloadApi } from "../../client/workload-api.ts";
import { X509Source } from "../../client/x509-source.ts";
import { type IdentityError, Status } from "../../pki/errors.ts";
import { FakeWorkloadApi, x509Response } from "../support/fake-workload-api.ts";
import { TestAuthority } from "../support/test-authority.ts";
import { crlOf } from "../support/test-revocation.ts";

const north = await TestAuthority.create("north.test");
const south = await TestAuthority.create("south.test");
const message = await x509Response(north, ["/db"], [south]);
const revoked = { reason: "SVID_REVOKED", code: Status.invalidArgument };
const NOT_DER = Buffer.from("-----BEGIN X509 CRL-----\n");

async function start(t: Test) {
  const fake = await FakeWorkloadApi.start(t);
  fake.x509.set(message);
  const errors: IdentityError[] = [];
  const source = await X509Source.start({
    endpoint: fake.endpoint,
    onError: (error) => errors.push(error),
  });
  t.teardown(() => source.close());
  const say = async (crl: readonly Uint8Array[]) => {
    const changed = new Promise<void>((resolve) => {
      const stop = source.onChange(() => {
        stop();
        resolve();
      });
    });
    fake.x509.set({ ...message, crl: [...crl] });
    await changed;
  };
  const verify = (chain: readonly Uint8Array[]) =>
    verifyPeer(chain, source.anchorsOf, new Date(), "client", source.crls());
  return { fake, source, errors, say, verify };
}

t.test("a source refuses peers that a list holds, until no list does", async (t) => {
  const { source, say, verify } = await start(t);
  const { chain, leaf } = await north.issue("/web");
  t.equal(source.crls(), undefined);
  t.ok(verify(chain));
  const { der } = await crlOf(north.asIssuer(), [leaf.serialHex]);
  await say([der]);
  t.throws(() => verify(chain), revoked);
  const set = source.crls();
  await say([der]);
  t.equal(source.crls(), set, "the same bytes are the same set");
  await say([]);
  t.equal(source.crls(), undefined, "the empty field replaces it");
  t.ok(verify(chain));
});

t.test("a list speaks for its own authority only", async (t) => {
  const { say, verify } = await start(t);
  const own = await north.issue("/web");
  const foreign = await south.issue("/web");
  const serials = [own, foreign].map(({ leaf }) => leaf.serialHex);
  await say([(await crlOf(south.asIssuer(), serials)).der]);
  t.ok(verify(own.chain));
  t.throws(() => verify(foreign.chain), revoked);
});

t.test("of two lists of an authority the newer one counts", async (t) => {
  const { say, verify } = await start(t);
  const { chain, leaf } = await north.issue("/web");
  const newer = await crlOf(north.asIssuer(), [leaf.serialHex], 9n);
  const older = await crlOf(north.asIssuer(), ["0a"], 8n);
  for (const lists of [
    [newer, older],
    [older, newer],
  ]) {
    await say(lists.map(({ der }) => der));
    t.throws(() => verify(chain), revoked);
  }
});

t.test("a list that cannot be read is told of, and costs nobody anything", async (t) => {
  const { source, errors, say, verify } = await start(t);
  const { chain, leaf } = await north.issue("/web");
  const { der } = await crlOf(north.asIssuer(), [leaf.serialHex]);
  await say([NOT_DER]);
  t.match(errors, [{ reason: "WORKLOAD_API_RESPONSE_INVALID", message: /revocation list/ }]);
  t.equal(source.svid().id.path, "/db", "the identity is there");
  await say([der]);
  await say([NOT_DER]);
  t.equal(errors.length, 2);
  t.throws(() => verify(chain), revoked, "what was revoked stays so");
  await say([]);
  t.ok(verify(chain));
});

t.test("one question answers with the lists too", async (t) => {
  const { fake } = await start(t);
  const { chain, leaf } = await north.issue("/web");
  fake.x509.set({ ...message, crl: [(await crlOf(north.asIssuer(), [leaf.serialHex])).der] });
  using api = new WorkloadApi({ endpoint: fake.endpoint });
  const { bundles, crls } = await api.fetchX509Context();
  const anchorsOf = ({ name }: { name: string }) => bundles.get(name);
  t.throws(() => verifyPeer(chain, anchorsOf, new Date(), "client", crls), revoked);
});
