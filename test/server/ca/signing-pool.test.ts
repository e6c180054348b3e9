// What crosses to signing threads and back, and what happens when one dies.
import { Worker } from "node:worker_threads";
import t from "tap";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { pack, unpack } from "../../../server/ca/signing-messages.ts";
import { SigningPool } from "../../../server/ca/signing-pool.ts";
import { startTestCa } from "../../support/test-ca.ts";

t.test("packs byte strings and unpacks them again", async (t) => {
  for (const lengths of [[], [0], [3], [1, 0, 2, 0], [100, 200, 300]]) {
    const parts = lengths.map((length, i) => new Uint8Array(length).fill(i + 1));
    t.strictSame(unpack(pack(parts)), parts);
  }
});

t.test("signs on the main thread what a dead thread had at hand", async (t) => {
  const ca = await startTestCa(t);
  const pool = new SigningPool({ threads: 1, logger: silentLogger });
  t.teardown(() => pool.stop());
  const order = {
    csr: createCsr(generateP256KeyPair()),
    spiffeId: "spiffe://north.test/db",
    dnsNames: [],
    notBeforeMs: ca.clock.now().getTime() - 10_000,
    notAfterMs: ca.clock.now().getTime() + 60_000,
  };
  const orders = Array.from({ length: 60 }, () => order);
  const killed: Worker[] = [];
  const { postMessage } = Worker.prototype;
  t.teardown(() => {
    Worker.prototype.postMessage = postMessage;
  });
  // The thread dies as soon as it was given its first chunk.
  Worker.prototype.postMessage = function (this: Worker, ...args: Parameters<typeof postMessage>) {
    postMessage.apply(this, args);
    if (!killed.includes(this)) void this.terminate();
    killed.push(this);
  };
  const signed = await pool.sign(ca.authorities.x509(), orders);
  t.equal(signed.length, 60);
  t.ok(signed.every((leaf) => "der" in leaf && leaf.der.length > 300));
  t.ok(killed.length > 0);
});

t.test("tells a thread where the authority's revocation list is", async (t) => {
  const ca = await startTestCa(t);
  const pool = new SigningPool({ threads: 1, logger: silentLogger });
  t.teardown(() => pool.stop());
  const order = {
    csr: createCsr(generateP256KeyPair()),
    spiffeId: "spiffe://north.test/db",
    dnsNames: [],
    notBeforeMs: ca.clock.now().getTime() - 10_000,
    notAfterMs: ca.clock.now().getTime() + 60_000,
  };
  const orders = Array.from({ length: 60 }, () => order);
  const url = "http://ca.north.test/crl/1.crl";
  for (const crlUrl of [url, undefined]) {
    const signed = await pool.sign({ ...ca.authorities.x509(), crlUrl }, orders);
    for (const leaf of signed) {
      const der = "der" in leaf ? Buffer.from(leaf.der) : Buffer.alloc(0);
      if (der.length === 0 || der.includes(url) !== (crlUrl === url)) t.fail("a leaf without it");
    }
    t.equal(signed.length, orders.length);
  }
});
