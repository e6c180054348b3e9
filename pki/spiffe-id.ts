// SPIFFE IDs and trust domain names: grammar, parsing, building, membership (SPIFFE-ID s2).
// Characters are checked one by one: a URL class would trim, lowercase, decode and resolve "..", and
// so accept names that the standard refuses. Nothing here is ever normalised: an ID is what was written.
// Where an ID is found in a certificate: pki/x509/svid.ts; in a token: pki/jwt/svid.ts.

import { pkiError } from "./errors.ts";

/** Longest SPIFFE ID that is accepted, in bytes, scheme included (s2.3). */
export const MAX_SPIFFE_ID_BYTES = 2048;
/** Longest trust domain name that is accepted, in bytes (s2.3). */
const MAX_TRUST_DOMAIN_BYTES = 255;

const SCHEME = "spiffe://";
const SLASH = 0x2f;
const DOT = 0x2e;

const TRUST_DOMAIN_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
const TRUST_DOMAIN_TABLE = tableOf(TRUST_DOMAIN_CHARACTERS);
const SEGMENT_TABLE = tableOf(`${TRUST_DOMAIN_CHARACTERS}ABCDEFGHIJKLMNOPQRSTUVWXYZ`);

/** A trust domain: the name of one issuing authority and of everything it vouches for. */
export class TrustDomain {
  /** The bare name, such as `north.test`. */
  readonly name: string;
  /** The trust domain's own SPIFFE ID, such as `spiffe://north.test`. */
  readonly id: string;

  /** @internal Use `TrustDomain.parse`: the constructor checks nothing. */
  constructor(checkedName: string) {
    this.name = checkedName;
    this.id = SCHEME + checkedName;
  }

  /**
   * Parses a bare name (`north.test`) or takes the trust domain of a SPIFFE ID (`spiffe://north.test/db`).
   * @throws TRUST_DOMAIN_INVALID
   */
  static parse(nameOrId: string): TrustDomain {
    if (typeof nameOrId !== "string") throw notTrustDomain(nameOrId, "it is not a string");
    if (nameOrId.includes("/") || nameOrId.startsWith("spiffe:")) {
      const parts = split(nameOrId);
      if (typeof parts === "string") throw notTrustDomain(nameOrId, parts);
      return parts.trustDomain;
    }
    const problem = trustDomainProblem(nameOrId, 0, nameOrId.length);
    if (problem !== undefined) throw notTrustDomain(nameOrId, problem);
    return new TrustDomain(nameOrId);
  }

  equals(other: TrustDomain): boolean {
    return this.name === other.name;
  }

  toString(): string {
    return this.name;
  }

  toJSON(): string {
    return this.name;
  }
}

/** A SPIFFE ID: a trust domain and a path, `""` for the trust domain's own ID. */
export class SpiffeId {
  readonly trustDomain: TrustDomain;
  /** `""`, or segments each led by a slash, such as `/ns/prod/db`. */
  readonly path: string;
  private readonly text: string;

  private constructor(trustDomain: TrustDomain, path: string, text: string) {
    this.trustDomain = trustDomain;
    this.path = path;
    this.text = text;
  }

  /**
   * Parses a SPIFFE ID exactly as written.
   * @throws SPIFFE_ID_INVALID
   */
  static parse(text: string): SpiffeId {
    if (typeof text !== "string") throw notSpiffeId(text, "it is not a string");
    const parts = split(text);
    if (typeof parts === "string") throw notSpiffeId(text, parts);
    return new SpiffeId(parts.trustDomain, parts.path, text);
  }

  /**
   * The ID of `path` in a trust domain; `path` is `""` or starts with a slash.
   * @throws SPIFFE_ID_INVALID
   */
  static of(trustDomain: TrustDomain, path: string): SpiffeId {
    if (path !== "" && path.charCodeAt(0) !== SLASH) {
      throw notSpiffeId(path, "a path starts with a slash");
    }
    return SpiffeId.parse(trustDomain.id + path);
  }

  /**
   * The ID whose path has these segments; none gives the trust domain's own ID.
   * @throws SPIFFE_ID_INVALID also for a segment that contains a slash
   */
  static fromSegments(trustDomain: TrustDomain, segments: readonly string[]): SpiffeId {
    for (const segment of segments) {
      if (segment.includes("/")) throw notSpiffeId(segment, "a path segment contains a slash");
    }
    return SpiffeId.parse(trustDomain.id + segments.map((segment) => `/${segment}`).join(""));
  }

  /** Whether both are the same ID, byte for byte. */
  equals(other: SpiffeId): boolean {
    return this.text === other.text;
  }

  isMemberOf(trustDomain: TrustDomain): boolean {
    return this.trustDomain.name === trustDomain.name;
  }

  toString(): string {
    return this.text;
  }

  toJSON(): string {
    return this.text;
  }
}

/** Splits a SPIFFE ID into its parts, or says in words why it is none. */
function split(text: string): { trustDomain: TrustDomain; path: string } | string {
  if (!text.startsWith(SCHEME)) return 'it does not start with "spiffe://"';
  if (text.length > MAX_SPIFFE_ID_BYTES) {
    return `it is longer than ${MAX_SPIFFE_ID_BYTES} bytes`;
  }
  const slash = text.indexOf("/", SCHEME.length);
  const end = slash < 0 ? text.length : slash;
  const problem = trustDomainProblem(text, SCHEME.length, end) ?? pathProblem(text, end);
  if (problem !== undefined) return problem;
  return { trustDomain: new TrustDomain(text.slice(SCHEME.length, end)), path: text.slice(end) };
}

function trustDomainProblem(text: string, start: number, end: number): string | undefined {
  if (start === end) return "the trust domain is empty";
  if (end - start > MAX_TRUST_DOMAIN_BYTES) {
    return `the trust domain is longer than ${MAX_TRUST_DOMAIN_BYTES} bytes`;
  }
  for (let i = start; i < end; i++) {
    if (TRUST_DOMAIN_TABLE[text.charCodeAt(i)] !== 1) {
      return "a trust domain consists of lowercase letters, digits, dots, dashes and underscores";
    }
  }
  return undefined;
}

/** Checks `text` from `start`, which is its end or the position of a slash. */
function pathProblem(text: string, start: number): string | undefined {
  let segmentStart = start + 1;
  for (let i = segmentStart; i <= text.length; i++) {
    const code = text.charCodeAt(i); // NaN at the end
    if (i < text.length && code !== SLASH) {
      if (SEGMENT_TABLE[code] === 1) continue;
      return "a path consists of letters, digits, dots, dashes, underscores and slashes";
    }
    if (i === segmentStart) return "the path has an empty segment or ends with a slash";
    if (isDots(text, segmentStart, i)) return 'the path has a "." or ".." segment';
    segmentStart = i + 1;
  }
  return undefined;
}

function isDots(text: string, start: number, end: number): boolean {
  if (end - start > 2 || text.charCodeAt(start) !== DOT) return false;
  return end - start === 1 || text.charCodeAt(start + 1) === DOT;
}

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(128);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

function notSpiffeId(value: unknown, why: string): Error {
  return pkiError("SPIFFE_ID_INVALID", `${quote(value)} is not a SPIFFE ID: ${why}`, {
    hint: "write it as spiffe://TRUST_DOMAIN/PATH",
  });
}

function notTrustDomain(value: unknown, why: string): Error {
  return pkiError("TRUST_DOMAIN_INVALID", `${quote(value)} is not a trust domain name: ${why}`, {
    hint: "write it like a lowercase domain name, without scheme or port",
  });
}

/** Outside text in a message: escaped, so that it cannot forge a log line, and cut. */
function quote(value: unknown): string {
  const text = typeof value === "string" ? value : String(typeof value);
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);
}
