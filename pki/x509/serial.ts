// Serial numbers of certificates: random, so that they cannot be guessed or collide, drawn from a
// pool because one call for 16 bytes costs more than the rest of a certificate's fields.
import { randomFillSync } from "node:crypto";

/** Every serial number of ours has exactly this many octets. */
const SERIAL_BYTES = 16;

const pool = new Uint8Array(SERIAL_BYTES * 256);
let used = pool.length;

/** 126 random bits in 16 octets: positive, without a leading zero, so that its DER length is fixed. */
export function newSerial(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const serial = pool.slice(used, used + SERIAL_BYTES);
  // Served bytes leave the pool: a later memory disclosure must not foretell or repeat a serial.
  pool.fill(0, used, used + SERIAL_BYTES);
  used += SERIAL_BYTES;
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

/** The serial number's octets in a certificate that was just made here: found by position, nothing is checked. */
export function issuedSerial(der: Uint8Array): Uint8Array {
  // Certificate, TBSCertificate, and the five octets of the version.
  const at = contentsAt(der, contentsAt(der, 0)) + 5;
  return der.subarray(at + 2, at + 2 + (der[at + 1] ?? 0));
}

/** Where the contents of the element at `at` begin. */
function contentsAt(der: Uint8Array, at: number): number {
  const length = der[at + 1] ?? 0;
  return at + 2 + (length < 0x80 ? 0 : length & 0x7f);
}
