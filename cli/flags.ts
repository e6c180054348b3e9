// Flags that several commands share, and how their values are read.

import { IdentityError } from "../pki/errors.ts";
import { SpiffeId } from "../pki/spiffe-id.ts";
import { parseDuration } from "../runtime/duration.ts";
import type { Flag, Input } from "./command.ts";
import { cliError } from "./errors.ts";

export const DEFAULT_ADMIN_SOCKET = "/var/lib/signet/server/server.sock";
export const DEFAULT_AGENT_SOCKET = "unix:///run/signet/agent.sock";

/** Every command has it. */
export const OUTPUT: Flag = {
  name: "output",
  value: "<format>",
  description: "table (for people) or json (for programs)",
  defaultValue: "table",
};

export const ADMIN_SOCKET: Flag = {
  name: "admin-socket",
  value: "<path>",
  description: "the server's admin socket",
  variable: "SIGNET_ADMIN_SOCKET",
  defaultValue: DEFAULT_ADMIN_SOCKET,
};

export const WORKLOAD_SOCKET: Flag = {
  name: "socket",
  value: "<address>",
  description: "the Workload API, such as unix:///run/signet/agent.sock",
  variable: "SPIFFE_ENDPOINT_SOCKET",
  defaultValue: DEFAULT_AGENT_SOCKET,
};

export const CONFIG: Flag = {
  name: "config",
  value: "<file>",
  description: "the configuration file (YAML)",
};

/** A value that has to be there. */
export function required(input: Input, flag: string, spelled: string): string {
  const value = input.text(flag);
  if (value !== undefined && value !== "") return value;
  throw misuse(`${spelled} is missing`);
}

/** The longest lifetime that the wire has room for: 68 years. A longer one would become any other. */
export const MAX_SECONDS: number = 2 ** 31 - 1;

/** A lifetime as "1h30m", or as SPIRE's number of seconds; whole seconds. */
export function parseSeconds(text: string, spelled: string): number {
  let seconds: number;
  try {
    seconds = /^\d{1,10}$/.test(text) ? Number(text) : Math.floor(parseDuration(text) / 1000);
  } catch (cause) {
    throw misuse(`${spelled}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  if (seconds <= MAX_SECONDS) return seconds;
  throw misuse(`${spelled}: "${text}" is longer than 68 years`);
}

/** A moment: seconds since the Unix epoch, or a date such as 2027-01-31T12:00:00Z. */
export function parseMoment(text: string, spelled: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  const date = new Date(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(date.getTime())) {
    return Math.floor(date.getTime() / 1000);
  }
  throw misuse(`${spelled}: "${text}" is neither a date nor a number of seconds since 1970`, {
    hint: "write it as 2027-01-31T12:00:00Z",
  });
}

/** The end of something: a moment, or how long from now, such as "30d" or "12h". */
export function parseUntil(text: string, spelled: string, now: Date = new Date()): number {
  const [, days] = /^(\d{1,5})d$/.exec(text) ?? [];
  const nowSeconds = Math.floor(now.getTime() / 1000);
  if (days !== undefined) return nowSeconds + Number(days) * 86_400;
  if (/^\d+(?:h|m|s)/.test(text)) return nowSeconds + parseSeconds(text, spelled);
  try {
    return parseMoment(text, spelled);
  } catch {
    throw misuse(`${spelled}: "${text}" is neither a date nor a length of time`, {
      hint: "write it as 2027-01-31T12:00:00Z, or as 30d or 12h from now",
    });
  }
}

/** Pairs, each written as name=value. */
export function pairsOf(items: readonly string[], spelled: string): Record<string, string> {
  return Object.fromEntries(
    items.map((item) => {
      const at = item.indexOf("=");
      if (at > 0) return [item.slice(0, at), item.slice(at + 1)];
      throw misuse(`${spelled}: "${item}" is not written as name=value`, {
        hint: "such as ticket=42",
      });
    }),
  );
}

/** One of a few words. */
export function parseWord<T>(text: string, words: Readonly<Record<string, T>>, spelled: string): T {
  if (Object.hasOwn(words, text)) return words[text] as T;
  throw misuse(`${spelled}: "${text}" is not one of ${Object.keys(words).join(", ")}`);
}

/** "true" or "false". */
export function parseTruth(text: string, spelled: string): boolean {
  return parseWord(text, { true: true, false: false }, spelled);
}

/** A SPIFFE ID; a wrong one is misuse of the command. */
export function parseId(text: string, spelled: string): SpiffeId {
  return asMisuse(spelled, () => SpiffeId.parse(text));
}

/** Runs a parser of ours; what it refuses is misuse of the command. */
export function asMisuse<T>(spelled: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error;
    throw misuse(
      `${spelled}: ${error.message}`,
      error.hint === undefined ? {} : { hint: error.hint },
    );
  }
}

/** The command was called wrongly: exit code 2. */
export function misuse(message: string, detail: { readonly hint?: string } = {}): IdentityError {
  return cliError("USAGE_INVALID", message, detail);
}
