// Those who come to a public listener, well-behaved and not: each from an address of its own, as strangers
// do. All of 127.0.0.0/8 is this machine.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls, type TLSSocket } from "node:tls";

const PATIENCE_MS = 20_000;

/** A public listener of a running server. */
export interface PublicDoor {
  readonly name: string;
  readonly port: number;
  /** A document that it has. */
  readonly path: string;
  readonly isTls: boolean;
}

/** Resolves once a connection is closed, however that came about. */
export function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

/** A bare connection from 127.0.0.`host`. Its errors are expected. */
export async function dialFrom(host: number, { port }: PublicDoor): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, localAddress: `127.0.0.${host}` });
  socket.on("error", () => undefined);
  await Promise.race([once(socket, "connect").catch(() => undefined), closing(socket)]);
  return socket;
}

/** A connection that HTTP can be spoken on, whoever the server says it is. */
export async function enterFrom(host: number, door: PublicDoor): Promise<Socket | TLSSocket> {
  const socket = await dialFrom(host, door);
  if (!door.isTls) return socket;
  const secure = connectTls({ socket, rejectUnauthorized: false });
  secure.on("error", () => undefined);
  await Promise.race([once(secure, "secureConnect").catch(() => undefined), closing(secure)]);
  return secure;
}

/** What comes back for these bytes until the connection closes, or until nothing has come for a while. */
export async function exchange(
  socket: Socket,
  bytes: string | Buffer,
  quietMs = PATIENCE_MS,
): Promise<{ readonly text: string; readonly isClosed: boolean }> {
  let text = "";
  let lastMs = performance.now();
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
    lastMs = performance.now();
  });
  socket.write(bytes);
  while (!socket.closed && performance.now() - lastMs < quietMs) await sleep(5);
  const isClosed = socket.closed;
  socket.destroy();
  return { text, isClosed };
}

/** Asks as a polite client does. @throws when there is no document in time */
export async function visit(host: number, door: PublicDoor): Promise<void> {
  const request = `GET ${door.path} HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n`;
  const { text } = await exchange(await enterFrom(host, door), request);
  if (text.startsWith("HTTP/1.1 200 ")) return;
  throw new Error(`${door.name} answers ${JSON.stringify(text.slice(0, 100))}`);
}

/** Runs `abuse` while an innocent client, at an address of its own, is served at every door. */
export async function whileVisited<T>(
  doors: readonly PublicDoor[],
  abuse: () => Promise<T>,
): Promise<T> {
  let isOver = false;
  let rounds = 0;
  const visiting = (async () => {
    while (!isOver || rounds < 2) {
      for (const door of doors) await visit(1, door);
      rounds++;
      await sleep(50);
    }
  })();
  visiting.catch(() => undefined); // awaited below
  try {
    return await abuse();
  } finally {
    isOver = true;
    await visiting;
  }
}
