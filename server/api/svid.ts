// The service spire.api.server.svid.v1.SVID: SVIDs for the workloads of node agents, and minted ones for
// administrators. Whether the caller may call at all was decided before (authorize.ts); here it is
// asked again, for each SVID, whether the agent may have the entry. How SVIDs are made: ca/issuer.ts.

import { IdentityError } from "../../pki/errors.ts";
import { SpiffeId, type TrustDomain } from "../../pki/spiffe-id.ts";
import { parseCsr } from "../../pki/x509/csr.ts";
import type { Init } from "../../proto/codec.ts";
import type { CallContext, Handlers } from "../../proto/rpc/service.ts";
import type { SvidService, spire } from "../../proto/schema.gen.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { spiffeIdFromWire, spiffeIdToWire } from "../../proto/types/spiffe-id.ts";
import type { Logger } from "../../runtime/log.ts";
import type { IssuedJwtSvid, IssuedX509Svid } from "../ca/issuer.ts";
import type { IssuedWitSvid, WitSvidOrder } from "../ca/wit-batch.ts";
import { serverError } from "../errors.ts";
import type { RecordedIssuing } from "../ledger/record-issued.ts";

/** Most SVIDs one call may ask for, as in SPIRE. */
const MAX_BATCH = 500;
/** Most characters of all audiences of a token together: it travels in headers of limited size. */
const MAX_AUDIENCE_CHARACTERS = 4096;
/** Entries that were warned about, at most. */
const MAX_WARNED = 1000;

/** No agent: an administrator asked. */
const ADMINISTRATOR = "";
const OK = { code: 0, message: "OK" };
const NOT_AUTHORIZED = { code: 5, message: "entry not found or not authorized" };

type X509Result = Init<spire.api.server.svid.v1.BatchNewX509SVIDResponse.Result>;
type WitResult = Init<spire.api.server.svid.v1.BatchNewWITSVIDResponse.Result>;

export interface SvidServiceOptions {
  readonly trustDomain: TrustDomain;
  /** Notes for whom it signs: a node agent, or "" for an administrator. */
  readonly issuer: Omit<RecordedIssuing, "issueForKey">;
  /** The SPIFFE ID of the node agent that made a call open to agents alone. */
  readonly agentOf: (context: CallContext) => string;
  /** The entry, if this agent may serve it now: entries/authorized.ts. */
  readonly entryFor: (agentId: string, entryId: string) => RegistrationEntry | undefined;
  /** Whether this is the SPIFFE ID of a task of an AI agent: those are issued with tasks alone. */
  readonly isOfTask?: (id: SpiffeId) => boolean;
  readonly logger: Logger;
}

/** The handlers of the SVID service. */
export function svidHandlers(options: SvidServiceOptions): Handlers<typeof SvidService> {
  const { issuer } = options;
  const warnOnce = warnOfAudiences(options.logger);
  return {
    async batchNewX509SVID({ params }, context) {
      if (params.length > MAX_BATCH) throw batchTooLarge(params.length);
      const agentId = options.agentOf(context);
      const entries = params.map(({ entryId }) => options.entryFor(agentId, entryId));
      const orders = params.flatMap(({ csr }, i) => {
        const entry = entries[i];
        if (entry === undefined) return [];
        const { spiffeId, dnsNames, x509SvidTtlSeconds: ttlSeconds } = entry;
        return [{ csr, spiffeId, dnsNames, ttlSeconds }];
      });
      const issued = (await issuer.issueX509Batch(orders, agentId)).values();
      const results = entries.map((entry): X509Result => {
        if (entry === undefined) return { status: NOT_AUTHORIZED };
        return x509Result(entry, issued.next().value);
      });
      return { results };
    },

    async newJWTSVID({ entryId, audience }, context) {
      const agentId = options.agentOf(context);
      const entry = options.entryFor(agentId, entryId);
      if (entry === undefined) {
        throw serverError("ENTRY_NOT_AUTHORIZED", NOT_AUTHORIZED.message);
      }
      checkLength(audience);
      warnOnce(entryId, audience);
      const { jwtSvidTtlSeconds: ttlSeconds, jwtSvidIncludeJti: includeJti, hint } = entry;
      const spiffeId = SpiffeId.parse(entry.spiffeId);
      const order = { spiffeId, audience, ttlSeconds, includeJti };
      const issued = await issuer.issueJwt(order, agentId);
      return { svid: { ...tokenToWire(spiffeId, issued), hint } };
    },

    async mintX509SVID({ csr, ttl }) {
      const { uris, dnsNames } = parseCsr(csr);
      const [uri, ...others] = uris;
      if (uri === undefined || others.length > 0) {
        throw invalid(`the request has ${uris.length} URI names, not one`);
      }
      const spiffeId = mintable(SpiffeId.parse(uri), options);
      const order = { csr, spiffeId: spiffeId.toString(), dnsNames, ttlSeconds: natural(ttl) };
      return { svid: x509ToWire(order.spiffeId, await issuer.issueX509(order, ADMINISTRATOR)) };
    },

    async mintJWTSVID({ id, audience, ttl }) {
      const spiffeId = mintable(spiffeIdFromWire(id), options);
      checkLength(audience);
      warnOnce(spiffeId.toString(), audience);
      const ttlSeconds = natural(ttl);
      const order = { spiffeId, audience, ttlSeconds };
      return { svid: tokenToWire(spiffeId, await issuer.issueJwt(order, ADMINISTRATOR)) };
    },

    newDownstreamX509CA: () =>
      Promise.reject(notSupported("this server does not sign for servers below it")),

    async batchNewWITSVID({ params }, context) {
      if (params.length > MAX_BATCH) throw batchTooLarge(params.length);
      const agentId = options.agentOf(context);
      const entries = params.map(({ entryId }) => options.entryFor(agentId, entryId));
      const orders = params.flatMap(({ publicKey, signingAlgorithm }, i) => {
        const entry = entries[i];
        // Both are bound to a key: what an entry says of X509-SVIDs goes for WIT-SVIDs too.
        return entry === undefined
          ? []
          : [witOrder(entry.spiffeId, publicKey, signingAlgorithm, entry.x509SvidTtlSeconds)];
      });
      const issued = (await issuer.issueWitBatch(orders, agentId)).values();
      const results = entries.map((entry): WitResult => {
        if (entry === undefined) return { status: NOT_AUTHORIZED };
        return witResult(entry, issued.next().value);
      });
      return { results };
    },

    async mintWITSVID({ id, publicKey, signingAlgorithm, ttl }) {
      const spiffeId = mintable(spiffeIdFromWire(id), options);
      const order = witOrder(spiffeId.toString(), publicKey, signingAlgorithm, natural(ttl));
      return { svid: tokenToWire(spiffeId, await issuer.issueWit(order, ADMINISTRATOR)) };
    },
  };
}

function x509Result(
  entry: RegistrationEntry,
  issued: IssuedX509Svid | IdentityError | undefined,
): X509Result {
  if (issued === undefined) throw new TypeError("fewer SVIDs than orders");
  if (issued instanceof IdentityError) {
    return { status: refusedStatus(issued) };
  }
  return { status: OK, svid: { ...x509ToWire(entry.spiffeId, issued), hint: entry.hint } };
}

/** An item's status has no details: a reason that agents act on stands before the message. */
function refusedStatus({ code, reason, message, hint }: IdentityError): typeof OK {
  if (reason !== "SVID_HELD") return { code, message };
  return { code, message: `${reason}: ${message} (${hint})` };
}

function witOrder(
  spiffeId: string,
  publicKey: Uint8Array,
  signingAlgorithm: string,
  ttlSeconds: number,
): WitSvidOrder {
  return {
    spiffeId: SpiffeId.parse(spiffeId),
    spki: new Uint8Array(publicKey),
    alg: signingAlgorithm === "" ? undefined : signingAlgorithm,
    ttlSeconds,
  };
}

function witResult(
  entry: RegistrationEntry,
  issued: IssuedWitSvid | IdentityError | undefined,
): WitResult {
  if (issued === undefined) throw new TypeError("fewer SVIDs than orders");
  if (issued instanceof IdentityError) {
    return { status: refusedStatus(issued) };
  }
  return {
    status: OK,
    svid: { ...tokenToWire(SpiffeId.parse(entry.spiffeId), issued), hint: entry.hint },
  };
}

function x509ToWire(spiffeId: string, issued: IssuedX509Svid): Init<spire.api.types.X509SVID> {
  return {
    certChain: issued.chain,
    id: spiffeIdToWire(spiffeId),
    expiresAt: issued.notAfter.getTime() / 1000,
  };
}

/** JWT- and WIT-SVIDs have the same fields. */
function tokenToWire(
  spiffeId: SpiffeId,
  { token, issuedAt, expiresAt }: IssuedJwtSvid,
): Init<spire.api.types.JWTSVID> & Init<spire.api.types.WITSVID> {
  return {
    token,
    id: spiffeIdToWire(spiffeId),
    issuedAt: issuedAt.getTime() / 1000,
    expiresAt: expiresAt.getTime() / 1000,
  };
}

/** An ID that an administrator may mint for: a workload of the own trust domain, not the server or an agent. */
function mintable(id: SpiffeId, { trustDomain, isOfTask }: SvidServiceOptions): SpiffeId {
  if (!id.isMemberOf(trustDomain)) {
    throw invalid(`"${id}" is not in the trust domain "${trustDomain}"`);
  }
  if (id.path === "") throw invalid(`"${id}" has no path: no workload has this ID`);
  if (id.path === "/spire" || id.path.startsWith("/spire/")) {
    throw invalid(`"${id}" is reserved: paths under /spire belong to servers and node agents`);
  }
  // Nobody would take it back when the task ends.
  if (isOfTask?.(id)) throw invalid(`"${id}" is reserved: it is of a task, which gets its own`);
  return id;
}

/** The values themselves are checked where the token is made. */
function checkLength(audience: readonly string[]): void {
  const characters = audience.reduce((sum, { length }) => sum + length, 0);
  if (characters > MAX_AUDIENCE_CHARACTERS) {
    throw invalid(
      `the audiences have ${characters} characters together, over ${MAX_AUDIENCE_CHARACTERS}`,
    );
  }
}

/** A token for several audiences can be replayed by each against the others: said once per entry. */
function warnOfAudiences(logger: Logger): (name: string, audience: readonly string[]) => void {
  const warned = new Set<string>();
  return (name, audience) => {
    if (audience.length < 2 || warned.has(name)) return;
    if (warned.size === MAX_WARNED) warned.clear();
    warned.add(name);
    logger.warn(
      { for: name, audiences: audience.length },
      "a JWT-SVID names more than one audience: each of them can use it against the others",
    );
  };
}

function natural(ttlSeconds: number): number {
  if (ttlSeconds < 0) throw invalid(`a TTL of ${ttlSeconds} s is negative`);
  return ttlSeconds;
}

function invalid(problem: string): IdentityError {
  return serverError("SVID_REQUEST_INVALID", `the SVID cannot be issued: ${problem}`);
}

function batchTooLarge(count: number): IdentityError {
  return serverError("BATCH_TOO_LARGE", `${count} SVIDs in one call, over ${MAX_BATCH}`, {
    hint: `ask for at most ${MAX_BATCH} at a time`,
  });
}

function notSupported(message: string): IdentityError {
  return serverError("NOT_SUPPORTED", message);
}
