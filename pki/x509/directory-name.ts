// Distinguished names of others in a form that can be compared (RFC 5280 s7.1): for name constraints
// alone. The chain of issuers and subjects is compared as bytes (path.ts), which is stricter; here that
// would let an excluded name through in another case or string type.
import { type DerFailure, DerReader, Tag } from "./der.ts";
import { NameOid } from "./oid.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const TELETEX_STRING = 0x14;
const UNIVERSAL_STRING = 0x1c;
const BMP_STRING = 0x1e;
const NUMERIC_STRING = 0x12;

export interface DirectoryName {
  /** Relative names, each a string that equals that of every equivalent relative name. */
  readonly parts: readonly string[];
  /** Values of its emailAddress attributes, content octets. */
  readonly emails: readonly Uint8Array[];
}

/** Reads a Name (DER). */
export function readDirectoryName(der: Uint8Array, failure: DerFailure): DirectoryName {
  const outer = new DerReader(der, failure);
  const sequence = outer.enter(Tag.sequence);
  outer.finish();
  const parts: string[] = [];
  const emails: Uint8Array[] = [];
  while (!sequence.isAtEnd) {
    const set = sequence.enter(Tag.set);
    const attributes: string[] = [];
    while (!set.isAtEnd) {
      const pair = set.enter(Tag.sequence);
      const oid = pair.objectIdentifier();
      const tag = pair.peekTag() ?? 0;
      const value = pair.content(tag);
      pair.finish();
      attributes.push(`${oid}=${comparable(tag, value, failure)}`);
      if (oid === NameOid.emailAddress) emails.push(value);
    }
    if (attributes.length === 0) throw failure("a relative name is empty");
    parts.push(JSON.stringify(attributes.sort()));
  }
  return { parts, emails };
}

/** A value prepared for comparing without regard to case, spaces and string type (RFC 4518 s2). */
function comparable(tag: number, value: Uint8Array, failure: DerFailure): string {
  const text = textOf(tag, value, failure);
  if (text === undefined) return `#${tag}:${Buffer.from(value).toString("hex")}`;
  const unseen = text
    .replace(/\p{DI}/gu, "")
    .normalize("NFKC")
    .toLowerCase()
    .normalize("NFKC");
  // Characters that are not seen map to nothing: they would hide an excluded name.
  return unseen
    .replace(/\s/gu, " ")
    .replace(/[\p{Cc}\p{Cf}\ufffc]/gu, "")
    .replace(/ +/g, " ")
    .trim();
}

function textOf(tag: number, value: Uint8Array, failure: DerFailure): string | undefined {
  switch (tag) {
    case Tag.utf8String:
    case Tag.printableString:
    case Tag.ia5String:
    case NUMERIC_STRING:
      try {
        return decoder.decode(value);
      } catch {
        throw failure("a name is not UTF-8");
      }
    case TELETEX_STRING:
      return Buffer.from(value).toString("latin1");
    case BMP_STRING:
      return codePoints(value, 2, failure);
    case UNIVERSAL_STRING:
      return codePoints(value, 4, failure);
    default:
      return undefined;
  }
}

function codePoints(value: Uint8Array, width: number, failure: DerFailure): string {
  if (value.length % width !== 0) throw failure("a name is cut within a character");
  let text = "";
  for (let at = 0; at < value.length; at += width) {
    let point = 0;
    for (let i = at; i < at + width; i += 1) point = point * 256 + (value[i] ?? 0);
    if (point > 0x10_ffff) throw failure("a name has a character that does not exist");
    text += String.fromCodePoint(point);
  }
  return text;
}
