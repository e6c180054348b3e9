// What a fuzz target is: a parser of bytes from outside, and what must hold for every input whatever.
// The targets: targets/. How they are driven: run.ts (by coverage) and corpus.test.ts (what was kept).
import { IdentityError, Status } from "../../pki/errors.ts";

export interface FuzzTarget {
  /** Also the name of its corpus. */
  readonly name: string;
  /** What reads such bytes, and from whom. */
  readonly reads: string;
  /** Longest input that is tried. */
  readonly maxBytes: number;
  /** Most inputs of its corpus, where each takes its time. */
  readonly maxKept?: number;
  /** Good inputs to begin from. */
  readonly seeds: () => readonly Uint8Array[];
  /** @throws whatever no input may cause */
  readonly run: (data: Uint8Array) => void | Promise<void>;
}

/** How long one input may take, on a machine that is busy; a hang is a finding. */
export const MAX_SECONDS_PER_INPUT = 20;

/**
 * The result of `parse`, or undefined when it refuses the input with an error of ours that blames the
 * input. Everything else that it throws is a finding.
 */
export function parsedOrRefused<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    assertRefusal(error);
    return undefined;
  }
}

/** Refusals of a caller's bytes have one of these codes; INTERNAL would be our own fault. */
const BLAMES_INPUT: ReadonlySet<Status> = new Set([
  Status.invalidArgument,
  Status.unauthenticated,
  Status.permissionDenied,
  Status.failedPrecondition,
  Status.resourceExhausted,
  Status.unimplemented,
  // Of files that were changed since they were written.
  Status.dataLoss,
]);

/** @throws `error` unless it refuses the input as it should */
export function assertRefusal(error: unknown): void {
  if (error instanceof IdentityError && BLAMES_INPUT.has(error.code)) return;
  throw error;
}

/** @throws Error with `problem` unless it holds */
export function holds(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new Error(problem);
}

export const bytesOf = (text: string): Uint8Array => Buffer.from(text, "utf8");
export const textOf = (data: Uint8Array): string => Buffer.from(data).toString("utf8");
