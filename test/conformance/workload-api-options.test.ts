// SPIFFE Workload API: what the operator of an agent may choose. Which profiles are served, who may have
// bundles, and which claims of other trust domains are passed on.

import t from "tap";
import { Status } from "../../pki/errors.ts";
import type { JsonObject } from "../../pki/json.ts";
import { issueJwtSvid } from "../../pki/jwt/issue.ts";
import { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { structToJson } from "../../proto/types/struct.ts";
import {
  entryOf,
  first,
  StreamReader,
  TestAgent,
  type TestAgentOptions,
  TestPeer,
} from "../support/test-agent.ts";
import { bundleOf, createSigner } from "../support/test-signing.ts";

const SOUTH = TrustDomain.parse("south.test");
const START = new Date("2030-01-01T00:00:00Z");
const south = await createSigner(SOUTH, START);
const southBundle = bundleOf(SOUTH, [south]);
const DISABLED = { code: Status.unimplemented, reason: "PROFILE_DISABLED" };
const DENIED = { code: Status.permissionDenied, reason: "NO_IDENTITY_ISSUED" };
const NORTH_KEY = ["spiffe://north.test"];

/** An agent with one entry, which federates with south.test. */
async function agentWith(t: Parameters<typeof TestAgent.create>[0], options: TestAgentOptions) {
  const agent = await TestAgent.create(t, [], options);
  agent.snapshot([entryOf("db", { federatesWith: ["south.test"] })], [southBundle]);
  return agent;
}

t.test("WL-01 a profile that is turned off answers UNIMPLEMENTED, the other works", async (t) => {
  const noX509 = await agentWith(t, { workloadApi: { x509: false, jwt: true } });
  const jwtOnly = await noX509.connect();
  await t.rejects(first(jwtOnly.fetchX509SVID({})), DISABLED);
  await t.rejects(first(jwtOnly.fetchX509Bundles({})), DISABLED);
  const { svids } = await jwtOnly.fetchJWTSVID({ audience: ["x"] });
  t.equal(svids.length, 1);
  t.ok((await first(jwtOnly.fetchJWTBundles({}))).bundles["spiffe://north.test"]);

  t.strictSame(noX509.signing.batches, [], "no certificates are made that nobody can fetch");

  const noJwt = await agentWith(t, { workloadApi: { x509: true, jwt: false } });
  const x509Only = await noJwt.connect();
  await t.rejects(x509Only.fetchJWTSVID({ audience: ["x"] }), DISABLED);
  await t.rejects(first(x509Only.fetchJWTBundles({})), DISABLED);
  const svid = svids[0]?.svid ?? "";
  await t.rejects(x509Only.validateJWTSVID({ audience: "x", svid }), DISABLED);
  t.equal((await first(x509Only.fetchX509SVID({}))).svids.length, 1);
});

t.test(
  "WL-30, WL-40 callers without an identity get no bundle unless they may verify",
  async (t) => {
    const stranger = () => new TestPeer(["test:stranger"]);
    const closed = await (await agentWith(t, {})).connect(stranger());
    await t.rejects(first(closed.fetchX509Bundles({})), DENIED);
    await t.rejects(first(closed.fetchJWTBundles({})), DENIED);
    const agent = await agentWith(t, { allowUnauthenticatedVerifiers: true });
    const open = await agent.connect(stranger());
    t.strictSame(Object.keys((await first(open.fetchX509Bundles({}))).bundles), NORTH_KEY);
    t.strictSame(Object.keys((await first(open.fetchJWTBundles({}))).bundles), NORTH_KEY);
    await t.rejects(first(open.fetchX509SVID({})), DENIED, "an SVID is another matter");
    await t.rejects(open.fetchJWTSVID({ audience: ["x"] }), DENIED);
    const entitled = Object.keys(
      (await first((await agent.connect()).fetchX509Bundles({}))).bundles,
    );
    t.strictSame(entitled.sort(), ["spiffe://north.test", "spiffe://south.test"]);
  },
);

t.test(
  "WL-31 a stream of bundles loses the foreign ones with the entry, not the own",
  async (t) => {
    const agent = await agentWith(t, { allowUnauthenticatedVerifiers: true });
    const stream = new StreamReader((await agent.connect()).fetchX509Bundles({}));
    t.equal(Object.keys((await stream.next()).bundles).length, 2);
    agent.delta({ removedEntryIds: ["db"], removedBundles: ["south.test"] });
    t.strictSame(Object.keys((await stream.next()).bundles), NORTH_KEY);
    await stream.close();
  },
);

t.test("WL-41 who only verifies is told of tokens of the own trust domain alone", async (t) => {
  const token = (signer: typeof south, id: string) =>
    issueJwtSvid({
      signer: signer.jwt.signer,
      keyId: signer.jwt.authority.keyId,
      spiffeId: SpiffeId.parse(id),
      audience: ["x"],
      issuedAt: START,
      expiresAt: new Date(START.getTime() + 60_000),
    });
  const agent = await agentWith(t, { allowUnauthenticatedVerifiers: true });
  const own = await token(agent.signer, "spiffe://north.test/db");
  const foreign = await token(south, "spiffe://south.test/db");
  const verifier = await agent.connect(new TestPeer(["test:stranger"]));
  const entitled = await agent.connect();
  const of = (svid: string) => ({ audience: "x", svid });
  t.equal((await verifier.validateJWTSVID(of(own))).spiffeId, "spiffe://north.test/db");
  t.equal((await entitled.validateJWTSVID(of(foreign))).spiffeId, "spiffe://south.test/db");
  await t.rejects(verifier.validateJWTSVID(of(foreign)), { code: Status.invalidArgument });
  const closed = await (await agentWith(t, {})).connect(new TestPeer(["test:stranger"]));
  await t.rejects(closed.validateJWTSVID(of(own)), DENIED);
});

t.test("WL-42 claims of other trust domains are passed on as the operator allows", async (t) => {
  const claimsOf = async (allowed: readonly string[]): Promise<JsonObject> => {
    const agent = await agentWith(t, { allowedForeignJwtClaims: allowed });
    const svid = await issueJwtSvid({
      signer: south.jwt.signer,
      keyId: south.jwt.authority.keyId,
      spiffeId: SpiffeId.parse("spiffe://south.test/db"),
      audience: ["x"],
      issuedAt: START,
      expiresAt: new Date(START.getTime() + 60_000),
      issuer: "https://south.test",
      jti: "one",
    });
    const client = await agent.connect();
    const { claims } = await client.validateJWTSVID({ audience: "x", svid });
    return structToJson(claims) as JsonObject;
  };
  const standard = ["aud", "exp", "iat", "sub"];
  t.strictSame(Object.keys(await claimsOf([])).sort(), standard);
  const more = await claimsOf(["iss", "role", "constructor", "__proto__"]);
  t.strictSame(Object.keys(more).sort(), [...standard, "iss"].sort());
  t.equal(more["iss"], "https://south.test");
});
