// Processes launched under a name (`signet run --name N -- CMD`): the service signet.launch.v1.Launch.
// Each gets a private Workload API socket that admits only it and its descendants, and whose callers
// have the selector `launch:name:N`, so that scripts of one interpreter under one user can differ.
//
// What this proves, and what not: the kernel says which process connects and whose child it is, so a
// process that was started otherwise is refused, whatever binary it runs. But the name is chosen by
// whoever launches, and processes of one uid can take each other over (ptrace, /proc/PID/mem, files,
// environment). So an entry names the uid beside the launch name, and the strong boundary between
// identities is a uid, a systemd unit or a container of its own.

import { randomBytes } from "node:crypto";
import { readdir, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { CallContext, Handlers } from "../../proto/rpc/service.ts";
import type { LaunchService, signet } from "../../proto/schema.gen.ts";
import type { Selector } from "../../proto/types/selector.ts";
import type { Clock } from "../../runtime/clock.ts";
import { ensureOwnDir } from "../../runtime/files.ts";
import type { Logger } from "../../runtime/log.ts";
import { agentError } from "../errors.ts";
import { type Callers, checkSocketPath, type Peer } from "../peer/index.ts";
import { Launch, type ServeConnection } from "./launch.ts";
import { aborted, nextStep } from "./steps.ts";

export type { ServeConnection } from "./launch.ts";

type Steps = AsyncIterator<signet.launch.v1.OpenRequest>;

const MAX_LAUNCHES = 1024;
const MAX_LAUNCHES_PER_UID = 128;
const NAME = /^[a-z0-9._-]{1,128}$/;
const SOCKET_NAME = /^[0-9a-f]{24}\.sock$/;

export interface LaunchServiceOptions {
  readonly callers: Callers;
  /** Where the private sockets stand: made with mode 0711, its path at most 77 bytes. */
  readonly folder: string;
  /** The process behind the tag of a connection. */
  readonly peerOf: (tag: unknown) => Peer;
  readonly serveConnection: ServeConnection;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface RunningLaunchService {
  readonly handlers: Handlers<typeof LaunchService>;
  /** Launches now. */
  readonly count: number;
  /** Closes every private socket. */
  stop(): Promise<void>;
}

/**
 * Prepares the folder of the private sockets and the handlers.
 * @throws SOCKET_PATH_INVALID when the folder's path is too long; FILE_EXPOSED when it is somebody
 * else's; FILE_UNWRITABLE
 */
export async function startLaunchService(
  options: LaunchServiceOptions,
): Promise<RunningLaunchService> {
  const folder = resolve(options.folder);
  checkSocketPath(socketPathIn(folder));
  // Others may enter but not list it.
  await ensureOwnDir(folder, 0o711);
  // Left by an agent that was killed.
  for (const name of await readdir(folder)) {
    if (SOCKET_NAME.test(name)) await unlink(join(folder, name));
  }
  const launches = new Set<Launch>();
  const byUid = new Map<number, number>();
  return {
    handlers: {
      open: (steps, context) => serve(steps, context, { ...options, folder }, launches, byUid),
    },
    get count() {
      return launches.size;
    },
    async stop() {
      await Promise.all([...launches].map((launch) => launch.close()));
    },
  };
}

async function* serve(
  requests: AsyncIterable<signet.launch.v1.OpenRequest>,
  context: CallContext,
  options: LaunchServiceOptions,
  launches: Set<Launch>,
  byUid: Map<number, number>,
): AsyncGenerator<{ ready: { socketPath: string } } | { admitted: Record<string, never> }> {
  const { clock, log } = options;
  const caller = options.peerOf(context.peer);
  const steps = requests[Symbol.asyncIterator]();
  const wait = { clock, signal: context.signal, invalid: stepInvalid };
  const first = await nextStep(steps, wait);
  if (first?.start === undefined) throw stepInvalid("expected the step start");
  const name = checkName(first.start.name);
  enter(caller.uid, launches, byUid);
  const launch = new Launch({
    ...options,
    name,
    selectors: [selectorOf(name)],
    uid: caller.uid,
    socketPath: socketPathIn(options.folder),
  });
  launches.add(launch);
  try {
    await launch.listen();
    yield { ready: { socketPath: launch.socketPath } };
    const second = await nextStep(steps, wait);
    if (second?.started === undefined) throw stepInvalid("expected the step started");
    const { pid } = second.started;
    launch.admitProcess(pid, caller);
    log.audit({
      who: `uid:${caller.uid}`,
      method: context.method,
      object: name,
      outcome: "ok",
      pid,
    });
    yield { admitted: {} };
    await Promise.race([launch.ended, endOf(steps), aborted(context.signal)]);
  } finally {
    await launch.close();
    launches.delete(launch);
    const left = (byUid.get(caller.uid) ?? 1) - 1;
    if (left === 0) byUid.delete(caller.uid);
    else byUid.set(caller.uid, left);
    log.debug({ launch: name }, "launch closed");
  }
}

function enter(uid: number, launches: ReadonlySet<Launch>, byUid: Map<number, number>): void {
  const own = byUid.get(uid) ?? 0;
  if (launches.size >= MAX_LAUNCHES || own >= MAX_LAUNCHES_PER_UID) {
    throw agentError("TOO_MANY_LAUNCHES", `uid ${uid} has ${own} launched processes`, {
      hint: "end some of them first",
    });
  }
  byUid.set(uid, own + 1);
}

/** A caller's selectors, and that of the name that it launches under, unless that is "". @throws LAUNCH_NAME_INVALID */
export function withName(selectors: readonly Selector[], name: string): readonly Selector[] {
  return name === "" ? selectors : [...selectors, selectorOf(checkName(name))];
}

function selectorOf(name: string): Selector {
  return { type: "launch", value: `name:${name}` };
}

function checkName(name: string): string {
  if (NAME.test(name)) return name;
  throw agentError(
    "LAUNCH_NAME_INVALID",
    `"${name.slice(0, 128)}" cannot be the name of a launch`,
    {
      hint: 'use 1 to 128 characters of a-z, 0-9, ".", "_" and "-"',
    },
  );
}

// Resolves when the caller ends its side, or sends what is no step any more.
async function endOf(steps: Steps): Promise<void> {
  const next = await steps.next().catch(() => undefined);
  if (next !== undefined && next.done !== true) throw stepInvalid("expected no further step");
}

const socketPathIn = (folder: string): string =>
  join(folder, `${randomBytes(12).toString("hex")}.sock`);

const stepInvalid = (why: string): Error =>
  agentError("LAUNCH_STEP_INVALID", `launch: ${why}`, {
    hint: "send start, then started once the process runs",
  });
