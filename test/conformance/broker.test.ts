// What the Broker standards ask of parts that exist already. The Broker API itself is not built.
import { once } from "node:events";
import type { Socket } from "node:net";
import { join } from "node:path";
import t from "tap";
import { type Peer, startCallers } from "../../agent/peer/index.ts";
import { Status } from "../../pki/errors.ts";
import { silentLogger } from "../../runtime/log.ts";
import { connectFrom, socketFolder } from "../support/callers.ts";

const gone = { reason: "CALLER_GONE", code: Status.unavailable };

t.test("BRK-05 who called by a process ID is that process, and no later one", async (t) => {
  const callers = startCallers({ log: silentLogger, onFailure: (error) => t.error(error) });
  const path = join(socketFolder(t), "s");
  const accepted = Promise.withResolvers<{ socket: Socket; peer: Peer }>();
  const listener = await callers.listen({
    path,
    mode: 0o777,
    onConnection: (socket, peer) => accepted.resolve({ socket, peer }),
  });
  t.teardown(() => listener.stop().then(() => callers.stop()));
  const caller = await connectFrom(t, path);
  const { socket, peer } = await accepted.promise;
  t.equal(peer.pid, caller.pid);
  t.ok(peer.isAlive(), "it is the one that called");
  // A child inherits the connection and outlives its parent, whose process ID is then free for anybody.
  const closed = once(socket, "close");
  caller.tell('exec ["/bin/sh","-c","sleep 5 & exit"]');
  await closed;
  t.notOk(peer.isAlive(), "with its process the connection ends, whoever still holds it");
  t.throws(() => peer.executable(), gone, "and nothing is read of its number");
});
