// `npm start`: Signet's main job on real processes. A server and a node agent start; two AI agents and a
// tool service get identities and call each other over mutual TLS; a third process of the same program
// is refused; the CA is replaced while the calls go on. It ends by itself, with 0 if all of it held.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Participant as Any, CLI, selectorOf, separation, start } from "../processes.ts";
import type { Report } from "./report.ts";

type Participant = Any<Report>;

const TRUST_DOMAIN = "first-light.test";
const NAMES = ["planner", "researcher", "tool", "stranger"] as const;

const dir = mkdtempSync(join(tmpdir(), "signet-"));
chmodSync(dir, 0o711);
const adminSocket = join(dir, "server", "server.sock");
const agentSocket = join(dir, "agent.sock");
const daemons: ChildProcess[] = [];
const participants: Participant[] = [];

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const idOf = (name: string): string => `spiffe://${TRUST_DOMAIN}/${name}`;

/** Runs `signet ARGS` against the server; resolves with what it printed. */
function signetText(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    encoding: "utf8",
    env: { ...process.env, SIGNET_ADMIN_SOCKET: adminSocket },
  });
  if (status !== 0) throw new Error(`signet ${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** The same in JSON, parsed. */
function signet<T>(...args: string[]): T {
  return JSON.parse(signetText(...args, "--output", "json")) as T;
}

async function startDaemon(args: readonly string[], socket: string): Promise<void> {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    log = `${log}${text}`.slice(-8000);
  });
  daemons.push(child);
  while (!existsSync(socket)) {
    if (child.exitCode !== null) throw new Error(`signet ${args.join(" ")} ended:\n${log}`);
    await sleep(10);
  }
}

async function run(): Promise<boolean> {
  const how = separation(NAMES);
  say("Signet, first light");
  say(
    how.kind === "users"
      ? "Every process below runs as a user of its own; the node agent knows it by its uid."
      : `Every process below is launched under a name by 'signet run' (${how.why}).`,
  );

  const port = await startServer();
  const { value: token } = signet<{ value: string }>("token", "generate", "--ttl", "10m");
  const tokenFile = join(dir, "token");
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const bundleFile = join(dir, "bundle.pem");
  writeFileSync(bundleFile, signetText("bundle", "show"));
  const agentConfig = join(dir, "agent.yaml");
  writeFileSync(
    agentConfig,
    `trust_domain: ${TRUST_DOMAIN}
data_dir: ${join(dir, "agent")}
server: { address: 127.0.0.1, port: ${port} }
socket: ${agentSocket}
trust_bundle_file: ${bundleFile}
join_token_file: ${tokenFile}
`,
  );
  await startDaemon(["agent", "run", "--config", agentConfig], agentSocket);
  say("1. A server and a node agent run; the agent attested with a join token.");

  const parent = idOf(`spire/agent/join_token/${token}`);
  for (const name of ["planner", "researcher", "tool"]) {
    signet(
      "entry",
      "create",
      "--spiffe-id",
      idOf(name),
      "--parent-id",
      parent,
      "--selector",
      selectorOf(name, how),
    );
  }
  const socket = agentSocket;
  const callers = `${idOf("planner")},${idOf("researcher")}`;
  const tool = start<Report>("tool", "first-light/tool-service.ts", how, {
    socket,
    env: { CALLERS: callers },
  });
  const [planner, researcher] = (["planner", "researcher"] as const).map((name) => {
    const peer = name === "planner" ? "researcher" : "planner";
    return start<Report>(name, "first-light/ai-agent.ts", how, {
      socket,
      env: { PEER_ID: idOf(peer), TOOL_ID: idOf("tool") },
    });
  }) as [Participant, Participant];
  participants.push(tool, planner, researcher);
  for (const one of participants) await one.next("identity");
  say("2. Two AI agents and a tool service hold SVIDs.");

  const [plannerPort, researcherPort, toolPort] = await Promise.all(
    [planner, researcher, tool].map(async (one) => (await one.next("listening")).port),
  );
  planner.tell(JSON.stringify({ peerPort: researcherPort, toolPort }));
  researcher.tell(JSON.stringify({ peerPort: plannerPort, toolPort }));

  const stranger = start<Report>("stranger", "first-light/ai-agent.ts", how, {
    socket,
    env: {},
    registered: false,
  });
  participants.push(stranger);
  const code = await stranger.ended;
  const refusal = stranger.all("refused")[0];
  const refused = code === 3 && refusal !== undefined;
  say(
    refused
      ? `3. A third process of the same program was refused: ${refusal.reason}, "${refusal.message}".`
      : `3. FAILED: the third process was not refused (it ended with ${code}).`,
  );

  const rotated = await rotate([tool, planner, researcher]);
  await sleep(500);
  for (const one of [planner, researcher]) one.tell("enough");
  for (const one of [planner, researcher]) await one.next("calls");
  for (const one of [planner, researcher, tool]) await one.stop();
  return summarise([planner, researcher, tool], refused, rotated);
}

async function startServer(): Promise<number> {
  const config = join(dir, "server.yaml");
  const probe = (await import("node:net")).createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  writeFileSync(
    config,
    `trust_domain: ${TRUST_DOMAIN}
data_dir: ${join(dir, "server")}
admin_socket: ${adminSocket}
listen: { address: 127.0.0.1, port: ${port} }
`,
  );
  await startDaemon(["server", "run", "--config", config], adminSocket);
  return port;
}

interface AuthorityState {
  readonly authorityId: string;
}

/** Replaces the CA: prepare, activate, taint and revoke the old one. Resolves with how it went. */
async function rotate(
  holders: readonly Participant[],
): Promise<{ from: string; to: string; ms: number }> {
  const before = signet<{ active: AuthorityState }>("localauthority", "x509", "show");
  const from = before.active.authorityId;
  const { preparedAuthority } = signet<{ preparedAuthority: AuthorityState }>(
    "localauthority",
    "x509",
    "prepare",
  );
  const to = preparedAuthority.authorityId;
  signet("localauthority", "x509", "activate", "--authority-id", to);
  const began = performance.now();
  signet("localauthority", "x509", "taint", "--authority-id", from);
  for (const one of holders) await one.next("identity", ({ authority }) => authority === to);
  const ms = performance.now() - began;
  signet("localauthority", "x509", "revoke", "--authority-id", from);
  say(
    `4. The CA was replaced while the calls went on: every process has an SVID of the new authority ` +
      `${Math.round(ms)} ms after 'signet localauthority x509 taint' was typed; then the old one was revoked.`,
  );
  return { from, to, ms };
}

function summarise(
  all: readonly Participant[],
  refused: boolean,
  rotated: { from: string; to: string },
): boolean {
  const rows = [["process", "SPIFFE ID", "first SVID after", "SVIDs held", "calls", "failed"]];
  let failed = 0;
  let calls = 0;
  for (const one of all) {
    const identities = one.all("identity");
    const counts = one.all("calls")[0];
    const serials = new Set(identities.map(({ serial }) => serial)).size;
    failed += counts?.failed ?? 0;
    calls += (counts?.toPeer ?? 0) + (counts?.toTool ?? 0);
    rows.push([
      one.name,
      identities[0]?.spiffeId ?? "",
      `${Math.round(identities[0]?.afterMs ?? 0)} ms`,
      String(serials),
      counts === undefined ? "-" : String(counts.toPeer + counts.toTool),
      counts === undefined ? "-" : String(counts.failed),
    ]);
    if (counts?.firstFailure) say(`   ${one.name}, first failure: ${counts.firstFailure}`);
  }
  say("");
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of rows) {
    say(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  }
  const ok = refused && failed === 0 && calls > 0 && rotated.from !== rotated.to;
  say("");
  say(ok ? `All held: ${calls} calls, none failed.` : "Something did NOT hold: see above.");
  return ok;
}

try {
  process.exitCode = (await run()) ? 0 : 1;
} finally {
  for (const one of participants) if (one.running) one.kill("SIGKILL");
  for (const child of daemons.toReversed()) {
    if (child.exitCode !== null) continue;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
  }
  rmSync(dir, { recursive: true, force: true });
}
