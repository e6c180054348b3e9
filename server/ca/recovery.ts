// The start of the CA: journal and keys are matched by key ID, whatever a crash or an operator left.
// - First start: an authority of each kind is made and active at once; nobody has anything older.
// - An active authority whose key is gone, that expired while the server was down, or that was made
//   while the clock was ahead, so that nobody accepts what it signs: the prepared one takes over, else
//   a new one, at once, because the alternative is a server that cannot sign. The lost one stays in the
//   bundle until it expires, so that what it signed stays valid.
// - A key without a record (crash between making the key and the commit, or between the commit that
//   dropped an authority and the end of its key) is destroyed.

import type { Signer } from "../../pki/keys.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { KeyManager } from "../keymanager/key-manager.ts";
import type { BundleStore } from "../store/bundles.ts";
import type { AuthorityRecord } from "../store/journal.ts";
import type { OrderedLog } from "../store/log.ts";
import { AuthorityJournal, type JournalState } from "./journal.ts";
import type { AuthorityKind } from "./kinds.ts";
import { CA_KEY_PREFIX, makeAuthority } from "./make.ts";
import { activated, moved, slotsOf } from "./slots.ts";

export interface RecoveryOptions {
  readonly trustDomain: TrustDomain;
  readonly refreshHintSeconds: number;
  readonly log: OrderedLog;
  readonly bundles: BundleStore;
  readonly keys: KeyManager;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Opens the journal and leaves it, in one commit, with an active authority of each kind. */
export async function recover(
  options: RecoveryOptions,
  kinds: readonly AuthorityKind[],
): Promise<{ readonly journal: AuthorityJournal; readonly signers: Map<string, Signer> }> {
  const { keys, clock, logger } = options;
  const signers = new Map((await keys.list()).map((signer) => [signer.keyId, signer]));
  const now = clock.now();
  const { journal, orphans } = await AuthorityJournal.open(options, new Set(signers.keys()), now);
  if (orphans > 0) {
    logger.warn(
      { journals: orphans },
      "the store has authorities whose keys this server does not hold: they stay in the bundle until they expire",
    );
  }
  await destroyStrayKeys(options, journal, signers);

  const usable = (authority: AuthorityRecord | undefined): authority is AuthorityRecord =>
    authority !== undefined &&
    authority.notBefore <= now &&
    authority.notAfter > now &&
    signers.has(authority.keyId);
  const needed = kinds.filter(({ name }) => {
    const { active, prepared } = slotsOf(journal.authorities, name);
    return !usable(active) && !usable(prepared);
  });
  const made = new Map<AuthorityKind, AuthorityRecord>();
  for (const kind of needed) {
    const { authority, signer } = await makeAuthority(kind, "active", options);
    signers.set(signer.keyId, signer);
    made.set(kind, authority);
  }
  const before = journal.authorities;
  await journal.change((state) =>
    kinds.reduce((next, kind) => withActive(next, kind, usable, made.get(kind)), state),
  );
  reportTakeovers(logger, before, journal.authorities);
  return { journal, signers };
}

/** Gives a kind an active authority: the one it has, else the prepared one, else the new one. */
function withActive(
  state: JournalState,
  kind: AuthorityKind,
  usable: (authority: AuthorityRecord | undefined) => authority is AuthorityRecord,
  made: AuthorityRecord | undefined,
): JournalState {
  const { active, prepared } = slotsOf(state.authorities, kind.name);
  const retired =
    prepared === undefined || usable(prepared)
      ? state.authorities
      : moved(state.authorities, prepared, "old");
  if (usable(active)) return { ...state, authorities: retired };
  if (usable(prepared)) return { ...state, authorities: activated(retired, prepared) };
  if (made === undefined) throw new TypeError(`no ${kind.name} authority was made`);
  const bundle = kind.publish(state.bundle, made);
  const authority = { ...made, publishedSequence: bundle.sequence };
  return { bundle, authorities: activated(retired, authority) };
}

/**
 * Destroys keys of the CA that no record names. Only when the journal is known to belong to these
 * keys: with an empty or foreign store nobody can say that a key is not needed any more.
 */
async function destroyStrayKeys(
  { keys, logger }: RecoveryOptions,
  journal: AuthorityJournal,
  signers: Map<string, Signer>,
): Promise<void> {
  const named = new Set(journal.authorities.map(({ keyId }) => keyId));
  const stray = [...signers.keys()].filter(
    (keyId) => keyId.startsWith(CA_KEY_PREFIX) && !named.has(keyId),
  );
  if (stray.length === 0) return;
  if (named.size === 0) {
    logger.warn(
      { keys: stray.length },
      "the key manager holds keys of authorities that the store does not know: they are kept, and a new authority is made",
    );
    return;
  }
  for (const keyId of stray) {
    signers.delete(keyId);
    await keys.delete(keyId);
    logger.info({ key_id: keyId }, "destroyed a key that belongs to no authority");
  }
}

function reportTakeovers(
  logger: Logger,
  before: readonly AuthorityRecord[],
  after: readonly AuthorityRecord[],
): void {
  for (const authority of after) {
    const { authorityId, kind, notAfter, status } = authority;
    const previous = before.find((one) => one.authorityId === authorityId);
    if (status !== "active" || previous?.status === "active") continue;
    const fields = { kind, authority_id: authorityId, expires_at: notAfter.toISOString() };
    const first = !before.some((one) => one.kind === kind);
    if (first) logger.info(fields, "made the first authority");
    else {
      logger.warn(
        fields,
        "the active authority has expired, is not valid yet, or its key is gone: another one took its place at once",
      );
    }
  }
}
