// When the bundle of a trust domain is fetched again: after as many seconds as its refresh hint says
// (SPIFFE Federation s4.1), within what the operator allows; a failed fetch waits for the next interval
// too (s6.2). SPIRE asks four times per hint; who publishes by the standard lets three hints pass before
// a new key signs, so asking once per hint is enough, and a quarter of the load.

/** Bounds, in milliseconds. */
export interface Intervals {
  /** For bundles that do not say. */
  readonly defaultMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** Up to this share of an interval is taken off, so that a thousand relationships do not fall together. */
const JITTER = 0.1;

/**
 * How long until the next fetch. `hintSeconds` is that of the stored bundle, 0 when it does not say,
 * undefined when there is no bundle; then `failures`, how many fetches have failed in a row, counts: the
 * first bundle is waited for, by few.
 */
export function nextIntervalMs(
  { defaultMs, minMs, maxMs }: Intervals,
  hintSeconds: number | undefined,
  failures: number,
  random: number,
): number {
  const clamp = (ms: number): number => Math.min(Math.max(ms, minMs), maxMs);
  const full =
    hintSeconds === undefined
      ? Math.min(clamp(minMs * 2 ** Math.min(failures - 1, 30)), clamp(defaultMs))
      : clamp(hintSeconds === 0 ? defaultMs : hintSeconds * 1000);
  return full * (1 - JITTER * random);
}
