// The admin socket: a unix socket in plain text, where whoever may open it may do everything that
// "local" may (api/authorize.ts). Its protection is the mode of the file: the server's user alone, or a
// group besides. It is made exclusively: a socket that another server listens on is never taken over.
import { chmod, chown, lstat, readFile, unlink } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { IdentityError } from "../../pki/errors.ts";
import type { Logger } from "../../runtime/log.ts";
import { serverError } from "../errors.ts";

const MAX_CONNECTIONS = 256;
/** The kernel's limit on the path of a socket, without its final zero byte. */
const MAX_PATH_BYTES = 107;

export interface AdminSocketOptions {
  /** Absolute. */
  readonly path: string;
  /** A group that may open it too, by name or number. */
  readonly group?: string | undefined;
  readonly onConnection: (socket: Socket) => void;
  readonly log: Logger;
}

export interface RunningAdminSocket {
  stop(): Promise<void>;
}

/**
 * Starts listening on the admin socket.
 * @throws ADMIN_SOCKET_IN_USE, ADDRESS_UNUSABLE
 */
export async function startAdminSocket(options: AdminSocketOptions): Promise<RunningAdminSocket> {
  const { path, group, onConnection, log } = options;
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw unusable(path, `it is longer than ${MAX_PATH_BYTES} bytes`);
  }
  const gid = group === undefined ? undefined : await groupId(group);
  await removeStale(path);
  const server = createServer((socket) => {
    socket.on("error", () => undefined); // its close follows
    onConnection(socket);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, path);
  server.on("error", (error) => log.error({ error }, "admin socket"));
  if (gid !== undefined) {
    await chown(path, -1, gid);
    await chmod(path, 0o660);
  }
  return {
    // Node removes the file with the listener. Open connections are their owner's to end.
    async stop() {
      server.close();
    },
  };
}

/** Binds with a mode that lets nobody else in, from the first moment on. */
async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(unusable(path, cause.message, cause)));
    // listen() binds before it returns, so that the mask holds for the socket and for nothing else here.
    const mask = process.umask(0o177);
    try {
      server.listen(path, resolve);
    } finally {
      process.umask(mask);
    }
  });
  server.removeAllListeners("error");
}

/** Removes what a server that was killed left behind. @throws ADMIN_SOCKET_IN_USE when one still answers */
async function removeStale(path: string): Promise<void> {
  const held = await lstat(path).catch(() => undefined);
  if (held === undefined) return;
  if (!held.isSocket()) throw unusable(path, "something that is no socket is there");
  const isAnswered = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => resolve(true)).once("error", () => resolve(false));
    probe.once("connect", () => probe.destroy());
  });
  if (isAnswered) {
    throw serverError("ADMIN_SOCKET_IN_USE", `a server already listens on "${path}"`, {
      hint: "stop it, or give this one another data_dir or admin_socket",
    });
  }
  await unlink(path);
}

/** The number of a group that is given by number, or by its name in /etc/group. */
async function groupId(group: string): Promise<number> {
  if (/^\d{1,9}$/.test(group)) return Number(group);
  const table = await readFile("/etc/group", "utf8");
  const row = table.split("\n").find((line) => line.startsWith(`${group}:`));
  const gid = Number(row?.split(":")[2] ?? Number.NaN);
  if (Number.isInteger(gid)) return gid;
  throw serverError("ADDRESS_UNUSABLE", `there is no group ${JSON.stringify(group)}`, {
    hint: "correct admin_socket_group",
  });
}

function unusable(path: string, problem: string, cause?: unknown): IdentityError {
  return serverError("ADDRESS_UNUSABLE", `cannot listen on "${path}": ${problem}`, {
    hint: "choose another path for admin_socket",
    cause,
  });
}
