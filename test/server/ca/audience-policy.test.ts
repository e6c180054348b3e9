import t from "tap";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import {
  type AudiencePolicy,
  checkAudiencePolicy,
  NO_AUDIENCE_POLICY,
} from "../../../server/ca/audience-policy.ts";

const north = TrustDomain.parse("north.test");
const narrow: AudiencePolicy = { refuseTrustDomainWide: true, refuse: ["production"] };
const check = (audience: string[], policy = narrow) => checkAudiencePolicy(audience, policy, north);

const WIDE = [
  "spiffe://north.test",
  "spiffe://north.test/",
  "spiffe://north.test//",
  "SPIFFE://North.Test",
  "spiffe://south.test",
  "north.test",
  "North.test",
];
const NARROW = [
  "ledger",
  "spiffe://north.test/ledger",
  "spiffe://",
  "https://north.test",
  "south.test",
  "ledger.north.test",
  "Production",
  "spiffe://no rth.test",
];

for (const audience of [...WIDE, "production"]) {
  t.test(`refuses ${JSON.stringify(audience)}, also beside another audience`, async (t) => {
    const refusal = { reason: "SVID_REQUEST_INVALID", code: 3 };
    t.throws(() => check([audience]), refusal);
    t.throws(() => check(["ledger", audience]), refusal);
    t.doesNotThrow(() => check([audience], NO_AUDIENCE_POLICY), "without a policy it is granted");
  });
}

for (const audience of NARROW) {
  t.test(`grants ${JSON.stringify(audience)}`, async (t) => {
    t.doesNotThrow(() => check([audience]));
  });
}

t.test("the list alone refuses no trust domain", async (t) => {
  t.doesNotThrow(() => check(WIDE, { ...narrow, refuseTrustDomainWide: false }));
});
