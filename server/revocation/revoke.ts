// Revoking: what is to be revoked is found in the ledger, written down as one record, and put on the
// signed lists before the answer leaves. The record also holds its holder back from new documents, until
// it is released. Who may do this: api/authorize.ts; what node agents are told: server/link.
import { randomBytes } from "node:crypto";
import type { IdentityError } from "../../pki/errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Crls } from "../ca/crls.ts";
import { serverError } from "../errors.ts";
import { hex, type IssuedDocument, jtiDigest, NAME_BYTES } from "../ledger/document.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { DocumentQuery } from "../ledger/table.ts";
import type { NodeStore } from "../store/nodes.ts";
import type {
  Hold,
  RevocationRecord,
  RevocationTarget,
  SvidRevocationReason,
} from "../store/revocation-record.ts";
import type { RevocationStore } from "../store/revocations.ts";
import type { Announced, Holds } from "./holds.ts";

/** How long an answer waits for lists to be signed; they are signed in any case. */
const SIGNING_WAIT_MS = 10_000;
const PRUNE_EVERY_MS = 60_000;
/**
 * How long a revocation is kept once all in it has expired. Lists drop what has expired much sooner, and
 * take it up again when the clock turns out to have been ahead: what is deleted here would be good again.
 */
const KEPT_SECONDS = 86_400;

export interface RevokerOptions {
  readonly ledger: Pick<Ledger, "find">;
  readonly holds: Pick<Holds, "announce">;
  readonly revocations: RevocationStore;
  readonly nodes: Pick<NodeStore, "ban">;
  readonly crls: Pick<Crls, "check" | "ids">;
  /** When the last document ends that any authority of now can have signed. */
  readonly horizon: (kind: "x509" | "token") => Date;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What is to be revoked. A serial number is in lowercase hexadecimal digits without leading zeros. */
export interface RevokeRequest {
  readonly target: Exclude<RevocationTarget, { kind: "agent" }>;
  readonly reason: SvidRevocationReason;
  /** The document alone: its holder may have a new one. */
  readonly replace: boolean;
  /** Also what the ledger does not know. */
  readonly force: boolean;
  readonly by: string;
}

export class Revoker {
  readonly #options: RevokerOptions;

  constructor(options: RevokerOptions) {
    this.#options = options;
  }

  /**
   * Revokes; when this resolves it is in the store and on the lists. Asked for what is revoked already
   * it answers with that revocation. @throws SVID_NOT_FOUND
   */
  async revoke(request: RevokeRequest): Promise<RevocationRecord> {
    const { target } = request;
    const ofAll = target.kind === "spiffe-id" ? { spiffeId: target.value } : undefined;
    // Before the ledger is read: what is issued from here on finds itself held back, and is not let out.
    const end = ofAll === undefined ? undefined : this.#options.holds.announce(ofAll);
    try {
      const documents = this.#options.ledger.find(queryOf(target));
      if (documents.length === 0 && ofAll === undefined && !request.force) throw notFound(target);
      const record = this.#recordOf(request, documents);
      const before = this.#same(record);
      if (before !== undefined) return before;
      await this.#holding(record.hold, () => this.#options.revocations.add(record));
      await this.#list(record);
      return record;
    } finally {
      end?.();
    }
  }

  /** Bans a node agent and revokes everything it was given, in one commit. @throws AGENT_NOT_FOUND */
  async ban(agentId: string, by: string): Promise<void> {
    const { nodes, revocations, holds, ledger } = this.#options;
    const end = holds.announce({ agentId });
    try {
      const target = { kind: "agent", value: agentId } as const;
      const record = this.#recordOf(
        { target, reason: "privilege-withdrawn", replace: true, by },
        ledger.find({ agentId }),
      );
      const count = record.certificates.length + record.tokens.length;
      const isNeeded = count > 0 && this.#same(record) === undefined;
      const revision = await nodes.ban(agentId, (transaction) => {
        if (isNeeded) revocations.addWithin(transaction, record);
      });
      await revocations.reached(revision);
      if (isNeeded) await this.#list(record);
    } finally {
      end();
    }
  }

  /** Lets a holder have new documents again; what was revoked stays so. @throws REVOCATION_NOT_FOUND */
  release(id: string, by: string): Promise<RevocationRecord> {
    return this.#options.revocations.release(id, this.#nowSeconds(), by);
  }

  /** Deletes revocations of which nothing is left, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, revocations, log } = this.#options;
    while (!signal.aborted) {
      try {
        const count = await revocations.prune(this.#nowSeconds() - KEPT_SECONDS);
        if (count > 0) log.info({ count }, "revocations deleted: what they revoked has expired");
      } catch (error) {
        log.error({ error }, "could not delete revocations; trying again");
      }
      await clock.sleep(PRUNE_EVERY_MS, signal).catch(() => undefined);
    }
  }

  #nowSeconds(): number {
    return Math.floor(this.#options.clock.now().getTime() / 1000);
  }

  #recordOf(
    {
      target,
      reason,
      replace,
      by,
    }: Omit<RevokeRequest, "target" | "force"> & {
      readonly target: RevocationTarget;
    },
    documents: readonly IssuedDocument[],
  ): RevocationRecord {
    const nowSeconds = this.#nowSeconds();
    const { horizon, clock } = this.#options;
    const certificates = documents
      .filter(({ kind }) => kind === "x509")
      .map(({ name, authorityId, expiresAtUnixSeconds }) => {
        return { authorityId, serial: bare(hex(name)), expiresAtUnixSeconds };
      });
    const tokens = documents
      .filter(({ kind, issuedAtUnixSeconds }) => {
        // Of a SPIFFE ID all until now are covered; what was issued while the clock was ahead is not.
        return kind !== "x509" && (target.kind !== "spiffe-id" || issuedAtUnixSeconds > nowSeconds);
      })
      .map(({ name, expiresAtUnixSeconds }) => {
        return { by: "digest" as const, value: hex(name), expiresAtUnixSeconds };
      });
    const ends = [...certificates, ...tokens].map((one) => one.expiresAtUnixSeconds);
    let tokensOf: RevocationRecord["tokensOf"];
    if (target.kind === "spiffe-id") {
      tokensOf = { spiffeId: target.value, issuedUntilUnixSeconds: nowSeconds };
      ends.push(unixSeconds(horizon("token")));
    }
    if (target.kind === "serial" && documents.length === 0) {
      const expiresAtUnixSeconds = unixSeconds(horizon("x509"));
      certificates.push({ authorityId: "", serial: target.value, expiresAtUnixSeconds });
      ends.push(expiresAtUnixSeconds);
    }
    const extra = [];
    if (target.kind === "jti") {
      const end = ends[0] ?? unixSeconds(horizon("token"));
      extra.push({ by: "jti" as const, value: target.value, expiresAtUnixSeconds: end });
      ends.push(end);
    }
    const hold = replace ? undefined : holdOf(target, documents);
    return {
      id: randomBytes(8).toString("hex"),
      target,
      reason,
      revokedAtUnixMs: clock.now().getTime(),
      revokedBy: by,
      ...(hold !== undefined && { hold }),
      certificates,
      tokens: [...tokens, ...extra],
      ...(tokensOf !== undefined && { tokensOf }),
      expiresAtUnixSeconds: ends.reduce((a, b) => Math.max(a, b), nowSeconds),
    };
  }

  /** A revocation that already says what this one would say: the answer to a command that is repeated. */
  #same(record: RevocationRecord): RevocationRecord | undefined {
    const wanted = record.hold === undefined ? "" : holdName(record.hold);
    for (const other of this.#options.revocations.values()) {
      if (other.target.kind !== record.target.kind) continue;
      if (other.target.value !== record.target.value) continue;
      if (other.hold?.releasedAtUnixSeconds !== undefined) continue;
      if ((other.hold === undefined ? "" : holdName(other.hold)) !== wanted) continue;
      // Without a hold there may have been tokens since.
      if (record.hold === undefined && !coversTokensOf(other, record)) continue;
      const known = new Set(other.certificates.map(({ serial }) => serial));
      for (const { value } of other.tokens) known.add(value);
      const isKnown = ({ serial }: { readonly serial: string }): boolean => known.has(serial);
      if (
        record.certificates.every(isKnown) &&
        record.tokens.every((one) => known.has(one.value))
      ) {
        return other;
      }
    }
    return undefined;
  }

  /** Holds back from the first moment on, and not from the commit's end only. */
  async #holding(hold: Hold | undefined, commit: () => Promise<void>): Promise<void> {
    if (hold === undefined) return await commit();
    const { spiffeId, agentId } = hold;
    const announced: Announced = agentId === undefined ? { spiffeId } : { spiffeId, agentId };
    const end = this.#options.holds.announce(announced);
    try {
      await commit();
    } finally {
      end();
    }
  }

  /** Waits until the lists say so. A key that does not sign holds up the answer for a while and no longer. */
  async #list(record: RevocationRecord): Promise<void> {
    const { crls, clock, log } = this.#options;
    const { id, certificates } = record;
    if (certificates.length === 0) return;
    const signed = new Set(crls.ids());
    const authorities = new Set(certificates.map(({ authorityId }) => authorityId));
    for (const authorityId of authorities) {
      if (authorityId === "" || signed.has(authorityId)) continue;
      log.warn(
        { authority_id: authorityId, revocation: id },
        "revoked, but this server has no key to sign the list of the authority: revoke the authority as well",
      );
    }
    const late = Promise.withResolvers<void>();
    using _timer = clock.setTimer(SIGNING_WAIT_MS, () => {
      log.error({ revocation: id }, "revoked, but the list is not signed yet");
      late.resolve();
    });
    const listed = crls.check().catch((error: unknown) => {
      log.error(
        { error, revocation: id },
        "revoked, but the list could not be signed; trying again",
      );
    });
    await Promise.race([listed, late.promise]);
  }
}

function queryOf({ kind, value }: RevocationTarget): DocumentQuery {
  if (kind === "spiffe-id") return { spiffeId: value };
  if (kind === "jti") return { kind: "token", jti: jtiDigest(value) };
  const name = Buffer.alloc(NAME_BYTES);
  const serial = Buffer.from(value.length % 2 === 0 ? value : `0${value}`, "hex");
  // One that is longer is none of ours: the name of nothing.
  if (serial.length <= NAME_BYTES) name.set(serial, NAME_BYTES - serial.length);
  return { kind: "x509", name };
}

function coversTokensOf(other: RevocationRecord, record: RevocationRecord): boolean {
  const { tokensOf } = record;
  if (tokensOf === undefined) return true;
  return (other.tokensOf?.issuedUntilUnixSeconds ?? -1) >= tokensOf.issuedUntilUnixSeconds;
}

/** The holder of a document is who it was issued to; nobody is, when an administrator had it made. */
function holdOf(target: RevocationTarget, documents: readonly IssuedDocument[]): Hold | undefined {
  if (target.kind === "spiffe-id") return { spiffeId: target.value };
  const [document] = documents;
  if (document === undefined || document.agentId === "") return undefined;
  return { spiffeId: document.spiffeId, agentId: document.agentId };
}

function holdName({ spiffeId, agentId = "" }: Hold): string {
  return `${spiffeId} ${agentId}`;
}

function bare(serial: string): string {
  return serial.replace(/^0+/, "");
}

function unixSeconds(moment: Date): number {
  return Math.floor(moment.getTime() / 1000);
}

function notFound({ kind, value }: RevocationTarget): IdentityError {
  const named = kind === "serial" ? "serial number" : "jti";
  return serverError(
    "SVID_NOT_FOUND",
    `this server has issued no document with the ${named} ${JSON.stringify(value.slice(0, 100))} that is still valid`,
    {
      hint: "look it up again; if it is certain, revoke it with --force, or everything of its SPIFFE ID with --spiffe-id",
    },
  );
}
