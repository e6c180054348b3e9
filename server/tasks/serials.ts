// The serial numbers of the certificates that each task was given: what a revocation list of tasks is
// made from. In memory, packed, because every open task has two or three; after a restart taken from the
// ledger, which has them all.
import type { Ledger } from "../ledger/ledger.ts";
import type { TaskSerial } from "./orders.ts";

const SERIAL_BYTES = 16;
const ROW_BYTES = SERIAL_BYTES + 4 + 1;
/** As many as a byte tells apart. */
const MAX_AUTHORITIES = 256;

export class TaskSerials {
  /** By task: rows of serial, expiry (u32) and which authority (u8), as characters of one byte each. */
  readonly #rows = new Map<string, string>();
  readonly #authorities: string[] = [];
  /** Whose number is given to the next authority. */
  #nextAuthority = 0;

  /** The ledger's certificates of tasks; `ulidOf` knows the SPIFFE ID of a task from others. */
  load(ledger: Pick<Ledger, "find">, ulidOf: (spiffeId: string) => string | undefined): void {
    for (const row of ledger.find({ kind: "x509" })) {
      const ulid = ulidOf(row.spiffeId);
      if (ulid === undefined) continue;
      this.add(ulid, row.authorityId, row.name, row.expiresAtUnixSeconds);
    }
  }

  add(
    ulid: string,
    authorityId: string,
    serial: Uint8Array,
    expiresAtUnixSeconds: number,
    nowUnixSeconds = 0,
  ): void {
    if (serial.length !== SERIAL_BYTES) throw new TypeError("a serial number of ours has 16 bytes");
    const before = this.#rows.get(ulid);
    const kept = before === undefined ? [] : rowsOf(before, nowUnixSeconds);
    const row = Buffer.alloc(ROW_BYTES);
    row.set(serial);
    row.writeUInt32BE(expiresAtUnixSeconds, SERIAL_BYTES);
    row[ROW_BYTES - 1] = this.#numberOf(authorityId);
    // Through bytes, so that the text is flat and takes one byte a character.
    this.#rows.set(ulid, Buffer.concat([...kept, row]).toString("latin1"));
  }

  /** Those that expire after this second. */
  of(ulid: string, nowUnixSeconds: number): readonly TaskSerial[] {
    const rows = this.#rows.get(ulid);
    if (rows === undefined) return [];
    return rowsOf(rows, nowUnixSeconds).map((row) => ({
      serial: row.toString("hex", 0, SERIAL_BYTES),
      expiresAtUnixSeconds: row.readUInt32BE(SERIAL_BYTES),
      authorityId: this.#authorities[row[ROW_BYTES - 1] ?? 0] ?? "",
    }));
  }

  delete(ulid: string): void {
    this.#rows.delete(ulid);
  }

  #numberOf(authorityId: string): number {
    const known = this.#authorities.indexOf(authorityId);
    if (known >= 0) return known;
    // Authorities live for hours: of the one before the last 255, all that it signed has expired.
    const number = this.#nextAuthority;
    this.#nextAuthority = (number + 1) % MAX_AUTHORITIES;
    this.#authorities[number] = authorityId;
    return number;
  }
}

function rowsOf(rows: string, nowUnixSeconds: number): Buffer[] {
  const bytes = Buffer.from(rows, "latin1");
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += ROW_BYTES) {
    const row = bytes.subarray(at, at + ROW_BYTES);
    if (row.readUInt32BE(SERIAL_BYTES) > nowUnixSeconds) found.push(row);
  }
  return found;
}
