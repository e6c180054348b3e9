// Many writers at once against one server: they create and delete entries, spend join tokens by
// attesting, and ban agents, and note in the ledger what they were told.
import type { Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import { type Channel, type ClientOf, createChannel } from "../../proto/rpc/client.ts";
import { AgentService, EntryService } from "../../proto/schema.gen.ts";
import type { Ledger, Outcome } from "./ledger.ts";

export const TRUST_DOMAIN = "crash.test";
/** The parent of the entries that are only there to be counted. */
export const PARENT_PATH = "/parent";

export interface WritersOptions {
  readonly adminSocket: string;
  readonly port: number;
  readonly ledger: Ledger;
  readonly count: number;
  /** Names what this round makes. */
  readonly tag: string;
}

/** An untrusting TLS connection: what is tested here is the server's memory, not its certificate. */
export function unverified(socket: Socket): Promise<TLSSocket> {
  const secured = connect({ socket, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
  return new Promise((resolve, reject) => {
    secured.once("secureConnect", () => resolve(secured));
    secured.once("error", reject);
  });
}

/** Attests with `token`; resolves with the agent's SPIFFE ID. */
export async function attest(channel: Channel, token: string): Promise<string> {
  const call = channel.client(AgentService).attestAgent({ timeoutMs: 10_000 });
  await call.send({
    params: {
      data: { type: "join_token", payload: Buffer.from(token) },
      params: { csr: createCsr(generateP256KeyPair()) },
    },
  });
  call.end();
  for await (const response of call.responses) {
    const id = response.result?.svid?.id;
    if (id !== undefined) return `spiffe://${id.trustDomain}${id.path}`;
  }
  throw new Error("the attestation ended without a result");
}

export class Writers {
  readonly #options: WritersOptions;
  readonly #admin: Channel;
  readonly #public: Channel;
  readonly #entries: ClientOf<typeof EntryService>;
  readonly #agents: ClientOf<typeof AgentService>;
  readonly #running: Promise<void>[] = [];
  #stopped = false;
  #serial = 0;
  /** Writes that were sent and not answered. */
  inFlight = 0;
  answered = 0;

  constructor(options: WritersOptions) {
    this.#options = options;
    this.#admin = createChannel({ address: { unix: options.adminSocket } });
    this.#public = createChannel({
      address: { host: "127.0.0.1", port: options.port },
      secure: unverified,
    });
    this.#entries = this.#admin.client(EntryService);
    this.#agents = this.#admin.client(AgentService);
  }

  start(): void {
    for (let index = 0; index < this.#options.count; index++) this.#running.push(this.#write());
  }

  /** Resolves when every write was answered or cut off. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
    this.#admin.close();
    this.#public.close();
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const chance = Math.random();
      try {
        if (chance < 0.75) await this.#createEntry();
        else if (chance < 0.85) await this.#deleteEntry();
        else if (chance < 0.95) await this.#spendToken();
        else await this.#ban();
        this.answered++;
      } catch {
        return; // cut off: the ledger has it in doubt
      }
    }
  }

  /** Notes a write as in doubt until it is answered. */
  async #noted(map: Map<string, Outcome>, key: string, write: Promise<unknown>): Promise<void> {
    map.set(key, "in doubt");
    this.inFlight++;
    try {
      await write;
      map.set(key, "acknowledged");
    } finally {
      this.inFlight--;
    }
  }

  async #createEntry(): Promise<void> {
    const id = `${this.#options.tag}-${this.#serial++}`;
    const write = this.#entries.batchCreateEntry({
      entries: [
        {
          id,
          spiffeId: { trustDomain: TRUST_DOMAIN, path: `/job/${id}` },
          parentId: { trustDomain: TRUST_DOMAIN, path: PARENT_PATH },
          selectors: [{ type: "unix", value: "uid:4242" }],
        },
      ],
    });
    await this.#noted(this.#options.ledger.entries, id, write.then(firstOk));
  }

  async #deleteEntry(): Promise<void> {
    const [id] = this.#options.ledger.deletable().slice(-50);
    if (id === undefined) return this.#createEntry();
    const write = this.#entries.batchDeleteEntry({ ids: [id] });
    await this.#noted(this.#options.ledger.deletions, id, write.then(firstOk));
  }

  async #spendToken(): Promise<void> {
    const { value } = await this.#agents.createJoinToken({ ttl: 3600 });
    const id = `spiffe://${TRUST_DOMAIN}/spire/agent/join_token/${value}`;
    await this.#noted(this.#options.ledger.agents, id, attest(this.#public, value));
  }

  async #ban(): Promise<void> {
    const [id] = this.#options.ledger.bannable();
    if (id === undefined) return this.#createEntry();
    const path = id.slice(`spiffe://${TRUST_DOMAIN}`.length);
    const write = this.#agents.banAgent({ id: { trustDomain: TRUST_DOMAIN, path } });
    await this.#noted(this.#options.ledger.bans, id, write);
  }
}

function firstOk(response: {
  readonly results: readonly { readonly status?: { code: number; message: string } | undefined }[];
}): void {
  const status = response.results[0]?.status;
  if (status?.code !== 0) throw new Error(`refused: ${status?.message}`);
}
