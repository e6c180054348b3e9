// What the server keeps of an attested node agent, and how it lies in the store (JSON, so that
// fields can be added without a new format).

import type { Selector } from "../../proto/types/selector.ts";
import { serverError } from "../errors.ts";
import type { StoredRecord } from "./log.ts";

export interface NodeRecord {
  /** The agent's SPIFFE ID. */
  readonly id: string;
  /** Type of the node attestor, as in "join_token". */
  readonly attestationType: string;
  /** Serial number of the certificate in use, decimal. Empty when banned. */
  readonly serial: string;
  readonly notAfterUnixSeconds: number;
  /** The certificate of a renewal, until its first use makes it the one in use; the old one stays valid so long. */
  readonly newSerial?: string;
  readonly newNotAfterUnixSeconds?: number;
  readonly selectors: readonly Selector[];
  readonly banned: boolean;
  readonly canReattest: boolean;
  /** As last reported by the agent; empty when unknown. */
  readonly agentVersion: string;
  /** The entry that was made with the agent from its join token, and goes with it. */
  readonly aliasEntryId?: string;
}

export const NODE_PREFIX = "agent/";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function nodeKey(id: string): string {
  return NODE_PREFIX + id;
}

export function encodeNode(node: NodeRecord): Uint8Array {
  return encoder.encode(JSON.stringify(node));
}

/** @throws STORE_CORRUPT */
export function decodeNode(value: Uint8Array, key: string): NodeRecord {
  try {
    return JSON.parse(decoder.decode(value)) as NodeRecord;
  } catch (cause) {
    throw serverError("STORE_CORRUPT", `the stored agent "${key}" cannot be read`, { cause });
  }
}

export function decodeNodeRecord(record: StoredRecord): NodeRecord {
  return decodeNode(record.value, record.key);
}
