// The authorities that sign at the moment, in the form in which they sign, so that issuing looks
// nothing up. Taken out of the journal after each change; an authority that stays active keeps its
// object, on which templates and signing threads hang.

import type { Signer } from "../../pki/keys.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import type { X509Issuer } from "../../pki/x509/issue.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { AuthorityRecord } from "../store/journal.ts";
import { notReady, notYetValid } from "./refusals.ts";
import { slotsOf } from "./slots.ts";

/** The JWT authority that signs. */
export interface JwtIssuer {
  /** It vouches for no other one. */
  readonly trustDomain: TrustDomain;
  readonly signer: Signer;
  /** The `kid` of what it signs. */
  readonly keyId: string;
  /** What it signs expires no later. */
  readonly expiresAt: Date;
}

/** The active authority of each kind. */
export class ActiveIssuers {
  readonly #options: { readonly trustDomain: TrustDomain; readonly clock: Clock };
  #x509: X509Issuer | undefined;
  #jwt: JwtIssuer | undefined;

  constructor(options: { readonly trustDomain: TrustDomain; readonly clock: Clock }) {
    this.#options = options;
  }

  /** Takes the active authority of each kind, and its signer (by key ID). */
  read(
    authorities: readonly AuthorityRecord[],
    signers: { get(keyId: string): Signer | undefined },
  ): void {
    const x509 = slotsOf(authorities, "x509").active;
    const jwt = slotsOf(authorities, "jwt").active;
    const x509Signer = x509 && signers.get(x509.keyId);
    const jwtSigner = jwt && signers.get(jwt.keyId);
    if (x509?.certificate === undefined || !x509Signer || !jwt || !jwtSigner) {
      throw new TypeError("there is a kind of authority without an active one");
    }
    if (this.#x509?.signer !== x509Signer) {
      const certificate = parseCertificate(x509.certificate);
      this.#x509 = { certificate, upstreamChain: [], signer: x509Signer };
    }
    if (this.#jwt?.signer !== jwtSigner) {
      const { trustDomain } = this.#options;
      const { authorityId: keyId, notAfter: expiresAt } = jwt;
      this.#jwt = { trustDomain, signer: jwtSigner, keyId, expiresAt };
    }
  }

  /** @throws AUTHORITY_NOT_READY when it has expired, or was made while the clock was ahead */
  x509(): X509Issuer {
    const issuer = this.#x509;
    if (issuer === undefined || this.#isPast(issuer.certificate.notAfter)) throw notReady("X.509");
    if (!this.#isPast(issuer.certificate.notBefore)) throw notYetValid("X.509");
    return issuer;
  }

  /** @throws AUTHORITY_NOT_READY when it has expired */
  jwt(): JwtIssuer {
    const issuer = this.#jwt;
    if (issuer === undefined || this.#isPast(issuer.expiresAt)) throw notReady("JWT");
    return issuer;
  }

  #isPast(moment: Date): boolean {
    return moment.getTime() <= this.#options.clock.now().getTime();
  }
}
