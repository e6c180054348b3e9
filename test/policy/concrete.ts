// An independent judge of mandates: it knows no comparison of patterns or sets. It lists every concrete action that
// a pattern stands for, over a small alphabet and up to a length, and every concrete request that a mandate
// allows, and leaves the rest to sets of what was listed.
import type { Mandate } from "../../policy/mandate.ts";

/** "z" stands in no pattern of the tests: what a pattern says of words that it does not name. */
export const WORDS = ["a", "b", "z"] as const;

/** All actions of one to so many words. */
export function actionsUpTo(length: number): readonly string[] {
  if (length === 0) return [];
  const shorter = actionsUpTo(length - 1);
  const longest = length === 1 ? [""] : shorter.filter((one) => one.length === 2 * length - 3);
  return [
    ...shorter,
    ...longest.flatMap((one) => WORDS.map((word) => (one === "" ? word : `${one}/${word}`))),
  ];
}

/** The actions of at most so many words that a pattern stands for, spelled out word by word. */
export function language(pattern: string, length: number): Set<string> {
  if (length === 0) return new Set();
  if (pattern === "**") return new Set(actionsUpTo(length));
  const slash = pattern.indexOf("/");
  const first = slash < 0 ? pattern : pattern.slice(0, slash);
  const words = first === "*" ? WORDS : WORDS.filter((word) => word === first);
  if (slash < 0) return new Set(words);
  const rest = language(pattern.slice(slash + 1), length - 1);
  return new Set(words.flatMap((word) => [...rest].map((tail) => `${word}/${tail}`)));
}

/** Something that somebody wants to do, in every respect that a mandate speaks of. */
export interface Request {
  readonly location: string;
  readonly action: string;
  readonly datatypes: readonly string[];
  readonly sensitivity: number;
  readonly environment: string;
  readonly at: Date;
  /** It is the use with this number, from 1. */
  readonly use: number;
  /** How often the mandate was handed on by then. */
  readonly hops: number;
}

const LENGTH = 3;
const MOMENTS = [new Date(1000_000), new Date(2000_000)];

/** Every request over small alphabets, values that no mandate names among them. */
export const REQUESTS: readonly Request[] = product({
  location: ["https://one.test", "https://two.test/x", "https://other.test"],
  action: actionsUpTo(LENGTH),
  datatypes: [[], ["public"], ["personal"], ["public", "personal"], ["other"]],
  sensitivity: [0, 2, 5],
  environment: ["prod", "lab"],
  at: MOMENTS,
  use: [1, 3],
  hops: [0, 2],
});

function product(values: { readonly [F in keyof Request]: readonly Request[F][] }): Request[] {
  let all: Partial<Request>[] = [{}];
  for (const [field, choices] of Object.entries(values)) {
    all = all.flatMap((one) => choices.map((choice) => ({ ...one, [field]: choice })));
  }
  return all as Request[];
}

/** Which of REQUESTS a mandate allows: a bit each. */
export function allowedBits(mandate: Mandate): Uint32Array {
  const bits = new Uint32Array(Math.ceil(REQUESTS.length / 32));
  const isAllowed = judgeOf(mandate);
  for (const [i, request] of REQUESTS.entries()) {
    if (isAllowed(request)) bits[i >> 5] = (bits[i >> 5] ?? 0) | (1 << (i & 31));
  }
  return bits;
}

/** Whether a mandate allows one of REQUESTS, by lists of what it stands for. */
export function judgeOf(mandate: Mandate): (request: Request) => boolean {
  const { locations, actions, datatypes, environment } = mandate;
  const spelled = new Set(
    actions === "any" ? actionsUpTo(LENGTH) : actions.flatMap((one) => [...language(one, LENGTH)]),
  );
  const lastUse = mandate.uses ?? Number.POSITIVE_INFINITY;
  const endMs = (mandate.untilUnixSeconds ?? Number.POSITIVE_INFINITY) * 1000;
  return (request) => {
    if (request.use > lastUse || request.hops > mandate.depth) return false;
    if (request.at.getTime() >= endMs || request.sensitivity > mandate.maxSensitivity) return false;
    if (environment !== "*" && environment !== request.environment) return false;
    if (locations !== "any" && !locations.some((one) => one === request.location)) return false;
    for (const label of request.datatypes) {
      if (datatypes !== "any" && !datatypes.some((one) => one === label)) return false;
    }
    return spelled.has(request.action);
  };
}

/** Whether all bits of one are bits of the other. */
export function isWithin(one: Uint32Array, other: Uint32Array): boolean {
  return one.every((word, i) => (word & ~(other[i] ?? 0)) === 0);
}
