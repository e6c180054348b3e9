// When a document is to be renewed, and an authority prepared and activated: arithmetic on dates.
// Who acts on it: server/ca/rotation.ts for authorities, agent/cache/rotation.ts for SVIDs.

const DAY_MS = 86_400_000;
const MAX_PREPARE_MS = 30 * DAY_MS;
const MAX_ACTIVATE_MS = 7 * DAY_MS;
const RENEW_JITTER = 0.1;

/** When the successor of an authority is to be prepared: half its lifetime before the end, at most 30 days. */
export function prepareAt(notBefore: Date, notAfter: Date): Date {
  return before(notAfter, Math.min(lifetimeMs(notBefore, notAfter) / 2, MAX_PREPARE_MS));
}

/**
 * When the prepared successor takes over: a sixth of the lifetime before the end, at most 7 days.
 * SVIDs with lifetimes up to that are therefore never cut short by their authority's end.
 */
export function activateAt(notBefore: Date, notAfter: Date): Date {
  return before(notAfter, Math.min(lifetimeMs(notBefore, notAfter) / 6, MAX_ACTIVATE_MS));
}

/**
 * When an SVID is renewed: at half its lifetime, ±10 % of that half. `jitter` from 0 to 1 picks the
 * moment, so that what was issued together is not renewed together.
 */
export function renewAt(notBefore: Date, notAfter: Date, jitter: number): Date {
  const half = lifetimeMs(notBefore, notAfter) / 2;
  const share = Math.min(Math.max(jitter, 0), 1);
  return new Date(notBefore.getTime() + half * (1 - RENEW_JITTER + 2 * RENEW_JITTER * share));
}

function lifetimeMs(notBefore: Date, notAfter: Date): number {
  return Math.max(notAfter.getTime() - notBefore.getTime(), 0);
}

function before(moment: Date, ms: number): Date {
  return new Date(moment.getTime() - ms);
}
