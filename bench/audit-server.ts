// The child of audit.ts: serves issuing over a unix socket, with or without an event for each document, and
// says how much CPU it has taken. Without TLS and checks, so that issuing is more of a call than it is in a server.
import { createServer } from "node:net";
import { join } from "node:path";
import { generateP256KeyPair, signerOf } from "../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../pki/spiffe-id.ts";
import { createCaCertificate } from "../pki/x509/ca.ts";
import { parseCertificate } from "../pki/x509/certificate.ts";
import { createRpcServer } from "../proto/rpc/server.ts";
import { SvidService } from "../proto/schema.gen.ts";
import type { RegistrationEntry } from "../proto/types/entry.ts";
import { systemClock } from "../runtime/clock.ts";
import { silentLogger } from "../runtime/log.ts";
import { svidHandlers } from "../server/api/svid.ts";
import { withIssuedEvents } from "../server/audit/issued.ts";
import { AuditLog } from "../server/audit/log.ts";
import { Issuer } from "../server/ca/issuer.ts";
import { Ledger } from "../server/ledger/ledger.ts";
import { recordIssued } from "../server/ledger/record-issued.ts";

const [folder = "", isAudited] = process.argv.slice(2);
const trustDomain = TrustDomain.parse("north.test");
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
const jwt = { trustDomain, signer, keyId: "k".repeat(32), expiresAt: new Date(now + 86_400_000) };
const issuer = new Issuer({
  authorities: { x509: () => x509, jwt: () => jwt, wit: () => jwt },
  x509SvidTtlSeconds: 3600,
  jwtSvidTtlSeconds: 300,
  clock: systemClock,
  logger: silentLogger,
});
const parts = { clock: systemClock, log: silentLogger };
const ledger = await Ledger.open({ folder: join(folder, "ledger"), ...parts });
const observer = `${trustDomain.id}/spire/server`;
const audit = await AuditLog.open({ folder: join(folder, "audit"), observer, ...parts });
const signal = new AbortController().signal;
void ledger.run(signal);
void audit.run(signal);
const held = { refusal: () => undefined, tokenRefusal: () => undefined };
const into = isAudited === "audited" ? withIssuedEvents(ledger, audit) : ledger;
const spiffeId = SpiffeId.of(trustDomain, "/ns/production/sa/db");
const entry = {
  spiffeId: spiffeId.toString(),
  dnsNames: [],
  x509SvidTtlSeconds: 0,
  jwtSvidTtlSeconds: 0,
  jwtSvidIncludeJti: false,
  hint: "",
} as unknown as RegistrationEntry;
const server = createRpcServer({ onInternalError: () => undefined });
const agentId = `${trustDomain.id}/spire/agent/join_token/7f3a`;
server.add(
  SvidService,
  svidHandlers({
    trustDomain,
    issuer: recordIssued({ issuer, ledger: into, held, clock: systemClock }),
    agentOf: () => agentId,
    entryFor: () => entry,
    logger: silentLogger,
  }),
);
const listener = createServer((socket) => server.inject(socket, { kind: "local" }));
listener.listen(join(folder, "s.sock"), () => process.send?.("ready"));
process.on("message", () => process.send?.(process.cpuUsage()));
process.on("disconnect", () => process.exit(0));
