import t from "tap";
import { pkiError } from "../../../pki/errors.ts";
import { contextTag, DerReader, Tag } from "../../../pki/x509/der.ts";

const failure = (problem: string) => pkiError("CERTIFICATE_INVALID", problem);
const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const read = (text: string) => new DerReader(hex(text), failure);

const notDer = { reason: "CERTIFICATE_INVALID", code: 3 };

const refused = [
  { name: "nothing", der: "", message: /missing/ },
  { name: "a tag alone", der: "30", message: /cut short/ },
  { name: "content cut short", der: "30 03 01 01", message: /cut short/ },
  { name: "length octets cut short", der: "30 82 01", message: /cut short/ },
  { name: "an indefinite length", der: "30 80 00 00", message: /indefinite/ },
  { name: "a long form for a short length", der: "30 81 01 00", message: /shortest/ },
  {
    name: "a leading zero in a length",
    der: `30 82 00 80 ${"00".repeat(128)}`,
    message: /shortest/,
  },
  { name: "a length of four octets", der: "30 84 01 00 00 00", message: /too large/ },
  { name: "a tag of more than one byte", der: "3f 81 01 00", message: /more than one byte/ },
  { name: "another tag", der: "31 00", message: /0x31 instead of 0x30/ },
];

t.test("refuses headers that are not DER", async (t) => {
  for (const { name, der, message } of refused) {
    t.throws(() => read(der).element(Tag.sequence), { message }, name);
  }
});

t.test("reads elements one after the other and notices what is left over", async (t) => {
  const reader = read("30 03 02 01 05 04 01 ff");
  t.ok(reader.isNext(Tag.sequence));
  t.equal(reader.peekTag(), Tag.sequence);
  const inner = reader.enter(Tag.sequence);
  t.throws(() => inner.finish(), { message: /more elements/ });
  t.equal(inner.smallInteger(), 5);
  inner.finish();
  t.same(reader.element(), hex("04 01 ff"));
  t.ok(reader.isAtEnd);
  t.equal(reader.peekTag(), undefined);
  t.notOk(reader.isNext(Tag.sequence));
  t.equal(reader.invalid("so").message, "so");
  t.same(read(`04 81 80 ${"07".repeat(128)}`).content(Tag.octetString).length, 128);
});

t.test("refuses deep nesting", async (t) => {
  let der = "";
  for (let i = 0; i < 18; i += 1) der = `30${Buffer.of(der.length / 2).toString("hex")}${der}`;
  let reader = read(der);
  t.throws(
    () => {
      for (let i = 0; i < 18; i += 1) reader = reader.enter(Tag.sequence);
    },
    { message: /too deeply/ },
  );
});

t.test("reads integers in their shortest form only", async (t) => {
  t.same(read("02 01 00").integer(), hex("00"));
  t.same(read("02 02 00 80").integer(), hex("00 80"));
  t.same(read("02 01 80").integer(), hex("80"));
  t.equal(read("02 04 7f ff ff ff").smallInteger(), 0x7fff_ffff);
  for (const der of ["02 00", "02 02 00 7f", "02 02 ff 80"]) t.throws(() => read(der).integer());
  for (const der of ["02 01 ff", "02 05 01 00 00 00 00"]) t.throws(() => read(der).smallInteger());
});

t.test("reads booleans that are exactly true or false", async (t) => {
  t.equal(read("01 01 ff").boolean(), true);
  t.equal(read("01 01 00").boolean(), false);
  for (const der of ["01 01 01", "01 00", "01 02 ff ff"]) t.throws(() => read(der).boolean());
});

t.test("reads object identifiers", async (t) => {
  t.equal(read("06 03 55 1d 11").objectIdentifier(), "2.5.29.17");
  t.equal(read("06 08 2b 06 01 05 05 07 03 01").objectIdentifier(), "1.3.6.1.5.5.7.3.1");
  t.equal(read("06 01 27").objectIdentifier(), "0.39");
  t.equal(read("06 02 88 37").objectIdentifier(), "2.999");
  for (const der of [
    "06 00",
    "06 01 80",
    "06 02 80 01",
    "06 02 55 9d",
    "06 06 ff ff ff ff ff 7f",
  ]) {
    t.throws(() => read(der).objectIdentifier(), notDer, der);
  }
  t.throws(() => read(`06 41 ${"01".repeat(65)}`).objectIdentifier(), notDer, "too long");
});

t.test("reads bit strings without stray bits", async (t) => {
  t.same(read("03 02 07 80").bitString(), { bytes: hex("80"), unusedBits: 7 });
  t.same(read("03 01 00").bitString(), { bytes: hex(""), unusedBits: 0 });
  t.same(read("03 03 00 01 02").octetsOfBitString(), hex("01 02"));
  for (const der of ["03 00", "03 01 01", "03 02 08 00", "03 02 01 81"]) {
    t.throws(() => read(der).bitString(), notDer, der);
  }
  t.throws(() => read("03 02 04 10").octetsOfBitString(), { message: /whole octets/ });
});

t.test("reads strings of ASCII only", async (t) => {
  t.equal(read("86 02 61 00").ascii(contextTag(6, false)), "a\0");
  t.throws(() => read("86 01 80").ascii(0x86), { message: /outside ASCII/ });
});
