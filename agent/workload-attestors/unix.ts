// Attests a process by what Unix knows of it, with SPIRE's selectors: uid, user, gid, group,
// supplementary_gid, supplementary_group, and when the path is discovered: path, sha256.
// What cannot be found out has no selector; the uid and gid are always there.

import type { Selector } from "../../proto/types/selector.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import { type Executable, isPathShared, type Peer } from "../peer/index.ts";
import { type AccountFiles, accountNames } from "./account-names.ts";
import { ContentHash } from "./content-hash.ts";
import type { WorkloadAttestor } from "./index.ts";

export interface UnixAttestorSettings {
  /** Find out path and sha256. Default true. */
  readonly discoverWorkloadPath?: boolean;
  /** Larger programs get no sha256. 0: no limit, negative: never. Default 1 GiB. */
  readonly workloadSizeLimitBytes?: number;
  /**
   * Report the path of a program that lies on no mount of the agent's own namespace, as a container's
   * does. Any user can make a namespace and put a file at any path in it, so with this a path selector
   * proves nothing where users may do so. Default false.
   */
  readonly foreignPaths?: boolean;
}

export interface UnixAttestorOptions extends UnixAttestorSettings {
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether any registration entry has a sha256 selector. Until then nothing is hashed. Default yes. */
  readonly isHashWanted?: () => boolean;
  readonly accountFiles?: AccountFiles;
  /** How old the names of users and groups may be. Default 0: looked after at each call. */
  readonly namesMaxAgeMs?: number;
}

const DEFAULT_LIMIT_BYTES = 1024 ** 3;
const MAX_REPORTED = 1000;
const TYPE = "unix";

interface Known {
  readonly executableKey: string | undefined;
  readonly namesVersion: string;
  readonly hashed: boolean;
  readonly selectors: readonly Selector[];
}

/** Makes the attestor. What it found out about a connection is kept until the program changes. */
export function unixAttestor(options: UnixAttestorOptions): WorkloadAttestor {
  const lookUpNames = accountNames(options.accountFiles, options.namesMaxAgeMs);
  const hashes = new ContentHash({
    limitBytes: options.workloadSizeLimitBytes ?? DEFAULT_LIMIT_BYTES,
    nowNs: () => BigInt(options.clock.now().getTime()) * 1_000_000n,
  });
  const known = new WeakMap<Peer, Known>();
  const report = reportOnce(options.log);
  const discover = options.discoverWorkloadPath ?? true;
  const isHashWanted = options.isHashWanted ?? (() => true);

  return {
    name: TYPE,
    async attest(peer) {
      const names = lookUpNames();
      const executable = discover ? peer.executable() : undefined;
      const wantsHash = executable !== undefined && isHashWanted();
      const before = known.get(peer);
      if (
        before !== undefined &&
        before.executableKey === executable?.key &&
        before.namesVersion === names.version &&
        (before.hashed || !wantsHash)
      ) {
        return before.selectors;
      }
      const selectors = accountSelectors(peer, names);
      if (executable !== undefined && (options.foreignPaths === true || isPathShared(executable))) {
        selectors.push(selector("path", executable.path));
      }
      const hash = wantsHash ? await hashOf(hashes, peer, executable, report) : undefined;
      if (hash !== undefined) selectors.push(selector("sha256", hash));
      known.set(peer, {
        executableKey: executable?.key,
        namesVersion: names.version,
        hashed: wantsHash,
        selectors,
      });
      return selectors;
    },
  };
}

function accountSelectors(
  peer: Peer,
  names: ReturnType<ReturnType<typeof accountNames>>,
): Selector[] {
  const selectors = [selector("uid", String(peer.uid))];
  const user = names.userName(peer.uid);
  if (user !== undefined) selectors.push(selector("user", user));
  selectors.push(selector("gid", String(peer.gid)));
  const group = names.groupName(peer.gid);
  if (group !== undefined) selectors.push(selector("group", group));
  for (const gid of peer.groups) {
    selectors.push(selector("supplementary_gid", String(gid)));
    const name = names.groupName(gid);
    if (name !== undefined) selectors.push(selector("supplementary_group", name));
  }
  return selectors;
}

async function hashOf(
  hashes: ContentHash,
  peer: Peer,
  executable: Executable,
  report: (executable: Executable, error: unknown) => void,
): Promise<string | undefined> {
  try {
    return await hashes.of(peer, executable);
  } catch (error) {
    report(executable, error);
    return undefined;
  }
}

// One line for a program, however often it calls.
function reportOnce(log: Logger): (executable: Executable, error: unknown) => void {
  const reported = new Set<string>();
  return (executable, error) => {
    if (reported.has(executable.contentKey)) return;
    if (reported.size >= MAX_REPORTED) reported.clear();
    reported.add(executable.contentKey);
    log.warn({ path: executable.path, error }, "workloads of a program have no sha256 selector");
  };
}

const selector = (kind: string, value: string): Selector => ({
  type: TYPE,
  value: `${kind}:${value}`,
});
