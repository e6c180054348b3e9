// Callers while they are served: a process that ends or becomes another program gets nothing more, and no
// user can hold more calls than the limit.

import t from "tap";
import { Status } from "../../../pki/errors.ts";
import { entryOf, first, StreamReader, TestAgent, TestPeer } from "../../support/test-agent.ts";

t.test("a process that executes another program gets no further message", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const peer = new TestPeer();
  const client = await agent.connect(peer);
  const stream = new StreamReader(client.fetchX509SVID({}));
  await stream.next();
  await new Promise((resolve) => setTimeout(resolve, 10));
  peer.program = "/bin/sh";
  agent.delta({ entries: [entryOf("more")] });
  await t.rejects(stream.next(), { code: Status.unavailable, reason: "CALLER_CHANGED" });

  t.comment("when it calls again it is attested as what it is now");
  peer.selectors = ["test:other"];
  await first(client.fetchX509SVID({})).catch(() => undefined);
  await t.rejects(first(client.fetchX509SVID({})), { code: Status.permissionDenied });
});

t.test("a process that executes another program while it is attested is refused", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const peer = new TestPeer();
  const selectors = peer.selectors;
  Object.defineProperty(peer, "selectors", {
    get: () => {
      peer.program = "/bin/sh";
      const end = performance.now() + 3;
      while (performance.now() < end);
      return selectors;
    },
  });
  const client = await agent.connect(peer);
  await t.rejects(first(client.fetchX509SVID({})), {
    reason: "CALLER_CHANGED",
    code: Status.unavailable,
  });
});

t.test("a user holds as many calls as the limit, others are served all the same", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")], { streamsPerUid: 5 });
  const greedy = await agent.connect(new TestPeer(["test:a"], 7));
  const streams = Array.from({ length: 5 }, () => new StreamReader(greedy.fetchX509SVID({})));
  for (const stream of streams) await stream.next();
  await t.rejects(first(greedy.fetchX509SVID({})), {
    code: Status.resourceExhausted,
    reason: "TOO_MANY_STREAMS",
  });
  const another = await agent.connect(new TestPeer(["test:a"], 8));
  t.equal((await first(another.fetchX509SVID({}))).svids.length, 1);
  await streams[0]?.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal((await first(greedy.fetchX509SVID({}))).svids.length, 1, "one that ended makes room");
  for (const stream of streams) await stream.close();
});

t.test("a process holds as many calls as the limit, others of its user are served", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")], { streamsPerProcess: 3 });
  const greedy = await agent.connect(new TestPeer(["test:a"], 7, 100));
  const streams = Array.from({ length: 3 }, () => new StreamReader(greedy.fetchX509SVID({})));
  for (const stream of streams) await stream.next();
  await t.rejects(first(greedy.fetchX509SVID({})), {
    code: Status.resourceExhausted,
    reason: "TOO_MANY_STREAMS",
    message: "process 100 has 3 calls open on this socket",
  });
  const another = await agent.connect(new TestPeer(["test:a"], 7, 101));
  t.equal((await first(another.fetchX509SVID({}))).svids.length, 1);
  for (const stream of streams) await stream.close();
});

t.test("callers with the same selectors share one encoded message", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const one = agent.subscribers.view([{ type: "test", value: "a" }]);
  const two = agent.subscribers.view([{ type: "test", value: "a" }]);
  t.equal(one, two);
  const client = await agent.connect();
  await first(client.fetchX509SVID({}));
  const { X509_SVIDS } = await import("../../../agent/workload-api/x509.ts");
  t.equal(one.message(X509_SVIDS), two.message(X509_SVIDS));
});

t.test(
  "a program whose path spells out further selectors is not taken for one that has them",
  async (t) => {
    const agent = await TestAgent.create(t, [
      entryOf("bot", { selectors: [{ type: "launch", value: "name:bot" }] }),
    ]);
    const bot = await agent.connect(new TestPeer(["unix:path:/tmp/x", "launch:name:bot"]));
    t.equal((await first(bot.fetchX509SVID({}))).svids.length, 1);
    for (const separator of ["\n", "\0", ",", '","', " "]) {
      const forged = `unix:path:/tmp/x${separator}launch:name:bot`;
      for (const selectors of [[forged], [`launch:name:bot${separator}unix:path:/tmp/x`]]) {
        const client = await agent.connect(new TestPeer(selectors));
        await t.rejects(first(client.fetchX509SVID({})), { code: Status.permissionDenied });
      }
    }
  },
);
