import t from "tap";
import { Quota } from "../../runtime/quota.ts";

t.test("counts for each holder up to the limit, and gives back once", async (t) => {
  const quota = new Quota<string>(2);
  const leave = quota.enter("a");
  quota.enter("a");
  t.equal(quota.enter("a"), undefined);
  t.ok(quota.enter("b"), "another holder has its own");
  t.equal(quota.countOf("a"), 2);
  t.equal(quota.size, 3);
  leave?.();
  leave?.();
  t.equal(quota.countOf("a"), 1);
  t.ok(quota.enter("a"));
  t.equal(quota.enter("a"), undefined);
});
