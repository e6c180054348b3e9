// Taking back what was issued, with the processes that a trust domain has: a server, two node agents, a
// service and its callers over mutual TLS. Each way to revoke, the release, a ban, and kill -9 in between.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { connect as connectTls } from "node:tls";
import t from "tap";
import { WorkloadApi } from "../../client/workload-api.ts";
import { parseJwtSvidInsecurely } from "../../pki/jwt/svid.ts";
import { formatPem } from "../../pki/x509/pem.ts";
import { createChannel } from "../../proto/rpc/client.ts";
import {
  AgentService,
  EntryService,
  RevocationService,
  SpiffeWorkloadApi,
} from "../../proto/schema.gen.ts";
import { Daemon } from "../crash/daemon.ts";
import { freePort } from "../support/listening.ts";
import { run, signet } from "../support/signet.ts";
import { first } from "../support/test-agent.ts";
import { eventually } from "../support/trust-domain.ts";
import type { Order, Said } from "./revocation-workload.ts";

const WORKLOAD = new URL("revocation-workload.ts", import.meta.url).pathname;
const NORTH = "north.test";
/** It starts some twenty processes, one after another. */
const SLOW = { timeout: 120_000 };

/** What happens by itself, on a busy machine too. */
const soon = <T>(attempt: () => Promise<T> | T): Promise<T> => eventually(attempt, 30_000);

/** A process of revocation-workload.ts. */
class Workload {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #said: Said[] = [];
  #wake: () => void = () => {};

  constructor(socket: string, hint: string, role = "client") {
    this.#child = spawn(process.execPath, [WORKLOAD, hint, role], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { PATH: process.env["PATH"], SPIFFE_ENDPOINT_SOCKET: `unix://${socket}` },
    });
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      this.#said.push(JSON.parse(line) as Said);
      this.#wake();
    });
  }

  /** The next thing of a kind that it says. */
  async next(event: Said["event"]): Promise<Said> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const at = this.#said.findIndex((said) => said.event === event);
      const [found] = at < 0 ? [] : this.#said.splice(at, 1);
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`a workload never said "${event}"`);
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([woken, new Promise((resolve) => setTimeout(resolve, 1000))]);
    }
  }

  async tell(order: Order): Promise<string> {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
    return (await this.next("answer")).value ?? "";
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}

/** A server and node agents in a folder, killed and started at will. */
class Site {
  readonly dir = mkdtempSync(join(tmpdir(), "sg-"));
  readonly adminSocket = join(this.dir, "server.sock");
  readonly server: Daemon;
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
    this.server = new Daemon(["server", "run", "--config", this.#config("server", this.#yaml())]);
  }

  #yaml(): string {
    return `trust_domain: ${NORTH}
data_dir: ${join(this.dir, "server")}
admin_socket: ${this.adminSocket}
listen: { address: 127.0.0.1, port: ${this.#port} }
log: { level: warn }
`;
  }

  #config(name: string, yaml: string): string {
    const path = join(this.dir, `${name}.yaml`);
    writeFileSync(path, yaml, { mode: 0o600 });
    return path;
  }

  socket(name: string): string {
    return join(this.dir, `${name}.sock`);
  }

  /** A node agent that has attested; answers its process and its path. */
  async agent(name: string): Promise<{ daemon: Daemon; id: string }> {
    const token = (await this.agents.createJoinToken({ ttl: 600 })).value;
    const config = this.#config(
      name,
      `trust_domain: ${NORTH}
data_dir: ${join(this.dir, name)}
server: { address: 127.0.0.1, port: ${this.#port} }
socket: ${this.socket(name)}
insecure_bootstrap: true
join_token_file: ${this.#config(`${name}-token`, token)}
log: { level: warn }
`,
    );
    const daemon = new Daemon(["agent", "run", "--config", config]);
    await daemon.start(this.socket(name));
    return { daemon, id: `/spire/agent/join_token/${token}` };
  }

  readonly #channel = createChannel({ address: { unix: this.adminSocket } });
  readonly agents = this.#channel.client(AgentService);
  readonly revocations = this.#channel.client(RevocationService);

  async register(parent: string, path: string): Promise<void> {
    const { results } = await this.#channel.client(EntryService).batchCreateEntry({
      entries: [
        {
          spiffeId: { trustDomain: NORTH, path },
          parentId: { trustDomain: NORTH, path: parent },
          selectors: [{ type: "unix", value: `uid:${process.getuid?.()}` }],
          hint: path.slice(1),
          additionalAttributes: { jwtSvidIncludeJti: true },
        },
      ],
    });
    if (results[0]?.status.code !== 0) throw new Error(results[0]?.status.message);
  }

  /** `signet ARGS` as its administrator. */
  async admin(...args: string[]): Promise<string> {
    const env = { ...process.env, SIGNET_ADMIN_SOCKET: this.adminSocket };
    const { status, stdout, stderr } = await signet(args, { env });
    if (status !== 0) throw new Error(`signet ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  /** The serial number of the SVID that the server shows, in hex. */
  async serverSerial(): Promise<string> {
    const socket = connectTls({ port: this.#port, host: "127.0.0.1", rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const serial = socket.getPeerX509Certificate()?.serialNumber ?? "";
    socket.destroy();
    return serial;
  }

  close(): void {
    this.#channel.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

t.test("what was issued is taken back, and refused by everybody from then on", SLOW, async (t) => {
  const site = new Site(await freePort());
  const daemons: Daemon[] = [site.server];
  const workloads: Workload[] = [];
  t.teardown(async () => {
    for (const one of workloads) await one.stop();
    for (const daemon of daemons) await daemon.kill();
    site.close();
  });
  await site.server.start(site.adminSocket);
  const near = await site.agent("near");
  const far = await site.agent("far");
  daemons.push(near.daemon, far.daemon);
  await site.register(near.id, "/tool");
  await site.register(near.id, "/caller");
  await site.register(far.id, "/stranger");
  const start = (agent: string, hint: string, role?: string): Workload => {
    const workload = new Workload(site.socket(agent), hint, role);
    workloads.push(workload);
    return workload;
  };
  const tool = start("near", "tool", "server");
  const caller = start("near", "caller");
  const stranger = start("far", "stranger");
  const { port = 0 } = await tool.next("listening");
  const connect = (who: Workload): Promise<string> => who.tell({ do: "connect", port });
  const validate = (token: string): Promise<string> => tool.tell({ do: "validate", token });
  const callerId = `spiffe://${NORTH}/caller`;
  /** Until the caller has an SVID again, and the tool takes it. */
  const comesBack = (): Promise<void> =>
    soon(async () => {
      if ((await connect(caller)) !== "hello") throw new Error("not yet");
    });

  t.comment("1. everybody talks to the tool, and a token is good");
  t.equal(await connect(caller), "hello");
  t.equal(await connect(stranger), "hello");
  t.equal(await validate(await caller.tell({ do: "token" })), callerId);

  t.comment("2. --serial: the open connection ends, no new one is made, and nothing new is issued");
  const serial = await caller.tell({ do: "serial" });
  await site.admin("svid", "revoke", "--serial", serial, "--reason", "key-compromise");
  t.equal((await tool.next("closed")).reason, "SVID_REVOKED");
  await caller.next("lost");
  await becomes(() => connect(caller), "IDENTITY_NOT_FOUND");
  t.equal(await caller.tell({ do: "token" }), "IDENTITY_NOT_FOUND");
  await checkWithOpenssl(site, serial, t);

  t.comment("3. kill -9 of the server and of the agent: it stays so");
  await near.daemon.kill();
  await site.server.kill();
  await site.server.start(site.adminSocket);
  await near.daemon.start(site.socket("near"));
  const after = await soon(async () => {
    using api = new WorkloadApi({ endpoint: `unix://${site.socket("near")}` });
    return await api.fetchX509Context();
  });
  t.strictSame(
    after.svids.map(({ hint }) => hint),
    ["tool"],
    "from the first answer on",
  );
  t.equal(after.crls?.size, 1);
  t.equal(await connect(caller), "IDENTITY_NOT_FOUND");

  t.comment("4. released: another SVID comes by itself");
  const [held] = (await site.revocations.listRevocations({ heldOnly: true })).revocations;
  t.equal(held?.serial, serial);
  await site.admin("svid", "release", "--id", held?.id ?? "");
  await comesBack();
  const second = await caller.tell({ do: "serial" });
  t.not(second, serial);

  t.comment("5. --replace: the connection ends, and the holder has another SVID at once");
  await site.admin("svid", "revoke", "--serial", second, "--replace", "--reason", "superseded");
  t.equal((await tool.next("closed")).reason, "SVID_REVOKED");
  await comesBack();
  t.not(await caller.tell({ do: "serial" }), second);

  t.comment("6. --jti: one token is refused, the next one is good");
  const token = await caller.tell({ do: "token" });
  t.equal(await validate(token), callerId);
  const jti = String(parseJwtSvidInsecurely(token).claims["jti"]);
  await site.admin("svid", "revoke", "--jti", jti, "--replace");
  t.equal(await becomes(() => validate(token), "JWT_SVID_REVOKED"), "JWT_SVID_REVOKED");
  t.equal(await validate(await caller.tell({ do: "token" })), callerId);

  t.comment("7. --spiffe-id: everything of that ID, certificates and tokens");
  const last = await caller.tell({ do: "token" });
  await site.admin("svid", "revoke", "--spiffe-id", callerId);
  t.equal((await tool.next("closed")).reason, "SVID_REVOKED");
  t.equal(await becomes(() => validate(last), "JWT_SVID_REVOKED"), "JWT_SVID_REVOKED");
  t.equal(await becomes(() => connect(caller), "IDENTITY_NOT_FOUND"), "IDENTITY_NOT_FOUND");
  const { revocations } = await site.revocations.listRevocations({ heldOnly: true });
  t.equal(revocations.length, 1);
  await site.admin("svid", "release", "--id", revocations[0]?.id ?? "");
  await comesBack();

  t.comment("8. an agent is banned: what its workloads hold is refused as well");
  const theirs = await stranger.tell({ do: "serial" });
  await site.admin("agent", "ban", "--spiffe-id", `spiffe://${NORTH}${far.id}`);
  t.equal((await tool.next("closed")).reason, "SVID_REVOKED");
  t.not(await connect(stranger), "hello");
  t.match(await site.admin("svid", "revocations"), far.id);
  t.equal(await stranger.tell({ do: "serial" }), theirs, "it holds on to what it has, in vain");
  t.equal(await connect(caller), "hello", "others go on");

  t.comment("9. the server's own SVID: it shows another, and the agents find back to it");
  const shown = await site.serverSerial();
  await site.admin("svid", "revoke", "--serial", shown, "--replace", "--force");
  await soon(async () => {
    if ((await site.serverSerial()) === shown) throw new Error("the same as before");
  });
  await site.register(near.id, "/late");
  await soon(async () => {
    using api = new WorkloadApi({ endpoint: `unix://${site.socket("near")}` });
    const { svids } = await api.fetchX509Context();
    if (svids.length !== 3) throw new Error("the agent has not heard of the entry");
  });
});

async function becomes(ask: () => Promise<string>, wanted: string): Promise<string> {
  return soon(async () => {
    const answer = await ask();
    if (answer !== wanted) throw new Error(`${answer}, not ${wanted}`);
    return answer;
  });
}

/** The list that workloads are given, as OpenSSL sees it. */
async function checkWithOpenssl(site: Site, serial: string, t: Tap): Promise<void> {
  if ((await run("openssl", ["version"])).status !== 0) return;
  const channel = createChannel({
    address: { unix: site.socket("near") },
    metadata: { "workload.spiffe.io": "true" },
  });
  const { crl, svids } = await first(channel.client(SpiffeWorkloadApi).fetchX509SVID({}));
  channel.close();
  const file = (name: string, label: string, der: Uint8Array = new Uint8Array()): string => {
    const path = join(site.dir, name);
    writeFileSync(path, formatPem(label, der));
    return path;
  };
  const root = file("root.pem", "CERTIFICATE", svids[0]?.bundle);
  const list = file("list.pem", "X509 CRL", crl[0]);
  const leaf = file("leaf.pem", "CERTIFICATE", svids[0]?.x509Svid);
  const ca = ["-CAfile", root];
  const shown = await run("openssl", ["crl", "-in", list, "-noout", "-text", ...ca]);
  t.match(shown.stderr, /verify OK/);
  t.match(shown.stdout.replaceAll("\n", " "), new RegExp(`Serial Number: ${serial}`, "i"));
  t.match(shown.stdout, /Key Compromise/);
  const verified = await run("openssl", ["verify", "-crl_check", "-CRLfile", list, ...ca, leaf]);
  t.equal(verified.status, 0, `the tool's own SVID is not on it: ${verified.stderr}`);
}

type Tap = Pick<typeof t, "match" | "equal">;
