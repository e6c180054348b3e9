// What an agent remembers of revoked tokens, by a clock that is not always right.
import t from "tap";
import { Revocations } from "../../../agent/cache/revocations.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { TestClock } from "../../support/clock.ts";
import { tokenRevocation } from "../../support/test-revocation.ts";

const HOUR_MS = 3600_000;

t.test("a clock that was ahead makes no token good again", async (t) => {
  const clock = new TestClock();
  const revocations = new Revocations({
    anchors: () => [],
    now: () => clock.now(),
    log: silentLogger,
  });
  const expiresAt = new Date(clock.now().getTime() + HOUR_MS);
  const revoke = (jti: string) =>
    revocations.apply({
      crls: [],
      removedCrls: [],
      tokens: [tokenRevocation({ kind: "jti", jti }, expiresAt)],
    });
  const token = {
    token: "a.b.c",
    spiffeId: "spiffe://north.test/db",
    jti: "one",
    issuedAt: clock.now(),
  };
  revoke("one");
  t.ok(revocations.isTokenRevoked(token));
  clock.step(20 * HOUR_MS);
  revoke("two"); // which is when those that ended are forgotten
  clock.step(-20 * HOUR_MS);
  t.ok(revocations.isTokenRevoked(token), "the server would not say it again");
  t.notOk(revocations.isTokenRevoked({ ...token, jti: "three" }));
  clock.step(26 * HOUR_MS);
  revoke("three");
  t.notOk(revocations.isTokenRevoked(token), "in the end it is forgotten");
});
