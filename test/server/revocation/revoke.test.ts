// Revoking and issuing at the same time: whatever order the steps fall into, a document that left the server
// is in the record, and none leaves once its holder is held back. Over a real CA, store and ledger.
import { join } from "node:path";
import t, { type Test } from "tap";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import { parseCrl } from "../../../pki/x509/crl.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { Crls } from "../../../server/ca/crls.ts";
import { Ledger } from "../../../server/ledger/ledger.ts";
import { recordIssued } from "../../../server/ledger/record-issued.ts";
import { Holds } from "../../../server/revocation/holds.ts";
import { type RevokeRequest, Revoker } from "../../../server/revocation/revoke.ts";
import { RevokedSerials } from "../../../server/revocation/revoked-serials.ts";
import { CrlStore } from "../../../server/store/crls.ts";
import { EntryStore } from "../../../server/store/entries.ts";
import { NodeStore } from "../../../server/store/nodes.ts";
import { RevocationStore } from "../../../server/store/revocations.ts";
import { startTestCa, type TestCaOptions } from "../../support/test-ca.ts";

const AGENT = "spiffe://north.test/spire/agent/a";
const WEB = "spiffe://north.test/web";

async function start(t: Test, options: TestCaOptions = {}) {
  const ca = await startTestCa(t, options);
  const { log, clock, authorities } = ca;
  const now = (): Date => clock.now();
  const entries = await EntryStore.start({ log, now });
  const nodes = await NodeStore.start({ log, now, entries });
  const revocations = await RevocationStore.start(log);
  const store = await CrlStore.start(log);
  const folder = join(ca.folder, "..", "ledger");
  const ledger = await Ledger.open({ folder, clock, log: silentLogger });
  const holds = new Holds({ revocations, nodes });
  const revoked = new RevokedSerials(revocations);
  const crls = new Crls({ authorities, revocations, store, clock, logger: silentLogger });
  const issuer = recordIssued({ issuer: ca.issuer, ledger, held: holds, clock });
  const revoker = new Revoker({
    ...{ ledger, holds, revocations, nodes, crls, clock },
    horizon: (kind) => authorities.horizon(kind),
    log: silentLogger,
  });
  const stop = async (): Promise<void> => {
    holds.stop();
    revoked.stop();
    await Promise.all([store.stop(), revocations.stop(), nodes.stop(), entries.stop()]);
    await ledger.close().catch(() => undefined); // its folder may be gone
    await ca.stop();
  };
  t.teardown(stop);
  const revoke = (target: RevokeRequest["target"], changes: Partial<RevokeRequest> = {}) =>
    revoker.revoke({
      ...{ target, reason: "key-compromise", replace: false, force: false, by: "test" },
      ...changes,
    });
  const order = (spiffeId = WEB) => ({
    ...{ csr: createCsr(generateP256KeyPair()), spiffeId, dnsNames: [], ttlSeconds: 0 },
  });
  const attest = () =>
    nodes.attest({
      ...{ id: AGENT, attestationType: "join_token", serial: "1", notAfterUnixSeconds: 2 ** 31 },
      ...{ selectors: [], canReattest: false, agentVersion: "" },
    });
  const parts = { ca, clock, nodes, revocations, store, ledger, holds, revoked, crls, issuer };
  return { ...parts, revoker, revoke, order, attest, stop };
}

const never = (): Promise<never> => Promise.reject(new Error("not in this test"));
const unused = { issueX509Batch: never, issueForKey: never, issueWitBatch: never, issueWit: never };

type Site = Awaited<ReturnType<typeof start>>;
const serialOf = ({ chain }: { readonly chain: readonly Uint8Array[] }): string =>
  parseCertificate(chain[0] ?? new Uint8Array()).serialHex;
const webTarget = { kind: "spiffe-id", value: WEB } as const;

/** Issues from many callers until each was refused; puts the serial numbers that are let out into `out`. */
async function issueUntilRefused(
  { issuer, order }: Site,
  callers: number,
  out: string[],
): Promise<void> {
  await Promise.all(
    Array.from({ length: callers }, async (_, i) => {
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        const orders = Array.from({ length: 1 + (i % 3) }, () => order());
        for (const one of await issuer.issueX509Batch(orders, AGENT)) {
          if (one instanceof Error) return;
          out.push(serialOf(one));
        }
      }
    }),
  );
}

for (const name of ["a SPIFFE ID is revoked", "its agent is banned"] as const) {
  t.test(`while SVIDs are issued ${name}: each that left is void, and no more leave`, async (t) => {
    const site = await start(t);
    await site.attest();
    const out: string[] = [];
    const issuing = issueUntilRefused(site, 12, out);
    while (out.length < 30) await new Promise((resolve) => setImmediate(resolve));
    if (name === "its agent is banned") await site.revoker.ban(AGENT, "test");
    else await site.revoke(webTarget);
    await issuing;
    t.same(
      out.filter((serial) => !site.revoked.has(serial)),
      [],
      "the record has every one",
    );
    const [authorityId = ""] = site.crls.ids();
    const crl = parseCrl((await site.crls.current(authorityId)) ?? new Uint8Array());
    t.same(
      out.filter((serial) => crl.reasonOf(serial) === undefined),
      [],
      "and so has the list",
    );
  });
}

t.test("a document that is signed when its holder is revoked does not leave", async (t) => {
  const { ca, ledger, holds, clock, revoke, order } = await start(t);
  const signed = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const slow = recordIssued({
    issuer: {
      ...unused,
      issueX509: async (order) => {
        const issued = await ca.issuer.issueX509(order);
        signed.resolve();
        await goOn.promise;
        return issued;
      },
      issueJwt: async (one) => {
        const issued = await ca.issuer.issueJwt(one);
        signed.resolve();
        await goOn.promise;
        return issued;
      },
    },
    ...{ ledger, held: holds, clock },
  });
  const x509 = slow.issueX509(order(), AGENT);
  const jwt = slow.issueJwt(
    { spiffeId: SpiffeId.parse(WEB), audience: ["bank"], ttlSeconds: 0 },
    AGENT,
  );
  await signed.promise;
  const record = await revoke(webTarget);
  goOn.resolve();
  await t.rejects(x509, { reason: "SVID_HELD", code: 7 });
  await t.rejects(jwt, { reason: "SVID_HELD", code: 7 });
  t.equal(record.certificates.length, 0, "it was not there when the record was made");
});

t.test(
  "a commit that fails holds nobody back, and a ledger that fails lets nothing out",
  async (t) => {
    let isFailing = false;
    const site = await start(t, {
      wrapLog: (log) =>
        new Proxy(log, {
          get(target, key) {
            const value: unknown = Reflect.get(target, key);
            if (key === "commit" && isFailing) return () => Promise.reject(new Error("no disk"));
            return typeof value === "function" ? value.bind(target) : value;
          },
        }),
    });
    isFailing = true;
    await t.rejects(site.revoke(webTarget), { message: "no disk" });
    isFailing = false;
    t.equal(site.holds.refusal(WEB, AGENT), undefined);
    t.ok(await site.issuer.issueX509(site.order(), AGENT));
    const failing = recordIssued({
      ...{ issuer: site.ca.issuer, held: site.holds, clock: site.clock },
      ledger: { add: () => Promise.reject(new Error("full")) },
    });
    await t.rejects(failing.issueX509(site.order(), AGENT), { message: "full" });
    await t.rejects(failing.issueX509Batch([site.order()], AGENT), { message: "full" });
  },
);

t.test("tokens of a clock that was ahead are revoked one by one", async (t) => {
  const { clock, issuer, revoke } = await start(t);
  const jwt = { spiffeId: SpiffeId.parse(WEB), audience: ["bank"], ttlSeconds: 3600 };
  await issuer.issueJwt(jwt, AGENT);
  clock.step(600_000);
  await issuer.issueJwt(jwt, AGENT);
  clock.step(-600_000);
  const record = await revoke(webTarget);
  t.equal(record.tokens.length, 1, "the rule by time does not cover this one");
  t.equal(record.tokensOf?.issuedUntilUnixSeconds, clock.now().getTime() / 1000);
});

t.test("without a hold there are tokens since: asked again, they are revoked too", async (t) => {
  const { clock, revoke } = await start(t);
  const before = await revoke(webTarget, { replace: true });
  t.equal((await revoke(webTarget, { replace: true })).id, before.id, "nothing since");
  clock.step(60_000);
  const after = await revoke(webTarget, { replace: true });
  t.not(after.id, before.id);
  t.equal(after.tokensOf?.issuedUntilUnixSeconds, clock.now().getTime() / 1000);
  t.equal(after.hold, undefined);
});

t.test("once released, no token says it is from the time that is revoked", async (t) => {
  const { clock, issuer, revoke, revoker } = await start(t);
  const jwt = { spiffeId: SpiffeId.parse(WEB), audience: ["bank"], ttlSeconds: 60 };
  const { id } = await revoke(webTarget);
  await revoker.release(id, "test");
  const held = { reason: "SVID_HELD", code: 7, hint: /clock/ };
  await t.rejects(issuer.issueJwt(jwt, AGENT), held, "in the same second");
  clock.step(-3600_000);
  await t.rejects(issuer.issueJwt(jwt, AGENT), held, "with a clock that was set back");
  clock.step(3601_000);
  t.ok(await issuer.issueJwt(jwt, AGENT));
});

t.test("revocations go when all in them has expired, unless they hold somebody back", async (t) => {
  const { clock, issuer, revoke, revoker, revocations, order, store, crls } = await start(t);
  const web = serialOf(await issuer.issueX509(order(), AGENT));
  const db = serialOf(await issuer.issueX509(order("spiffe://north.test/db"), AGENT));
  const held = await revoke({ kind: "serial", value: web });
  await revoke({ kind: "serial", value: db }, { replace: true });
  const [authorityId = ""] = crls.ids();
  t.equal(store.get(authorityId)?.size, 2);
  clock.step(3600_000 + 1000);
  t.equal(await revocations.prune(clock.now().getTime() / 1000 - 900), 0, "not at once");
  clock.step(900_000);
  t.equal(await revocations.prune(clock.now().getTime() / 1000 - 900), 1);
  t.equal(revocations.get(held.id)?.id, held.id);
  await crls.check();
  t.equal(store.get(authorityId)?.size, 0, "the list is empty again");
  t.equal(store.get(authorityId)?.number, 3n, "and its number went on");
  await revoker.release(held.id, "test");
  t.equal(await revocations.prune(clock.now().getTime() / 1000 - 900), 1);
});

t.test("an authority that is old signs its own list, until it is gone", async (t) => {
  const site = await start(t);
  const { ca, issuer, order, revoke, crls, store, clock } = site;
  const first = serialOf(await issuer.issueX509(order(), AGENT));
  const next = await ca.authorities.prepare("x509");
  await ca.authorities.activate("x509", next.authorityId, { forced: true });
  const second = serialOf(await issuer.issueX509(order(), AGENT));
  await revoke({ kind: "serial", value: first }, { replace: true });
  const [old] = ca.authorities.slots("x509").old;
  const list = (id = "") => parseCrl(store.get(id)?.der ?? new Uint8Array());
  t.equal(list(old?.authorityId).reasonOf(first), "key-compromise");
  t.ok(
    list(old?.authorityId).isSignedBy(
      parseCertificate(old?.certificate ?? new Uint8Array()).publicKey,
    ),
  );
  t.equal(store.get(next.authorityId), undefined, "the other has none");
  await revoke({ kind: "serial", value: second }, { replace: true });
  t.equal(list(next.authorityId).reasonOf(first), undefined);
  // Half of its life later it is signed again; nothing else changed.
  const { number = 0n } = store.get(next.authorityId) ?? {};
  await crls.check();
  t.equal(store.get(next.authorityId)?.number, number, "not before");
  clock.step(-5 * 3600_000);
  await crls.check();
  t.equal(store.get(next.authorityId)?.number, number + 1n, "a clock that was set back");
  t.ok((store.get(next.authorityId)?.thisUpdate ?? 0) <= clock.now());
  await ca.authorities.taint("x509", old?.authorityId ?? "");
  await ca.authorities.revoke("x509", old?.authorityId ?? "");
  await crls.check();
  t.equal(store.get(old?.authorityId ?? ""), undefined, "gone with its authority");
});

t.test("empty lists are made for whoever asks, and seldom", async (t) => {
  const { crls, clock, store } = await start(t);
  const [authorityId = ""] = crls.ids();
  const first = parseCrl((await crls.current(authorityId)) ?? new Uint8Array());
  t.equal(first.size, 0);
  await crls.current(authorityId);
  t.equal(store.get(authorityId)?.number, 1n, "the same again");
  clock.step(13 * 3600_000);
  await crls.check();
  t.equal(store.get(authorityId)?.number, 1n, "nobody wants it");
  await crls.current(authorityId);
  t.equal(store.get(authorityId)?.number, 2n);
  t.equal(await crls.current("ff"), undefined, "of no authority");
});

t.test("keys that sign elsewhere sign lists too", async (t) => {
  const site = await start(t, { ca: { keyType: "ec-p384" } });
  const serial = serialOf(await site.issuer.issueX509(site.order(), AGENT));
  await site.revoke({ kind: "serial", value: serial });
  const [authorityId = ""] = site.crls.ids();
  const crl = parseCrl((await site.crls.current(authorityId)) ?? new Uint8Array());
  t.equal(crl.reasonOf(serial), "key-compromise");
});
