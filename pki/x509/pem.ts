// PEM (RFC 7468): text armour around DER. Text between blocks is skipped, everything inside is
// checked: base64 decoders that skip bad characters would read two files where there is one.
import { pkiError } from "../errors.ts";

/** One block: its label, such as `CERTIFICATE`, and what it holds. */
export interface PemBlock {
  readonly label: string;
  readonly der: Uint8Array;
}

const MAX_PEM_LENGTH = 4 * 1024 * 1024;
const MAX_BLOCKS = 4096;
const BEGIN = /^-----BEGIN ([A-Z0-9 ]{1,64})-----$/;

/**
 * Reads every block of a PEM text of at most 4 MiB.
 * @throws PEM_INVALID also when there is no block
 */
export function parsePem(text: string): PemBlock[] {
  if (text.length > MAX_PEM_LENGTH) throw notPem("it is too long");
  const blocks: PemBlock[] = [];
  let label: string | undefined;
  let body = "";
  for (const rawLine of text.split("\n")) {
    const line = rawLine.trim();
    if (label === undefined) {
      label = BEGIN.exec(line)?.[1];
      body = "";
    } else if (line === `-----END ${label}-----`) {
      if (blocks.length === MAX_BLOCKS) throw notPem(`it has more than ${MAX_BLOCKS} blocks`);
      blocks.push({ label, der: decode(body) });
      label = undefined;
    } else {
      body += line;
    }
  }
  if (label !== undefined) throw notPem(`the block ${label} has no end`);
  if (blocks.length === 0) throw notPem("it has no block");
  return blocks;
}

/** One block, lines of 64 characters, with a final newline. */
export function formatPem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("base64");
  const lines = base64.match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

function decode(base64: string): Uint8Array {
  const der = Buffer.from(base64, "base64");
  if (der.length === 0 || der.toString("base64") !== base64) {
    throw notPem("a block is not base64");
  }
  return new Uint8Array(der);
}

function notPem(why: string): Error {
  return pkiError("PEM_INVALID", `the text cannot be read as PEM: ${why}`);
}
