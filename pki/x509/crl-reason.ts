// Why a certificate was revoked (RFC 5280 s5.3.1): names as people and calls write them, numbers as
// revocation lists do.

/** The reasons and their numbers. `removeFromCRL` (8) belongs to delta lists, which are not used here. */
export const REVOCATION_REASON_CODES = {
  unspecified: 0,
  "key-compromise": 1,
  "ca-compromise": 2,
  "affiliation-changed": 3,
  superseded: 4,
  "cessation-of-operation": 5,
  "certificate-hold": 6,
  "privilege-withdrawn": 9,
  "aa-compromise": 10,
} as const;

export type RevocationReason = keyof typeof REVOCATION_REASON_CODES;

const REASONS: readonly (RevocationReason | undefined)[] = [
  "unspecified",
  "key-compromise",
  "ca-compromise",
  "affiliation-changed",
  "superseded",
  "cessation-of-operation",
  "certificate-hold",
  undefined,
  undefined,
  "privilege-withdrawn",
  "aa-compromise",
];

/** The reason with this number, undefined when there is none. */
export function revocationReasonOf(code: number): RevocationReason | undefined {
  return REASONS[code];
}
