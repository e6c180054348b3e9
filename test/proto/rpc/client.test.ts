import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { createChannel } from "../../../proto/rpc/client.ts";
import { describeFailure } from "../../../proto/rpc/connect-failure.ts";
import { HealthService } from "../../../proto/schema.gen.ts";

t.test("a socket that is not there is UNAVAILABLE, in plain words", async (t) => {
  const channel = createChannel({ address: { unix: "/nowhere/x.sock" } });
  t.teardown(() => channel.close());
  await t.rejects(channel.client(HealthService).check({}), {
    reason: "CONNECTION_UNAVAILABLE",
    code: 14,
    message: "cannot connect: connect ENOENT /nowhere/x.sock",
  });
});

t.test("what `secure` refuses is not connected to, and its words arrive", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "signet-"));
  const listener = createServer((socket) => socket.on("error", () => undefined));
  const path = join(folder, "x.sock");
  await new Promise<void>((resolve) => listener.listen(path, resolve));
  const channel = createChannel({
    address: { unix: path },
    secure: async () => {
      throw new Error("the certificate is of somebody else");
    },
  });
  t.teardown(() => {
    channel.close();
    listener.close();
    rmSync(folder, { recursive: true });
  });
  await t.rejects(channel.client(HealthService).check({}, { timeoutMs: 5000 }), {
    code: 14,
    message: /the certificate is of somebody else/,
  });
});

t.test("a call that is cancelled before or after its start fails as cancelled", async (t) => {
  const channel = createChannel({ address: { unix: "/nowhere/x.sock" } });
  t.teardown(() => channel.close());
  const client = channel.client(HealthService);
  const cancelled = { reason: "CALL_CANCELLED", code: 1 };
  await t.rejects(client.check({}, { signal: AbortSignal.abort() }), cancelled);
  const controller = new AbortController();
  const pending = client.watch({}, { signal: controller.signal }).next();
  controller.abort();
  await t.rejects(pending, cancelled);
});

const TEXTS = [
  { text: "the server is stopping", plain: "the server is stopping" },
  {
    text: "No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1 - Local (undefined:undefined). Resolution note: ",
    plain: "cannot connect: connect ECONNREFUSED 127.0.0.1:1",
  },
  {
    text: "No connection established. Last error: socket hang up (2026-01-02T03:04:05.678Z). Resolution note: ",
    plain: "cannot connect: socket hang up",
  },
  {
    text: "No connection established. Last error: null. Resolution note: ",
    plain: "cannot connect",
  },
];
for (const { text, plain } of TEXTS) {
  t.test(`says: ${plain}`, async (t) => {
    t.equal(describeFailure(text), plain);
  });
}
