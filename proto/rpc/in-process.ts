// A server and its clients in one process, for tests: same encoding, same statuses, same flow control
// as between machines, and no port. grpc-js's client always dials, so the bytes take a unix socket in
// a folder of its own.

import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server as NetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Channel, type ChannelOptions, createChannel } from "./client.ts";
import type { RpcServer } from "./server.ts";

export interface InProcess {
  /** A channel whose calls the server sees as coming from `peer`. */
  connect(peer: unknown, options?: Omit<ChannelOptions, "address">): Promise<Channel>;
  /** Closes the channels, then the server. */
  close(): Promise<void>;
}

/** Pairs a server with clients in this process. */
export async function pairInProcess(server: RpcServer): Promise<InProcess> {
  const folder = await mkdtemp(join(tmpdir(), "signet-"));
  const listeners: NetServer[] = [];
  const channels: Channel[] = [];
  return {
    async connect(peer, options = {}) {
      const path = join(folder, `${listeners.length}.sock`);
      const listener = createServer((socket) => server.inject(socket, peer));
      listeners.push(listener);
      await new Promise<void>((resolve, reject) => {
        listener.once("error", reject);
        listener.listen(path, resolve);
      });
      const channel = createChannel({ ...options, address: { unix: path } });
      channels.push(channel);
      return channel;
    },
    async close() {
      for (const channel of channels) channel.close();
      for (const listener of listeners) listener.close();
      await server.close(100);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
