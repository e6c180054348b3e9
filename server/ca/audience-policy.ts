// Which audiences no JWT-SVID of this server may name (JWT-SVID s3.2): the operator's own list, and, when
// asked for, names that stand for a whole trust domain. A token for those can be replayed by every
// service that takes it against every other one.

import type { IdentityError } from "../../pki/errors.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import { serverError } from "../errors.ts";

export interface AudiencePolicy {
  /** Refuse the ID of a trust domain, of any, and the own one's bare name. */
  readonly refuseTrustDomainWide: boolean;
  /** Refused as they are written, to the letter. */
  readonly refuse: readonly string[];
}

/** Refuses nothing: what the standard only advises is up to the operator. */
export const NO_AUDIENCE_POLICY: AudiencePolicy = { refuseTrustDomainWide: false, refuse: [] };

/**
 * Checks the audiences of a token against the policy. One that is refused spoils the token.
 * @throws SVID_REQUEST_INVALID
 */
export function checkAudiencePolicy(
  audience: readonly string[],
  policy: AudiencePolicy,
  own: TrustDomain,
): void {
  for (const value of audience) {
    if (policy.refuse.includes(value)) throw refused(value, "is on its list of refused audiences");
    if (policy.refuseTrustDomainWide && isTrustDomainWide(value, own)) {
      throw refused(value, "stands for a whole trust domain");
    }
  }
}

function isTrustDomainWide(value: string, own: TrustDomain): boolean {
  // A service may compare in its own way: a slash at the end or upper case narrows nothing.
  const name = value.toLowerCase().replace(/\/+$/, "");
  if (name === own.name) return true;
  if (!name.startsWith("spiffe://")) return false;
  try {
    return TrustDomain.parse(name).id === name;
  } catch {
    return false;
  }
}

function refused(value: string, why: string): IdentityError {
  return serverError(
    "SVID_REQUEST_INVALID",
    `the server's policy refuses the audience "${value}": it ${why}`,
    { hint: "name the one service that will receive the token" },
  );
}
