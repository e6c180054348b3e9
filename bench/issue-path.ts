// What the issuing path of an X509-SVID costs beside its two unavoidable operations. Both columns
// run in this process, in alternating rounds, on P-256: (a) parse and verify a request, build, sign
// and read the leaf again, (b) crypto.verify + crypto.sign on ready KeyObjects. Aim: b/a >= 50 %.
import { sign, verify } from "node:crypto";
import { generateP256KeyPair, signerOf } from "../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../pki/spiffe-id.ts";
import { createCaCertificate } from "../pki/x509/ca.ts";
import { parseCertificate } from "../pki/x509/certificate.ts";
import { createCsr, parseCsr } from "../pki/x509/csr.ts";
import { issueX509Svid } from "../pki/x509/issue.ts";

const ROUNDS = 12;
const ROUND_MS = 150;
const KEYS = 64;

const trustDomain = TrustDomain.parse("north.test");
const notBefore = new Date(Date.now() - 10_000);
const notAfter = new Date(Date.now() + 3_600_000);
const signer = signerOf("bench", generateP256KeyPair());
const subject = { country: "US", organization: "SPIRE" };
const caEnd = new Date(Date.now() + 86_400_000);
const caDer = await createCaCertificate({
  signer,
  trustDomain,
  subject,
  notBefore,
  notAfter: caEnd,
});
const issuer = { certificate: parseCertificate(caDer), upstreamChain: [], signer };
const callers = Array.from({ length: KEYS }, (_, i) => {
  const pair = generateP256KeyPair();
  const data = Buffer.alloc(500, i);
  return {
    csr: createCsr(pair),
    spiffeId: SpiffeId.parse(`spiffe://north.test/ns/prod/workload-${i}`),
    dnsNames: [`workload-${i}.north.test`],
    publicKey: pair.publicKey,
    privateKey: pair.privateKey,
    data,
    signature: sign("sha256", data, pair.privateKey),
  };
});
type Caller = (typeof callers)[number];

const lines: readonly (readonly [string, (caller: Caller) => unknown])[] = [
  [
    "parse, verify, build, sign, re-read",
    ({ csr, spiffeId, dnsNames }) =>
      issueX509Svid(issuer, { spki: parseCsr(csr).spki, spiffeId, dnsNames, notBefore, notAfter }),
  ],
  [
    "crypto.verify + crypto.sign",
    ({ data, publicKey, privateKey, signature }) => {
      if (!verify("sha256", data, publicKey, signature)) throw new Error("not verified");
      return sign("sha256", data, privateKey);
    },
  ],
  ["of the first: request", ({ csr }) => parseCsr(csr)],
  ["of the first: re-read of a certificate", () => parseCertificate(caDer)],
];

/** Microseconds of CPU time an operation takes, over one round. */
function measure(run: (caller: Caller) => unknown): number {
  const start = process.cpuUsage();
  const end = performance.now() + ROUND_MS;
  let done = 0;
  while (performance.now() < end) {
    for (const caller of callers) run(caller);
    done += callers.length;
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) / done;
}

const best = lines.map(() => Number.POSITIVE_INFINITY);
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [i, [, run]] of lines.entries()) {
    best[i] = Math.min(best[i] ?? 0, measure(run));
  }
}
const [issuing = 0, bare = 0] = best;
process.stdout.write("| one P-256 X509-SVID | CPU us | per CPU-second |\n|---|---|---|\n");
for (const [i, [name]] of lines.entries()) {
  const us = best[i] ?? 0;
  process.stdout.write(`| ${name} | ${us.toFixed(1)} | ${Math.round(1e6 / us)} |\n`);
}
process.stdout.write(
  `\nratio of the second to the first: ${((100 * bare) / issuing).toFixed(0)} %\n`,
);
