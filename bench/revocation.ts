// How soon a revocation is a refusal: from the answer of RevokeSVID until our verifier refuses the SVID, in
// another process that follows the Workload API, and until ValidateJWTSVID refuses the token. Then the
// same with 10,000 revoked serial numbers on the list, and what each change costs server and agent. It
// runs the built command: `npm run build && node bench/revocation.ts [--quick]`
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { WorkloadApi } from "../client/workload-api.ts";
import { IdentityError } from "../pki/errors.ts";
import { parseJwtSvidInsecurely } from "../pki/jwt/svid.ts";
import { generateP256KeyPair, type KeyPair } from "../pki/keys.ts";
import { parseCertificate } from "../pki/x509/certificate.ts";
import { createCsr } from "../pki/x509/csr.ts";
import { type Channel, createChannel } from "../proto/rpc/client.ts";
import { EntryService, RevocationService, SvidService } from "../proto/schema.gen.ts";
import type { Target, Verdict } from "./revocation-verifier.ts";
import { Site, TRUST_DOMAIN } from "./site.ts";

const quick = process.argv.includes("--quick");
const COUNT = quick ? 100 : 1000;
const MANY = 10_000;
const AIM = "p99 <= 250 ms";
const rows: string[][] = [];

function row(what: string, aim: string, ...figures: readonly string[]): void {
  rows.push([what, figures.join(", "), aim]);
  process.stderr.write(`${what}: ${figures.join(", ")}\n`);
}

const nowNs = (): bigint => process.hrtime.bigint();

/** In milliseconds; nobody refuses before it is revoked, but some before the answer says so. */
function elapsedMs(from: bigint, to: bigint): number {
  return Math.max(0, Number(to - from) / 1e6);
}

function spread(values: readonly number[]): string[] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  return [`p50 ${at(0.5)} ms`, `p99 ${at(0.99)} ms`, `max ${at(1)} ms`];
}

/** The bench's own workload, and the administrator's side. */
class Bench {
  readonly site: Site;
  readonly admin: Channel;
  readonly api: WorkloadApi;
  readonly #keys: KeyPair = generateP256KeyPair();
  readonly #verifier: ChildProcess;

  private constructor(site: Site, verifier: ChildProcess) {
    this.site = site;
    this.#verifier = verifier;
    this.admin = createChannel({ address: { unix: site.adminSocket } });
    this.api = new WorkloadApi({ endpoint: `unix://${site.agentSocket}` });
  }

  static async start(site: Site): Promise<Bench> {
    await site.startServer();
    await site.startAgent();
    const verifier = fork(new URL("revocation-verifier.ts", import.meta.url).pathname, {
      env: { ...process.env, SPIFFE_ENDPOINT_SOCKET: `unix://${site.agentSocket}` },
    });
    const bench = new Bench(site, verifier);
    await bench.#register();
    return bench;
  }

  async #register(): Promise<void> {
    const { results } = await this.admin.client(EntryService).batchCreateEntry({
      entries: [
        {
          spiffeId: { trustDomain: TRUST_DOMAIN, path: "/me" },
          parentId: {
            trustDomain: TRUST_DOMAIN,
            path: this.site.agentId.slice(`spiffe://${TRUST_DOMAIN}`.length),
          },
          selectors: [{ type: "unix", value: `uid:${process.getuid?.()}` }],
          additionalAttributes: { jwtSvidIncludeJti: true },
        },
      ],
    });
    if (results[0]?.status.code !== 0) throw new Error(results[0]?.status.message);
  }

  /** An SVID that an administrator has had made: its chain, DER. */
  async mint(path: string): Promise<readonly Uint8Array[]> {
    const csr = createCsr(this.#keys, { uris: [`spiffe://${TRUST_DOMAIN}${path}`] });
    const { svid } = await this.admin.client(SvidService).mintX509SVID({ csr });
    return svid?.certChain ?? [];
  }

  /** From the answer of `revoke` until the verifier refuses. */
  async untilRefused(
    chain: readonly Uint8Array[],
    revoke: () => Promise<unknown>,
  ): Promise<number> {
    const target: Target = { chain: chain.map((der) => Buffer.from(der).toString("base64")) };
    const armed = once(this.#verifier, "message");
    this.#verifier.send(target);
    await armed;
    const refused = once(this.#verifier, "message") as Promise<[Verdict]>;
    await revoke();
    const answeredAt = nowNs();
    const [verdict] = await refused;
    if (!("refusedAt" in verdict)) throw new Error("the verifier said something else");
    return elapsedMs(answeredAt, BigInt(verdict.refusedAt));
  }

  revokeSerial(chain: readonly Uint8Array[]): Promise<unknown> {
    const [leaf] = chain;
    if (leaf === undefined) throw new Error("there is no SVID");
    const serial = parseCertificate(leaf).serialHex;
    return this.admin.client(RevocationService).revokeSVID({ serial, reason: 1 });
  }

  async stop(): Promise<void> {
    this.api.close();
    this.admin.close();
    const exited = once(this.#verifier, "exit");
    this.#verifier.kill("SIGTERM");
    await exited;
  }
}

async function serials(bench: Bench, count: number): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < count; i++) {
    const chain = await bench.mint(`/one-${i}`);
    took.push(await bench.untilRefused(chain, () => bench.revokeSerial(chain)));
  }
  return took;
}

async function tokens(bench: Bench, count: number): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < count; i++) {
    const { token } = await bench.api.fetchJwtSvid({ audience: "bench" });
    await bench.api.validateJwtSvid(token, "bench");
    const jti = String(parseJwtSvidInsecurely(token).claims["jti"]);
    await bench.admin.client(RevocationService).revokeSVID({ jti, replace: true });
    const answeredAt = nowNs();
    while (!(await isRefused(bench.api, token)));
    took.push(elapsedMs(answeredAt, nowNs()));
  }
  return took;
}

async function isRefused(api: WorkloadApi, token: string): Promise<boolean> {
  try {
    await api.validateJwtSvid(token, "bench");
    return false;
  } catch (error) {
    if (error instanceof IdentityError && error.reason === "JWT_SVID_REVOKED") return true;
    throw error;
  }
}

/** One SPIFFE ID with many SVIDs, revoked at once; then single ones again, on top of a long list. */
async function withMany(bench: Bench): Promise<void> {
  const { site, api } = bench;
  let left = MANY;
  const last = await bench.mint("/many");
  const minter = async (): Promise<void> => {
    while (left-- > 1) await bench.mint("/many");
  };
  await Promise.all(Array.from({ length: 8 }, minter));
  let answerMs = 0;
  const took = await bench.untilRefused(last, async () => {
    const began = nowNs();
    const spiffeId = { trustDomain: TRUST_DOMAIN, path: "/many" };
    await bench.admin.client(RevocationService).revokeSVID({ spiffeId });
    answerMs = elapsedMs(began, nowNs());
  });
  row(
    `${MANY} SVIDs of one SPIFFE ID at once`,
    "",
    `answer after ${answerMs.toFixed(0)} ms, refused ${took.toFixed(1)} ms later`,
  );
  const [server, agent] = [site.server, site.agent];
  if (server === undefined || agent === undefined) throw new Error("nothing runs");
  const count = quick ? 20 : 100;
  const before = [server.cpuSeconds(), agent.cpuSeconds()] as const;
  row(`the same, ${MANY} on the list: our verifier`, AIM, ...spread(await serials(bench, count)));
  const perChange = (now: number, then: number): string =>
    `${(((now - then) / count) * 1000).toFixed(1)} ms`;
  const { crls } = await api.fetchX509Context();
  row(
    "what a change then costs, one stream open",
    "",
    `${perChange(server.cpuSeconds(), before[0])} CPU of the server`,
    `${perChange(agent.cpuSeconds(), before[1])} of the agent`,
    `${crls?.size ?? 0} list of ${await listKilobytes(site)} KB`,
    `memory ${server.residentMegabytes()} and ${agent.residentMegabytes()} MB`,
  );
}

async function listKilobytes(site: Site): Promise<number> {
  const { SpiffeWorkloadApi } = await import("../proto/schema.gen.ts");
  const channel = createChannel({
    address: { unix: site.agentSocket },
    metadata: { "workload.spiffe.io": "true" },
  });
  try {
    for await (const { crl } of channel.client(SpiffeWorkloadApi).fetchX509Bundles({})) {
      return Math.round(crl.reduce((sum, der) => sum + der.length, 0) / 1024);
    }
    return 0;
  } finally {
    channel.close();
  }
}

const site = new Site();
try {
  const bench = await Bench.start(site);
  try {
    row(
      `revoked by serial -> our verifier in another process, ${COUNT}`,
      AIM,
      ...spread(await serials(bench, COUNT)),
    );
    row(`revoked by jti -> ValidateJWTSVID, ${COUNT}`, AIM, ...spread(await tokens(bench, COUNT)));
    await withMany(bench);
  } finally {
    await bench.stop();
  }
} finally {
  await site.stop();
}

process.stdout.write("| what | figure | aim |\n|---|---|---|\n");
for (const cells of rows) process.stdout.write(`| ${cells.join(" | ")} |\n`);
