// How fast one address may call the methods that cost us most: a bucket of tokens per address and
// method. A call that finds too few waits for them, as with SPIRE, so that a burst is spread out and not
// refused; what would have to wait too long is refused. Callers on the admin socket are never limited.
import { isIPv6 } from "node:net";
import type { Clock } from "../../runtime/clock.ts";
import { serverError } from "../errors.ts";

/** How many of something a second; as many may come at once. */
interface Rate {
  readonly perSecond: number;
  /** Which switch of the configuration it hangs on. */
  readonly group: keyof RateLimitSwitches;
}

export interface RateLimitSwitches {
  readonly attestation: boolean;
  readonly signing: boolean;
}

const API = "/spire.api.server";
const SIGNING: Rate = { perSecond: 500, group: "signing" };

/** The limited methods; the others are not. A batch counts its items. */
const RATES: Readonly<Record<string, Rate>> = {
  [`${API}.agent.v1.Agent/AttestAgent`]: { perSecond: 1, group: "attestation" },
  [`${API}.agent.v1.Agent/PostStatus`]: { perSecond: 10, group: "attestation" },
  [`${API}.agent.v1.Agent/RenewAgent`]: SIGNING,
  [`${API}.svid.v1.SVID/BatchNewX509SVID`]: SIGNING,
  [`${API}.svid.v1.SVID/BatchNewWITSVID`]: SIGNING,
  [`${API}.svid.v1.SVID/NewJWTSVID`]: SIGNING,
  [`${API}.svid.v1.SVID/NewDownstreamX509CA`]: SIGNING,
  "/signet.nodetask.v1.NodeTasks/BatchSignX509": SIGNING,
  "/signet.nodetask.v1.NodeTasks/NewJWTSVID": SIGNING,
  "/signet.nodetask.v1.NodeTasks/NewWITSVID": SIGNING,
  "/signet.nodetask.v1.NodeTasks/IssueToken": SIGNING,
  [`${API}.bundle.v1.Bundle/PublishJWTAuthority`]: SIGNING,
  [`${API}.bundle.v1.Bundle/PublishWITAuthority`]: SIGNING,
};

// Longer than an agent waits for an answer makes no sense, and waiting calls take memory.
const MAX_WAIT_MS = 30_000;
const MAX_BUCKETS = 50_000;

export interface RateLimiterOptions extends RateLimitSwitches {
  readonly clock: Clock;
}

/** Spreads calls out over time, per address and method. */
export class RateLimiter {
  readonly #options: RateLimiterOptions;
  /** Per address and method, when (ms) its bucket will be full again: all there is to know of a bucket. */
  readonly #fullAtMs = new Map<string, number>();

  constructor(options: RateLimiterOptions) {
    this.#options = options;
  }

  /** Whether calls of `method` can be held up at all: lets the caller skip counting items. */
  limits(method: string): boolean {
    const rate = RATES[method];
    return rate !== undefined && this.#options[rate.group];
  }

  /**
   * Takes `count` tokens for a call from `address`, waiting for them if need be.
   * @throws RATE_LIMITED when `count` is more than ever fits, or the wait would be too long; the
   * signal's reason when the caller gives up
   */
  async take(method: string, address: string, count: number, signal: AbortSignal): Promise<void> {
    const rate = RATES[method];
    if (rate === undefined || !this.#options[rate.group] || count <= 0) return;
    if (count > rate.perSecond) {
      throw serverError(
        "RATE_LIMITED",
        `${count} items in one call exceed the ${rate.perSecond} a second that are allowed`,
        { hint: "send smaller batches" },
      );
    }
    const nowMs = this.#options.clock.now().getTime();
    const key = `${method} ${subnetOf(address)}`;
    const fullAtMs = Math.max(this.#knownMs(key, nowMs), nowMs) + (count * 1000) / rate.perSecond;
    const waitMs = fullAtMs - nowMs - 1000;
    if (waitMs > MAX_WAIT_MS) {
      throw serverError("RATE_LIMITED", "too many calls from this address are waiting already", {
        hint: "try again later, less often",
      });
    }
    this.#makeRoom(nowMs);
    this.#fullAtMs.set(key, fullAtMs);
    if (waitMs > 0) await this.#options.clock.sleep(waitMs, signal);
  }

  /**
   * When this bucket is full, as far as it is known. No bucket is ever emptier than the longest wait: one
   * that seems to be was noted before the clock was set back, and would keep its callers out for as long.
   */
  #knownMs(key: string, nowMs: number): number {
    const fullAtMs = this.#fullAtMs.get(key) ?? 0;
    return fullAtMs > nowMs + 1000 + MAX_WAIT_MS ? 0 : fullAtMs;
  }

  /** Full buckets say nothing and go first; beyond that the oldest do, so that memory stays bounded. */
  #makeRoom(nowMs: number): void {
    if (this.#fullAtMs.size < MAX_BUCKETS) return;
    for (const [key, fullAtMs] of this.#fullAtMs) {
      if (fullAtMs <= nowMs) this.#fullAtMs.delete(key);
    }
    for (const key of this.#fullAtMs.keys()) {
      if (this.#fullAtMs.size < MAX_BUCKETS) return;
      this.#fullAtMs.delete(key);
    }
  }
}

/**
 * What one holder of addresses is counted under: an IPv4 address, or the /64 network of an IPv6 one,
 * since a single machine has 2^64 of those to call from.
 */
export function subnetOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const bare = address.split("%", 1)[0] ?? address;
  if (!isIPv6(bare)) return address;
  const [head = "", tail] = bare.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill("0"), ...right];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(":")}::/64`;
}
