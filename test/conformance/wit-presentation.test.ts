// WIT-SVID.md s5 and s7: how WIT-SVIDs are presented, proven and verified by the client library, and the rows
// of the Workload API that bind its WIT profile's clients.

import { generateKeyPairSync } from "node:crypto";
import t from "tap";
import { bearerHeader } from "../../client/bearer.ts";
import { fetchWitSvid } from "../../client/fetch.ts";
import { JwtSource } from "../../client/jwt-source.ts";
import { authorizeMemberOf } from "../../client/tls/authorize.ts";
import { type PresentWitOptions, presentWit } from "../../client/wit/present.ts";
import { ReplayCache } from "../../client/wit/replay-cache.ts";
import type { ServerRequest } from "../../client/wit/request.ts";
import { type VerifyWitOptions, verifyWitRequest } from "../../client/wit/verify.ts";
import { WitSource } from "../../client/wit/wit-source.ts";
import { emptyBundle } from "../../pki/bundle/bundle.ts";
import { formatJwks, formatWitJwks } from "../../pki/bundle/format.ts";
import { IdentityError, Status } from "../../pki/errors.ts";
import { findTokens, type HttpRequest } from "../../pki/wit/http-request.ts";
import { makeProofToken } from "../../pki/wit/proof-token.ts";
import { TestClock } from "../support/clock.ts";
import { FakeWorkloadApi } from "../support/fake-workload-api.ts";
import { ImpatientClock } from "../support/impatient-clock.ts";
import { proofKey, TestWit, witResponse } from "../support/test-wit.ts";

const clock = new TestClock();
const north = new TestWit();
const svid = north.issue("/db", { now: clock.now() });
const url = "https://ledger.internal/accounts";
const FORMS = ["proof-token", "http-signature"] as const;
const invalid = (reason: string) => ({ reason, code: Status.invalidArgument });
const missing = { reason: "WIT_PROOF_MISSING", code: Status.unauthenticated };

const present = (more: Partial<PresentWitOptions> = {}) =>
  presentWit({ svid, method: "GET", url, clock, ...more });
const incoming = (fields: Readonly<Record<string, string>>, socket: object = { encrypted: true }) =>
  ({
    method: "GET",
    url: "/accounts",
    rawHeaders: Object.entries(fields).flat(),
    socket,
  }) satisfies ServerRequest;
const verify = (request: ServerRequest, more: Partial<VerifyWitOptions> = {}) =>
  verifyWitRequest(request, {
    ...{ source: north, authorize: authorizeMemberOf("north.test"), clock },
    ...{ origin: "https://ledger.internal", replay: new ReplayCache({ clock }) },
    ...more,
  });

t.test("WIT-27 never accepted without a proof of the key", async (t) => {
  for (const proof of FORMS) {
    const sender = await verify(incoming(present({ proof })));
    t.equal(sender.id.toString(), "spiffe://north.test/db");
    const thief = present({ proof, svid: { ...svid, key: proofKey() } });
    await t.rejects(verify(incoming(thief)), invalid("WIT_PROOF_UNTRUSTED"));
  }
  await t.rejects(verify(incoming({ "Workload-Identity-Token": svid.token })), missing);
});

t.test("WIT-28 a proof is bound to the WIT-SVID it came with", async (t) => {
  // Another WIT-SVID of the same workload with the same key: only the binding tells them apart.
  const renewed = north.issue("/db", { now: clock.now(), key: svid.key });
  for (const proof of FORMS) {
    const fields = present({ proof });
    await t.resolves(verify(incoming(fields)));
    await t.rejects(
      verify(incoming({ ...fields, "workload-identity-token": renewed.token })),
      invalid(proof === "proof-token" ? "WIT_PROOF_BINDING" : "WIT_PROOF_UNTRUSTED"),
    );
  }
});

t.test("WIT-29 a WIT-SVID never travels in Authorization", async (t) => {
  const fields = present();
  t.notOk("authorization" in fields);
  const presentation = invalid("WIT_PRESENTATION_INVALID");
  t.throws(() => bearerHeader(svid.token, url), presentation);
  t.match(bearerHeader("a.b.c", url), { authorization: "Bearer a.b.c" });
  for (const authorization of [`Bearer ${svid.token}`, `bearer ${svid.token}`, svid.token]) {
    await t.rejects(verify(incoming({ authorization })), presentation);
    await t.rejects(verify(incoming({ ...fields, authorization })), presentation);
  }
});

t.test("WIT-30 presented as the WIMSE drafts have it", async (t) => {
  t.strictSame(Object.keys(present()), ["workload-identity-token", "workload-proof-token"]);
  t.strictSame(Object.keys(present({ proof: "http-signature" })), [
    "workload-identity-token",
    "signature-input",
    "signature",
  ]);
  const { "workload-proof-token": proof = "", ...wit } = present();
  await t.resolves(verify(incoming({ ...wit, "Workload-Proof-Token": proof })));
  await t.rejects(
    verify(incoming({ "X-Workload-Token": svid.token, "workload-proof-token": proof })),
    missing,
  );
  const { "workload-proof-token": other = "" } = present();
  await t.resolves(verify(incoming({ ...wit, authorization: `WPT ${other}` })), "the other draft");
  await t.rejects(verify(incoming({ ...wit, authorization: `Proof ${other}` })), missing);
});

t.test("WIT-31 proofs live for a short time, and once", async (t) => {
  const later = new TestClock(clock.now());
  await later.advance(71_000);
  const request: HttpRequest = { method: "GET", target: "/accounts", fields: [] };
  const lasting = makeProofToken({
    ...{ wit: svid.token, key: svid.key, audience: url, tokens: findTokens(request) },
    ...{ now: clock.now(), lifetimeSeconds: 3600 },
  });
  const long = { "workload-identity-token": svid.token, "workload-proof-token": lasting };
  await t.rejects(verify(incoming(long)), invalid("WIT_PROOF_CLAIMS"), "absurdly long");
  for (const proof of FORMS) {
    const fresh = incoming(present({ proof }));
    const replay = new ReplayCache({ clock });
    await t.resolves(verify(fresh, { replay }));
    await t.rejects(verify(fresh, { replay }), {
      reason: "WIT_PROOF_REPLAYED",
      code: Status.unauthenticated,
    });
    await t.rejects(verify(fresh, { clock: later }), invalid("WIT_PROOF_EXPIRED"));
    t.throws(() => present({ proof, lifetimeSeconds: 3600 }), TypeError);
  }
});

t.test("WIT-32 only over a secure channel", async (t) => {
  const plain = { reason: "TRANSPORT_NOT_CONFIDENTIAL", code: Status.failedPrecondition };
  for (const proof of FORMS) {
    await t.resolves(verify(incoming(present({ proof }))));
    await t.rejects(verify(incoming(present({ proof }), { encrypted: false })), plain);
    await t.rejects(verify(incoming(present({ proof }), {})), plain);
    t.throws(() => present({ proof, url: "http://ledger.internal/accounts" }), plain);
  }
});

t.test("WIT-33 a proof is made with the algorithm that the WIT-SVID names", async (t) => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const held = north.issue("/db", { now: clock.now(), key: proofKey(rsa, "RS256") });
  for (const proof of FORMS) {
    await t.resolves(verify(incoming(present({ proof, svid: held }))));
    const other = { ...held, key: proofKey(rsa, "PS256") };
    await t.rejects(verify(incoming(present({ proof, svid: other }))), {
      reason: proof === "proof-token" ? "WIT_PROOF_ALGORITHM" : "WIT_PROOF_UNTRUSTED",
      code: Status.invalidArgument,
    });
  }
});

const bundles = (jwks: string) => ({ bundles: { [north.trustDomain.id]: jwks } });

async function source(t: Parameters<typeof FakeWorkloadApi.start>[0]) {
  const fake = await FakeWorkloadApi.start(t);
  fake.wit.set(witResponse(north.issue("/db")));
  fake.witBundles.set(north.bundles());
  const held = await WitSource.start({ endpoint: fake.endpoint, clock: new ImpatientClock() });
  t.teardown(() => held.close());
  return { fake, held };
}

const until = async (is: () => boolean) => {
  while (!is()) await new Promise(setImmediate);
};

t.test("WL-04 after UNIMPLEMENTED nobody asks again", async (t) => {
  const fake = await FakeWorkloadApi.start(t);
  const none = new IdentityError("WIT_OFF", Status.unimplemented, "there is no WIT profile");
  fake.wit.set(none);
  fake.witBundles.set(none);
  const start = WitSource.start({ endpoint: fake.endpoint, clock: new ImpatientClock() });
  await t.rejects(start, { reason: "WIT_OFF", code: Status.unimplemented });
  for (let i = 0; i < 100; i++) await new Promise(setImmediate);
  t.strictSame([fake.count("FetchWITSVID"), fake.count("FetchWITBundles")], [1, 1]);
  const { held } = await source(t);
  t.ok(held.svid());
});

t.test("WL-24 of two WIT-SVIDs with one hint the first stays", async (t) => {
  const { fake, held } = await source(t);
  const hints = ["a", "b", "a", "", ""];
  fake.wit.set(witResponse(...hints.map((hint, i) => north.issue(`/${i}`, { hint }))));
  await until(() => held.svids().length === 4);
  t.strictSame(
    held.svids().map(({ id }) => id.path),
    ["/0", "/1", "/3", "/4"],
  );
  t.equal((await fetchWitSvid({ endpoint: fake.endpoint, hint: "a" })).id.path, "/0");
  t.equal((await fetchWitSvid({ endpoint: fake.endpoint })).id.path, "/0", "a first-only fetch");
});

t.test("WL-27 WIT-SVIDs that were withdrawn are no longer used", async (t) => {
  const { fake, held } = await source(t);
  t.equal(held.svid().id.path, "/db");
  fake.wit.set(new IdentityError("X", Status.permissionDenied, "no"));
  const withdrawn = { reason: "IDENTITY_WITHDRAWN", code: Status.permissionDenied };
  await new Promise<void>((resolve) => held.onChange(resolve));
  t.throws(() => held.svid(), withdrawn);
});

t.test("WL-28 WIT keys verify no JWT-SVID, JWT keys no WIT-SVID", async (t) => {
  const { fake, held } = await source(t);
  const now = new TestClock(new Date());
  const verifyHeld = () => {
    const fields = presentWit({ svid: held.svid(), method: "GET", url, clock: now });
    return verify(incoming(fields), { source: held, clock: now });
  };
  await t.resolves(verifyHeld());
  const bundle = { ...emptyBundle(north.trustDomain), jwtAuthorities: [north.authority] };
  const [key] = JSON.parse(formatJwks(bundle)).keys;
  fake.witBundles.set(bundles(JSON.stringify({ keys: [{ ...key, use: "jwt-svid" }] })));
  await until(() => held.witAuthoritiesOf(north.trustDomain)?.length === 0);
  await t.rejects(verifyHeld(), invalid("WIT_SVID_UNTRUSTED"));
  const witOnly = { ...emptyBundle(north.trustDomain), witAuthorities: [north.authority] };
  fake.jwtBundles.set({
    bundles: { [north.trustDomain.id]: Buffer.from(formatWitJwks(witOnly)) },
  });
  const jwt = await JwtSource.start({ endpoint: fake.endpoint });
  t.teardown(() => jwt.close());
  t.strictSame(jwt.authoritiesOf(north.trustDomain), []);
});

t.test("WL-31 WIT bundles that were withdrawn are no longer used", async (t) => {
  const { fake, held } = await source(t);
  const now = new TestClock(new Date());
  const fields = () => presentWit({ svid: held.svid(), method: "GET", url, clock: now });
  await t.resolves(verify(incoming(fields()), { source: held, clock: now }));
  fake.witBundles.set(new TestWit("south.test").bundles());
  await until(() => held.witAuthoritiesOf(north.trustDomain) === undefined);
  await t.rejects(
    verify(incoming(fields()), { source: held, clock: now }),
    invalid("WIT_SVID_UNTRUSTED"),
  );
  fake.witBundles.set(new IdentityError("X", Status.permissionDenied, "no"));
  await new Promise<void>((resolve) => held.onChange(resolve));
  await t.rejects(verify(incoming(fields()), { source: held, clock: now }), {
    reason: "IDENTITY_WITHDRAWN",
    code: Status.permissionDenied,
  });
});
