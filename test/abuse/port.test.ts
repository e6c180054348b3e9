// The server's port before any call: junk where TLS should begin, handshakes that never end,
// certificates of strangers, and more connections than an address may have.
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import t from "tap";
import { contextOptions } from "../../client/tls/context.ts";
import type { X509Svid } from "../../pki/x509/svid.ts";
import { Abused } from "../support/abused.ts";
import { PREFACE } from "../support/raw-http2.ts";
import { TestAuthority } from "../support/test-authority.ts";

const PER_ADDRESS = 100;
const PATIENCE_MS = 5000;

const abused = await Abused.start(t, { max_connections_per_address: PER_ADDRESS });

/** Whether a connection closes in time, whatever else it says. */
async function closes(socket: Socket, patienceMs = PATIENCE_MS): Promise<boolean> {
  socket.on("error", () => undefined).resume();
  const closed = new Promise<boolean>((resolve) => socket.once("close", () => resolve(true)));
  return Promise.race([closed, sleep(patienceMs, false, { ref: false })]);
}

const JUNK: readonly { readonly name: string; readonly bytes: Buffer }[] = [
  { name: "random bytes", bytes: randomBytes(20_000) },
  { name: "zeros", bytes: Buffer.alloc(20_000) },
  { name: "an HTTP/1 request", bytes: Buffer.from("GET / HTTP/1.1\r\nhost: a\r\n\r\n") },
  { name: "HTTP/2 without TLS", bytes: PREFACE },
  {
    name: "a record of the longest length, then junk",
    bytes: Buffer.concat([Buffer.from("1603014000", "hex"), randomBytes(0x4000)]),
  },
  {
    name: "a hello that says it has 16 MiB",
    bytes: Buffer.concat([Buffer.from("160301400001ffffff0303", "hex"), Buffer.alloc(0x3ffa)]),
  },
  { name: "an alert", bytes: Buffer.from("15030300020228", "hex") },
];

t.test("junk instead of TLS is answered by closing", async (t) => {
  await abused.whileServing(async () => {
    for (const { name, bytes } of JUNK) {
      const socket = await abused.dial();
      socket.write(bytes);
      t.ok(await closes(socket), name);
    }
  });
  t.equal(abused.server.end, undefined);
});

/** Shows a certificate, and says whether the server ends the connection. */
async function isRefused(options: ConnectionOptions, svid?: X509Svid): Promise<boolean> {
  const socket = connectTls({
    ...contextOptions(svid),
    ...abused.address,
    ALPNProtocols: ["h2"],
    rejectUnauthorized: false,
    ...options,
  });
  return closes(socket);
}

t.test("certificates of strangers are refused, odd ones too", async (t) => {
  const impostor = await TestAuthority.create("north.test");
  const foreign = await TestAuthority.create("south.test");
  const agent = "/spire/agent/join_token/x";
  const svid = await impostor.issue(agent);
  const leaf = svid.chain[0] as Uint8Array;
  const long = { ...svid, chain: Array<Uint8Array>(60).fill(leaf) } as unknown as X509Svid;
  await abused.whileServing(async () => {
    t.ok(await isRefused({}, svid), "another authority of the same name");
    t.ok(await isRefused({}, await impostor.issue("/spire/server")), "the server itself");
    t.ok(await isRefused({}, await foreign.issue(agent)), "another trust domain");
    t.ok(await isRefused({}, long), "a chain of sixty");
    t.ok(await isRefused({ ALPNProtocols: ["http/1.1"] }), "no certificate, and no HTTP/2");
    t.ok(await isRefused({ ALPNProtocols: [] }), "no certificate, and no protocol");
  });
  t.equal(abused.server.end, undefined);
});

t.test("connections that say nothing keep nobody out, and no more than there may be", async (t) => {
  const idle: Socket[] = [];
  await abused.whileServing(async () => {
    for (let i = 0; i < 4 * PER_ADDRESS; i++) {
      const socket = await abused.dial();
      // Half of them begin a handshake.
      if (i % 2 === 0) socket.write(Buffer.from("160301", "hex"));
      idle.push(socket.resume());
    }
    await sleep(300);
  });
  const open = idle.filter(({ destroyed }) => !destroyed).length;
  t.ok(open <= PER_ADDRESS, `${open} are open`);
  for (const socket of idle) socket.destroy();
  await abused.whileServing(async () => undefined);
});

t.test("agents are served while strangers hold all the connections they can get", async (t) => {
  const { svid } = await abused.attest();
  const strangers = [];
  for (let i = 0; i < 2 * PER_ADDRESS; i++) strangers.push((await abused.secure()).resume());
  const mine = [];
  for (let i = 0; i < 20; i++) mine.push((await abused.secure(svid)).resume());
  for (let i = 0; i < 2 * PER_ADDRESS; i++) strangers.push((await abused.secure()).resume());
  await abused.whileServing(async () => undefined);
  t.equal(mine.filter(({ destroyed }) => destroyed).length, 0, "an agent's connections are kept");
  const left = strangers.filter(({ destroyed }) => !destroyed).length;
  t.ok(left <= PER_ADDRESS, `${left} strangers are left`);
  for (const socket of [...strangers, ...mine]) socket.destroy();
});
