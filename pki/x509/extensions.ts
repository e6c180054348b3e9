// The extensions of certificates that Signet understands (RFC 5280 s4.2.1), read into plain values.
// Which of them a certificate must or must not have: svid.ts for SVIDs, path.ts for authorities.
import { contextTag, type DerFailure, DerReader, Tag } from "./der.ts";
import { readGeneralName } from "./general-names.ts";
import { ExtensionOid } from "./oid.ts";

/** Bits of a key usage: named bit i of the extension is bit i of the number. */
export const KeyUsage = {
  digitalSignature: 1,
  nonRepudiation: 2,
  keyEncipherment: 4,
  dataEncipherment: 8,
  keyAgreement: 16,
  keyCertSign: 32,
  cRLSign: 64,
  encipherOnly: 128,
  decipherOnly: 256,
} as const;

export interface Extension {
  readonly critical: boolean;
  /** The content of extnValue, DER. */
  readonly value: Uint8Array;
}

/** What the understood extensions say; `undefined` where an extension is absent. */
export interface ExtensionValues {
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly isCa: boolean;
  readonly hasBasicConstraints: boolean;
  readonly pathLen: number | undefined;
  readonly keyUsage: number | undefined;
  readonly extKeyUsage: readonly string[] | undefined;
  readonly subjectKeyId: Uint8Array | undefined;
  readonly authorityKeyId: Uint8Array | undefined;
}

const MAX_EXTENSIONS = 64;
const URI_NAME = contextTag(6, false);
const DNS_NAME = contextTag(2, false);
const ISSUER_OF_AUTHORITY = contextTag(1, true);
const SERIAL_OF_AUTHORITY = contextTag(2, false);

/** Reads the content of an Extensions SEQUENCE into a map by OID; the same extension twice is an error. */
export function readExtensions(list: DerReader): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>();
  if (list.isAtEnd) throw list.invalid("its list of extensions is empty");
  while (!list.isAtEnd) {
    const fields = list.enter(Tag.sequence);
    const oid = fields.objectIdentifier();
    // FALSE is the default, which DER leaves out; some authorities write it all the same.
    const critical = fields.isNext(Tag.boolean) && fields.boolean();
    const value = fields.content(Tag.octetString);
    fields.finish();
    if (extensions.has(oid)) throw list.invalid(`extension ${oid} is there twice`);
    if (extensions.size === MAX_EXTENSIONS) throw list.invalid("it has too many extensions");
    extensions.set(oid, { critical, value });
  }
  return extensions;
}

/** Reads the whole value of one extension; undefined when it is not there. */
export function readExtension<T>(
  extensions: ReadonlyMap<string, Extension>,
  oid: string,
  parse: (reader: DerReader) => T,
  failure: DerFailure,
): T | undefined {
  const extension = extensions.get(oid);
  if (extension === undefined) return undefined;
  const reader = new DerReader(extension.value, failure);
  const value = parse(reader);
  reader.finish();
  return value;
}

/** Reads the values of the understood extensions. */
export function extensionValues(
  extensions: ReadonlyMap<string, Extension>,
  failure: DerFailure,
): ExtensionValues {
  const read = <T>(oid: string, parse: (reader: DerReader) => T): T | undefined =>
    readExtension(extensions, oid, parse, failure);
  const names = read(ExtensionOid.subjectAltName, readAltNames);
  const constraints = read(ExtensionOid.basicConstraints, readBasicConstraints);
  return {
    uris: names?.uris ?? [],
    dnsNames: names?.dnsNames ?? [],
    isCa: constraints?.isCa ?? false,
    hasBasicConstraints: constraints !== undefined,
    pathLen: constraints?.pathLen,
    keyUsage: read(ExtensionOid.keyUsage, readKeyUsage),
    extKeyUsage: read(ExtensionOid.extKeyUsage, readPurposes),
    subjectKeyId: read(ExtensionOid.subjectKeyIdentifier, (r) => r.content(Tag.octetString)),
    authorityKeyId: read(ExtensionOid.authorityKeyIdentifier, readAuthorityKeyId),
  };
}

function readAltNames(reader: DerReader): { uris: string[]; dnsNames: string[] } {
  const names = reader.enter(Tag.sequence);
  const uris: string[] = [];
  const dnsNames: string[] = [];
  if (names.isAtEnd) throw reader.invalid("its subject alternative name is empty");
  while (!names.isAtEnd) {
    if (names.isNext(URI_NAME)) uris.push(names.ascii(URI_NAME));
    else if (names.isNext(DNS_NAME)) dnsNames.push(names.ascii(DNS_NAME));
    else readGeneralName(names);
  }
  return { uris, dnsNames };
}

function readBasicConstraints(reader: DerReader): { isCa: boolean; pathLen: number | undefined } {
  const fields = reader.enter(Tag.sequence);
  const isCa = fields.isNext(Tag.boolean) && fields.boolean();
  const pathLen = fields.isAtEnd ? undefined : fields.smallInteger();
  fields.finish();
  if (pathLen !== undefined && !isCa) {
    throw reader.invalid("it limits the path length but is no authority");
  }
  return { isCa, pathLen };
}

function readKeyUsage(reader: DerReader): number {
  const { bytes } = reader.bitString();
  if (bytes.length > 2) throw reader.invalid("its key usage has too many bits");
  let usage = 0;
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    if ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) usage |= 1 << bit;
  }
  // RFC 5280 s4.2.1.3: at least one.
  if (usage === 0) throw reader.invalid("its key usage allows nothing");
  return usage;
}

function readPurposes(reader: DerReader): string[] {
  const list = reader.enter(Tag.sequence);
  const purposes: string[] = [];
  if (list.isAtEnd) throw reader.invalid("its extended key usage is empty");
  while (!list.isAtEnd) purposes.push(list.objectIdentifier());
  return purposes;
}

/** keyIdentifier of an AuthorityKeyIdentifier; the issuer and serial it may also name are not used. */
export function readAuthorityKeyId(reader: DerReader): Uint8Array | undefined {
  const fields = reader.enter(Tag.sequence);
  const keyIdTag = contextTag(0, false);
  const keyId = fields.isNext(keyIdTag) ? fields.content(keyIdTag) : undefined;
  const hasIssuer = fields.isNext(ISSUER_OF_AUTHORITY);
  if (hasIssuer) fields.element();
  const hasSerial = fields.isNext(SERIAL_OF_AUTHORITY);
  if (hasSerial) fields.element();
  fields.finish();
  if (hasIssuer !== hasSerial) {
    throw reader.invalid("its authority key identifier names half of an issuer and serial number");
  }
  return keyId;
}
