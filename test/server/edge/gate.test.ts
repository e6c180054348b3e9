// What stands before every call: nobody fills the audit trail with calls that are refused.

import { randomFillSync } from "node:crypto";
import t from "tap";
import { IdentityError } from "../../../pki/errors.ts";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import { Ulids } from "../../../pki/task-id.ts";
import type { CallContext } from "../../../proto/rpc/service.ts";
import { AgentService } from "../../../proto/schema.gen.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import type { Authorizer, Caller } from "../../../server/api/authorize.ts";
import { RateLimiter } from "../../../server/api/rate-limit.ts";
import type { AuditEvent } from "../../../server/audit/event.ts";
import { Gate } from "../../../server/edge/gate.ts";
import { serverError } from "../../../server/errors.ts";
import { TestClock } from "../../support/clock.ts";

const METHOD = AgentService.methods.banAgent.path;
const WINDOW_MS = 10_000;

async function setUp() {
  const clock = new TestClock();
  const events: AuditEvent[] = [];
  const gate = new Gate({
    authorizer: {
      authorize: async () => {
        throw serverError("CALLER_NOT_AUTHORIZED", "no");
      },
    } as unknown as Authorizer,
    limits: new RateLimiter({ clock, attestation: false, signing: false }),
    audit: { append: async (event) => void events.push(event), failure: undefined },
    clock,
    log: silentLogger,
    metrics: await createMetrics(),
  });
  const call = async (peer: Caller, times = 1): Promise<void> => {
    const context = { method: METHOD, peer } as unknown as CallContext;
    for (let i = 0; i < times; i++) {
      await gate
        .intercept(context, () => Promise.resolve())
        .catch((error: unknown) => {
          if (!(error instanceof IdentityError)) throw error;
        });
    }
  };
  const linesOf = (who: string): AuditEvent[] =>
    events.filter(({ principal = "" }) => principal.startsWith(who));
  return { clock, events, gate, call, linesOf };
}

function workload(path: string): Caller & { readonly kind: "tls" } {
  const id = SpiffeId.parse(`spiffe://north.test${path}`);
  return { kind: "tls", id, remoteAddress: "127.0.0.1" };
}

t.test("a workload that is refused again and again gets a few lines, and a count", async (t) => {
  const { clock, events, call, linesOf } = await setUp();
  await call(workload("/greedy"), 1000);
  await call(workload("/calm"));
  t.equal(linesOf("spiffe://north.test/greedy").length, 20);
  t.equal(linesOf("spiffe://north.test/calm").length, 1);
  await clock.advance(WINDOW_MS);
  t.match(events.at(-1), {
    action: METHOD,
    principal: "spiffe://north.test/greedy",
    reason: "CALLER_NOT_AUTHORIZED",
    detail: { lines_left_out: "979" },
  });
  t.equal(events.length, 22);
  t.equal(clock.timers, 0);
  await call(workload("/greedy"));
  t.equal(events.at(-1)?.detail?.["lines_left_out"], undefined);
});

t.test("the tasks of an AI agent count as one, and many callers share what is left", async (t) => {
  const { call, events } = await setUp();
  const ulids = new Ulids((bytes) => randomFillSync(bytes));
  for (let i = 0; i < 100; i++) await call(workload(`/bot/task/${ulids.next(new Date())}`));
  t.equal(events.length, 20);
  for (let i = 0; i < 300; i++) await call(workload(`/w${i}`));
  t.equal(events.length, 20 + 49 + 100, "those that are one too many are as strangers");
});

t.test("strangers share one allowance; the admin socket has all its lines", async (t) => {
  const { clock, gate, call, linesOf } = await setUp();
  for (let i = 0; i < 200; i++) await call({ kind: "tls", remoteAddress: `10.0.0.${i}` });
  await call({ kind: "local" }, 200);
  t.equal(linesOf("anonymous").length, 100);
  t.equal(linesOf("local").length, 200);
  gate.stop();
  t.match(linesOf("anonymous").at(-1), {
    principal: "anonymous at 10.0.0.199",
    detail: { lines_left_out: "99" },
  });
  t.equal(clock.timers, 0, "and nothing is left when it is stopped");
});
