// What the public listeners hand out: whole documents, made before the first byte of an answer is sent,
// with what a cache needs to know about them. How they are asked for and answered: answer.ts.

import { createHash } from "node:crypto";

/** One document, ready to be sent. */
export interface Document {
  readonly body: Uint8Array;
  readonly contentType: string;
  /** The value of Cache-Control. */
  readonly cacheControl: string;
  /** A strong validator, with its quotes. */
  readonly etag: string;
}

/** Where a client is sent instead. */
export interface Redirect {
  readonly location: string;
}

/** What stands at a path. */
export type Resource = Document | Redirect;

/**
 * Answers what stands at a path, which is compared to the letter; undefined when nothing does, `null`
 * when it is not there yet. What it throws is an internal error.
 */
export type FindResource = (path: string) => Found | Promise<Found>;

type Found = Resource | null | undefined;

/** Caches may keep it, and must ask before every use whether it is still the newest. */
export const ASK_EACH_TIME = "no-cache";

/**
 * A document of these bytes. It says nothing of when it was made: two within one second would look the
 * same to who asks by that, and the second may say that something is revoked.
 */
export function documentOf(body: Uint8Array, contentType: string, cacheControl: string): Document {
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  return { body, contentType, cacheControl, etag };
}
