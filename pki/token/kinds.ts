// The kinds of signed token that stand beside SVIDs, by the type in their header (RFC 8725 s3.11): what a
// reader expects, and what a token says that it is. A token of one kind is never taken for another, since
// each reader compares the type to the letter before it looks at anything else.

import { pkiError } from "../errors.ts";
import { type JsonObject, parseJson } from "../json.ts";
import { quote, type TokenKind } from "../jwt/token.ts";

/** RFC 9068 s2.1. */
export const ACCESS_TOKEN_TYPE = "at+jwt";
/** Token Status List s5.1. */
export const STATUS_LIST_TYPE = "statuslist+jwt";
/** RFC 9449 s4.2. */
export const DPOP_TYPE = "dpop+jwt";

export const ACCESS_TOKEN: TokenKind = {
  name: "access token",
  malformed: "ACCESS_TOKEN_MALFORMED",
  algorithm: "ACCESS_TOKEN_ALGORITHM",
  claims: "ACCESS_TOKEN_CLAIMS",
  untrusted: "ACCESS_TOKEN_UNTRUSTED",
  expired: "ACCESS_TOKEN_EXPIRED",
  notYetValid: "ACCESS_TOKEN_NOT_YET_VALID",
};

export const STATUS_LIST_TOKEN: TokenKind = {
  name: "status list token",
  malformed: "STATUS_LIST_MALFORMED",
  algorithm: "STATUS_LIST_ALGORITHM",
  claims: "STATUS_LIST_CLAIMS",
  untrusted: "STATUS_LIST_UNTRUSTED",
  expired: "STATUS_LIST_EXPIRED",
  notYetValid: "STATUS_LIST_NOT_YET_VALID",
};

export const DPOP_PROOF: TokenKind = {
  name: "DPoP proof",
  malformed: "DPOP_PROOF_MALFORMED",
  algorithm: "DPOP_PROOF_ALGORITHM",
  claims: "DPOP_PROOF_CLAIMS",
  untrusted: "DPOP_PROOF_UNTRUSTED",
  expired: "DPOP_PROOF_EXPIRED",
  notYetValid: "DPOP_PROOF_NOT_YET_VALID",
};

/** What people call a token of each type. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["jwt", "a JWT such as a JWT-SVID"],
  ["jose", "a JWT such as a JWT-SVID"],
  [ACCESS_TOKEN_TYPE, "an access token"],
  [STATUS_LIST_TYPE, "a status list token"],
  [DPOP_TYPE, "a DPoP proof"],
  ["wit+jwt", "a WIT-SVID"],
  ["wpt+jwt", "a proof token of a WIT-SVID"],
  ["task-proof+jwt", "a proof of a task's key"],
  ["txntoken+jwt", "a transaction token"],
]);

/**
 * Checks the type of a header; `application/` before it is the same type (RFC 7515 s4.1.9).
 * @throws TOKEN_KIND_WRONG
 */
export function checkType(header: JsonObject, type: string, { name }: TokenKind): void {
  const { typ } = header;
  if (typ === type || typ === `application/${type}`) return;
  const known = typeof typ === "string" ? NAMES.get(bare(typ)) : undefined;
  const what = known ?? `something of type ${quote(typ)}`;
  const wanted = `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
  throw pkiError("TOKEN_KIND_WRONG", `this is ${what}, not ${wanted}`, {
    hint: `present ${wanted}: its header says typ "${type}"`,
  });
}

/**
 * The type that a token says it has, lower case, without `application/`; undefined when it is no JWT at
 * all. For messages and for choosing a reader: nothing of it is trusted.
 */
export function typeOf(token: string): string | undefined {
  const [first = "", ...rest] = token.split(".", 4);
  if (rest.length !== 2 || first.length > 8192) return undefined;
  try {
    const header = parseJson(Buffer.from(first, "base64url"));
    const typ = (header as JsonObject | null)?.["typ"];
    return typ === undefined ? "" : typeof typ === "string" ? bare(typ) : undefined;
  } catch {
    return undefined;
  }
}

function bare(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, "");
}
