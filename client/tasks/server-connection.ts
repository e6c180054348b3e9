// A connection to the server for orchestrators, over mutual TLS with this workload's own SVID. The server is
// known by its SPIFFE ID, in the trust domain of that SVID.

import { IdentityError, Status } from "../../pki/errors.ts";
import { type Channel, type ClientOf, createChannel } from "../../proto/rpc/client.ts";
import { TaskControlService } from "../../proto/schema.gen.ts";
import { clientError } from "../errors.ts";
import { authorizeId } from "../tls/authorize.ts";
import { secureSocket } from "../tls/connect.ts";
import type { TlsSource } from "../tls/source.ts";

export interface ServerOptions {
  readonly server: { readonly host: string; readonly port: number };
  /** This workload's identity: an `X509Source`. */
  readonly source: TlsSource;
}

export type TaskControlClient = ClientOf<typeof TaskControlService>;

export class ServerConnection implements Disposable {
  readonly #channel: Channel;
  readonly #client: TaskControlClient;
  /** Why the last handshake failed: gRPC keeps only some words of it. */
  #failure: unknown;

  constructor({ server, source }: ServerOptions) {
    this.#channel = createChannel({
      address: server,
      secure: async (socket) => {
        try {
          const authorize = authorizeId(serverIdOf(source));
          const secured = await secureSocket(socket, { source, authorize, alpnProtocols: ["h2"] });
          this.#failure = undefined;
          return secured;
        } catch (error) {
          this.#failure = error;
          throw error;
        }
      },
    });
    this.#client = this.#channel.client(TaskControlService);
  }

  /** @throws what the server says, or why there is no connection to it */
  async ask<T>(call: (client: TaskControlClient) => Promise<T>): Promise<T> {
    try {
      return await call(this.#client);
    } catch (error) {
      const isAway = error instanceof IdentityError && error.code === Status.unavailable;
      throw isAway && this.#failure instanceof IdentityError ? this.#failure : error;
    }
  }

  close(): void {
    this.#channel.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function serverIdOf(source: TlsSource): string {
  const svid = source.svid();
  if (svid !== undefined) return `${svid.id.trustDomain.id}/spire/server`;
  throw clientError("SOURCE_NOT_READY", "an orchestrator needs an SVID to show to the server", {
    hint: "give it an X509Source",
  });
}
