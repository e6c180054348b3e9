// What issuing costs in one process, per CPU-second: the limit (verify a request and sign with ready
// keys), the issue path, and the issuer as the server has it, one at a time and in batches.
// `node bench/issuing.ts [SECONDS]`. Rounds of all rows are interleaved, so that a neighbour on the
// machine slows all alike; the best round counts.

import { createPublicKey, sign, verify } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateP256KeyPair, signerOf } from "../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../pki/spiffe-id.ts";
import { createCaCertificate } from "../pki/x509/ca.ts";
import { parseCertificate } from "../pki/x509/certificate.ts";
import { createCsr } from "../pki/x509/csr.ts";
import type { X509Issuer } from "../pki/x509/issue.ts";
import { systemClock } from "../runtime/clock.ts";
import { silentLogger } from "../runtime/log.ts";
import { Issuer } from "../server/ca/issuer.ts";
import { signOrder } from "../server/ca/sign.ts";
import { Ledger } from "../server/ledger/ledger.ts";
import { recordIssued } from "../server/ledger/record-issued.ts";

const ROUNDS = 8;
const seconds = Number(process.argv[2] ?? 8);

interface Row {
  readonly name: string;
  readonly perRun: number;
  readonly run: () => unknown;
}

const folder = join(mkdtempSync(join(tmpdir(), "signet-bench-")), "ledger");
const trustDomain = TrustDomain.parse("north.test");
const workload = SpiffeId.of(trustDomain, "/db");

async function makeIssuer(): Promise<X509Issuer> {
  const signer = signerOf("bench", generateP256KeyPair());
  const now = Date.now();
  const certificate = await createCaCertificate({
    signer,
    trustDomain,
    subject: { country: "US", organization: "SPIFFE" },
    notBefore: new Date(now - 10_000),
    notAfter: new Date(now + 86_400_000),
  });
  return { certificate: parseCertificate(certificate), upstreamChain: [], signer };
}

/** Requests of 64 keys in turn: with one key alone, caches would flatter. */
const pairs = Array.from({ length: 64 }, generateP256KeyPair);
const csrs = pairs.map((pair) => createCsr(pair));
const message = csrs[0] ?? new Uint8Array();
const signatures = pairs.map(({ privateKey }) => sign("sha256", message, privateKey));
const ready = pairs.map(({ spki }) =>
  createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" }),
);
let turn = 0;
const next = <T>(from: readonly T[]): T => {
  turn = (turn + 1) % from.length;
  return from[turn] as T;
};

async function rows(): Promise<Row[]> {
  const x509 = await makeIssuer();
  const { signer } = x509;
  const jwt = {
    trustDomain,
    signer,
    keyId: "k".repeat(32),
    expiresAt: new Date(Date.now() + 86_400_000),
  };
  const shared = {
    authorities: { x509: () => x509, jwt: () => jwt, wit: () => jwt },
    x509SvidTtlSeconds: 3600,
    jwtSvidTtlSeconds: 300,
    clock: systemClock,
    logger: silentLogger,
  };
  const alone = new Issuer({ ...shared, threads: 0 });
  const threaded = new Issuer(shared);
  const ledger = await Ledger.open({ folder, clock: systemClock, log: silentLogger });
  const held = { refusal: () => undefined, tokenRefusal: () => undefined };
  const recording = { ledger, held, clock: systemClock };
  const noted = recordIssued({ issuer: alone, ...recording });
  const notedThreaded = recordIssued({ issuer: threaded, ...recording });
  const agentId = SpiffeId.of(trustDomain, "/spire/agent/x").toString();
  const order = () => ({
    csr: next(csrs),
    spiffeId: workload.toString(),
    dnsNames: [],
    ttlSeconds: 0,
  });
  const batch = (size: number) => Array.from({ length: size }, order);
  return [
    {
      name: "limit: crypto.verify + crypto.sign, ready keys",
      perRun: 1,
      run: () => {
        const i = turn++ % 64;
        verify("sha256", message, ready[i] ?? signer.publicKey, signatures[i] ?? message);
        return signer.signSync?.(message, "sha256");
      },
    },
    {
      name: "issue path: request read and verified, leaf built, signed, read again",
      perRun: 1,
      run: () =>
        signOrder(x509, {
          ...order(),
          notBeforeMs: Date.now() - 10_000,
          notAfterMs: Date.now() + 3_600_000,
        }),
    },
    { name: "issuer: one at a time", perRun: 1, run: () => alone.issueX509(order()) },
    {
      name: "  and noted in the ledger",
      perRun: 1,
      run: () => noted.issueX509(order(), agentId),
    },
    {
      name: "issuer: 50 a batch, main thread",
      perRun: 50,
      run: () => alone.issueX509Batch(batch(50)),
    },
    {
      name: "  and noted in the ledger",
      perRun: 50,
      run: () => noted.issueX509Batch(batch(50), agentId),
    },
    {
      name: "issuer: 50 a batch, all cores, 2 callers",
      perRun: 100,
      run: () =>
        Promise.all([threaded.issueX509Batch(batch(50)), threaded.issueX509Batch(batch(50))]),
    },
    {
      name: "  and noted in the ledger",
      perRun: 100,
      run: () =>
        Promise.all([
          notedThreaded.issueX509Batch(batch(50), agentId),
          notedThreaded.issueX509Batch(batch(50), agentId),
        ]),
    },
    {
      name: "issuer: JWT-SVID",
      perRun: 1,
      run: () => alone.issueJwt({ spiffeId: workload, audience: ["ledger"], ttlSeconds: 0 }),
    },
    {
      name: "  and noted in the ledger",
      perRun: 1,
      run: () =>
        noted.issueJwt({ spiffeId: workload, audience: ["ledger"], ttlSeconds: 0 }, agentId),
    },
  ];
}

/** Runs a row for some time; answers what it did per second of the clock and of the CPU. */
async function measure(row: Row, ms: number): Promise<{ perSecond: number; perCpuSecond: number }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < ms) {
    await row.run();
    count += row.perRun;
  }
  const elapsed = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: count / elapsed, perCpuSecond: count / ((user + system) / 1e6) };
}

const table = await rows();
const best = table.map(() => ({ perSecond: 0, perCpuSecond: 0 }));
const roundMs = (seconds * 1000) / (ROUNDS * table.length);
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, row] of table.entries()) {
    const measured = await measure(row, roundMs);
    const so = best[i] ?? measured;
    best[i] = {
      perSecond: Math.max(so.perSecond, measured.perSecond),
      perCpuSecond: Math.max(so.perCpuSecond, measured.perCpuSecond),
    };
  }
}
const limit = best[0]?.perCpuSecond ?? 1;
const lines = table.map(({ name }, i) => {
  const { perSecond = 0, perCpuSecond = 0 } = best[i] ?? {};
  const figures = [perSecond, perCpuSecond].map((n) => Math.round(n).toString().padStart(10));
  return `${name.padEnd(72)}${figures.join("")}${(perCpuSecond / limit).toFixed(2).padStart(10)}`;
});
const head = `${"".padEnd(72)}${"per s".padStart(10)}${"per CPU-s".padStart(10)}${"of limit".padStart(10)}`;
process.stdout.write(`${[head, ...lines].join("\n")}\n`);
rmSync(join(folder, ".."), { recursive: true });
process.exit(0);
