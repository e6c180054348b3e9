import t from "tap";
import { authorizeId, authorizeMemberOf } from "../../../client/tls/authorize.ts";
import { type PresentWitOptions, presentWit } from "../../../client/wit/present.ts";
import { ReplayCache } from "../../../client/wit/replay-cache.ts";
import type { ServerRequest } from "../../../client/wit/request.ts";
import { type VerifyWitOptions, verifyWitRequest } from "../../../client/wit/verify.ts";
import { Status } from "../../../pki/errors.ts";
import { TestClock } from "../../support/clock.ts";
import { proofKey, TestWit } from "../../support/test-wit.ts";

const clock = new TestClock();
const north = new TestWit();
const svid = north.issue("/db", { now: clock.now() });
const url = "https://ledger.internal/accounts?id=1";
const invalid = (reason: string) => ({ reason, code: Status.invalidArgument });
const tls = { encrypted: true };

type Fields = Readonly<Record<string, string>>;

const present = (more: Partial<PresentWitOptions> = {}) =>
  presentWit({ svid, method: "GET", url, clock, ...more });

function incoming(fields: Fields, more: Partial<ServerRequest> = {}): ServerRequest {
  const rawHeaders = Object.entries({ Host: "evil.test", ...fields }).flat();
  return { method: "GET", url: "/accounts?id=1", rawHeaders, socket: tls, ...more };
}

const options = (more: Partial<VerifyWitOptions> = {}): VerifyWitOptions => ({
  source: north,
  authorize: authorizeMemberOf("north.test"),
  origin: "https://ledger.internal",
  replay: new ReplayCache({ clock }),
  clock,
  ...more,
});
const verify = (request: ServerRequest, more: Partial<VerifyWitOptions> = {}) =>
  verifyWitRequest(request, options(more));

t.test("says who sent a request, by either proof", async (t) => {
  for (const proof of ["proof-token", "http-signature"] as const) {
    const sender = await verify(incoming(present({ proof })));
    t.equal(sender.id.toString(), "spiffe://north.test/db");
    t.equal(sender.proof, proof);
    t.equal(sender.expiresAt.getTime(), svid.expiresAt.getTime());
    t.equal(sender.claims["sub"], "spiffe://north.test/db");
  }
  const { "workload-proof-token": proof = "", ...wit } = present();
  const inAuthorization = { ...wit, Authorization: `WPT ${proof}` };
  t.equal((await verify(incoming(inAuthorization))).proof, "proof-token", "as some drafts have it");
  t.equal((await verify(incoming({ ...wit, authorization: `wpt ${proof}` }))).proof, "proof-token");
});

t.test("a WIT-SVID alone proves nothing", async (t) => {
  const { "workload-proof-token": proof = "", ...wit } = present();
  const missing = { reason: "WIT_PROOF_MISSING", code: Status.unauthenticated };
  await t.rejects(verify(incoming(wit)), missing);
  await t.rejects(verify(incoming({ "Workload-Proof-Token": proof })), missing);
  await t.rejects(verify(incoming({})), missing);
  const stolen = presentWit({ svid: { ...svid, key: proofKey() }, method: "GET", url, clock });
  await t.rejects(verify(incoming(stolen)), invalid("WIT_PROOF_UNTRUSTED"));
  const other = present({ svid: north.issue("/web", { now: clock.now() }) });
  await t.rejects(
    verify(incoming({ ...wit, "workload-proof-token": other["workload-proof-token"] ?? "" })),
    invalid("WIT_PROOF_UNTRUSTED"),
  );
  await t.rejects(verify(incoming(present()), { proofs: ["http-signature"] }), missing);
  await t.rejects(
    verify(incoming(present({ proof: "http-signature" })), { proofs: ["proof-token"] }),
    missing,
  );
});

t.test("one WIT-SVID and one proof, and never in Authorization", async (t) => {
  const fields = present();
  const { "workload-proof-token": proof = "", ...wit } = fields;
  const twice = (name: string) => {
    const request = incoming(fields);
    const value = fields[name] ?? "";
    return { ...request, rawHeaders: [...request.rawHeaders, name.toUpperCase(), value] };
  };
  await t.rejects(verify(twice("workload-proof-token")), invalid("WIT_PROOF_BINDING"));
  await t.rejects(verify(twice("workload-identity-token")), invalid("WIT_PROOF_BINDING"));
  const presentation = invalid("WIT_PRESENTATION_INVALID");
  await t.rejects(verify(incoming({ ...fields, authorization: `WPT ${proof}` })), presentation);
  for (const authorization of [
    `Bearer ${svid.token}`,
    `DPoP ${svid.token}`,
    `WPT ${svid.token}`,
    `x ${svid.token}`,
    svid.token,
  ]) {
    await t.rejects(
      verify(incoming({ ...wit, authorization })),
      presentation,
      authorization.slice(0, 8),
    );
    await t.rejects(verify(incoming({ ...fields, authorization })), presentation);
    await t.rejects(verify(incoming({ authorization })), presentation);
    t.throws(() => present({ headers: { authorization } }), presentation);
  }
});

t.test("a proof is accepted once", async (t) => {
  const replay = new ReplayCache({ clock });
  const replayed = { reason: "WIT_PROOF_REPLAYED", code: Status.unauthenticated };
  for (const proof of ["proof-token", "http-signature"] as const) {
    const request = incoming(present({ proof }));
    await t.resolves(verify(request, { replay }));
    await t.rejects(verify(request, { replay }), replayed);
    await t.resolves(
      verify(incoming(present({ proof })), { replay }),
      "the same WIT-SVID, a new proof",
    );
  }
  t.equal(replay.size, 4);
  const bad = incoming(present({ audience: "https://x.test/" }));
  await t.rejects(verify(bad, { replay }), invalid("WIT_PROOF_AUDIENCE"));
  await t.rejects(verify(incoming(present()), { replay, authorize: () => false }), {
    reason: "PEER_NOT_AUTHORIZED",
    code: Status.permissionDenied,
  });
  t.equal(replay.size, 4, "only what was accepted is remembered");
});

t.test("for this service alone, whatever the request says of its host", async (t) => {
  const rows: readonly (readonly [string, Partial<VerifyWitOptions>, string, boolean])[] = [
    ["origin and path", {}, "https://ledger.internal/accounts", true],
    ["with the default port", {}, "https://ledger.internal:443/accounts", true],
    [
      "configured with the default port",
      { origin: "https://ledger.internal:443" },
      "https://ledger.internal/accounts",
      true,
    ],
    [
      "configured with a slash",
      { origin: "https://LEDGER.internal/" },
      "https://ledger.internal/accounts",
      true,
    ],
    [
      "one of two",
      { origin: ["https://a.test", "https://ledger.internal"] },
      "https://ledger.internal/accounts",
      true,
    ],
    ["a name", { audience: "ledger" }, "ledger", true],
    [
      "a name alone",
      { origin: [], audience: ["ledger"] },
      "https://ledger.internal/accounts",
      false,
    ],
    ["the host that the request names", {}, "https://evil.test/accounts", false],
    ["another path", {}, "https://ledger.internal/accounts/1", false],
    ["no path", {}, "https://ledger.internal", false],
    ["with the query", {}, "https://ledger.internal/accounts?id=1", false],
    ["another port", {}, "https://ledger.internal:8443/accounts", false],
    ["plain http", {}, "http://ledger.internal/accounts", false],
  ];
  for (const [name, more, audience, isGood] of rows) {
    for (const proof of ["proof-token", "http-signature"] as const) {
      const result = verify(incoming(present({ audience, proof })), more);
      if (isGood) await t.resolves(result, name);
      else await t.rejects(result, invalid("WIT_PROOF_AUDIENCE"), name);
    }
  }
  const root = presentWit({
    svid,
    method: "GET",
    url: "https://ledger.internal",
    clock,
    audience: "https://ledger.internal",
  });
  await t.resolves(verify(incoming(root, { url: "/" })), "the root without its slash");
  const mounted = incoming(present(), { url: "/", originalUrl: "/accounts?id=1" });
  await t.resolves(verify(mounted), "a framework that cuts the path");
  for (const target of ["https://ledger.internal/accounts", "*", "", "ledger.internal:443"]) {
    await t.rejects(
      verify(incoming(present(), { url: target })),
      invalid("WIT_PRESENTATION_INVALID"),
    );
  }
});

t.test("wrong settings are an error, not an open door", async (t) => {
  for (const origin of [
    undefined,
    [],
    "ledger.internal",
    "https://ledger.internal/accounts",
    "https://u:p@ledger.internal",
    "ftp://ledger.internal",
    "https://a.test?x",
  ]) {
    await t.rejects(
      verifyWitRequest(incoming(present()), { ...options(), origin: origin as string }),
      TypeError,
      String(origin),
    );
  }
  await t.rejects(verify(incoming(present()), { audience: "" }), TypeError);
  await t.rejects(verify(incoming(present()), { leewaySeconds: 121 }), TypeError);
});

t.test("a signature needs the body, a body needs a signature that covers it", async (t) => {
  const body = '{"amount":1}';
  const signed = present({
    proof: "http-signature",
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
  });
  t.ok(signed["content-digest"]);
  const fields = { ...signed, "Content-Type": "application/json", "content-length": "12" };
  const request = incoming(fields, { method: "POST" });
  const sent = Buffer.from(body);
  await t.resolves(verify(request, { body: sent }));
  await t.rejects(verify(request), { reason: "BODY_MISSING", code: Status.failedPrecondition });
  await t.rejects(verify(request, { body: Buffer.from("{}") }), invalid("WIT_PROOF_BINDING"));
  const chunked = incoming(
    { ...signed, "Content-Type": "application/json", "transfer-encoding": "chunked" },
    { method: "POST" },
  );
  await t.rejects(verify(chunked), { reason: "BODY_MISSING", code: Status.failedPrecondition });
  const http2 = incoming(present({ proof: "http-signature" }), {
    stream: { endAfterHeaders: false },
  });
  await t.rejects(verify(http2), { reason: "BODY_MISSING", code: Status.failedPrecondition });
  await t.resolves(
    verify(incoming(present({ proof: "http-signature" }), { stream: { endAfterHeaders: true } })),
  );
  const bare = incoming({ ...present({ proof: "http-signature" }), "content-length": "0" });
  await t.resolves(verify(bare));
  await t.rejects(verify(bare, { body: sent }), invalid("WIT_PROOF_BINDING"));
});

t.test("the tokens that the service decides by are bound", async (t) => {
  const otherTokens = ["X-User-Token"];
  const headers = [
    ["authorization", "Bearer abc"],
    ["x-user-token", "u"],
  ] as const;
  for (const proof of ["proof-token", "http-signature"] as const) {
    const fields = { ...Object.fromEntries(headers), ...present({ proof, headers, otherTokens }) };
    await t.resolves(verify(incoming(fields), { otherTokens }));
    const exchanged = { ...fields, authorization: "Bearer abd" };
    await t.rejects(verify(incoming(exchanged), { otherTokens }), { code: Status.invalidArgument });
    const unbound = { ...Object.fromEntries(headers), ...present({ proof, headers }) };
    await t.rejects(verify(incoming(unbound), { otherTokens }), invalid("WIT_PROOF_BINDING"));
    await t.resolves(verify(incoming(unbound)), "what nobody decides by need not be");
  }
  t.match(Object.keys(present({ headers: new Headers([["x", "y"]]) })), [
    "workload-identity-token",
    "workload-proof-token",
  ]);
  t.throws(
    () => present({ headers: { authorization: ["Bearer a", "Bearer b"] } }),
    invalid("WIT_PROOF_BINDING"),
  );
});

t.test("time ends proofs, WIT-SVIDs and what is allowed of both", async (t) => {
  const moving = new TestClock(clock.now());
  const fields = present();
  await moving.advance(71_000);
  await t.rejects(verify(incoming(fields), { clock: moving }), invalid("WIT_PROOF_EXPIRED"));
  await t.resolves(verify(incoming(fields), { clock: moving, leewaySeconds: 60 }));
  const long = present({ lifetimeSeconds: 300 });
  await t.resolves(verify(incoming(long)));
  await t.rejects(
    verify(incoming(long), { maxProofLifetimeSeconds: 60 }),
    invalid("WIT_PROOF_CLAIMS"),
  );
  await t.rejects(
    verify(incoming(present()), { maxLifetimeSeconds: 60 }),
    invalid("WIT_SVID_CLAIMS"),
  );
  await moving.advance(229_000);
  t.throws(() => present({ clock: moving }), {
    reason: "IDENTITY_EXPIRED",
    code: Status.unavailable,
  });
  for (const lifetimeSeconds of [0, -1, 301, Number.NaN]) {
    t.throws(() => present({ lifetimeSeconds }), TypeError);
  }
  const short = north.issue("/db", { now: clock.now(), ttlSeconds: 5 });
  const [, payload = ""] = present({ svid: short })["workload-proof-token"]?.split(".") ?? [];
  const { exp } = JSON.parse(Buffer.from(payload, "base64url").toString());
  t.equal(exp * 1000, short.expiresAt.getTime(), "no proof outlives its WIT-SVID");
});

t.test("only whom the service knows and serves", async (t) => {
  const south = new TestWit("south.test");
  const foreign = present({ svid: south.issue("/db", { now: clock.now() }) });
  await t.rejects(verify(incoming(foreign)), invalid("WIT_SVID_UNTRUSTED"));
  const both = {
    witAuthoritiesOf: (td: typeof south.trustDomain) =>
      south.witAuthoritiesOf(td) ?? north.witAuthoritiesOf(td),
  };
  const denied = { reason: "PEER_NOT_AUTHORIZED", code: Status.permissionDenied };
  await t.rejects(verify(incoming(foreign), { source: both }), denied);
  await t.resolves(
    verify(incoming(foreign), { source: both, authorize: authorizeId("spiffe://south.test/db") }),
  );
});
