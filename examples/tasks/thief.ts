// Somebody who has taken from the researcher all that can be taken: its key, its certificate and an access token.
// What each of them is worth is tried again and again until it is worth nothing.
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { inflateSync } from "node:zlib";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { authorizeMemberOf, secureSocket, type TlsSource } from "../../client/index.ts";
import { parseCertificates } from "../../pki/x509/certificate.ts";
import { parsePem } from "../../pki/x509/pem.ts";
import { parseX509Svid } from "../../pki/x509/svid.ts";
import { fetchWith } from "./mcp-over-tls.ts";
import { type Report, saidBy } from "./report.ts";
import { type Site, TRUST_DOMAIN } from "./site.ts";

type Secrets = Extract<Report, { event: "secrets" }>;

/** One thing that was worth something. */
export interface Refusal {
  readonly what: string;
  readonly afterMs: number;
  readonly how: string;
}

/** How often each thing is tried. */
const PAUSE_MS = 20;
const PATIENCE_MS = 10_000;
/** Of a Token Status List: two bits a token. */
const STATUSES = ["VALID", "INVALID", "SUSPENDED"];

export class Thief {
  readonly #site: Site;
  readonly #secrets: Secrets;
  readonly #withCertificate: TlsSource;
  readonly #withToken: TlsSource;
  #closed: Promise<unknown> = Promise.resolve();

  constructor(site: Site, secrets: Secrets) {
    this.#site = site;
    this.#secrets = secrets;
    const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"));
    const svid = parseX509Svid(secrets.chain.map(bytes), bytes(secrets.key));
    const anchors = parsePem(site.must("bundle", "show")).flatMap(({ der }) =>
      parseCertificates(der),
    );
    const source = (shown: typeof svid | undefined): TlsSource => ({
      svid: () => shown,
      anchorsOf: () => anchors,
      onChange: () => () => undefined,
    });
    this.#withCertificate = source(svid);
    this.#withToken = source(undefined);
  }

  /** Opens a connection that stays open, and reads a ticket with each of the things. */
  async use(): Promise<readonly string[]> {
    const { hostname, port } = new URL(this.#site.ticketsUrl);
    const socket = await secureSocket(connect(Number(port), hostname), {
      source: this.#withCertificate,
      authorize: authorizeMemberOf(TRUST_DOMAIN),
    });
    this.#closed = once(socket.on("error", () => undefined).resume(), "close");
    return [await this.#readByCertificate(), await this.#readByToken(), await this.#status()];
  }

  /** Tries everything until it is refused. */
  async untilRefused(beganMs: number): Promise<readonly Refusal[]> {
    const after = (what: string, how: string): Refusal => {
      return { what, how, afterMs: performance.now() - beganMs };
    };
    const patience = new AbortController();
    const late = sleep(PATIENCE_MS, undefined, { signal: patience.signal }).then(() => {
      throw new Error("something was still good after ten seconds");
    });
    const refused = async (what: string, attempt: () => Promise<unknown>): Promise<Refusal> => {
      for (;;) {
        try {
          await attempt();
        } catch (error) {
          return after(what, saidBy(error));
        }
        patience.signal.throwIfAborted();
        await sleep(PAUSE_MS);
      }
    };
    const flipped = async (): Promise<void> => {
      const status = await this.#status();
      if (status !== STATUSES[0]) throw new Error(status);
    };
    try {
      return await Promise.race([
        late,
        Promise.all([
          this.#closed.then(() => after("the open connection", "closed by the ticket server")),
          refused("a new connection with the certificate", () => this.#readByCertificate()),
          refused("the access token", () => this.#readByToken()),
          refused("its bit in the status list, read with jose", flipped),
        ]),
      ]);
    } finally {
      patience.abort();
      late.catch(() => undefined);
    }
  }

  #readByCertificate(): Promise<string> {
    return this.#read(this.#withCertificate, {});
  }

  #readByToken(): Promise<string> {
    return this.#read(this.#withToken, { authorization: `Bearer ${this.#secrets.token}` });
  }

  /** A new session of the MCP client, and one call. */
  async #read(source: TlsSource, headers: Record<string, string>): Promise<string> {
    const client = new Client({ name: "thief", version: "1.0.0" });
    const transport = new StreamableHTTPClientTransport(new URL(this.#site.ticketsUrl), {
      fetch: fetchWith(source, TRUST_DOMAIN, { keepAlive: false }),
      requestInit: { headers },
    });
    try {
      await client.connect(transport as Parameters<typeof client.connect>[0]);
      const { content } = await client.callTool({ name: "read_ticket", arguments: { id: "42" } });
      return (content as { text?: string }[])[0]?.text ?? "";
    } finally {
      await client.close();
    }
  }

  /** As whoever verifies tokens without us looks it up. */
  async #status(): Promise<string> {
    const { status } = decodeJwt<{ status: { status_list: { idx: number; uri: string } } }>(
      this.#secrets.token,
    );
    const { idx, uri } = status.status_list;
    const keys = createRemoteJWKSet(new URL(`${this.#site.issuer}/jwks`));
    const list = await (await fetch(uri)).text();
    const { payload } = await jwtVerify<{ status_list: { bits: number; lst: string } }>(
      list,
      keys,
      {
        subject: uri,
        typ: "statuslist+jwt",
      },
    );
    const { bits, lst } = payload.status_list;
    const bytes = inflateSync(Buffer.from(lst, "base64url"));
    const byte = bytes[Math.floor((idx * bits) / 8)] ?? 0;
    return STATUSES[(byte >> ((idx * bits) % 8)) & ((1 << bits) - 1)] ?? "unknown";
  }
}
