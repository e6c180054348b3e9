// GeneralNames (RFC 5280 s4.2.1.6) of every form, as bytes. Certificates keep only the URI and DNS names
// of theirs (extensions.ts), since no other is ever an identity here; all of them matter to name
// constraints (name-constraints.ts).
import { type DerReader, Tag } from "./der.ts";

/** The forms, by the number of their tag. */
const FORMS = [
  "other name",
  "email address",
  "DNS name",
  "X.400 address",
  "directory name",
  "EDI party name",
  "URI",
  "IP address",
  "registered ID",
] as const;
const CONSTRUCTED: readonly NameForm[] = [
  "other name",
  "X.400 address",
  "directory name",
  "EDI party name",
];

export type NameForm = (typeof FORMS)[number];

export interface GeneralName {
  readonly form: NameForm;
  /** The content octets; of a directory name, the Name, DER. */
  readonly value: Uint8Array;
}

/** Reads the next element as one GeneralName. */
export function readGeneralName(reader: DerReader): GeneralName {
  const tag = reader.peekTag() ?? 0;
  const form = FORMS[tag & 0x1f];
  const expected = form !== undefined && CONSTRUCTED.includes(form) ? 0xa0 : 0x80;
  if (form === undefined || (tag & 0xe0) !== expected) throw reader.invalid("a name has no form");
  if (form !== "directory name") return { form, value: reader.content(tag) };
  // Name is a CHOICE, so that its tag is explicit (X.680 s31.2.7).
  const field = reader.enter(tag);
  const value = field.element(Tag.sequence);
  field.finish();
  return { form, value };
}
