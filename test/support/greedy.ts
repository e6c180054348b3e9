// A process that takes what it can of a unix socket: so many connections, so many calls on each whose
// request never comes. Says in one line what it got, and keeps that until it is told to end.
//   node greedy.ts SOCKET CONNECTIONS CALLS
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { callHeaders, Frame, RawHttp2 } from "./raw-http2.ts";

const [path = "", connections, calls] = process.argv.slice(2);
const raws: RawHttp2[] = [];
for (let i = 0; i < Number(connections); i++) {
  const socket = connect(path);
  socket.on("error", () => undefined);
  await Promise.race([once(socket, "connect"), once(socket, "close")]);
  const raw = new RawHttp2(socket);
  raws.push(raw);
  raw.begin();
  for (let call = 0; call < Number(calls); call++) {
    raw.write(callHeaders(2 * call + 1, "/SpiffeWorkloadAPI/FetchX509SVID"));
  }
}
// A ping overtakes refusals that came before it in the same turn: two, with a turn between them.
for (let round = 0; round < 2; round++) {
  await Promise.all(raws.map((raw) => raw.answersPing(20_000)));
  await sleep(100);
}
const refused = raws.flatMap(({ received }) =>
  received.filter(({ type, flags }) => type === Frame.headers && (flags & 1) === 1),
);
const open = raws.filter(({ closed }) => !closed).length;
process.stdout.write(`${JSON.stringify({ open, refused: refused.length })}\n`);
process.stdin.resume().once("end", () => process.exit(0));
