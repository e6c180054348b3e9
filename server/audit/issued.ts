// An event for every document that is issued, in the stream `identity`. One is written for each SVID:
// its line is put together by hand, from what the ledger notes of the document. SPIFFE IDs, serial
// numbers and IDs of authorities need no quoting: their grammars leave none of it.
import { isUlid } from "../../pki/task-id.ts";
import { type DocumentKind, hex, type IssuedDocument } from "../ledger/document.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { quote } from "./event.ts";
import type { AuditLog } from "./log.ts";

const NAMES = { x509: "x509-svid", jwt: "jwt-svid", wit: "wit-svid" } as const satisfies Record<
  DocumentKind,
  string
>;
const TASK = "/task/";
const ULID_LENGTH = 26;

/** The ledger, and the audit log with it: what is noted is in both when it may leave. */
export function withIssuedEvents(
  ledger: Pick<Ledger, "add">,
  audit: AuditLog,
): Pick<Ledger, "add"> {
  return {
    async add(documents) {
      if (documents.length === 0) return;
      const tails = documents.map((one) => tailOf(one, audit.observer));
      await Promise.all([ledger.add(documents), audit.appendTails("identity", tails)]);
    },
  };
}

/** The line of an issued document, after its number, place and chain: see lineParts in event.ts. */
function tailOf(document: IssuedDocument, observer: string): string {
  const { kind, spiffeId, agentId, authorityId, expiresAtUnixSeconds, tokenId } = document;
  const name = NAMES[kind];
  const credential = tokenId === undefined ? `"${hex(document.name)}"` : quote(tokenId);
  const to = agentId === "" ? "" : `,"destination":"${agentId}"`;
  const authority = authorityId === "" ? "" : `"authority":"${authorityId}",`;
  return `,"type":"${name}.issued","outcome":"ok","observed_by":"issuer","observer":"${observer}"${taskOf(spiffeId)},"resource":"${spiffeId}"${to},"credential":{"kind":"${name}","name":${credential}},"detail":{${authority}"expires":"${expiresAtUnixSeconds}"}}`;
}

/** Whose task it is, when it is the SPIFFE ID of one. */
function taskOf(spiffeId: string): string {
  const at = spiffeId.length - ULID_LENGTH - TASK.length;
  if (!spiffeId.startsWith(TASK, at) || !isUlid(spiffeId.slice(-ULID_LENGTH))) return "";
  return `,"agent":"${spiffeId.slice(0, at)}","task":"${spiffeId}"`;
}
