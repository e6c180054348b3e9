// Times in certificates (RFC 5280 s4.1.2.5): UTCTime and GeneralizedTime, whole seconds of UTC.
import { type DerReader, Tag } from "./der.ts";

const ZULU = 0x5a;

/** Reads the next element as a Time. */
export function readTime(reader: DerReader): Date {
  const isShort = reader.isNext(Tag.utcTime);
  const bytes = reader.content(isShort ? Tag.utcTime : Tag.generalizedTime);
  const yearDigits = isShort ? 2 : 4;
  if (bytes.length !== yearDigits + 11 || bytes[bytes.length - 1] !== ZULU) {
    throw reader.invalid("a time is not in whole seconds of UTC");
  }
  const number = (at: number, length = 2): number => {
    let value = 0;
    for (let i = at; i < at + length; i += 1) {
      const digit = (bytes[i] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) throw reader.invalid("a time has a character that is no digit");
      value = value * 10 + digit;
    }
    return value;
  };
  const written = number(0, yearDigits);
  const century = written < 50 ? 2000 : 1900;
  const year = isShort ? century + written : written;
  const [month, day] = [number(yearDigits), number(yearDigits + 2)];
  const [hour, minute] = [number(yearDigits + 4), number(yearDigits + 6)];
  const second = number(yearDigits + 8);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  // Date carries what is out of range into the next unit: 30 February would become 2 March.
  const exists =
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  if (!exists) throw reader.invalid("a time does not exist");
  return date;
}

/** A Time element: UTCTime through 2049, GeneralizedTime from 2050 on. Fractions of a second are cut. */
export function derTime(moment: Date): Uint8Array {
  const year = moment.getUTCFullYear();
  const isShort = year < 2050;
  const length = isShort ? 13 : 15;
  const bytes = new Uint8Array(2 + length);
  bytes[0] = isShort ? Tag.utcTime : Tag.generalizedTime;
  bytes[1] = length;
  let at = 2;
  const writeTwoDigits = (value: number): void => {
    bytes[at] = 0x30 + Math.floor(value / 10);
    bytes[at + 1] = 0x30 + (value % 10);
    at += 2;
  };
  if (!isShort) writeTwoDigits(Math.floor(year / 100));
  writeTwoDigits(year % 100);
  writeTwoDigits(moment.getUTCMonth() + 1);
  writeTwoDigits(moment.getUTCDate());
  writeTwoDigits(moment.getUTCHours());
  writeTwoDigits(moment.getUTCMinutes());
  writeTwoDigits(moment.getUTCSeconds());
  bytes[at] = ZULU;
  return bytes;
}
