// One table of good and bad tokens, and every place where the product validates JWT-SVIDs: the node agent's
// ValidateJWTSVID, and the client library on its own. (The function behind both: jwt-svid.test.ts.)
import t from "tap";
import { JwtSource } from "../../client/jwt-source.ts";
import { emptyBundle } from "../../pki/bundle/bundle.ts";
import { formatJwks } from "../../pki/bundle/format.ts";
import { Status } from "../../pki/errors.ts";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { FakeWorkloadApi } from "../support/fake-workload-api.ts";
import { entryOf, TestAgent } from "../support/test-agent.ts";
import { bundleOf, createSigner } from "../support/test-signing.ts";
import { testTokens } from "./tokens.ts";

const ROWS = "JWT-01, JWT-04, JWT-06, JWT-07, JWT-09, JWT-11, JWT-14, JWT-15, JWT-19, JWT-20";
const keyPair = generateP256KeyPair();
const authority = { keyId: "k1", spki: keyPair.spki, expiresAt: undefined, tainted: false };
const base = {
  privateKey: keyPair.privateKey,
  keyId: "k1",
  subject: "spiffe://north.test/db",
  audience: "ledger",
};

t.test(`${ROWS}, JWT-21, JWT-22, JWT-23, JWT-31, WL-41 the agent applies every rule`, async (t) => {
  const south = TrustDomain.parse("south.test");
  const foreign = bundleOf(south, [await createSigner(south, new Date("2030-01-01"))]);
  const agent = await TestAgent.create(t);
  const own = { ...agent.ownBundle, jwtAuthorities: [authority] };
  agent.snapshot([entryOf("db", { federatesWith: ["south.test"] })], []);
  agent.delta({ bundles: [own, { ...foreign, jwtAuthorities: [authority] }] });
  const client = await agent.connect();
  for (const subject of [base.subject, "spiffe://south.test/db"]) {
    const { good, bad } = testTokens({ ...base, subject, now: agent.clock.now() });
    for (const [name, svid] of good) {
      const { spiffeId } = await client.validateJWTSVID({ audience: "ledger", svid });
      t.equal(spiffeId, subject, name);
    }
    for (const [row, name, svid] of bad) {
      const answer = client.validateJWTSVID({ audience: "ledger", svid });
      await t.rejects(answer, { code: Status.invalidArgument }, `${row}: ${name}`);
    }
  }
});

t.test(`${ROWS}, JWT-21, JWT-22, JWT-23, JWT-31 so does the client on its own`, async (t) => {
  const fake = await FakeWorkloadApi.start(t);
  const north = TrustDomain.parse("north.test");
  const jwks = formatJwks({ ...emptyBundle(north), jwtAuthorities: [authority] });
  fake.jwtBundles.set({ bundles: { [north.id]: Buffer.from(jwks) } });
  // Time stands still between the tokens' making and their validation: some are a second from the edge.
  const now = new Date();
  const clock: Clock = { ...systemClock, now: () => now };
  const source = await JwtSource.start({ endpoint: fake.endpoint, clock });
  t.teardown(() => source.close());
  const { good, bad } = testTokens({ ...base, now });
  for (const [name, token] of good) {
    const { id } = await source.validateJwtSvid(token, "ledger", { local: true });
    t.equal(id.toString(), base.subject, name);
  }
  for (const [row, name, token] of bad) {
    const answer = source.validateJwtSvid(token, "ledger", { local: true });
    await t.rejects(answer, { code: Status.invalidArgument }, `${row}: ${name}`);
  }
  t.equal(fake.count("ValidateJWTSVID"), 0, "the agent was not asked");
});
