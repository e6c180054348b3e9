// What the Broker standards ask of parts that exist already. The Broker API itself is not built.
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { join } from "node:path";
import t from "tap";
import type { ExitWatcher } from "../../agent/peer/exit-watcher.ts";
import { type Peer, startCallers } from "../../agent/peer/index.ts";
import { PinnedProcess } from "../../agent/peer/pinned-process.ts";
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

  // Asked of the kernel each time, by pidfd or by start time: also before anybody was told of the end.
  const untold = { watch: () => () => {} } as unknown as ExitWatcher;
  const child = spawn("/bin/sleep", ["60"], { stdio: "ignore" });
  const pid = child.pid ?? -1;
  const held = [PinnedProcess.open(untold, pid), new PinnedProcess(untold, pid, undefined)];
  t.teardown(() => {
    for (const one of held) one.close();
  });
  for (const one of held) t.ok(one.isAlive());
  child.kill("SIGKILL");
  await once(child, "exit");
  for (const one of held) {
    t.notOk(one.isAlive());
    t.throws(() => one.executable(), gone);
  }
  t.throws(() => PinnedProcess.open(untold, pid), gone);
});
