// How rows lie on disk: in blocks of what was issued at one time and expires at about the same. A block
// needs nothing but itself to be read. Layout, numbers little endian: u8 format; u16 names, each u16
// length and its bytes; then rows: u8 kind (bit 7: has a jti), 16 bytes name, 16 bytes jti if it has
// one, u32 issued, u32 expires, u16 authority, u16 SPIFFE ID, u16 agent (which of the names).
import { serverError } from "../errors.ts";
import { type DocumentKind, type IssuedDocument, NAME_BYTES } from "./document.ts";

const FORMAT = 1;
const HAS_JTI = 0x80;
const ROW_BYTES = 1 + NAME_BYTES + 4 + 4 + 6;
/** Rows of a block: three names a row must be numbered in 16 bits. */
export const MAX_BLOCK_ROWS = 20_000;
const KINDS: readonly DocumentKind[] = ["x509", "jwt", "wit"];

/** The bytes of a block of at most {@link MAX_BLOCK_ROWS}. */
export function encodeBlock(documents: readonly IssuedDocument[]): Uint8Array {
  const indexes = new Map<string, number>();
  let length = 3 + documents.length * ROW_BYTES;
  const note = (name: string): void => {
    if (indexes.has(name)) return;
    indexes.set(name, indexes.size);
    length += 2 + Buffer.byteLength(name);
  };
  for (const { authorityId, spiffeId, agentId, jti } of documents) {
    note(authorityId);
    note(spiffeId);
    note(agentId);
    if (jti !== undefined) length += NAME_BYTES;
  }
  const block = Buffer.allocUnsafe(length);
  block[0] = FORMAT;
  block.writeUInt16LE(indexes.size, 1);
  let at = 3;
  for (const name of indexes.keys()) {
    const bytes = block.write(name, at + 2);
    at = block.writeUInt16LE(bytes, at) + bytes;
  }
  for (const document of documents) {
    const { kind, name, jti, authorityId, spiffeId, agentId } = document;
    block[at] = KINDS.indexOf(kind) | (jti === undefined ? 0 : HAS_JTI);
    block.set(name, at + 1);
    at += 1 + NAME_BYTES;
    if (jti !== undefined) {
      block.set(jti, at);
      at += NAME_BYTES;
    }
    at = block.writeUInt32LE(second(document.issuedAtUnixSeconds), at);
    at = block.writeUInt32LE(second(document.expiresAtUnixSeconds), at);
    at = block.writeUInt16LE(indexes.get(authorityId) ?? 0, at);
    at = block.writeUInt16LE(indexes.get(spiffeId) ?? 0, at);
    at = block.writeUInt16LE(indexes.get(agentId) ?? 0, at);
  }
  return block;
}

/** The rows of a block. @throws LEDGER_DAMAGED */
export function decodeBlock(key: string, bytes: Uint8Array): IssuedDocument[] {
  const block = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (block[0] !== FORMAT) throw new RangeError(`format ${block[0]}`);
    let at = 3;
    const names = Array.from({ length: block.readUInt16LE(1) }, () => {
      const end = at + 2 + block.readUInt16LE(at);
      if (end > block.length) throw new RangeError("a name runs over the end");
      const name = block.toString("utf8", at + 2, end);
      at = end;
      return name;
    });
    const nameAt = (offset: number): string => {
      const name = names[block.readUInt16LE(offset)];
      if (name === undefined) throw new RangeError("a name is missing");
      return name;
    };
    const documents: IssuedDocument[] = [];
    while (at < block.length) {
      const kind = KINDS[(block[at] ?? 0) & ~HAS_JTI];
      const hasJti = ((block[at] ?? 0) & HAS_JTI) !== 0;
      if (kind === undefined) throw new RangeError("a kind is unknown");
      const rest = at + 1 + NAME_BYTES + (hasJti ? NAME_BYTES : 0);
      documents.push({
        kind,
        name: Uint8Array.from(block.subarray(at + 1, at + 1 + NAME_BYTES)),
        ...(hasJti && { jti: Uint8Array.from(block.subarray(at + 1 + NAME_BYTES, rest)) }),
        issuedAtUnixSeconds: block.readUInt32LE(rest),
        expiresAtUnixSeconds: block.readUInt32LE(rest + 4),
        authorityId: nameAt(rest + 8),
        spiffeId: nameAt(rest + 10),
        agentId: nameAt(rest + 12),
      });
      at = rest + 14;
    }
    return documents;
  } catch (cause) {
    throw serverError("LEDGER_DAMAGED", `the block ${key} of the ledger cannot be read`, {
      hint: "restore data_dir from a backup; or move its folder 'ledger' away, and replace the authorities, since what they signed can then only be revoked by SPIFFE ID",
      cause,
    });
  }
}

function second(unixSeconds: number): number {
  return Math.max(0, Math.min(Math.floor(unixSeconds), 0xffff_ffff));
}
