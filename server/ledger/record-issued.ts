// Issuing as callers get it: whatever leaves is in the ledger, with the node agent it is for, and
// nothing is signed for a holder from whom new documents are held back. Who is held is asked twice:
// before signing, and once the rows are in the ledger. Whoever revokes announces the hold first and
// then reads the ledger, so that of a document and a revocation that cross, either the revocation
// finds the document or the document does not leave.
import { IdentityError } from "../../pki/errors.ts";
import { issuedSerial } from "../../pki/x509/serial.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Issuing } from "../ca/count-issued.ts";
import type { IssuedForKey, IssuedJwtSvid, IssuedX509Svid, X509SvidOrder } from "../ca/issuer.ts";
import type { IssuedWitSvid, WitSvidOrder } from "../ca/wit-batch.ts";
import { type IssuedDocument, jtiDigest, tokenDigest } from "./document.ts";
import type { Ledger } from "./ledger.ts";

type KeyOrder = Parameters<Issuing["issueForKey"]>[0];
type JwtOrder = Parameters<Issuing["issueJwt"]>[0];

/** Issuing for a node agent, or for an administrator: `agentId` is then "". */
export interface RecordedIssuing {
  issueX509Batch(
    orders: readonly X509SvidOrder[],
    agentId: string,
  ): Promise<(IssuedX509Svid | IdentityError)[]>;
  issueX509(order: X509SvidOrder, agentId: string): Promise<IssuedX509Svid>;
  /** A node agent's own SVID. */
  issueForKey(order: KeyOrder): ReturnType<Issuing["issueForKey"]>;
  issueJwt(order: JwtOrder, agentId: string): Promise<IssuedJwtSvid>;
  issueWitBatch(
    orders: readonly WitSvidOrder[],
    agentId: string,
  ): Promise<(IssuedWitSvid | IdentityError)[]>;
  issueWit(order: WitSvidOrder, agentId: string): Promise<IssuedWitSvid>;
}

/** Whom new documents are held back from: server/revocation/holds.ts. */
export interface HeldBack {
  /** Why this holder gets nothing now, if so. */
  refusal(spiffeId: string, agentId: string): IdentityError | undefined;
  /** Why a token of this ID must not say that it was issued then, if so: it would be void from the start. */
  tokenRefusal(spiffeId: string, issuedAtUnixSeconds: number): IdentityError | undefined;
}

export interface RecordingOptions {
  readonly issuer: Issuing;
  readonly ledger: Pick<Ledger, "add">;
  readonly held: HeldBack;
  readonly clock: Clock;
}

/** The same issuer, with everything noted that leaves it. */
export function recordIssued({ issuer, ledger, held, clock }: RecordingOptions): RecordedIssuing {
  const now = (): number => Math.floor(clock.now().getTime() / 1000);
  /** The orders of those who are not held back, signed, noted, and looked at once more. */
  async function batch<Order, Issued extends object>(
    orders: readonly Order[],
    agentId: string,
    row: BatchRow<Order, Issued>,
  ): Promise<(Issued | IdentityError)[]> {
    const nowSeconds = now();
    const refusals = orders.map((order) => refusalOf(row, row.idOf(order), agentId, nowSeconds));
    const admitted = orders.filter((_, i) => refusals[i] === undefined);
    const signed = admitted.length === 0 ? [] : await row.signBatch(admitted);
    const documents: IssuedDocument[] = [];
    for (const [i, issued] of signed.entries()) {
      const order = admitted[i];
      if (issued instanceof IdentityError || order === undefined) continue;
      documents.push(row.documentOf(issued, row.idOf(order), agentId, nowSeconds));
    }
    await ledger.add(documents);
    const answers = signed.values();
    return orders.map((order, i) => {
      const refusal = refusals[i];
      if (refusal !== undefined) return refusal;
      const { value } = answers.next();
      if (value === undefined) throw new TypeError("fewer SVIDs than orders");
      const issuedAt =
        value instanceof IdentityError ? nowSeconds : row.issuedAt(value, nowSeconds);
      return refusalOf(row, row.idOf(order), agentId, issuedAt) ?? value;
    });
  }

  const refusalOf = (
    { isToken }: { readonly isToken: boolean },
    spiffeId: string,
    agentId: string,
    issuedAt: number,
  ): IdentityError | undefined =>
    held.refusal(spiffeId, agentId) ??
    (isToken ? held.tokenRefusal(spiffeId, issuedAt) : undefined);

  const x509: BatchRow<X509SvidOrder, IssuedX509Svid> = {
    isToken: false,
    idOf: ({ spiffeId }) => spiffeId,
    sign: (order) => issuer.issueX509(order),
    signBatch: (orders) => issuer.issueX509Batch(orders),
    issuedAt: (_, nowSeconds) => nowSeconds,
    documentOf: certificateOf,
  };
  const wit: BatchRow<WitSvidOrder, IssuedWitSvid> = {
    isToken: true,
    idOf: ({ spiffeId }) => spiffeId.toString(),
    sign: (order) => issuer.issueWit(order),
    signBatch: (orders) => issuer.issueWitBatch(orders),
    issuedAt: ({ issuedAt }) => seconds(issuedAt),
    documentOf: (issued, spiffeId, agentId) => tokenOf("wit", issued, spiffeId, agentId),
  };
  const jwt: Row<JwtOrder, IssuedJwtSvid> = {
    isToken: true,
    idOf: ({ spiffeId }) => spiffeId.toString(),
    sign: (order) => issuer.issueJwt(order),
    issuedAt: ({ issuedAt }) => seconds(issuedAt),
    documentOf: (issued, spiffeId, agentId) => tokenOf("jwt", issued, spiffeId, agentId),
  };
  const key: Row<KeyOrder, IssuedForKey> = {
    isToken: false,
    idOf: ({ spiffeId }) => spiffeId.toString(),
    sign: (order) => issuer.issueForKey(order),
    issuedAt: (_, nowSeconds) => nowSeconds,
    documentOf: ({ chain, leaf, authorityId }, ...about) =>
      certificateOf({ chain, notAfter: leaf.notAfter, authorityId }, ...about),
  };

  /** The same for one order, without the lists: most calls are for one. */
  async function one<Order, Issued extends object>(
    order: Order,
    agentId: string,
    row: Row<Order, Issued>,
  ): Promise<Issued> {
    const nowSeconds = now();
    const spiffeId = row.idOf(order);
    const before = refusalOf(row, spiffeId, agentId, nowSeconds);
    if (before !== undefined) throw before;
    const issued = await row.sign(order);
    await ledger.add([row.documentOf(issued, spiffeId, agentId, nowSeconds)]);
    const after = refusalOf(row, spiffeId, agentId, row.issuedAt(issued, nowSeconds));
    if (after !== undefined) throw after;
    return issued;
  }

  return {
    issueX509Batch: (orders, agentId) => batch(orders, agentId, x509),
    issueX509: (order, agentId) => one(order, agentId, x509),
    issueForKey: (order) => one(order, order.spiffeId.toString(), key),
    issueJwt: (order, agentId) => one(order, agentId, jwt),
    issueWitBatch: (orders, agentId) => batch(orders, agentId, wit),
    issueWit: (order, agentId) => one(order, agentId, wit),
  };
}

/** A way to issue: the same steps for each. */
interface Row<Order, Issued> {
  readonly isToken: boolean;
  idOf(order: Order): string;
  sign(order: Order): Promise<Issued>;
  /** What a token says of when it was issued. */
  issuedAt(issued: Issued, nowSeconds: number): number;
  documentOf(issued: Issued, spiffeId: string, agentId: string, nowSeconds: number): IssuedDocument;
}

interface BatchRow<Order, Issued> extends Row<Order, Issued> {
  signBatch(orders: readonly Order[]): Promise<readonly (Issued | IdentityError)[]>;
}

function certificateOf(
  { chain, notAfter, authorityId }: IssuedX509Svid,
  spiffeId: string,
  agentId: string,
  issuedAtUnixSeconds: number,
): IssuedDocument {
  const [leaf] = chain;
  if (leaf === undefined) throw new TypeError("an SVID without a leaf");
  return {
    kind: "x509",
    name: issuedSerial(leaf),
    authorityId,
    spiffeId,
    agentId,
    issuedAtUnixSeconds,
    expiresAtUnixSeconds: seconds(notAfter),
  };
}

function tokenOf(
  kind: "jwt" | "wit",
  { token, jti, issuedAt, expiresAt }: IssuedJwtSvid,
  spiffeId: string,
  agentId: string,
): IssuedDocument {
  return {
    kind,
    name: tokenDigest(token),
    ...(jti !== undefined && { jti: jtiDigest(jti), tokenId: jti }),
    authorityId: "",
    spiffeId,
    agentId,
    issuedAtUnixSeconds: seconds(issuedAt),
    expiresAtUnixSeconds: seconds(expiresAt),
  };
}

function seconds(moment: Date): number {
  return Math.floor(moment.getTime() / 1000);
}
