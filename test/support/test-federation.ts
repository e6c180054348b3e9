// The federation of the trust domain north.test as the server has it, over a real store and real https, on
// a clock that a test moves: relationships, bundles, the refresher, and the API of administrators.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addX509 } from "../../pki/bundle/authorities.ts";
import { type Bundle, emptyBundle } from "../../pki/bundle/bundle.ts";
import { formatBundle } from "../../pki/bundle/format.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import { formatPem } from "../../pki/x509/pem.ts";
import type { AnchorsOf } from "../../pki/x509/svid.ts";
import type { ClientOf } from "../../proto/rpc/client.ts";
import { pairInProcess } from "../../proto/rpc/in-process.ts";
import { createRpcServer } from "../../proto/rpc/server.ts";
import { BundleService, FederationService, TrustDomainService } from "../../proto/schema.gen.ts";
import { createLogger, type Logger } from "../../runtime/log.ts";
import { NO_METRICS } from "../../runtime/metrics.ts";
import { bundleHandlers } from "../../server/api/bundle.ts";
import { federationHandlers } from "../../server/api/federation.ts";
import { trustDomainHandlers } from "../../server/api/trustdomain.ts";
import { createFetcher } from "../../server/federation/fetch.ts";
import { Refresher } from "../../server/federation/refresher.ts";
import type { ActiveRelationship } from "../../server/federation/update.ts";
import { BundleStore } from "../../server/store/bundles.ts";
import { openLevelLog } from "../../server/store/engine-level.ts";
import { EntryStore } from "../../server/store/entries.ts";
import { RelationshipStore } from "../../server/store/relationships.ts";
import { TestClock } from "./clock.ts";
import type { TestAuthority } from "./test-authority.ts";

interface Teardown {
  teardown(fn: () => unknown): void;
}

const own = TrustDomain.parse("north.test");

export interface TestFederationOptions {
  readonly fixed?: readonly Omit<ActiveRelationship, "createdAt" | "isStatic">[];
  readonly followRedirects?: boolean;
  /** Whose certificates https_web endpoints may show. */
  readonly webAuthority?: TestAuthority;
  readonly timeoutMs?: number;
  readonly intervals?: { defaultMs: number; minMs: number; maxMs: number };
  /** 0..1; by default 0: no jitter. */
  readonly random?: () => number;
  /** A folder to keep, for a restart. */
  readonly folder?: string;
  readonly clock?: TestClock;
}

export interface TestFederation {
  readonly clock: TestClock;
  readonly bundles: BundleStore;
  readonly relationships: RelationshipStore;
  readonly entries: EntryStore;
  readonly refresher: Refresher;
  readonly api: ClientOf<typeof TrustDomainService>;
  readonly status: ClientOf<typeof FederationService>;
  readonly bundleApi: ClientOf<typeof BundleService>;
  readonly anchorsOf: AnchorsOf;
  /** Log lines so far, parsed. */
  readonly lines: {
    readonly level: string;
    readonly msg: string;
    readonly [field: string]: unknown;
  }[];
  stop(): Promise<void>;
}

/** Starts it; it ends with the test. */
export async function startTestFederation(
  t: Teardown,
  options: TestFederationOptions = {},
): Promise<TestFederation> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "sg-"));
  const clock = options.clock ?? new TestClock(new Date());
  const lines: TestFederation["lines"] = [];
  const log: Logger = createLogger({
    level: "debug",
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  });
  const store = await openLevelLog({ folder: join(folder, "store") });
  const bundles = await BundleStore.start(store);
  const relationships = await RelationshipStore.start(store);
  const entries = await EntryStore.start({ log: store, now: () => clock.now() });
  const anchorsOf: AnchorsOf = ({ name }) =>
    bundles.get(name)?.x509Authorities.map(({ der }) => parseCertificate(der));
  const fixed = (options.fixed ?? []).map((one) => ({
    ...one,
    createdAt: clock.now(),
    isStatic: true,
  }));
  const refresher = new Refresher({
    relationships,
    fixed,
    bundles,
    fetch: createFetcher({
      anchorsOf,
      clock,
      followRedirects: options.followRedirects ?? true,
      webCaFile: options.webAuthority && caFile(folder, options.webAuthority),
      ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
    }),
    intervals: options.intervals ?? { defaultMs: 300_000, minMs: 10_000, maxMs: 3_600_000 },
    clock,
    log,
    metrics: NO_METRICS,
    random: options.random ?? (() => 0),
  });
  const server = createRpcServer({
    onInternalError: (error) => lines.push({ level: "error", msg: String(error) }),
  });
  const api = { trustDomain: own, relationships, bundles, entries, fixed, refresher, clock };
  server.add(TrustDomainService, trustDomainHandlers(api));
  server.add(FederationService, federationHandlers({ refresher, bundles }));
  server.add(BundleService, bundleHandlers({ trustDomain: own, bundles, entries }));
  const pair = await pairInProcess(server);
  const channel = await pair.connect("local");
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    refresher.stop();
    await pair.close();
    await Promise.all([entries.stop(), relationships.stop(), bundles.stop()]);
    await store.close();
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
  };
  const stopOnce = (): Promise<void> => {
    stopped ??= stop();
    return stopped;
  };
  t.teardown(stopOnce);
  return {
    clock,
    bundles,
    relationships,
    entries,
    refresher,
    api: channel.client(TrustDomainService),
    status: channel.client(FederationService),
    bundleApi: channel.client(BundleService),
    anchorsOf,
    lines,
    stop: stopOnce,
  };
}

/** The bundle of some authorities of one trust domain. */
export function bundleOf(
  authorities: readonly TestAuthority[],
  more: Partial<Bundle> = {},
): Bundle {
  const [first] = authorities;
  if (first === undefined) throw new TypeError("a bundle of nobody");
  const bundle = authorities.reduce(
    (before, { root }) => addX509(before, root.der),
    emptyBundle(first.trustDomain),
  );
  return { ...bundle, ...more };
}

/** Its document, as an endpoint serves it. */
export function documentOf(
  authorities: readonly TestAuthority[],
  more: Partial<Bundle> = {},
): string {
  return formatBundle(bundleOf(authorities, more));
}

/** Waits for something that happens by itself, soon: real requests on a clock that stands still. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`it never came to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function caFile(folder: string, { root }: TestAuthority): string {
  const path = join(folder, "web-ca.pem");
  writeFileSync(path, formatPem("CERTIFICATE", root.der));
  return path;
}
