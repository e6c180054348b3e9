// Distinguished names of our own making (RFC 5280 s4.1.2.4). Those of others are compared as
// bytes (path.ts), and taken apart for name constraints alone (directory-name.ts).
import { Tag } from "./der.ts";
import { derAscii, derElement, derObjectIdentifier, derSequence } from "./der-writer.ts";
import { NameOid } from "./oid.ts";

/** The attributes that our names have, in the order they are written; absent ones are left out. */
export interface NameAttributes {
  readonly country?: string;
  readonly organization?: string;
  readonly commonName?: string;
  /** The serialNumber attribute of a name, which tells authorities of one subject apart. */
  readonly serialNumber?: string;
}

/** ub-common-name of RFC 5280 app. A.1. */
export const MAX_COMMON_NAME_LENGTH = 64;
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
const ORDER = ["country", "organization", "commonName", "serialNumber"] as const;

/** The empty name. */
export const EMPTY_NAME: Uint8Array = derSequence();

/** A Name, DER: one attribute in each relative name, PrintableString where its characters allow it. */
export function derName(attributes: NameAttributes): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const attribute of ORDER) {
    const value = attributes[attribute];
    if (value === undefined || value === "") continue;
    const text = PRINTABLE.test(value)
      ? derAscii(Tag.printableString, value)
      : derElement(Tag.utf8String, Buffer.from(value, "utf8"));
    const pair = derSequence(derObjectIdentifier(NameOid[attribute]), text);
    parts.push(derElement(Tag.set, pair));
  }
  return derSequence(...parts);
}

/** The subject of X509-SVIDs and of the requests for them, as SPIRE's. */
export const SVID_SUBJECT: NameAttributes = { country: "US", organization: "SPIRE" };
