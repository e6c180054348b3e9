// The probes and the metrics page.

import { connect } from "node:net";
import t from "tap";
import { type ReadinessCheck, startHealth } from "../../runtime/health.ts";
import { silentLogger } from "../../runtime/log.ts";
import { createMetrics } from "../../runtime/metrics.ts";

t.test("live, ready and metrics answer; readiness names what is missing", async (t) => {
  const metrics = await createMetrics();
  const issued = metrics.counter({ name: "issued_total", help: "SVIDs issued", labels: ["kind"] });
  issued.inc({ kind: "x509" }, 3);
  metrics.gauge({ name: "entries", help: "entries known", read: () => 42 });
  metrics.histogram({ name: "attest_seconds", help: "attestation" }).observe(0.0003);
  let link: true | string = "not connected";
  const checks: Record<string, ReadinessCheck> = { store: () => true, link: async () => link };
  const health = await startHealth({ log: silentLogger, port: 0, checks, metrics });
  t.teardown(() => health.stop());
  t.equal(health.address.host, "127.0.0.1", "loopback by default");
  const get = (path: string, init?: RequestInit) =>
    fetch(`http://127.0.0.1:${health.address.port}${path}`, init);
  t.equal((await get("/live")).status, 200);
  const notReady = await get("/ready");
  t.equal(notReady.status, 503);
  t.same(await notReady.json(), { ready: false, checks: { store: "ok", link: "not connected" } });
  link = true;
  t.equal((await get("/ready")).status, 200);
  const page = await (await get("/metrics")).text();
  t.match(page, /^signet_issued_total\{kind="x509"\} 3$/m);
  t.match(page, /^signet_entries 42$/m);
  t.match(page, /^signet_attest_seconds_bucket\{le="0.0005"\} 1$/m);
  t.equal((await get("/other")).status, 404);
  t.equal((await get("/live", { method: "POST" })).status, 405);
});

t.test("a check that throws or hangs counts as not ready", async (t) => {
  const checks: Record<string, ReadinessCheck> = {
    throws: () => {
      throw new Error("no disk");
    },
    hangs: () => new Promise(() => undefined),
  };
  const health = await startHealth({ log: silentLogger, port: 0, checks, checkTimeoutMs: 20 });
  t.teardown(() => health.stop());
  const answer = await fetch(`http://127.0.0.1:${health.address.port}/ready`);
  t.equal(answer.status, 503);
  t.match(await answer.json(), { checks: { throws: "no disk", hangs: /no answer/ } });
});

t.test("junk is refused and a port in use is a clear error", async (t) => {
  const health = await startHealth({ log: silentLogger, port: 0 });
  t.teardown(() => health.stop());
  const socket = connect(health.address.port, "127.0.0.1");
  socket.end("\x16\x03\x01\x00\xff junk\r\n\r\n");
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  t.match(text, /^HTTP\/1.1 400/);
  await t.rejects(startHealth({ log: silentLogger, port: health.address.port }), {
    reason: "HEALTH_LISTEN_FAILED",
    code: 9,
  });
});

t.test("two registries share nothing", async (t) => {
  const [a, b] = [await createMetrics(), await createMetrics({ prefix: "other_" })];
  a.counter({ name: "x_total", help: "x" }).inc();
  b.counter({ name: "x_total", help: "x" });
  t.match(await a.text(), /^signet_x_total 1$/m);
  t.match(await b.text(), /^other_x_total 0$/m);
  t.notMatch(await b.text(), /signet_/);
  t.match(await (await createMetrics({ process: true })).text(), /process_cpu_seconds_total/);
});
