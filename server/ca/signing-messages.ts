// What the main thread and a signing thread say to each other. Byte strings of a chunk travel packed
// in one buffer whose ownership moves: structured cloning of many small views would copy, for each,
// the whole network buffer that it looks into.

import type { KeyObject } from "node:crypto";
import type { Status } from "../../pki/errors.ts";
import type { X509Order } from "./sign.ts";

/** Makes an authority known to the thread, before the first chunk that names it. The former one is forgotten. */
export interface IssuerMessage {
  readonly step: "issuer";
  readonly issuer: number;
  readonly certificate: Uint8Array;
  readonly upstreamChain: readonly Uint8Array[];
  readonly keyId: string;
  readonly privateKey: KeyObject;
  readonly crlUrl: string | undefined;
  readonly taskCrlUrl: string | undefined;
}

/** A chunk of orders for one authority. */
export interface SignMessage {
  readonly step: "sign";
  readonly chunk: number;
  readonly issuer: number;
  readonly csrs: Packed;
  readonly orders: readonly Omit<X509Order, "csr">[];
}

export type ToThread = IssuerMessage | SignMessage;

/** The answer to a chunk. `leaves` holds an empty byte string for each order that is among `refusals`. */
export interface SignedMessage {
  readonly chunk: number;
  readonly leaves: Packed;
  readonly notAfterMs: readonly number[];
  readonly refusals: readonly {
    readonly index: number;
    readonly reason: string;
    readonly code: Status;
    readonly message: string;
    readonly hint: string | undefined;
  }[];
}

/** Byte strings end to end, and where each ends. */
export interface Packed {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ends: readonly number[];
}

export function pack(parts: readonly Uint8Array[]): Packed {
  const ends: number[] = [];
  let end = 0;
  for (const part of parts) {
    end += part.length;
    ends.push(end);
  }
  const bytes = new Uint8Array(end);
  for (const [i, part] of parts.entries()) bytes.set(part, (ends[i] ?? 0) - part.length);
  return { bytes, ends };
}

/** The byte strings again, as views into the one buffer. */
export function unpack({ bytes, ends }: Packed): Uint8Array[] {
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
}
