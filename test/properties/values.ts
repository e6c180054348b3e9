// Values by the grammar of the standards, for fast-check to vary.
import fc from "fast-check";

const TRUST_DOMAIN_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
const SEGMENT_CHARACTERS = `${TRUST_DOMAIN_CHARACTERS}ABCDEFGHIJKLMNOPQRSTUVWXYZ`;

function text(characters: string, maxLength: number): fc.Arbitrary<string> {
  const unit = fc.constantFrom(...characters);
  return fc.string({ unit, minLength: 1, maxLength });
}

export const trustDomainNames: fc.Arbitrary<string> = text(TRUST_DOMAIN_CHARACTERS, 60);

const segments = text(SEGMENT_CHARACTERS, 20).filter((one) => one !== "." && one !== "..");

/** Paths of SPIFFE IDs with their slashes; never empty. */
export const paths: fc.Arbitrary<string> = fc
  .array(segments, { minLength: 1, maxLength: 8 })
  .map((list) => list.map((one) => `/${one}`).join(""));

/** SPIFFE IDs of workloads. */
export const workloadIds: fc.Arbitrary<string> = fc
  .tuple(trustDomainNames, paths)
  .map(([name, path]) => `spiffe://${name}${path}`);

/** Whole seconds between 2001 and 2049. */
export const moments: fc.Arbitrary<Date> = fc
  .integer({ min: 1_000_000_000, max: 2_490_000_000 })
  .map((seconds) => new Date(seconds * 1000));

/** Serial numbers in hexadecimal: positive, at most 20 bytes, without leading zeros. */
export const serials: fc.Arbitrary<string> = fc
  .uint8Array({ minLength: 1, maxLength: 20 })
  .filter((bytes) => bytes[0] !== 0 && (bytes[0] ?? 0) < 0x80)
  .map((bytes) => Buffer.from(bytes).toString("hex"));
