// What the audit log costs issuing, per CPU-second: the same orders with the ledger alone, and with an
// event for each document; and what appending, reading again and verifying cost by themselves.
// `node bench/audit.ts [SECONDS]`. Rounds with and without are in turn, so that a neighbour on the
// machine slows both alike; the loss is the median of the rounds.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateP256KeyPair, signerOf } from "../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../pki/spiffe-id.ts";
import { createCaCertificate } from "../pki/x509/ca.ts";
import { parseCertificate } from "../pki/x509/certificate.ts";
import { createCsr } from "../pki/x509/csr.ts";
import { type Channel, createChannel } from "../proto/rpc/client.ts";
import { SvidService } from "../proto/schema.gen.ts";
import { systemClock } from "../runtime/clock.ts";
import { silentLogger } from "../runtime/log.ts";
import { withIssuedEvents } from "../server/audit/issued.ts";
import { AuditLog } from "../server/audit/log.ts";
import { verifyLog } from "../server/audit/verify.ts";
import { Issuer } from "../server/ca/issuer.ts";
import { Ledger } from "../server/ledger/ledger.ts";
import { recordIssued } from "../server/ledger/record-issued.ts";

const ROUNDS = 12;
const WARM_UP_MS = 2000;
const seconds = Number(process.argv[2] ?? 12);
const trustDomain = TrustDomain.parse("north.test");
const workload = SpiffeId.of(trustDomain, "/ns/production/sa/db");
const agentId = SpiffeId.of(trustDomain, "/spire/agent/join_token/7f3a").toString();
const observer = SpiffeId.of(trustDomain, "/spire/server").toString();
const base = mkdtempSync(join(tmpdir(), "signet-bench-"));
const stop = new AbortController();
const parts = { clock: systemClock, log: silentLogger };

async function open(): Promise<AuditLog> {
  const log = await AuditLog.open({ folder: join(base, "audit"), observer, ...parts });
  void log.run(stop.signal);
  return log;
}

async function makeIssuer(threads: number): Promise<Issuer> {
  const signer = signerOf("bench", generateP256KeyPair());
  const now = Date.now();
  const certificate = await createCaCertificate({
    signer,
    trustDomain,
    subject: { country: "US", organization: "SPIFFE" },
    notBefore: new Date(now - 10_000),
    notAfter: new Date(now + 86_400_000),
  });
  const x509 = { certificate: parseCertificate(certificate), upstreamChain: [], signer };
  const expiresAt = new Date(now + 86_400_000);
  const jwt = { trustDomain, signer, keyId: "k".repeat(32), expiresAt };
  return new Issuer({
    authorities: { x509: () => x509, jwt: () => jwt, wit: () => jwt },
    x509SvidTtlSeconds: 3600,
    jwtSvidTtlSeconds: 300,
    clock: systemClock,
    logger: silentLogger,
    threads,
  });
}

const audit = await open();
const ledger = await Ledger.open({ folder: join(base, "ledger"), ...parts });
const held = { refusal: () => undefined, tokenRefusal: () => undefined };
const csrs = Array.from({ length: 64 }, () => createCsr(generateP256KeyPair()));
let turn = 0;
const order = () => ({
  csr: csrs[turn++ % csrs.length] ?? new Uint8Array(),
  spiffeId: workload.toString(),
  dnsNames: [],
  ttlSeconds: 0,
});
const batch = (size: number) => Array.from({ length: size }, order);
const token = () => ({ spiffeId: workload, audience: ["ledger"], ttlSeconds: 0 });

const alone = await makeIssuer(0);
const threaded = await makeIssuer(1);
const over = (issuer: Issuer, into: Pick<Ledger, "add">) =>
  recordIssued({ issuer, ledger: into, held, clock: systemClock });
const audited = withIssuedEvents(ledger, audit);
type Recorded = ReturnType<typeof over>;

const rows: readonly {
  readonly name: string;
  readonly perRun: number;
  readonly issuer: Issuer;
  readonly run: (issuing: Recorded) => Promise<unknown>;
}[] = [
  {
    name: "X509-SVID, one at a time",
    perRun: 1,
    issuer: alone,
    run: (issuing) => issuing.issueX509(order(), agentId),
  },
  {
    name: "X509-SVID, 50 a batch, main thread",
    perRun: 50,
    issuer: alone,
    run: (issuing) => issuing.issueX509Batch(batch(50), agentId),
  },
  {
    name: "X509-SVID, 2 batches of 50, all cores",
    perRun: 100,
    issuer: threaded,
    run: (issuing) =>
      Promise.all([
        issuing.issueX509Batch(batch(50), agentId),
        issuing.issueX509Batch(batch(50), agentId),
      ]),
  },
  {
    name: "JWT-SVID, one at a time",
    perRun: 1,
    issuer: alone,
    run: (issuing) => issuing.issueJwt(token(), agentId),
  },
];

/** CPU microseconds that one document takes, and documents per second of the clock. */
async function measure(run: () => Promise<unknown>, perRun: number, ms: number) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < ms) {
    await run();
    count += perRun;
  }
  const { user, system } = process.cpuUsage(cpu);
  return { us: (user + system) / count, perSecond: (count * 1000) / (performance.now() - start) };
}

type Svids = ReturnType<typeof svidsOf>;

const svidsOf = (channel: Channel) => channel.client(SvidService);

/** A process of its own that issues. */
interface Server {
  /** CPU microseconds of the process that a document takes. */
  measure(
    callers: number,
    perCall: number,
    ms: number,
    call: (svids: Svids) => Promise<unknown>,
  ): Promise<number>;
  stop(): void;
}

async function startServer(mode: "plain" | "audited"): Promise<Server> {
  const folder = mkdtempSync(join(base, mode));
  const child = fork(join(import.meta.dirname, "audit-server.ts"), [folder, mode]);
  await once(child, "message");
  const channel = createChannel({ address: { unix: join(folder, "s.sock") } });
  const svids = svidsOf(channel);
  const cpu = async (): Promise<number> => {
    child.send("cpu");
    const [{ user, system }] = (await once(child, "message")) as [NodeJS.CpuUsage];
    return user + system;
  };
  return {
    async measure(callers, perCall, ms, call) {
      const before = await cpu();
      const end = performance.now() + ms;
      let count = 0;
      const caller = async (): Promise<void> => {
        while (performance.now() < end) {
          await call(svids);
          count += perCall;
        }
      };
      await Promise.all(Array.from({ length: callers }, caller));
      return ((await cpu()) - before) / count;
    },
    stop() {
      channel.close();
      child.disconnect();
    },
  };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

// A server has been at it for longer than a row lasts: what runs for the first time is not what counts.
for (const { perRun, issuer, run } of rows) {
  const noted = over(issuer, audited);
  await measure(() => run(noted), perRun, WARM_UP_MS);
}
const roundMs = (seconds * 1000) / (ROUNDS * rows.length * 2);
const lines = [
  "| | without: CPU us | with: CPU us | loss | with: per s |",
  "|---|---|---|---|---|",
];
for (const { name, perRun, issuer, run } of rows) {
  const plain = over(issuer, ledger);
  const noted = over(issuer, audited);
  const rounds: { plain: number; noted: number; perSecond: number }[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const first = round % 2 === 0 ? plain : noted;
    const a = await measure(() => run(first), perRun, roundMs);
    const b = await measure(() => run(first === plain ? noted : plain), perRun, roundMs);
    const [without, having] = first === plain ? [a, b] : [b, a];
    if (round > 0)
      rounds.push({ plain: without.us, noted: having.us, perSecond: having.perSecond });
  }
  const loss = median(rounds.map(({ plain, noted }) => 1 - plain / noted));
  const [without, having] = [
    median(rounds.map((r) => r.plain)),
    median(rounds.map((r) => r.noted)),
  ];
  const rate = Math.round(median(rounds.map(({ perSecond }) => perSecond)));
  lines.push(
    `| ${name} | ${without.toFixed(1)} | ${having.toFixed(1)} | ${(100 * loss).toFixed(1)} % | ${rate} |`,
  );
}
process.stdout.write(`${lines.join("\n")}\n\n`);

lines.splice(
  0,
  lines.length,
  "| served, by one process | without: CPU us | with: CPU us | loss |",
  "|---|---|---|---|",
);
const [plainServer, auditedServer] = await Promise.all([
  startServer("plain"),
  startServer("audited"),
]);
const csr = csrs[0] ?? new Uint8Array();
const served: readonly (readonly [string, number, number, (svids: Svids) => Promise<unknown>])[] = [
  [
    "NewJWTSVID, 8 callers",
    8,
    1,
    (svids) => svids.newJWTSVID({ entryId: "e", audience: ["ledger"] }),
  ],
  [
    "BatchNewX509SVID, 1 a call, 8 callers",
    8,
    1,
    (svids) => svids.batchNewX509SVID({ params: [{ entryId: "e", csr }] }),
  ],
  [
    "BatchNewX509SVID, 50 a call, 2 callers",
    2,
    50,
    (svids) =>
      svids.batchNewX509SVID({ params: Array.from({ length: 50 }, () => ({ entryId: "e", csr })) }),
  ],
];
for (const [name, callers, perCall, call] of served) {
  const ms = (seconds * 1000) / (ROUNDS * served.length * 2);
  await plainServer.measure(callers, perCall, WARM_UP_MS / 2, call);
  await auditedServer.measure(callers, perCall, WARM_UP_MS / 2, call);
  const rounds: { plain: number; noted: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? [plainServer, auditedServer] : [auditedServer, plainServer];
    const us = new Map<Server, number>();
    for (const server of order) us.set(server, await server.measure(callers, perCall, ms, call));
    rounds.push({ plain: us.get(plainServer) ?? 0, noted: us.get(auditedServer) ?? 0 });
  }
  const loss = median(rounds.map(({ plain, noted }) => 1 - plain / noted));
  const [without, having] = [
    median(rounds.map((r) => r.plain)),
    median(rounds.map((r) => r.noted)),
  ];
  lines.push(
    `| ${name} | ${without.toFixed(1)} | ${having.toFixed(1)} | ${(100 * loss).toFixed(1)} % |`,
  );
}
plainServer.stop();
auditedServer.stop();
process.stdout.write(`${lines.join("\n")}\n\n`);

const event = (i: number) => ({
  stream: "tool_call" as const,
  type: "tool.called",
  outcome: "ok" as const,
  agent: `${trustDomain.id}/agent/researcher`,
  task: `${trustDomain.id}/agent/researcher/task/01J8ZQ4V6W3Q5R7T9Y1B2C3D4E`,
  action: "tools/read/ticket",
  resource: "https://mcp.north.test/tickets",
  detail: { count: String(i) },
});
const appended = await measure(
  () => Promise.all(Array.from({ length: 50 }, (_, i) => audit.append(event(i)))),
  50,
  1000,
);
let syncs = 0;
const durable = await measure(
  async () => {
    syncs++;
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => audit.append(event(i), { durable: true })),
    );
  },
  50,
  1000,
);
const { size } = audit;
stop.abort();
await audit.close();
const opening = performance.now();
const again = await AuditLog.open({ folder: join(base, "audit"), observer, ...parts });
const openedMs = performance.now() - opening;
await again.close();
const verifying = performance.now();
const { damages } = await verifyLog({ folder: join(base, "audit"), keys: [], notes: [] });
const verifiedMs = performance.now() - verifying;
if (damages.length > 0) throw new Error(JSON.stringify(damages));
const figure = (value: number): string => value.toFixed(1);
process.stdout.write(
  [
    "| the log by itself | |",
    "|---|---|",
    `| append, 50 at once | ${figure(appended.us)} CPU us an event, ${Math.round(appended.perSecond)} a second |`,
    `| append durably, 50 at once | ${Math.round(durable.perSecond)} a second, ${syncs} times to the disk (${statfsSync(base).type.toString(16)}) |`,
    `| a start that reads what came since the last checkpoint: ${size} events | ${Math.round(openedMs)} ms |`,
    `| verify ${size} events | ${Math.round(verifiedMs)} ms, ${Math.round((size * 1000) / verifiedMs)} a second |`,
  ].join("\n"),
);
process.stdout.write("\n");
rmSync(base, { recursive: true });
process.exit(0);
