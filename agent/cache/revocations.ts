// What was revoked before it expired: the revocation lists of the own X.509 authorities, and the tokens
// to be refused. A list counts while the authority that signed it is in the own bundle, and an older
// list never takes the place of a newer one. Nothing of this is kept on the disk: until the server has
// said what is revoked, an agent serves no SVID and validates no token. Who is refused by it: svids.ts,
// jwt-svids.ts and the Workload API.

import { createHash } from "node:crypto";
import { type Certificate, equalBytes } from "../../pki/x509/certificate.ts";
import type { Crl } from "../../pki/x509/crl.ts";
import { CrlSet } from "../../pki/x509/crl-set.ts";
import type { Logger } from "../../runtime/log.ts";
import { keyIdOf } from "./bundles.ts";
import type { HeldSvid } from "./mint.ts";

/** A list as it came from the server. */
export interface ReceivedCrl {
  /** Subject key ID of its authority, lower-case hex. */
  readonly authorityId: string;
  /** Undefined when it cannot be read: the one that is held then stays. */
  readonly crl: Crl | undefined;
}

/** Tokens that are to be refused. */
export interface TokenRevocation {
  readonly target:
    | { readonly kind: "jti"; readonly jti: string }
    /** {@link tokenDigest} */
    | { readonly kind: "digest"; readonly digest: string }
    /** Every token of this ID that was issued then or before. */
    | {
        readonly kind: "spiffe-id";
        readonly spiffeId: string;
        readonly issuedUntilUnixSeconds: number;
      };
  /** By then every such token has expired. */
  readonly expiresAt: Date;
}

/** A change of what is revoked, on its way in. */
export interface RevocationChange {
  readonly crls: readonly ReceivedCrl[];
  /** Authorities of which nothing is revoked any more. */
  readonly removedCrls: readonly string[];
  readonly tokens: readonly TokenRevocation[];
}

/** What a change did. */
export interface RevocationEffect {
  readonly crls: boolean;
  readonly tokens: boolean;
}

/** A token, as far as it matters here. */
export interface RevocableToken {
  readonly token: string;
  readonly spiffeId: string;
  readonly jti: string | undefined;
  readonly issuedAt: Date | undefined;
}

export interface RevocationsOptions {
  /** The X.509 authorities of the own trust domain. */
  readonly anchors: () => readonly Certificate[];
  readonly now: () => Date;
  readonly log: Logger;
}

const NOTHING: readonly Uint8Array[] = [];
/** Digests on the link are cut to this many bytes. */
const DIGEST_BYTES = 16;
/** Lists of authorities that the own bundle does not hold, or not yet. */
const MAX_UNVERIFIED = 64;
/**
 * Validators allow for clocks that differ: a token is good for a minute after it has expired. And a clock
 * that was ahead for a while makes no token good again: the server says of each once, and keeps it as long.
 */
const KEPT_AFTER_EXPIRY_MS = 86_400_000;
/** More than the tag and the length of a list in a message. */
const FIELD_BYTES = 8;
const PRUNE_EVERY_MS = 60_000;

/** The digest that a token is revoked by, in hex: what is signed of it, so that no other spelling evades. */
export function tokenDigest(token: string): string {
  const signed = token.slice(0, token.lastIndexOf("."));
  return createHash("sha256").update(signed).digest().subarray(0, DIGEST_BYTES).toString("hex");
}

/** Everything that is revoked, as far as the server has said. */
export class Revocations {
  readonly #options: RevocationsOptions;
  /** Lists in force, by the subject key ID of their authority. */
  readonly #inForce = new Map<string, Crl>();
  /** Received, but signed by no authority of the own bundle as it is. */
  readonly #unverified = new Map<string, Crl>();
  /** When each ends, in milliseconds. */
  readonly #jtis = new Map<string, number>();
  readonly #digests = new Map<string, number>();
  readonly #ids = new Map<string, { untilSeconds: number; endMs: number }>();
  #crls: readonly Uint8Array[] = NOTHING;
  #set: CrlSet | undefined;
  #prunedMs = Number.NEGATIVE_INFINITY;
  #hasWarned = false;

  constructor(options: RevocationsOptions) {
    this.#options = options;
  }

  /** The lists that revoke anything, DER. The same array until they change. */
  get crls(): readonly Uint8Array[] {
    return this.#crls;
  }

  /**
   * The lists that fit into so many bytes of a message. When not all do, the small ones go first, and
   * the rest is left out: a workload that loses its identity for the sake of a list would be worse off
   * than one that hears nothing of revocations. Said in the log once for each change.
   */
  crlsWithin(maxBytes: number): readonly Uint8Array[] {
    let left = maxBytes - this.#crls.reduce((sum, der) => sum + der.length + FIELD_BYTES, 0);
    if (left >= 0) return this.#crls;
    left = maxBytes;
    const fitting = [...this.#crls]
      .sort((a, b) => a.length - b.length)
      .filter((der) => {
        left -= der.length + FIELD_BYTES;
        return left >= 0;
      });
    if (!this.#hasWarned) {
      this.#hasWarned = true;
      this.#options.log.warn(
        { lists: this.#crls.length, left_out: this.#crls.length - fitting.length },
        "revocation lists are too large for the Workload API: workloads do not see them all; revoke the authority instead",
      );
    }
    return fitting;
  }

  /** The same for a verifier; undefined while nothing is revoked. */
  get crlSet(): CrlSet | undefined {
    if (this.#crls.length === 0) return undefined;
    this.#set ??= new CrlSet([...this.#inForce.values()]);
    return this.#set;
  }

  /** How many serial numbers are listed. */
  get serials(): number {
    return [...this.#inForce.values()].reduce((sum, crl) => sum + crl.size, 0);
  }

  /** How many revocations of tokens are held. */
  get tokens(): number {
    return this.#jtis.size + this.#digests.size + this.#ids.size;
  }

  /** Takes over all lists as they are now. Tokens that are revoked stay so, named again or not. */
  replaceAll(change: Omit<RevocationChange, "removedCrls">): RevocationEffect {
    const named = new Set(change.crls.map(({ authorityId }) => authorityId));
    const held = [...this.#inForce.keys(), ...this.#unverified.keys()];
    return this.apply({ ...change, removedCrls: held.filter((id) => !named.has(id)) });
  }

  /** Takes over a change. To call after the own bundle has been taken over. */
  apply(change: RevocationChange): RevocationEffect {
    for (const authorityId of change.removedCrls) {
      this.#inForce.delete(authorityId);
      this.#unverified.delete(authorityId);
    }
    for (const { authorityId, crl } of change.crls) {
      if (crl !== undefined) this.#put(authorityId, crl);
    }
    for (const revocation of change.tokens) this.#revoke(revocation);
    this.#prune();
    return { crls: this.#renew(), tokens: change.tokens.length > 0 };
  }

  /** Follows the own bundle: a list goes with its authority. Answers whether the lists changed. */
  bundleChanged(): boolean {
    const received = [...this.#unverified, ...this.#inForce];
    this.#inForce.clear();
    this.#unverified.clear();
    for (const [authorityId, crl] of received) this.#put(authorityId, crl, "debug");
    return this.#renew();
  }

  /** Whether a list in force holds the SVID, or an authority between it and the anchor. */
  isSvidRevoked({ serials }: Pick<HeldSvid, "serials">): boolean {
    return serials.some(({ serialHex, issuerKeyId }) => {
      const crl = issuerKeyId === undefined ? undefined : this.#inForce.get(issuerKeyId);
      return crl?.reasonOf(serialHex) !== undefined;
    });
  }

  /** Whether a token of the own trust domain is to be refused. */
  isTokenRevoked({ token, spiffeId, jti, issuedAt }: RevocableToken): boolean {
    if (this.tokens === 0) return false;
    if (jti !== undefined && this.#jtis.has(jti)) return true;
    const ofId = this.#ids.get(spiffeId);
    // A token that does not say when it was issued cannot prove that it is newer.
    const issuedSeconds = (issuedAt?.getTime() ?? Number.NEGATIVE_INFINITY) / 1000;
    if (ofId !== undefined && Math.floor(issuedSeconds) <= ofId.untilSeconds) return true;
    return this.#digests.size > 0 && this.#digests.has(tokenDigest(token));
  }

  #put(authorityId: string, crl: Crl, level: "warn" | "debug" = "warn"): void {
    if (!this.#isSigned(authorityId, crl)) {
      this.#unverified.delete(authorityId);
      this.#unverified.set(authorityId, crl);
      const [oldest] = this.#unverified.keys();
      if (this.#unverified.size > MAX_UNVERIFIED && oldest) this.#unverified.delete(oldest);
      this.#options.log[level](
        { authority_id: authorityId },
        "left out a revocation list that no authority of the own bundle has signed",
      );
      return;
    }
    const held = this.#inForce.get(authorityId);
    if (held !== undefined && isOlder(crl, held)) {
      this.#options.log[level](
        { authority_id: authorityId, number: String(crl.number), held: String(held.number) },
        "left out a revocation list that is older than the one that is held",
      );
      return;
    }
    this.#unverified.delete(authorityId);
    this.#inForce.set(authorityId, crl);
  }

  #isSigned(authorityId: string, crl: Crl): boolean {
    return this.#options.anchors().some((anchor) => {
      if (keyIdOf(anchor.subjectKeyId) !== authorityId) return false;
      if (!equalBytes(anchor.subjectDer, crl.issuerDer)) return false;
      try {
        return crl.isSignedBy(anchor.publicKey);
      } catch {
        return false; // a key of a kind that signs nothing we read
      }
    });
  }

  /** Makes the lists to hand out anew; answers whether they differ. */
  #renew(): boolean {
    const listing = [...this.#inForce.entries()].filter(([, crl]) => crl.size > 0);
    // By authority: messages that hold the same lists are the same to the byte.
    listing.sort(([a], [b]) => (a < b ? -1 : 1));
    const crls = listing.map(([, crl]) => crl.der);
    const isSame =
      crls.length === this.#crls.length &&
      crls.every((der, i) => equalBytes(der, this.#crls[i] ?? new Uint8Array()));
    if (isSame) return false;
    this.#crls = crls;
    this.#set = undefined;
    this.#hasWarned = false;
    return true;
  }

  #revoke({ target, expiresAt }: TokenRevocation): void {
    const endMs = expiresAt.getTime() + KEPT_AFTER_EXPIRY_MS;
    if (target.kind === "jti") later(this.#jtis, target.jti, endMs);
    else if (target.kind === "digest") later(this.#digests, target.digest, endMs);
    else {
      const held = this.#ids.get(target.spiffeId);
      this.#ids.set(target.spiffeId, {
        untilSeconds: Math.max(held?.untilSeconds ?? 0, target.issuedUntilUnixSeconds),
        endMs: Math.max(held?.endMs ?? 0, endMs),
      });
    }
  }

  #prune(): void {
    const nowMs = this.#options.now().getTime();
    if (nowMs < this.#prunedMs + PRUNE_EVERY_MS && nowMs >= this.#prunedMs) return;
    this.#prunedMs = nowMs;
    for (const ends of [this.#jtis, this.#digests]) {
      for (const [key, endMs] of ends) if (endMs <= nowMs) ends.delete(key);
    }
    for (const [id, { endMs }] of this.#ids) if (endMs <= nowMs) this.#ids.delete(id);
  }
}

/**
 * By number and by time: a server that was put back from a backup counts on from a lower number, and one
 * whose clock was set back signs lists that seem older. A list that is played back is behind in both.
 */
function isOlder(crl: Crl, held: Crl): boolean {
  const laterMs = crl.thisUpdate.getTime() - held.thisUpdate.getTime();
  if (crl.number === undefined || held.number === undefined || crl.number === held.number) {
    return laterMs < 0;
  }
  return crl.number < held.number && laterMs <= 0;
}

function later(ends: Map<string, number>, key: string, endMs: number): void {
  ends.set(key, Math.max(ends.get(key) ?? 0, endMs));
}
