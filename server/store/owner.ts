// Which trust domain a store belongs to, written at its first use. A server that found the records of
// another one would sign with that one's authorities: no two trust domains share a key (Trust Domain and
// Bundle s2).

import type { TrustDomain } from "../../pki/spiffe-id.ts";
import { serverError } from "../errors.ts";
import type { OrderedLog } from "./log.ts";
import { transact } from "./transaction.ts";

const KEY = "trust-domain";

/**
 * Writes the owner's name into a store without one.
 * @throws STORE_UNUSABLE when the store belongs to another trust domain
 */
export async function claimStore(log: OrderedLog, trustDomain: TrustDomain): Promise<void> {
  await transact(log, async (transaction) => {
    const value = await transaction.get(KEY);
    if (value === undefined) {
      transaction.put(KEY, Buffer.from(trustDomain.name));
      return;
    }
    const owner = Buffer.from(value).toString("utf8");
    if (owner === trustDomain.name) return;
    throw serverError(
      "STORE_UNUSABLE",
      `the store belongs to the trust domain "${owner}", not to "${trustDomain}"`,
      { hint: "set trust_domain back, or give the new trust domain a data_dir of its own" },
    );
  });
}
