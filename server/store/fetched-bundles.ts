// What was fetched last from the endpoint of each federated trust domain: by it a document that is older
// than what was seen before is known, also after a restart and when somebody set another bundle by hand.
// It says too which bundles came by a relationship of the configuration, so that one that is no longer
// configured can be ended. The bundles themselves: bundles.ts.

import { TrustDomain } from "../../pki/spiffe-id.ts";
import { serverError } from "../errors.ts";
import type { OrderedLog } from "./log.ts";
import type { Transaction } from "./transaction.ts";

const PREFIX = "federation-fetched/";
const PAGE = 1000;

/** What is remembered of the last fetch. */
export interface FetchedBundle {
  readonly trustDomain: TrustDomain;
  /** URL, profile and ID of the endpoint: another endpoint counts its own sequence numbers. */
  readonly endpoint: string;
  /** 0 when the bundle came without one. */
  readonly sequence: bigint;
}

interface FetchedJson {
  readonly trust_domain: string;
  readonly endpoint: string;
  readonly sequence: string;
}

export async function readFetched(
  transaction: Transaction,
  { name }: TrustDomain,
): Promise<FetchedBundle | undefined> {
  const value = await transaction.get(PREFIX + name);
  return value && decode(PREFIX + name, value);
}

export function writeFetched(transaction: Transaction, fetched: FetchedBundle): void {
  const json: FetchedJson = {
    trust_domain: fetched.trustDomain.name,
    endpoint: fetched.endpoint,
    sequence: fetched.sequence.toString(),
  };
  transaction.put(PREFIX + fetched.trustDomain.name, Buffer.from(JSON.stringify(json)));
}

export function forgetFetched(transaction: Transaction, { name }: TrustDomain): void {
  transaction.delete(PREFIX + name);
}

/** The trust domains of which something was fetched. */
export async function listFetched(log: OrderedLog): Promise<readonly TrustDomain[]> {
  const found: TrustDomain[] = [];
  for (let after: string | undefined; ; ) {
    const page = await log.list(PREFIX, { limit: PAGE, ...(after !== undefined && { after }) });
    for (const { key, value } of page.records) found.push(decode(key, value).trustDomain);
    if (page.next === undefined) return found;
    after = page.next;
  }
}

function decode(key: string, value: Uint8Array): FetchedBundle {
  try {
    const json = JSON.parse(Buffer.from(value).toString("utf8")) as FetchedJson;
    const { endpoint, sequence } = json;
    return {
      trustDomain: TrustDomain.parse(json.trust_domain),
      endpoint,
      sequence: BigInt(sequence),
    };
  } catch (cause) {
    throw serverError("STORE_CORRUPT", `the record ${key} does not say what was fetched`, {
      hint: "restore the store from a backup",
      cause,
    });
  }
}
