// What the commands about revoked SVIDs share: how serial numbers and reasons are written.

import { Reason, type signet } from "../proto/schema.gen.ts";
import { formatId } from "./entry-output.ts";
import { misuse } from "./flags.ts";
import { formatCount, formatMoment, formatTable } from "./output.ts";

type RevocationRecord = signet.revocation.v1.RevocationRecord;

/** The reasons by the names of RFC 5280. */
export const REASONS: Readonly<Record<string, number>> = {
  unspecified: Reason.UNSPECIFIED,
  "key-compromise": Reason.KEY_COMPROMISE,
  "affiliation-changed": Reason.AFFILIATION_CHANGED,
  superseded: Reason.SUPERSEDED,
  "cessation-of-operation": Reason.CESSATION_OF_OPERATION,
  "privilege-withdrawn": Reason.PRIVILEGE_WITHDRAWN,
};

const DECIMAL = "dec:";
const MAX_HEX_DIGITS = 40;
/** Our serial numbers have this many hexadecimal digits; in decimal they are longer. */
const OWN_HEX_DIGITS = 32;

/**
 * The hexadecimal digits of a serial number as tools write it: `openssl` with or without colons, with or
 * without 0x; in decimal, as this server's logs and SPIRE have it, with "dec:" before it.
 */
export function parseSerial(text: string): string {
  const isDecimal = text.startsWith(DECIMAL);
  const digits = isDecimal ? text.slice(DECIMAL.length) : text.replace(/^0x/i, "");
  const hint =
    "write it in hexadecimal (7f:03:..., 7f03... or 0x7f03...), or in decimal as dec:1234...";
  if (isDecimal) {
    if (!/^\d{1,49}$/.test(digits)) throw misuse(`--serial: "${text}" is not a number`, { hint });
    return checkedLength(BigInt(digits).toString(16), text, hint);
  }
  if (!/^[0-9a-f]+$/i.test(digits) && !/^[0-9a-f]{1,2}(:[0-9a-f]{2})+$/i.test(digits)) {
    throw misuse(`--serial: "${text}" is no serial number`, { hint });
  }
  if (text === digits && /^\d+$/.test(digits) && digits.length > OWN_HEX_DIGITS) {
    throw misuse(`--serial: "${text}" could be decimal or hexadecimal`, {
      hint: `write dec:${text} or 0x${text}`,
    });
  }
  return checkedLength(digits.replaceAll(":", "").toLowerCase(), text, hint);
}

function checkedLength(hex: string, text: string, hint: string): string {
  const bare = hex.replace(/^0+/, "");
  if (bare !== "" && bare.length <= MAX_HEX_DIGITS) return bare;
  throw misuse(`--serial: "${text}" is no serial number: it has 1 to 20 octets`, { hint });
}

/** The `jti` among the claims of a token, by which it can be revoked; undefined when it has none. */
export function readJti({ jti }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof jti === "string" ? jti : undefined;
}

/** A line for each revocation. */
export function formatRevocations(revocations: readonly RevocationRecord[]): string {
  if (revocations.length === 0) return "no revocations";
  const rows = revocations.map((one) => [
    one.id,
    formatMoment(one.revokedAt),
    formatTarget(one),
    formatReason(one.reason),
    `${one.x509Svids} X.509, ${formatCount(one.tokens, "token", "tokens")}`,
    formatHold(one),
  ]);
  return formatTable(["ID", "REVOKED", "WHAT", "REASON", "COVERS", "HELD BACK"], rows);
}

/** What became of it, for whoever ran the command. */
export function formatRevoked(one: RevocationRecord, tasksEnded = 0): string {
  const { hold, tokens } = one;
  const x509 = formatCount(one.x509Svids, "X509-SVID", "X509-SVIDs");
  const all = one.spiffeId === undefined ? "" : ", and every token issued until now";
  const lines = [
    `revoked ${formatTarget(one)}: ${x509}, ${formatCount(tokens, "token", "tokens")}${all} (revocation ${one.id})`,
  ];
  if (tasksEnded > 0) lines.push(`${formatCount(tasksEnded, "open task", "open tasks")} ended`);
  if (hold === undefined)
    lines.push("nothing is held back by this: its holder can have a new SVID");
  else if (hold.releasedAt === 0) {
    const where = hold.agentId === undefined ? "" : ` through ${formatId(hold.agentId)}`;
    lines.push(
      `no new SVIDs for ${formatId(hold.spiffeId)}${where} until 'signet svid release --id ${one.id}'`,
    );
  }
  return lines.join("\n");
}

function formatTarget({ serial, jti, spiffeId, agentId }: RevocationRecord): string {
  if (serial !== undefined) return `serial ${serial}`;
  if (jti !== undefined) return `jti ${jti}`;
  return agentId === undefined ? formatId(spiffeId) : `all of ${formatId(agentId)}`;
}

function formatReason(reason: number): string {
  const [name] = Object.entries(REASONS).find(([, number]) => number === reason) ?? [];
  return name ?? String(reason);
}

function formatHold({ hold }: RevocationRecord): string {
  if (hold === undefined) return "-";
  if (hold.releasedAt !== 0) return `released ${formatMoment(hold.releasedAt)}`;
  return formatId(hold.spiffeId);
}
