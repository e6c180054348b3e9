// A node agent without a network: the real cache, the real Workload API over real gRPC, a server that the
// test plays (test-signing.ts), callers whose selectors the test chooses, and a clock that it moves.

import { BundleCache } from "../../agent/cache/bundles.ts";
import { EntryCache } from "../../agent/cache/entries.ts";
import { Feed } from "../../agent/cache/feed.ts";
import { JwtSvidCache } from "../../agent/cache/jwt-svids.ts";
import { mintX509Svids, svidInputs } from "../../agent/cache/mint.ts";
import { type HeldWit, mintWitSvids, witInputs } from "../../agent/cache/mint-wit.ts";
import { type RevocationChange, Revocations } from "../../agent/cache/revocations.ts";
import { Rotation } from "../../agent/cache/rotation.ts";
import { Subscribers } from "../../agent/cache/subscribers.ts";
import { SvidCache } from "../../agent/cache/svids.ts";
import { TaskStatusCache } from "../../agent/cache/task-status.ts";
import { connectionOf, WorkloadConnection } from "../../agent/connection.ts";
import type { Peer } from "../../agent/peer/index.ts";
import { WorkloadServer } from "../../agent/socket.ts";
import { Callers } from "../../agent/workload-api/callers.ts";
import type { Bundle } from "../../pki/bundle/bundle.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import type { Channel, ClientOf } from "../../proto/rpc/client.ts";
import { type InProcess, pairInProcess } from "../../proto/rpc/in-process.ts";
import { SpiffeWorkloadApi, type workload } from "../../proto/schema.gen.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { parseSelector } from "../../proto/types/selector.ts";
import { silentLogger } from "../../runtime/log.ts";
import { NO_METRICS } from "../../runtime/metrics.ts";
import { TestClock } from "./clock.ts";
import { bundleOf, createSigner, type TestSigner, TestSigning } from "./test-signing.ts";

interface Teardown {
  teardown(fn: () => unknown): void;
}

export const NORTH: TrustDomain = TrustDomain.parse("north.test");
export const HEADER = { "workload.spiffe.io": "true" } as const;

/** An entry with the selectors "test:a" unless others are given. */
export function entryOf(id: string, more: Partial<RegistrationEntry> = {}): RegistrationEntry {
  return {
    id,
    spiffeId: `spiffe://north.test/${id}`,
    parentId: "spiffe://north.test/spire/agent/test",
    selectors: [parseSelector("test:a")],
    x509SvidTtlSeconds: 0,
    jwtSvidTtlSeconds: 0,
    federatesWith: [],
    admin: false,
    downstream: false,
    expiresAtUnixSeconds: 0,
    dnsNames: [],
    revisionNumber: 0,
    storeSvid: false,
    hint: "",
    createdAtUnixSeconds: 1_700_000_000,
    disableX509SvidPrefetch: false,
    jwtSvidIncludeJti: false,
    ...more,
  };
}

/** A process that calls; the test decides what becomes of it. */
export class TestPeer implements Peer {
  readonly pid: number;
  readonly uid: number;
  readonly gid = 100;
  readonly groups: readonly number[] = [];
  readonly startTime = 1n;
  /** What attestation finds. */
  selectors: readonly string[];
  /** What it executes. */
  program = "/usr/bin/app";
  attested = 0;
  #alive = true;
  readonly #onExit = new Set<() => void>();

  constructor(selectors: readonly string[] = ["test:a"], uid = 1000, pid = 4711) {
    this.selectors = selectors;
    this.uid = uid;
    this.pid = pid;
  }

  isAlive(): boolean {
    return this.#alive;
  }

  onExit(fn: () => void): () => void {
    this.#onExit.add(fn);
    return () => this.#onExit.delete(fn);
  }

  executable(): ReturnType<Peer["executable"]> {
    return { key: this.program } as ReturnType<Peer["executable"]>;
  }

  parentPid(): number {
    return 1;
  }

  exit(): void {
    this.#alive = false;
    for (const fn of this.#onExit) fn();
  }

  close(): void {}
}

const NOTHING_REVOKED: RevocationChange = { crls: [], removedCrls: [], tokens: [] };

export interface TestAgentOptions {
  readonly x509Limit?: number;
  readonly jwtLimit?: number;
  readonly streamsPerUid?: number;
  readonly streamsPerProcess?: number;
  /** Serves the WIT profile. */
  readonly wit?: boolean;
  readonly workloadApi?: { readonly x509: boolean; readonly jwt: boolean };
  readonly allowUnauthenticatedVerifiers?: boolean;
  readonly allowedForeignJwtClaims?: readonly string[];
  /** Leave the agent as it is before the server's first word. */
  readonly unsynced?: boolean;
}

type Client = ClientOf<typeof SpiffeWorkloadApi>;

export class TestAgent {
  readonly clock: TestClock = new TestClock("2030-01-01T00:00:00Z");
  readonly entries: EntryCache = new EntryCache();
  readonly bundles: BundleCache = new BundleCache(NORTH);
  readonly signer: TestSigner;
  readonly signing: TestSigning;
  readonly svids: SvidCache;
  readonly witSvids: SvidCache<HeldWit>;
  readonly jwtSvids: JwtSvidCache;
  readonly revocations: Revocations;
  readonly rotation: Rotation;
  readonly witRotation: Rotation<HeldWit>;
  readonly subscribers: Subscribers;
  readonly taskStatus: TaskStatusCache;
  readonly feed: Feed;
  readonly callers: Callers;
  readonly server: WorkloadServer;
  readonly #peers = new WeakMap<WorkloadConnection, TestPeer>();
  #pair: InProcess | undefined;

  private constructor(signer: TestSigner, options: TestAgentOptions) {
    const { clock, entries, bundles } = this;
    const now = (): Date => clock.now();
    const base = { now, random: () => 0.5, log: silentLogger };
    this.signer = signer;
    this.revocations = new Revocations({ ...base, anchors: () => bundles.anchorsOf(NORTH) ?? [] });
    this.signing = new TestSigning(signer, (id) => entries.get(id), now);
    const changed = (ids: ReadonlySet<string>): void => {
      this.subscribers.svidsChanged(ids);
      this.rotation.changed();
      this.witRotation.changed();
    };
    const { signing, revocations } = this;
    const shared = {
      ...base,
      clock,
      entryOf: (id: string) => entries.get(id),
      limit: options.x509Limit ?? 1000,
      usage: () => this.subscribers.usage(),
      onChange: changed,
    };
    const keys = { ...base, signing, keyType: "ec-p256" } as const;
    this.svids = new SvidCache({
      ...shared,
      kind: "X509-SVID",
      mint: (wanted) => mintX509Svids(wanted, keys),
      inputsOf: svidInputs,
      nameOf: () => ({}),
      isRevoked: (svid) => revocations.isSvidRevoked(svid),
    });
    this.rotation = new Rotation({
      svids: this.svids,
      isWithdrawn: ({ issuerKeyIds }) => issuerKeyIds.some((id) => bundles.isWithdrawn(id)),
      clock,
      onExpired: changed,
    });
    this.witSvids = new SvidCache({
      ...shared,
      kind: "WIT-SVID",
      mint: (wanted) => mintWitSvids(wanted, keys),
      inputsOf: witInputs,
      nameOf: () => ({}),
      isRevoked: (wit) => bundles.isWitWithdrawn(wit.keyId) || revocations.isTokenRevoked(wit),
    });
    this.witRotation = new Rotation({
      svids: this.witSvids,
      isWithdrawn: ({ keyId }) => bundles.isWitWithdrawn(keyId),
      clock,
      onExpired: changed,
    });
    this.jwtSvids = new JwtSvidCache({
      ...base,
      signing: this.signing,
      bundles,
      revocations: this.revocations,
      limit: options.jwtLimit ?? 1000,
    });
    const trustDomain = NORTH.name;
    this.subscribers = new Subscribers({
      entries,
      svids: this.svids,
      witSvids: this.witSvids,
      bundles,
      revocations,
      now,
      trustDomain,
    });
    this.taskStatus = new TaskStatusCache({ clock, ask: () => undefined });
    this.feed = new Feed({
      ...this,
      trustDomain,
      onOwnBundle: () => undefined,
      onCrls: () => undefined,
      prefetchesX509: options.workloadApi?.x509 ?? true,
    });
    this.callers = new Callers({
      peerOf: (tag) => connectionOf(tag).peer,
      attest: async (tag) => {
        const peer = this.#peers.get(connectionOf(tag));
        if (peer === undefined) throw new Error("not a connection of this test");
        peer.attested += 1;
        return peer.selectors.map(parseSelector);
      },
    });
    this.server = new WorkloadServer({
      admit: (call) => this.callers.admit(call),
      subscribers: this.subscribers,
      jwtSvids: this.jwtSvids,
      revocations: this.revocations,
      now,
      featureFlags: new Set(options.wit === true ? ["wit-svid"] : []),
      workloadApi: options.workloadApi ?? { x509: true, jwt: true },
      allowUnauthenticatedVerifiers: options.allowUnauthenticatedVerifiers ?? false,
      allowedForeignJwtClaims: options.allowedForeignJwtClaims ?? [],
      limits: {
        connections: 100,
        streamsPerConnection: 1000,
        streamsPerUid: options.streamsPerUid ?? 1000,
        streamsPerProcess: options.streamsPerProcess ?? 1000,
      },
      metrics: NO_METRICS,
      log: silentLogger,
    });
  }

  /** An agent that has heard from its server: the entries given, and the own bundle. */
  static async create(
    t: Teardown,
    entries: readonly RegistrationEntry[] = [],
    options: TestAgentOptions = {},
  ): Promise<TestAgent> {
    const signer = await createSigner(NORTH, new Date("2030-01-01T00:00:00Z"));
    const agent = new TestAgent(signer, options);
    agent.#pair = await pairInProcess(agent.server.rpc);
    t.teardown(() => agent.stop());
    if (options.unsynced !== true) agent.snapshot(entries);
    return agent;
  }

  /** The own bundle as the test's one authority makes it. */
  get ownBundle(): Bundle {
    return bundleOf(NORTH, [this.signer]);
  }

  /** The server sends everything. */
  snapshot(
    entries: readonly RegistrationEntry[],
    bundles: readonly Bundle[] = [],
    revocations: Partial<RevocationChange> = {},
  ): void {
    this.feed.snapshot({
      entries,
      bundles: [this.ownBundle, ...bundles],
      revocations: { crls: [], tokens: [], ...revocations },
      tasks: { tasks: [], classes: [] },
    });
  }

  /** The server sends a change. */
  delta(change: Partial<Parameters<Feed["delta"]>[0]>): void {
    this.feed.delta({
      entries: [],
      removedEntryIds: [],
      bundles: [],
      removedBundles: [],
      revocations: { ...NOTHING_REVOKED },
      tasks: { tasks: [], classes: [], removedClasses: [] },
      reask: false,
      ...change,
    });
  }

  /** The server sends what is revoked now. */
  revoke(change: Partial<RevocationChange>): void {
    this.delta({ revocations: { ...NOTHING_REVOKED, ...change } });
  }

  /** A channel of a process. */
  async channel(
    peer: TestPeer = new TestPeer(),
    metadata: Readonly<Record<string, string>> = HEADER,
  ): Promise<Channel> {
    if (this.#pair === undefined) throw new Error("the agent is not there");
    const connection = new WorkloadConnection(peer, []);
    this.#peers.set(connection, peer);
    return this.#pair.connect(connection, { metadata });
  }

  async connect(peer?: TestPeer, metadata?: Readonly<Record<string, string>>): Promise<Client> {
    return (await this.channel(peer, metadata)).client(SpiffeWorkloadApi);
  }

  async stop(): Promise<void> {
    this.rotation.stop();
    this.witRotation.stop();
    this.svids.close();
    this.witSvids.close();
    await this.#pair?.close();
  }
}

/** The first message of a stream. */
export async function first<T>(stream: AsyncIterable<T>): Promise<T> {
  for await (const message of stream) return message;
  throw new Error("the stream ended without a message");
}

/** Reads a stream message by message, and tells whether there is one more without waiting for ever. */
export class StreamReader<T> {
  readonly #iterator: AsyncIterator<T>;
  #next: Promise<IteratorResult<T>> | undefined;

  constructor(stream: AsyncIterable<T>) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  /** The next message. @throws what the stream ends with */
  async next(): Promise<T> {
    this.#next ??= this.#iterator.next();
    const { value, done } = await this.#next;
    this.#next = undefined;
    if (done === true) throw new Error("the stream ended well");
    return value;
  }

  /** Whether nothing more comes while `ms` pass. */
  async isQuiet(ms = 60): Promise<boolean> {
    this.#next ??= this.#iterator.next();
    this.#next.catch(() => undefined);
    const quiet = new Promise<boolean>((resolve) => setTimeout(() => resolve(true), ms));
    return Promise.race([
      quiet,
      this.#next.then(
        () => false,
        () => false,
      ),
    ]);
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}

/** SPIFFE IDs of a message, in its order. */
export function idsOf(message: workload.X509SVIDResponse): string[] {
  return message.svids.map((svid) => svid.spiffeId);
}
