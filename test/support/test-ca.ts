// A CA as the server has it, over a real store in a temporary folder, on a clock that a test moves.
// Node agents are played by the test: it says which bundles they have acknowledged.

import { join } from "node:path";
import type { Test } from "tap";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import { createLogger, type Logger } from "../../runtime/log.ts";
import { Authorities } from "../../server/ca/authority.ts";
import { Issuer } from "../../server/ca/issuer.ts";
import type { CaConfig } from "../../server/ca/kinds.ts";
import type { Publication } from "../../server/ca/publication.ts";
import { Rotation } from "../../server/ca/rotation.ts";
import type { KeyManager } from "../../server/keymanager/key-manager.ts";
import { MemoryKeyManager } from "../../server/keymanager/memory.ts";
import { BundleStore } from "../../server/store/bundles.ts";
import { openLevelLog } from "../../server/store/engine-level.ts";
import type { OrderedLog } from "../../server/store/log.ts";
import { TestClock } from "./clock.ts";

export const north: TrustDomain = TrustDomain.parse("north.test");

export interface TestCaOptions {
  readonly ca?: Partial<CaConfig>;
  readonly refreshHintSeconds?: number;
  readonly keys?: KeyManager;
  readonly clock?: TestClock;
  readonly threads?: number;
  readonly maxPending?: number;
  readonly jwtIssuer?: string;
  readonly isPolled?: (kind: string) => boolean;
  readonly folder?: string;
  /** Comes between the CA and its store, to make commits fail. */
  readonly wrapLog?: (log: OrderedLog) => OrderedLog;
}

/** Node agents as the CA sees them: what they have acknowledged. */
export class TestAgents implements Publication {
  #acknowledged: bigint | undefined;
  #waiting: { sequence: bigint; resolve: () => void }[] = [];

  /** With agents connected, an acknowledgement is needed; at first there are none. */
  connect(acknowledged: bigint): void {
    this.#acknowledged = acknowledged;
  }

  acknowledge(sequence: bigint): void {
    this.#acknowledged = sequence;
    for (const { resolve } of this.#waiting.filter((one) => one.sequence <= sequence)) resolve();
    this.#waiting = this.#waiting.filter((one) => one.sequence > sequence);
  }

  acknowledged(sequence: bigint): Promise<void> {
    if (this.#acknowledged === undefined || this.#acknowledged >= sequence)
      return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ sequence, resolve }));
  }
}

export interface TestCa {
  readonly folder: string;
  readonly clock: TestClock;
  readonly log: OrderedLog;
  readonly keys: KeyManager;
  readonly bundles: BundleStore;
  readonly agents: TestAgents;
  readonly authorities: Authorities;
  readonly rotation: Rotation;
  readonly issuer: Issuer;
  /** Log lines so far, parsed. */
  readonly lines: { readonly level: string; readonly msg: string }[];
  stop(): Promise<void>;
}

/** Starts a CA; it ends with the test. Give `folder`, `keys` and `clock` of a stopped one to restart it. */
export async function startTestCa(t: Test, options: TestCaOptions = {}): Promise<TestCa> {
  const folder = options.folder ?? join(t.testdir({}), "store");
  const lines: TestCa["lines"] = [];
  const logger: Logger = createLogger({
    level: "debug",
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  });
  const clock = options.clock ?? new TestClock();
  const keys = options.keys ?? new MemoryKeyManager();
  const opened = await openLevelLog({ folder });
  const log = options.wrapLog?.(opened) ?? opened;
  const bundles = await BundleStore.start(log);
  const agents = new TestAgents();
  let stopped = false;
  let issuer: Issuer | undefined;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    await issuer?.stop();
    await bundles.stop();
    await opened.close();
  };
  t.teardown(stop);
  const authorities = await Authorities.start({
    trustDomain: north,
    ca: {
      ttlSeconds: 24 * 3600,
      keyType: "ec-p256",
      jwtKeyType: "ec-p256",
      subject: { country: "US", organization: "SPIFFE", commonName: "" },
      ...options.ca,
    },
    refreshHintSeconds: options.refreshHintSeconds ?? 300,
    log,
    bundles,
    keys,
    publication: agents,
    ...(options.isPolled && { isPolled: options.isPolled }),
    clock,
    logger,
  }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  issuer = new Issuer({
    authorities,
    x509SvidTtlSeconds: 3600,
    jwtSvidTtlSeconds: 300,
    clock,
    logger,
    threads: options.threads ?? 0,
    ...(options.maxPending !== undefined && { maxPending: options.maxPending }),
    ...(options.jwtIssuer !== undefined && { jwtIssuer: options.jwtIssuer }),
  });
  const rotation = new Rotation({ authorities, clock, logger });
  return { folder, clock, log, keys, bundles, agents, authorities, rotation, issuer, lines, stop };
}
