// Join tokens: single use, expiring, stored as the SHA-256 of the token alone, so that nobody who
// reads the store or a backup of it can attest with one. Spending a token is NodeStore.attest.

import { hash } from "node:crypto";
import { serverError } from "../errors.ts";
import type { OrderedLog } from "./log.ts";
import { type Transaction, transact } from "./transaction.ts";

/** What is known of an unspent token. `aliasSpiffeId` is the alias its agent gets, "" for none. */
export interface JoinToken {
  readonly expiresAtUnixSeconds: number;
  readonly aliasSpiffeId: string;
}

const PREFIX = "join-token/";
const PRUNE_PAGE = 1000;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export class TokenStore {
  readonly #log: OrderedLog;
  readonly #now: () => Date;

  constructor(options: { readonly log: OrderedLog; readonly now: () => Date }) {
    this.#log = options.log;
    this.#now = options.now;
  }

  /** Registers a token for one use. @throws JOIN_TOKEN_ALREADY_EXISTS */
  async create(token: string, properties: JoinToken): Promise<void> {
    const key = tokenKey(token);
    await transact(this.#log, async (transaction) => {
      if ((await transaction.get(key)) !== undefined) {
        throw serverError(
          "JOIN_TOKEN_ALREADY_EXISTS",
          "a join token with this value already exists",
          {
            hint: "leave the value out to get a random one",
          },
        );
      }
      const { expiresAtUnixSeconds, aliasSpiffeId } = properties;
      transaction.put(key, encoder.encode(JSON.stringify({ expiresAtUnixSeconds, aliasSpiffeId })));
    });
  }

  /**
   * What the token would give, without spending it: lets an attestation with a bad token end before
   * anything is signed. @throws JOIN_TOKEN_UNKNOWN, JOIN_TOKEN_EXPIRED
   */
  async check(token: string): Promise<JoinToken> {
    const record = await this.#log.get(tokenKey(token));
    return usable(record?.value, this.#now());
  }

  /** Deletes tokens that expired unused; returns how many. */
  async pruneExpired(): Promise<number> {
    const now = this.#now();
    let pruned = 0;
    for (let after: string | undefined; ; ) {
      const page = await this.#log.list(PREFIX, {
        limit: PRUNE_PAGE,
        ...(after === undefined ? {} : { after }),
      });
      const expired = page.records.filter(({ value }) => isExpired(parse(value), now));
      if (expired.length > 0) {
        // A token spent meanwhile is gone already; deleting it again changes nothing.
        await this.#log.commit({ deletes: expired.map(({ key }) => key) });
        pruned += expired.length;
      }
      if (page.next === undefined) return pruned;
      after = page.next;
    }
  }
}

/**
 * Takes a token out of the store within a transaction: of all that try, the commit of one succeeds.
 * @throws JOIN_TOKEN_UNKNOWN, JOIN_TOKEN_EXPIRED
 */
export async function spendToken(
  transaction: Transaction,
  token: string,
  now: Date,
): Promise<JoinToken> {
  const key = tokenKey(token);
  const properties = usable(await transaction.get(key), now);
  transaction.delete(key);
  return properties;
}

function tokenKey(token: string): string {
  return PREFIX + hash("sha256", token, "hex");
}

function usable(value: Uint8Array | undefined, now: Date): JoinToken {
  if (value === undefined) {
    throw serverError("JOIN_TOKEN_UNKNOWN", "join token does not exist or has already been used", {
      hint: "make a new one with 'signet token generate'",
    });
  }
  const token = parse(value);
  if (isExpired(token, now)) {
    throw serverError("JOIN_TOKEN_EXPIRED", "join token expired", {
      hint: "make a new one with 'signet token generate', with a longer --ttl if need be",
    });
  }
  return token;
}

function isExpired(token: JoinToken, now: Date): boolean {
  return token.expiresAtUnixSeconds * 1000 <= now.getTime();
}

function parse(value: Uint8Array): JoinToken {
  try {
    return JSON.parse(decoder.decode(value)) as JoinToken;
  } catch (cause) {
    throw serverError("STORE_CORRUPT", "a stored join token cannot be read", { cause });
  }
}
