import t from "tap";
import { pkiError } from "../../../pki/errors.ts";
import { DerReader, Tag } from "../../../pki/x509/der.ts";
import { derAscii } from "../../../pki/x509/der-writer.ts";
import { derTime, readTime } from "../../../pki/x509/time.ts";

const read = (der: Uint8Array) =>
  readTime(new DerReader(der, (problem) => pkiError("CERTIFICATE_INVALID", problem)));

t.test("writes UTCTime through 2049 and GeneralizedTime after, and reads both", async (t) => {
  for (const moment of ["1950-01-01T00:00:00Z", "2026-02-28T23:59:59Z", "2049-12-31T23:59:59Z"]) {
    const der = derTime(new Date(moment));
    t.equal(der[0], Tag.utcTime);
    t.same(read(der), new Date(moment));
  }
  for (const moment of ["2050-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]) {
    const der = derTime(new Date(moment));
    t.equal(der[0], Tag.generalizedTime);
    t.same(read(der), new Date(moment));
  }
  t.same(read(derTime(new Date("2026-01-01T00:00:00.900Z"))), new Date("2026-01-01T00:00:00Z"));
  t.same(read(derAscii(Tag.generalizedTime, "00500101000000Z")).getUTCFullYear(), 50);
});

t.test("refuses times that are not whole seconds of UTC, or do not exist", async (t) => {
  const texts = ["", "2601010000Z", "260101000000", "260101000000+0000", "26010100000aZ"];
  const missing = ["261301000000Z", "260230000000Z", "260100000000Z", "260101240000Z"];
  const minutes = ["260101006000Z", "260101000060Z"];
  for (const text of [...texts, ...missing, ...minutes]) {
    t.throws(
      () => read(derAscii(Tag.utcTime, text)),
      { reason: "CERTIFICATE_INVALID", code: 3 },
      text,
    );
  }
  t.throws(() => read(derAscii(Tag.generalizedTime, "20260101000000.5Z")));
  t.throws(() => read(derAscii(Tag.ia5String, "260101000000Z")));
});
