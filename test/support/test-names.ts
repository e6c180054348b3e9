// GeneralNames of every form, and constraints on them: what name-constraints.ts of pki/x509 reads.
import { contextTag, Tag } from "../../pki/x509/der.ts";
import { derElement, derObjectIdentifier, derSequence } from "../../pki/x509/der-writer.ts";
import { ExtensionOid } from "../../pki/x509/oid.ts";
import type { TestExtension } from "./test-certificate.ts";

const text = (value: string) => Buffer.from(value, "latin1");
export const uri = (value: string): Uint8Array => derElement(contextTag(6, false), text(value));
export const dns = (value: string): Uint8Array => derElement(contextTag(2, false), text(value));
export const email = (value: string): Uint8Array => derElement(contextTag(1, false), text(value));
export const ip = (hex: string): Uint8Array =>
  derElement(contextTag(7, false), Buffer.from(hex, "hex"));
export const directory = (name: Uint8Array): Uint8Array => derElement(contextTag(4, true), name);
export const registered = (octet: number): Uint8Array =>
  derElement(contextTag(8, false), Uint8Array.of(octet));
export const other = (oid: string): Uint8Array =>
  derElement(
    contextTag(0, true),
    derObjectIdentifier(oid),
    derElement(contextTag(0, true), derElement(Tag.utf8String, text("x@a.test"))),
  );

/** A Name with one attribute in each relative name, of any string type. */
export function name(
  ...parts: readonly (readonly [string, number, string | Uint8Array])[]
): Uint8Array {
  const relative = parts.map(([oid, tag, value]) => {
    const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : value;
    return derElement(Tag.set, derSequence(derObjectIdentifier(oid), derElement(tag, bytes)));
  });
  return derSequence(...relative);
}

export interface Constraints {
  readonly permitted?: readonly Uint8Array[];
  readonly excluded?: readonly Uint8Array[];
}

export function constraints({ permitted, excluded }: Constraints, critical = true): TestExtension {
  const list = (tag: number, bases: readonly Uint8Array[] | undefined) =>
    bases ? [derElement(contextTag(tag, true), ...bases.map((base) => derSequence(base)))] : [];
  const value = derSequence(...list(0, permitted), ...list(1, excluded));
  return { oid: ExtensionOid.nameConstraints, critical, value };
}
