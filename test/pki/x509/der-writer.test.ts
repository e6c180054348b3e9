import t from "tap";
import { pkiError } from "../../../pki/errors.ts";
import { DerReader, Tag } from "../../../pki/x509/der.ts";
import {
  derBitString,
  derBoolean,
  derElement,
  derNamedBits,
  derObjectIdentifier,
  derUnsignedInteger,
} from "../../../pki/x509/der-writer.ts";

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const reader = (der: Uint8Array) =>
  new DerReader(der, (problem) => pkiError("CERTIFICATE_INVALID", problem));

t.test("writes what the strict reader reads, for every length form", async (t) => {
  for (const length of [0, 127, 128, 255, 256, 65_535, 65_536]) {
    const content = new Uint8Array(length).fill(7);
    t.same(reader(derElement(Tag.octetString, content)).content(Tag.octetString), content);
  }
});

t.test("writes object identifiers, also with large arcs", async (t) => {
  for (const oid of [
    "2.5.29.17",
    "1.2.840.113549.1.1.11",
    "1.3.6.1.4.1.65980.4294967295",
    "2.999.1",
  ]) {
    t.equal(reader(derObjectIdentifier(oid)).objectIdentifier(), oid);
  }
});

t.test("writes integers in their shortest positive form", async (t) => {
  t.equal(hexOf(derUnsignedInteger(Uint8Array.of(0))), "020100");
  t.equal(hexOf(derUnsignedInteger(Uint8Array.of())), "020100");
  t.equal(hexOf(derUnsignedInteger(Uint8Array.of(0, 0, 127))), "02017f");
  t.equal(hexOf(derUnsignedInteger(Uint8Array.of(0x80))), "02020080");
});

t.test("writes named bits without trailing zeros", async (t) => {
  t.equal(hexOf(derNamedBits(1)), "03020780");
  t.equal(hexOf(derNamedBits(0b110_0000)), "03020106");
  t.equal(hexOf(derNamedBits(1 << 8)), "0303070080");
  t.equal(hexOf(derNamedBits(0)), "030100");
});

t.test("writes booleans and bit strings", async (t) => {
  t.equal(hexOf(derBoolean(true)), "0101ff");
  t.equal(hexOf(derBoolean(false)), "010100");
  t.equal(hexOf(derBitString(Uint8Array.of(1))), "03020001");
});
