// How a name of each form is compared with a constraint on it (RFC 5280 s4.2.1.10). Both become strings
// first; what has no such string cannot be judged, and is then refused where a constraint stands.
// Constraints as an extension, and whom they bind: name-constraints.ts.
import type { DerFailure } from "./der.ts";
import { readDirectoryName } from "./directory-name.ts";
import type { NameForm } from "./general-names.ts";

/** One form of name. Undefined: the bytes are no name, or no constraint, that can be judged. */
interface FormRules {
  name(value: Uint8Array, failure: DerFailure): string | undefined;
  constraint(value: Uint8Array, failure: DerFailure): string | undefined;
  /** Whether a name is in the subtree. In doubt, one that excludes is larger than one that permits. */
  isWithin(name: string, constraint: string, excludes: boolean): boolean;
}

const HOST =
  /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
const MAX_HOST_LENGTH = 253;
const ONLY_DIGITS_LAST = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/;
const MAX_EMAIL_LENGTH = 320;
/** An IPv4 address inside IPv6, ::ffff:0:0/96. */
const MAPPED_IPV4 = `6:${"0".repeat(80)}${"1".repeat(16)}`;

/** ASCII in lower case; undefined when there is anything else. */
function lowerCase(value: Uint8Array): string | undefined {
  return value.every((byte) => byte > 0x20 && byte < 0x7f)
    ? Buffer.from(value).toString("latin1").toLowerCase()
    : undefined;
}

/** A host name without trailing dot; undefined for addresses, and for whatever else is none. */
function hostOf(text: string | undefined): string | undefined {
  if (text === undefined || text.length > MAX_HOST_LENGTH || !HOST.test(text)) return undefined;
  return ONLY_DIGITS_LAST.test(text) ? undefined : text;
}

/** A host, or with a leading dot all hosts below one. */
function hostConstraint(text: string | undefined): string | undefined {
  if (text?.startsWith(".")) return hostOf(text.slice(1)) && text;
  return hostOf(text);
}

function isHostWithin(host: string, constraint: string): boolean {
  return constraint.startsWith(".") ? host.endsWith(constraint) : host === constraint;
}

const uri: FormRules = {
  /** The host alone. With user information, percent signs or an address for a host: undefined. */
  name(value) {
    const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)(?:[/?#]|$)/.exec(lowerCase(value) ?? "");
    return hostOf(authority?.[1]?.replace(/:[0-9]*$/, ""));
  },
  constraint: (value) => hostConstraint(lowerCase(value)),
  isWithin: isHostWithin,
};

const dns: FormRules = {
  name(value) {
    const name = lowerCase(value);
    if (!name?.startsWith("*.")) return dnsHost(name);
    return dnsHost(name.slice(2)) && name;
  },
  /** Empty: all names. A leading dot is not in the RFC but in certificates: only what is below. */
  constraint(value) {
    if (value.length === 0) return "";
    const text = lowerCase(value);
    if (text?.startsWith(".")) return dnsHost(text.slice(1)) && text;
    return dnsHost(text);
  },
  isWithin(name, constraint, excludes) {
    if (constraint === "") return true;
    const below = constraint.startsWith(".") ? constraint : `.${constraint}`;
    if (name === constraint || name.endsWith(below)) return true;
    // A wildcard stands for a name in the subtree, too: *.a.test is bad.a.test.
    return (
      excludes && name.startsWith("*.") && below.slice(below.indexOf(".", 1)) === name.slice(1)
    );
  },
};

/** Digits at the end are no address here: certificates write those under another form. */
function dnsHost(text: string | undefined): string | undefined {
  return text !== undefined && text.length <= MAX_HOST_LENGTH && HOST.test(text) ? text : undefined;
}

const email: FormRules = {
  /** The local part keeps its case (s4.2.1.6). */
  name(value) {
    const text = Buffer.from(value).toString("latin1");
    const at = text.lastIndexOf("@");
    const host = hostOf(lowerCase(value.subarray(at + 1)));
    if (at < 1 || host === undefined || text.length > MAX_EMAIL_LENGTH) return undefined;
    // Quoting writes one mailbox in many ways, and an excluded one in some that are not seen.
    return /^[!#-'*+\-./0-9=?A-Z^-~]+$/.test(text.slice(0, at)) && !text.includes("\\")
      ? `${text.slice(0, at)}@${host}`
      : undefined;
  },
  constraint(value, failure) {
    return value.includes(0x40) ? email.name(value, failure) : hostConstraint(lowerCase(value));
  },
  isWithin(name, constraint, excludes) {
    const at = name.lastIndexOf("@");
    if (!constraint.includes("@")) return isHostWithin(name.slice(at + 1), constraint);
    // Most mail systems ignore the case of the local part.
    return excludes ? name.toLowerCase() === constraint.toLowerCase() : name === constraint;
  },
};

const ip: FormRules = {
  name: (value) => addressBits(value),
  /** Address and mask; the mask's ones come first. */
  constraint(value) {
    const half = value.length / 2;
    const bits = addressBits(value.subarray(0, half));
    const mask = addressBits(value.subarray(half))?.slice(2);
    if (bits === undefined || mask === undefined || !/^1*0*$/.test(mask)) return undefined;
    return bits.slice(0, 2 + mask.lastIndexOf("1") + 1);
  },
  isWithin(name, constraint, excludes) {
    if (name.startsWith(constraint)) return true;
    // The same host may be reached by both forms of its address.
    return (
      excludes &&
      name.startsWith(MAPPED_IPV4) &&
      `4:${name.slice(MAPPED_IPV4.length)}`.startsWith(constraint)
    );
  },
};

/** "4:" or "6:" and the bits as digits, so that a network is a prefix of its addresses. */
function addressBits(value: Uint8Array): string | undefined {
  if (value.length !== 4 && value.length !== 16) return undefined;
  const bits = Array.from(value, (byte) => byte.toString(2).padStart(8, "0")).join("");
  return `${value.length === 4 ? 4 : 6}:${bits}`;
}

const directory: FormRules = {
  name: (value, failure) => directoryPath(value, failure),
  constraint: (value, failure) => directoryPath(value, failure),
  isWithin: (name, constraint) => name.startsWith(constraint),
};

/** Relative names one after the other, each with its end, so that a subtree is a prefix. */
function directoryPath(value: Uint8Array, failure: DerFailure): string {
  return readDirectoryName(value, failure)
    .parts.map((part) => `${part}\n`)
    .join("");
}

/** The forms that can be judged. The others are refused where there is a constraint on them. */
export const FORM_RULES: Readonly<Partial<Record<NameForm, FormRules>>> = {
  URI: uri,
  "DNS name": dns,
  "email address": email,
  "IP address": ip,
  "directory name": directory,
};
