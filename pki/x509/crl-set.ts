// Which revocation lists count for a certificate (RFC 5280 s6.3): the newest full one that the certificate's
// own issuer signed, and the newest of the distribution point that the certificate names. Where lists come from, and when a set is replaced
// by another: client and agent. Reading one list: crl.ts.
import { type Certificate, equalBytes, KeyUsage } from "./certificate.ts";
import type { Crl } from "./crl.ts";
import type { RevocationReason } from "./crl-reason.ts";
import { crlPointsOf } from "./distribution-point.ts";

/** Authorities whose choice of list is remembered. */
const MAX_REMEMBERED = 1024;

/**
 * Revocation lists of any number of authorities, as they are at one moment. A list that the authority
 * it names did not sign is ignored, whatever its number. A list that is past its `nextUpdate` counts
 * for what it lists: time does not make a revoked certificate good again.
 */
export class CrlSet {
  readonly #byIssuer = new Map<string, Crl[]>();
  /** What was chosen, by the issuer's name and key; null where there is none. */
  readonly #chosen = new Map<string, Crl | null>();
  readonly size: number;
  readonly #hasScoped: boolean;

  constructor(crls: readonly Crl[]) {
    this.size = crls.length;
    this.#hasScoped = crls.some(({ scope }) => scope !== undefined);
    for (const crl of crls) {
      const key = keyOf(crl.issuerDer);
      const lists = this.#byIssuer.get(key);
      if (lists === undefined) this.#byIssuer.set(key, [crl]);
      else lists.push(crl);
    }
    for (const lists of this.#byIssuer.values()) lists.sort(newestFirst);
  }

  /** Why `certificate`, which `issuer` signed, is revoked; undefined when nothing says that it is. */
  revocationOf(certificate: Certificate, issuer: Certificate): RevocationReason | undefined {
    if (this.#byIssuer.size === 0) return undefined;
    const { serialHex } = certificate;
    const reason = this.#listOf(issuer, undefined)?.reasonOf(serialHex);
    if (reason !== undefined || !this.#hasScoped) return reason;
    // s6.3.3 (b)(2): a list of a point counts for those certificates alone that name the point.
    for (const point of crlPointsOf(certificate)) {
      const found = this.#listOf(issuer, point)?.reasonOf(serialHex);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #listOf(issuer: Certificate, point: string | undefined): Crl | undefined {
    const lists = this.#byIssuer.get(keyOf(issuer.subjectDer));
    if (lists === undefined) return undefined;
    // s6.3.3 (f): when the issuer's key usage is limited, lists must be among it.
    if (((issuer.keyUsage ?? KeyUsage.cRLSign) & KeyUsage.cRLSign) === 0) return undefined;
    const key = `${point ?? ""} ${keyOf(issuer.subjectDer, issuer.spki)}`;
    let chosen = this.#chosen.get(key);
    if (chosen === undefined) {
      const ofPoint = lists.filter(({ scope }) =>
        point === undefined ? scope === undefined : scope?.includes(point) === true,
      );
      chosen = newestSigned(ofPoint, issuer) ?? null;
      if (this.#chosen.size >= MAX_REMEMBERED) this.#chosen.clear();
      this.#chosen.set(key, chosen);
    }
    return chosen ?? undefined;
  }
}

function newestSigned(lists: readonly Crl[], issuer: Certificate): Crl | undefined {
  const { subjectKeyId } = issuer;
  const candidates = lists.filter(
    ({ authorityKeyId }) =>
      authorityKeyId === undefined ||
      subjectKeyId === undefined ||
      equalBytes(authorityKeyId, subjectKeyId),
  );
  // Every one until the first that is signed: a limit would let forged lists crowd out the real one.
  return candidates.find((crl) => crl.isSignedBy(issuer.publicKey));
}

/** By number; a list without one, as those of version 1 are, is older than any with one. */
function newestFirst(a: Crl, b: Crl): number {
  const [first, second] = [a.number ?? -1n, b.number ?? -1n];
  if (first !== second) return first > second ? -1 : 1;
  return b.thisUpdate.getTime() - a.thisUpdate.getTime();
}

function keyOf(...parts: readonly Uint8Array[]): string {
  return parts
    .map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString("latin1"))
    .join("|");
}
