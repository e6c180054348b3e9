// How soon the end of a task is a refusal: from `complete`, `revoke` and kill -9 until a service in another
// process closes the connection that was already open, each measured from the moment the end was asked for.
// The connection is made by somebody who has stolen the task's key, and so outlives the process that is
// killed. It runs the built command: `npm run build && node bench/task-revocation.ts [--quick]`
import { type ChildProcess, type ChildProcessByStdio, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { TLSSocket } from "node:tls";
import { authorizeMemberOf, secureSocket } from "../client/index.ts";
import { parseCertificate } from "../pki/x509/certificate.ts";
import { parseX509Svid } from "../pki/x509/svid.ts";
import { type Channel, createChannel } from "../proto/rpc/client.ts";
import { BundleService, RegistryService, TaskControlService } from "../proto/schema.gen.ts";
import { Site, TRUST_DOMAIN } from "./site.ts";
import type { Held } from "./task-holder.ts";
import type { Refusal } from "./task-verifier.ts";

const quick = process.argv.includes("--quick");
const COUNT = quick ? 50 : 1000;
/** Processes that are started ahead: each is killed in its turn. */
const AHEAD = 3;
const AIM = "p99 <= 250 ms";
const CONFIG = `tasks:
  open_rate: 100000
`;
const path = (file: string): string => new URL(file, import.meta.url).pathname;

type Opened = Extract<Held, { opened: string }>;
type Completed = Extract<Held, { askedAt: string }>;

class Holder {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(site: Site) {
    this.#child = spawn(process.execPath, [path("task-holder.ts")], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { PATH: process.env["PATH"], SPIFFE_ENDPOINT_SOCKET: `unix://${site.agentSocket}` },
    });
    this.#child.stdin.on("error", () => undefined);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async next<T extends Held>(): Promise<T> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error("a holder ended");
    return JSON.parse(value) as T;
  }

  tell(line: "complete" | "next"): void {
    this.#child.stdin.write(`${line}\n`);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

class Verifier {
  readonly #child: ChildProcess;
  readonly #refused = new Map<string, (at: bigint) => void>();
  readonly port: Promise<number>;

  constructor(site: Site) {
    this.#child = fork(path("task-verifier.ts"), {
      env: { ...process.env, SPIFFE_ENDPOINT_SOCKET: `unix://${site.agentSocket}` },
    });
    const port = Promise.withResolvers<number>();
    this.port = port.promise;
    this.#child.on("message", (refusal: Refusal) => {
      if ("port" in refusal) port.resolve(refusal.port);
      else this.#refused.get(refusal.task)?.(BigInt(refusal.refusedAt));
    });
  }

  /** When it closes the connection of a task. */
  refused(task: string): Promise<bigint> {
    return new Promise((resolve) => this.#refused.set(task, resolve));
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.disconnect();
    await exited;
  }
}

class Bench {
  readonly site: Site;
  readonly admin: Channel;
  readonly verifier: Verifier;

  constructor(site: Site) {
    this.site = site;
    this.admin = createChannel({ address: { unix: site.adminSocket } });
    this.verifier = new Verifier(site);
  }

  /** A connection that shows what was stolen, and has been answered. */
  async connect({ chain, key }: Opened): Promise<TLSSocket> {
    const ders = chain.map((der) => new Uint8Array(Buffer.from(der, "base64")));
    const svid = parseX509Svid(ders, new Uint8Array(Buffer.from(key, "base64")));
    const { x509Authorities } = await this.admin.client(BundleService).getBundle({});
    const anchors = x509Authorities.map(({ asn1 }) => parseCertificate(new Uint8Array(asn1)));
    const source = { svid: () => svid, anchorsOf: () => anchors, onChange: () => () => undefined };
    const socket = await secureSocket(connect(await this.verifier.port, "127.0.0.1"), {
      source,
      authorize: authorizeMemberOf(TRUST_DOMAIN),
    });
    socket.on("error", () => undefined);
    await once(socket, "data");
    return socket;
  }

  /** From `end` until the connection that was open is closed. */
  async untilRefused(opened: Opened, end: () => Promise<bigint> | bigint): Promise<number> {
    await this.connect(opened);
    const refused = this.verifier.refused(opened.opened);
    const from = await end();
    return Number((await refused) - from) / 1e6;
  }

  async completed(): Promise<number[]> {
    const holder = new Holder(this.site);
    const took: number[] = [];
    for (let i = 0; i < COUNT; i++) {
      const opened = await holder.next<Opened>();
      const end = async (): Promise<bigint> => {
        holder.tell("complete");
        return BigInt((await holder.next<Completed>()).askedAt);
      };
      took.push(await this.untilRefused(opened, end));
    }
    holder.kill();
    return took;
  }

  async revoked(): Promise<number[]> {
    const holder = new Holder(this.site);
    const control = this.admin.client(TaskControlService);
    const took: number[] = [];
    for (let i = 0; i < COUNT; i++) {
      const opened = await holder.next<Opened>();
      const end = async (): Promise<bigint> => {
        const askedAt = process.hrtime.bigint();
        await control.revokeTask({ id: opened.opened, reason: "bench" });
        return askedAt;
      };
      took.push(await this.untilRefused(opened, end));
      holder.tell("next");
    }
    holder.kill();
    return took;
  }

  async killed(): Promise<number[]> {
    const ahead = Array.from({ length: AHEAD }, () => new Holder(this.site));
    const took: number[] = [];
    for (let i = 0; i < COUNT; i++) {
      const holder = ahead.shift();
      if (holder === undefined) throw new Error("nobody is left");
      const opened = await holder.next<Opened>();
      const end = (): bigint => {
        const askedAt = process.hrtime.bigint();
        holder.kill();
        return askedAt;
      };
      took.push(await this.untilRefused(opened, end));
      if (i + AHEAD < COUNT) ahead.push(new Holder(this.site));
    }
    return took;
  }

  async stop(): Promise<void> {
    await this.verifier.stop();
    this.admin.close();
  }
}

async function register(site: Site, admin: Channel): Promise<void> {
  const uid = process.getuid?.() ?? 0;
  await site.register("/ai/bench", { type: "unix", value: `uid:${uid}` });
  await admin.client(RegistryService).createAiAgent({
    aiAgent: {
      spiffeId: `spiffe://${TRUST_DOMAIN}/ai/bench`,
      owner: "team:bench",
      purpose: "opens tasks that end at once",
      environment: "bench",
      validUntil: Math.floor(Date.now() / 1000) + 86_400,
      ceiling: {
        locations: { values: ["https://tickets.test/"] },
        actions: { values: ["tools/**"] },
        environment: { values: ["bench"] },
      },
      taskClasses: ["standard"],
    },
  });
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}

const site = new Site();
try {
  await site.startServer(CONFIG);
  await site.startAgent();
  const admin = createChannel({ address: { unix: site.adminSocket } });
  await register(site, admin);
  admin.close();
  const bench = new Bench(site);
  for (const [how, run] of [
    ["complete", () => bench.completed()],
    ["revoke", () => bench.revoked()],
    ["kill -9", () => bench.killed()],
  ] as const) {
    const took = await run();
    process.stdout.write(
      `${how.padEnd(9)}  ${took.length} times, until an open connection is closed elsewhere: ${spread(took)}  (${AIM})\n`,
    );
  }
  await bench.stop();
} finally {
  await site.stop();
}
