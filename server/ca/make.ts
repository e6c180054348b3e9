// Makes a new authority: its key in the key manager first, then its record. Until the record is
// committed nothing knows the key; a crash in between leaves a key that the next start removes.

import { randomBytes } from "node:crypto";
import type { Signer } from "../../pki/keys.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { KeyManager } from "../keymanager/key-manager.ts";
import type { AuthorityRecord, AuthorityStatus } from "../store/journal.ts";
import type { AuthorityKind } from "./kinds.ts";

/** What the IDs of the CA's keys begin with: the key manager may hold others. */
export const CA_KEY_PREFIX = "ca-";

/** Certificates begin this long before they are made, for clocks that are behind. */
export const BACKDATE_MS = 10_000;

/** Makes key and record. `publishedSequence` is for the caller to fill in: the commit decides it. */
export async function makeAuthority(
  kind: AuthorityKind,
  status: AuthorityStatus,
  { keys, clock }: { readonly keys: KeyManager; readonly clock: Clock },
): Promise<{ readonly authority: AuthorityRecord; readonly signer: Signer }> {
  const keyId = `${CA_KEY_PREFIX}${kind.name}-${randomBytes(12).toString("hex")}`;
  const signer = await keys.create(keyId, kind.keyType);
  const now = clock.now();
  const validity = {
    notBefore: wholeSecond(now.getTime() - BACKDATE_MS),
    notAfter: wholeSecond(now.getTime() + kind.ttlSeconds * 1000),
  };
  const made = await kind.make(signer, validity);
  const authority: AuthorityRecord = {
    kind: kind.name,
    keyId,
    status,
    tainted: false,
    publishedAt: now,
    publishedSequence: 0n,
    spki: signer.spki,
    ...validity,
    ...made,
  };
  return { authority, signer };
}

/** Certificates and tokens count whole seconds. */
function wholeSecond(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000);
}
