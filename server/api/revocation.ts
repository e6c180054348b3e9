// signet.revocation.v1.Revocation: administrators revoke SVIDs, list what is revoked, and let holders have
// new ones again. How something is revoked: server/revocation/revoke.ts. Who may call: authorize.ts.
import type { IdentityError } from "../../pki/errors.ts";
import { SpiffeId, type TrustDomain } from "../../pki/spiffe-id.ts";
import type { Init } from "../../proto/codec.ts";
import type { Handlers } from "../../proto/rpc/service.ts";
import { Reason, type RevocationService, type signet } from "../../proto/schema.gen.ts";
import { spiffeIdFromWire, spiffeIdToWire } from "../../proto/types/spiffe-id.ts";
import { serverError } from "../errors.ts";
import type { RevokeRequest, Revoker } from "../revocation/revoke.ts";
import type { RevocationRecord, SvidRevocationReason } from "../store/revocation-record.ts";
import type { RevocationStore } from "../store/revocations.ts";
import { callerName } from "./authorize.ts";

export interface RevocationApiOptions {
  readonly trustDomain: TrustDomain;
  readonly revoker: Pick<Revoker, "revoke" | "release">;
  readonly revocations: Pick<RevocationStore, "values">;
  /** How many tasks a revocation has ended, once it has. */
  readonly tasksEndedBy: (revocation: RevocationRecord) => Promise<number>;
}

const MAX_PAGE = 500;
/** RFC 5280 s4.1.2.2: at most 20 octets. */
const SERIAL = /^[0-9a-f]{1,40}$/;
const MAX_JTI_LENGTH = 256;
const MAX_ID_LENGTH = 64;

const REASONS = {
  unspecified: Reason.UNSPECIFIED,
  "key-compromise": Reason.KEY_COMPROMISE,
  "affiliation-changed": Reason.AFFILIATION_CHANGED,
  superseded: Reason.SUPERSEDED,
  "cessation-of-operation": Reason.CESSATION_OF_OPERATION,
  "privilege-withdrawn": Reason.PRIVILEGE_WITHDRAWN,
} as const satisfies Record<SvidRevocationReason, number>;
const REASON_NAMES = new Map<number, SvidRevocationReason>(
  Object.entries(REASONS).map(([name, number]) => [number, name as SvidRevocationReason]),
);

/** The handlers of the service. */
export function revocationHandlers(
  options: RevocationApiOptions,
): Handlers<typeof RevocationService> {
  const { revoker, revocations, trustDomain, tasksEndedBy } = options;
  return {
    async revokeSVID(request, context) {
      const wanted = requestFrom(request, trustDomain, callerName(context));
      const record = await revoker.revoke(wanted);
      return { revocation: recordToWire(record), tasksEnded: await tasksEndedBy(record) };
    },

    async listRevocations({ heldOnly, pageSize, pageToken }) {
      const limit = pageSize > 0 ? Math.min(pageSize, MAX_PAGE) : MAX_PAGE;
      const after = pageToken === "" ? undefined : parsePageToken(pageToken);
      const all = [...revocations.values()]
        .filter((record) => !heldOnly || isHolding(record))
        .sort(newestFirst);
      const start = after === undefined ? 0 : all.findIndex((one) => newestFirst(after, one) < 0);
      const page = start < 0 ? [] : all.slice(start, start + limit);
      const last = page.at(-1);
      const isMore = last !== undefined && start + limit < all.length;
      return {
        revocations: page.map(recordToWire),
        nextPageToken: isMore ? formatPageToken(last) : "",
      };
    },

    async releaseHold({ id }, context) {
      if (id === "" || id.length > MAX_ID_LENGTH) throw invalid("there is no ID of a revocation");
      return { revocation: recordToWire(await revoker.release(id, callerName(context))) };
    },
  };
}

function requestFrom(
  { serial, jti, spiffeId, reason, replace, force }: signet.revocation.v1.RevokeSVIDRequest,
  trustDomain: TrustDomain,
  by: string,
): RevokeRequest {
  const name = REASON_NAMES.get(reason);
  if (name === undefined) throw invalid(`there is no reason ${reason}`);
  const common = { reason: name, replace, force, by };
  if (serial !== undefined) {
    return { ...common, target: { kind: "serial", value: serialFrom(serial) } };
  }
  if (jti !== undefined) {
    if (jti === "" || jti.length > MAX_JTI_LENGTH) {
      throw invalid(`a jti has 1 to ${MAX_JTI_LENGTH} characters`);
    }
    return { ...common, target: { kind: "jti", value: jti } };
  }
  if (spiffeId === undefined)
    throw invalid("neither serial, jti nor spiffe_id says what to revoke");
  if (replace) {
    throw invalid("'replace' goes with one document", {
      hint: "revoke the SPIFFE ID without it, then release it",
    });
  }
  const id = idFrom(spiffeId, trustDomain);
  return { ...common, target: { kind: "spiffe-id", value: id.toString() } };
}

/** Without leading zeros, which some tools print and others do not. */
function serialFrom(text: string): string {
  const serial = text.toLowerCase().replace(/^0+(?=.)/, "");
  if (SERIAL.test(serial) && serial !== "0") return serial;
  throw invalid(`${JSON.stringify(text.slice(0, 60))} is no serial number`, {
    hint: "give it in hexadecimal digits, at most 40",
  });
}

function idFrom(
  wire: NonNullable<signet.revocation.v1.RevokeSVIDRequest["spiffeId"]>,
  trustDomain: TrustDomain,
): SpiffeId {
  const id = spiffeIdFromWire(wire);
  if (!id.isMemberOf(trustDomain)) {
    throw invalid(`"${id}" is not in the trust domain "${trustDomain}"`, {
      hint: "only its own server can revoke it; to trust none of that trust domain, end the federation",
    });
  }
  if (id.path === "") throw invalid(`"${id}" has no path: nothing has this ID`);
  if (id.equals(SpiffeId.of(trustDomain, "/spire/server"))) {
    throw invalid(`"${id}" is the server itself`, {
      hint: "replace the authority that signed for it: prepare, activate, taint, revoke with 'signet localauthority x509'",
    });
  }
  return id;
}

function recordToWire(record: RevocationRecord): Init<signet.revocation.v1.RevocationRecord> {
  const { id, target, reason, hold, certificates, tokens } = record;
  return {
    id,
    ...targetToWire(record),
    reason: REASONS[reason],
    revokedAt: Math.floor(record.revokedAtUnixMs / 1000),
    revokedBy: record.revokedBy,
    ...(hold !== undefined && {
      hold: {
        spiffeId: wireId(hold.spiffeId),
        ...(hold.agentId !== undefined && { agentId: wireId(hold.agentId) }),
        releasedAt: hold.releasedAtUnixSeconds ?? 0,
        releasedBy: hold.releasedBy ?? "",
      },
    }),
    x509Svids: certificates.length,
    // A token may be named twice: by its jti and by its digest.
    tokens: target.kind === "jti" ? 1 : tokens.filter(({ by }) => by === "digest").length,
    expiresAt: record.expiresAtUnixSeconds,
  };
}

function targetToWire({
  target: { kind, value },
}: RevocationRecord): Init<signet.revocation.v1.RevocationRecord> {
  if (kind === "serial") return { serial: value };
  if (kind === "jti") return { jti: value };
  return kind === "agent" ? { agentId: wireId(value) } : { spiffeId: wireId(value) };
}

function wireId(text: string): ReturnType<typeof spiffeIdToWire> {
  return spiffeIdToWire(SpiffeId.parse(text));
}

function isHolding({ hold }: RevocationRecord): boolean {
  return hold !== undefined && hold.releasedAtUnixSeconds === undefined;
}

type Place = Pick<RevocationRecord, "revokedAtUnixMs" | "id">;

function newestFirst(a: Place, b: Place): number {
  return b.revokedAtUnixMs - a.revokedAtUnixMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function formatPageToken({ revokedAtUnixMs, id }: Place): string {
  return `${revokedAtUnixMs}-${id}`;
}

function parsePageToken(token: string): Place {
  const [, ms, id] = /^(\d{1,16})-([0-9a-f]{1,64})$/.exec(token) ?? [];
  if (ms === undefined || id === undefined) {
    throw serverError("PAGE_TOKEN_INVALID", "this page token was not made here", {
      hint: "begin again without a page token",
    });
  }
  return { revokedAtUnixMs: Number(ms), id };
}

function invalid(problem: string, detail: { readonly hint?: string } = {}): IdentityError {
  return serverError("REVOCATION_REQUEST_INVALID", `nothing is revoked: ${problem}`, detail);
}
