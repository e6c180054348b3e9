// Budgets: how many uses of a task's mandate are taken, as pure bookkeeping. The server lends blocks of uses
// to node agents, which spend them without asking again. What is lent counts as spent for good: a node agent
// that is lost forfeits its block, so that a limit may be reached early and is never passed.

/** A block of uses that was lent. */
export interface Lease {
  /** Chosen by who borrows. */
  readonly id: string;
  readonly borrower: string;
  readonly lent: number;
  readonly atMs: number;
}

/** What was taken of one task's budget. */
export interface UseBook {
  /** Uses that were lent, spent or not. */
  readonly taken: number;
  /** The newest leases, the oldest first: a call that is made again is answered as before. */
  readonly leases: readonly Lease[];
}

export const EMPTY_BOOK: UseBook = { taken: 0, leases: [] };

/** How long a lease is remembered: longer than anyone repeats a call. */
const LEASE_MEMORY_MS = 600_000;
/**
 * Leases that are remembered. One that is forgotten and asked for again is lent anew, which is on the
 * safe side: what was lent the first time stays taken.
 */
const MAX_LEASES = 128;

/** What is asked for. */
export interface Asked {
  readonly id: string;
  readonly borrower: string;
  /** At least 1. */
  readonly count: number;
}

/** How a request for uses ends. */
export interface Lent {
  /** The book from then on; the same object when nothing changed. */
  readonly book: UseBook;
  /** 0 when there is nothing left. */
  readonly lent: number;
  /** What can still be lent. */
  readonly left: number;
}

/** Lends what is left, at most what is asked for. `uses` is the mandate's: undefined without a limit. */
export function lend(book: UseBook, asked: Asked, uses: number | undefined, now: Date): Lent {
  const limit = uses ?? Number.MAX_SAFE_INTEGER;
  const known = book.leases.find(
    ({ id, borrower }) => id === asked.id && borrower === asked.borrower,
  );
  if (known !== undefined) return { book, lent: known.lent, left: leftOf(book, limit) };
  const lent = Math.min(asked.count, leftOf(book, limit));
  if (lent <= 0) return { book, lent: 0, left: 0 };
  const nowMs = now.getTime();
  const { id, borrower } = asked;
  const recent = book.leases.filter(({ atMs }) => Math.abs(nowMs - atMs) < LEASE_MEMORY_MS);
  const next = {
    taken: book.taken + lent,
    leases: [...recent, { id, borrower, lent, atMs: nowMs }].slice(-MAX_LEASES),
  };
  return { book: next, lent, left: leftOf(next, limit) };
}

/** A mandate that was narrowed below what is taken has nothing left. */
function leftOf({ taken }: UseBook, limit: number): number {
  return Math.max(0, limit - taken);
}
