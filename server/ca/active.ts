// The authorities that sign at the moment, in the form in which they sign, so that issuing looks
// nothing up. Taken out of the journal after each change; an authority that stays active keeps its
// object, on which templates and signing threads hang.

import type { Signer } from "../../pki/keys.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import type { X509Issuer } from "../../pki/x509/issue.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { AuthorityKindName, AuthorityRecord } from "../store/journal.ts";
import { notReady, notYetValid, oauthNotConfigured, witNotIssued } from "./refusals.ts";
import { slotsOf } from "./slots.ts";

/** The JWT, WIT or OAuth authority that signs. */
export interface TokenIssuer {
  /** It vouches for no other one. */
  readonly trustDomain: TrustDomain;
  readonly signer: Signer;
  /** The `kid` of what it signs. */
  readonly keyId: string;
  /** What it signs expires no later. */
  readonly expiresAt: Date;
}

export interface ActiveIssuersOptions {
  readonly trustDomain: TrustDomain;
  /** The kinds that sign here. Others of the journal are of a time when they did. */
  readonly kinds: readonly { readonly name: AuthorityKindName }[];
  /** Where the revocation list of an X.509 authority is, for what it signs to say so. Default: it does not. */
  readonly crlUrlOf?: ((authorityId: string) => string) | undefined;
  /** As above, of the list for SVIDs of tasks. */
  readonly taskCrlUrlOf?: ((authorityId: string) => string) | undefined;
  readonly clock: Clock;
}

/** The active authority of each kind. */
export class ActiveIssuers {
  readonly #options: ActiveIssuersOptions;
  #x509: X509Issuer | undefined;
  readonly #tokens = new Map<AuthorityKindName, TokenIssuer>();

  constructor(options: ActiveIssuersOptions) {
    this.#options = options;
  }

  /** Takes the active authority of each kind, and its signer (by key ID). */
  read(
    authorities: readonly AuthorityRecord[],
    signers: { get(keyId: string): Signer | undefined },
  ): void {
    for (const { name } of this.#options.kinds) {
      const { active } = slotsOf(authorities, name);
      const signer = active && signers.get(active.keyId);
      if (active === undefined || signer === undefined) {
        throw new TypeError(`there is no active ${name} authority`);
      }
      if (name === "x509") this.#readX509(active, signer);
      else this.#readToken(name, active, signer);
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
  jwt(): TokenIssuer {
    return this.#token("jwt");
  }

  /** @throws NOT_SUPPORTED when this server issues no WIT-SVIDs, AUTHORITY_NOT_READY when it has expired */
  wit(): TokenIssuer {
    if (!this.#options.kinds.some(({ name }) => name === "wit")) throw witNotIssued();
    return this.#token("wit");
  }

  /** @throws OAUTH_NOT_CONFIGURED when this server issues no access tokens, AUTHORITY_NOT_READY when it has expired */
  oauth(): TokenIssuer {
    if (!this.#options.kinds.some(({ name }) => name === "oauth")) throw oauthNotConfigured();
    return this.#token("oauth");
  }

  #token(kind: "jwt" | "wit" | "oauth"): TokenIssuer {
    const issuer = this.#tokens.get(kind);
    if (issuer === undefined || this.#isPast(issuer.expiresAt)) {
      throw notReady(kind.toUpperCase());
    }
    return issuer;
  }

  #readX509({ certificate: der, authorityId }: AuthorityRecord, signer: Signer): void {
    if (this.#x509?.signer === signer) return;
    if (der === undefined) throw new TypeError("an X.509 authority without certificate");
    const crlUrl = this.#options.crlUrlOf?.(authorityId);
    const taskCrlUrl = this.#options.taskCrlUrlOf?.(authorityId);
    const certificate = parseCertificate(der);
    this.#x509 = {
      certificate,
      upstreamChain: [],
      signer,
      ...(crlUrl !== undefined && { crlUrl }),
      ...(taskCrlUrl !== undefined && { taskCrlUrl }),
    };
  }

  #readToken(kind: "jwt" | "wit" | "oauth", active: AuthorityRecord, signer: Signer): void {
    if (this.#tokens.get(kind)?.signer === signer) return;
    const { trustDomain } = this.#options;
    const { authorityId: keyId, notAfter: expiresAt } = active;
    this.#tokens.set(kind, { trustDomain, signer, keyId, expiresAt });
  }

  #isPast(moment: Date): boolean {
    return moment.getTime() <= this.#options.clock.now().getTime();
  }
}
