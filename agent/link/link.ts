// The life of the link to the server: attest when there is no identity, connect, follow the stream, move
// over to a new connection when the own SVID has been renewed, come back with growing delays when the
// server is lost. What is held is served meanwhile (agent/cache). What the server's refusals mean:
// steering.ts.

import type { TlsSource } from "../../client/tls/source.ts";
import type { Bundle } from "../../pki/bundle/bundle.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import { type Backoff, backoff } from "../../runtime/backoff.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { NodeAttestor } from "../attestation/index.ts";
import { agentError } from "../errors.ts";
import type { AgentIdentity } from "../identity.ts";
import { attestNode } from "./attest.ts";
import { type Connection, dial } from "./dial.ts";
import type { Follower } from "./follow.ts";
import type { Renewal } from "./renewal.ts";
import type { ServerSigning } from "./signing.ts";
import { adviceOf } from "./steering.ts";

export interface LinkOptions {
  readonly trustDomain: TrustDomain;
  readonly server: { readonly address: string; readonly port: number };
  readonly identity: AgentIdentity;
  readonly attestor: NodeAttestor;
  /** The operator allows a first contact with a server that nothing vouches for. */
  readonly insecureBootstrap: boolean;
  readonly signing: ServerSigning;
  readonly follower: Follower;
  readonly renewal: Renewal;
  /** The server's first word has been taken over. */
  readonly onSynced: () => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** Calls that are under way when a connection is replaced get this long to end. */
const DRAIN_MS = 30_000;

/** Keeps the agent linked to its server. */
export class Link {
  readonly #options: LinkOptions;
  readonly #retry: Backoff;
  #present: Connection | undefined;
  /** Replaced, because the own SVID was renewed; in use until the present one works. */
  readonly #former = new Set<Connection>();
  #mustAttest = false;
  #isSynced = false;
  readonly #synced = Promise.withResolvers<void>();

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#retry = backoff({ initialMs: 250, maxMs: 30_000 }, options.random);
  }

  /**
   * Runs until the signal aborts.
   * @throws AGENT_WAS_BANNED, ATTESTATION_REFUSED, JOIN_TOKEN_MISSING, LINK_VERSION, BOOTSTRAP_BUNDLE_INVALID:
   *   what waiting does not help against
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#ensureIdentity(signal);
        await this.#session(signal);
      } catch (error) {
        this.#closeFormer();
        if (signal.aborted) return;
        await this.#steer(error);
        const delayMs = this.#retry.next();
        this.#options.log.warn(
          { error, retry_in_ms: Math.round(delayMs) },
          "no link to the server",
        );
        await this.#options.clock.sleep(delayMs, signal).catch(() => undefined);
      }
    }
    this.#closeFormer();
  }

  /** Asks the server for a sign of life, if there is a link. */
  ping(): void {
    this.#options.follower.ping();
  }

  /** Resolves when the server's first word has been taken over. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  /** The server has answered on the present connection: from now on it is the one to use. */
  welcomed(): void {
    if (this.#present === undefined) return;
    this.#options.signing.use(this.#present);
    this.#drainFormer();
  }

  /** A step has been taken over and confirmed: the server is fine, delays start small again. */
  confirmed(): void {
    this.#retry.reset();
    if (this.#isSynced) return;
    this.#isSynced = true;
    this.#options.onSynced();
    this.#synced.resolve();
  }

  /** Follows the own bundle: an own SVID below a withdrawn authority is renewed at once. */
  bundleChanged(bundle: Bundle, isWithdrawn: (keyId: string) => boolean): void {
    this.#options.identity.trust(bundle);
    const keyIds = this.#options.identity.svid()?.issuerKeyIds ?? [];
    if (keyIds.some(isWithdrawn)) this.#options.renewal.hurry();
  }

  async #ensureIdentity(signal: AbortSignal): Promise<void> {
    const { identity, clock, trustDomain, attestor, log } = this.#options;
    const svid = identity.svid();
    const isValid = svid !== undefined && svid.leaf.notAfter.getTime() > clock.now().getTime();
    if (isValid && !this.#mustAttest) return;
    const insecure = !identity.hasTrust;
    if (insecure) this.#assertInsecureAllowed();
    const anonymous: TlsSource = {
      svid: () => undefined,
      anchorsOf: identity.anchorsOf,
      onChange: () => () => undefined,
    };
    const connection = dial({ ...this.#options, source: anonymous, insecure });
    try {
      const granted = await attestNode({
        connection,
        trustDomain,
        attestor,
        insecure,
        now: () => clock.now(),
        signal,
      });
      const adopted = await identity.adopt(granted.svid, granted.bundle);
      this.#mustAttest = false;
      log.info({ agent_id: adopted.id.toString(), attestor: attestor.type }, "attested");
    } catch (error) {
      throw connection.failure() ?? error;
    } finally {
      connection.close();
    }
  }

  #assertInsecureAllowed(): void {
    const { insecureBootstrap, log, trustDomain } = this.#options;
    if (!insecureBootstrap) {
      throw agentError(
        "BOOTSTRAP_BUNDLE_INVALID",
        `nothing vouches for the server of the trust domain "${trustDomain}"`,
        { hint: "set trust_bundle_file to the output of 'signet bundle show'" },
      );
    }
    log.warn(
      { trust_domain: trustDomain.name },
      "INSECURE BOOTSTRAP: trusting whatever server answers; whoever controls the network can take over this node's identities",
    );
  }

  /** One connection: ends by returning when the own SVID was renewed, and by throwing otherwise. */
  async #session(signal: AbortSignal): Promise<void> {
    const { identity, follower, renewal, signing } = this.#options;
    const connection = dial({ ...this.#options, source: identity });
    const ended = new AbortController();
    const end = (): void => ended.abort();
    signal.addEventListener("abort", end, { once: true });
    this.#present = connection;
    let isReplaced = false;
    try {
      await Promise.race([
        follower.follow(connection, ended.signal),
        renewal.run(connection, ended.signal),
      ]);
      isReplaced = true;
    } catch (error) {
      throw connection.failure() ?? error;
    } finally {
      signal.removeEventListener("abort", end);
      ended.abort();
      this.#present = undefined;
      if (isReplaced) {
        this.#former.add(connection);
      } else {
        signing.release(connection);
        connection.close();
      }
    }
  }

  async #steer(error: unknown): Promise<void> {
    switch (adviceOf(error)) {
      case "exit-and-erase":
        await this.#options.identity.erase();
        throw agentError("AGENT_WAS_BANNED", "the server has banned this agent", {
          hint: "find out why it was banned; 'signet agent evict' on the server lets it attest anew",
          cause: error,
        });
      case "exit":
        throw error;
      case "attest":
        this.#mustAttest = true;
        return;
      case "retry":
        return;
    }
  }

  /** Connections that have been replaced: calls that are under way on them get some time to end. */
  #drainFormer(): void {
    for (const former of this.#former) {
      this.#options.clock.setTimer(DRAIN_MS, () => {
        if (this.#former.delete(former)) former.close();
      });
    }
  }

  #closeFormer(): void {
    for (const former of this.#former) {
      this.#options.signing.release(former);
      former.close();
    }
    this.#former.clear();
  }
}
