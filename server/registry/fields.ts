// What the fields of AI agents and task classes have in common: faults are collected, so that whoever
// declares something learns all that is wrong with it at once.

import { IdentityError } from "../../pki/errors.ts";

/** Something that is wrong with one object. */
export interface Fault {
  readonly message: string;
  readonly hint?: string;
}

export const MAX_OWNER_LENGTH = 256;
/** The name of a task class. */
export const TASK_CLASS_NAME: RegExp = /^[a-z0-9][a-z0-9.-]{0,62}$/;

const MAX_LABELS = 32;
const LABEL_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/;
const MAX_LABEL_LENGTH = 256;

/** Collects what is wrong. */
export class Faults {
  readonly all: Fault[] = [];

  add(message: string, hint?: string): void {
    this.all.push({ message, ...(hint !== undefined && { hint }) });
  }

  /** Notes what `read` refuses; the answer is then undefined. */
  try<T>(field: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error;
      this.add(field === "" ? error.message : `${field}: ${error.message}`, error.hint);
      return undefined;
    }
  }

  /** A text that people read: one line that can be shown, without space around it. */
  text(field: string, value: string, limit: number): void {
    if (value.length > limit) this.add(`${field} is longer than ${limit} characters`);
    else if (!isText(value)) this.add(`${field} has characters that cannot be shown`);
    else if (value.trim() !== value) this.add(`${field} begins or ends with space`);
  }

  /** The same, and something has to be said. */
  saying(field: string, value: string, limit: number, hint: string): void {
    if (value.trim() === "") this.add(`${field} is missing`, hint);
    else this.text(field, value, limit);
  }

  number(field: string, value: number, min: number, max: number): void {
    if (Number.isSafeInteger(value) && value >= min && value <= max) return;
    this.add(`${field} ${value} is not within ${min} and ${max}`);
  }

  seconds(field: string, value: number, min: number, max: number): void {
    if (Number.isSafeInteger(value) && value >= min && value <= max) return;
    this.add(`${field} of ${value} s is not within ${min} s and ${max} s`);
  }

  labels(labels: Readonly<Record<string, string>>): void {
    const all = Object.entries(labels);
    if (all.length > MAX_LABELS) this.add(`${all.length} labels are more than ${MAX_LABELS}`);
    for (const [name, value] of all.slice(0, MAX_LABELS)) {
      if (!LABEL_NAME.test(name)) {
        this.add(
          `${quote(name)} is no name of a label`,
          "take letters, digits and ./_-, at most 63",
        );
      }
      this.text(`the label ${quote(name)}`, value, MAX_LABEL_LENGTH);
    }
  }
}

/** No control characters, nothing that turns the direction of text around, no half of a surrogate pair. */
function isText(text: string): boolean {
  return !/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/u.test(text);
}

/** A value from outside, in quotes and not too long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);
}

/** What is wrong as one message: the only thing, or a line for each. */
export function describeFaults(what: string, faults: readonly Fault[]): string {
  const [only] = faults;
  if (faults.length === 1) return `${what}: ${only?.message}`;
  return `${what}: ${faults.length} problems\n${faults.map(({ message }) => `  ${message}`).join("\n")}`;
}

/** The hint that goes with it: that of the first that has one. */
export function hintOf(faults: readonly Fault[]): { readonly hint?: string } {
  const hint = faults.find((fault) => fault.hint !== undefined)?.hint;
  return hint === undefined ? {} : { hint };
}

/** Labels in the order of their names. */
export function sorted(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
