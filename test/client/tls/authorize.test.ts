import t from "tap";
import {
  type Authorize,
  authorizeAny,
  authorizeId,
  authorizeMemberOf,
  authorizeOneOf,
  checkAuthorized,
} from "../../../client/tls/authorize.ts";
import { Status } from "../../../pki/errors.ts";
import { SpiffeId, TrustDomain } from "../../../pki/spiffe-id.ts";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import { TestAuthority } from "../../support/test-authority.ts";

const leaf = parseCertificate((await TestAuthority.create()).root.der);
const peer = (id: string) => ({ id: SpiffeId.parse(id), leaf, path: [leaf] });
const refused = { reason: "PEER_NOT_AUTHORIZED", code: Status.permissionDenied };

const rows: readonly { name: string; authorize: Authorize; yes: string[]; no: string[] }[] = [
  {
    name: "an exact ID",
    authorize: authorizeId("spiffe://q.test/x"),
    yes: ["spiffe://q.test/x"],
    no: ["spiffe://q.test/X", "spiffe://q.test/x/y", "spiffe://q.test", "spiffe://xq.test/x"],
  },
  {
    name: "one of several IDs",
    authorize: authorizeOneOf([SpiffeId.parse("spiffe://q.test/x"), "spiffe://q.test/y"]),
    yes: ["spiffe://q.test/x", "spiffe://q.test/y"],
    no: ["spiffe://q.test/z"],
  },
  { name: "none of no IDs", authorize: authorizeOneOf([]), yes: [], no: ["spiffe://q.test/x"] },
  {
    name: "a member of a trust domain",
    authorize: authorizeMemberOf(TrustDomain.parse("q.test")),
    yes: ["spiffe://q.test/x", "spiffe://q.test/a/b"],
    no: ["spiffe://xq.test/x", "spiffe://a.q.test/x", "spiffe://q.tes/x"],
  },
  {
    name: "a predicate",
    authorize: (id) => id.path.startsWith("/ns/prod/"),
    yes: ["spiffe://q.test/ns/prod/x"],
    no: ["spiffe://q.test/ns/product"],
  },
  { name: "anyone", authorize: authorizeAny(), yes: ["spiffe://z/x"], no: [] },
];

for (const { name, authorize, yes, no } of rows) {
  t.test(`authorises ${name}`, async (t) => {
    for (const id of yes) t.doesNotThrow(() => checkAuthorized(peer(id), authorize), id);
    for (const id of no) t.throws(() => checkAuthorized(peer(id), authorize), refused, id);
  });
}

t.test("only the answer true authorises: not a promise, not an exception", async (t) => {
  const odd: unknown[] = [async () => true, () => "yes", () => 1, () => undefined];
  for (const authorize of odd) {
    t.throws(() => checkAuthorized(peer("spiffe://q/x"), authorize as Authorize), refused);
  }
  const failing = () => {
    throw new Error("no database");
  };
  t.throws(() => checkAuthorized(peer("spiffe://q/x"), failing), refused);
});

t.test("a wrong ID or trust domain is an error where it is written", async (t) => {
  t.throws(() => authorizeId("q.test/x"), { reason: "SPIFFE_ID_INVALID", code: 3 });
  t.throws(() => authorizeMemberOf("Q.test"), { reason: "TRUST_DOMAIN_INVALID", code: 3 });
});
