// Lists of attested agents on the wire: each agent under a mask, pages cut to a size, and the opaque
// tokens by which the next page is asked for. Which agents are meant: agent-filter.ts.
import type { Init } from "../../proto/codec.ts";
import type { spire } from "../../proto/schema.gen.ts";
import { isMeant } from "../../proto/types/mask.ts";
import { selectorToWire } from "../../proto/types/selector.ts";
import { spiffeIdToWire } from "../../proto/types/spiffe-id.ts";
import { serverError } from "../errors.ts";
import type { NodeRecord } from "../store/node-record.ts";

/** A page ends early at this size, in UTF-16 units: agents can have many long selectors. */
const MAX_PAGE_LENGTH = 1_000_000;

/** The wire form of an agent, with the fields that `mask` means and the ID. */
export function agentToWire(
  node: NodeRecord,
  mask: Init<spire.api.types.AgentMask> | undefined,
): Init<spire.api.types.Agent> {
  return {
    id: spiffeIdToWire(node.id),
    attestationType: isMeant(mask, "attestationType") ? node.attestationType : "",
    x509svidSerialNumber: isMeant(mask, "x509svidSerialNumber") ? node.serial : "",
    x509svidExpiresAt: isMeant(mask, "x509svidExpiresAt") ? node.notAfterUnixSeconds : 0,
    selectors: isMeant(mask, "selectors") ? node.selectors.map(selectorToWire) : [],
    banned: isMeant(mask, "banned") && node.banned,
    canReattest: isMeant(mask, "canReattest") && node.canReattest,
    agentVersion: isMeant(mask, "agentVersion") ? node.agentVersion : "",
  };
}

/** The nodes of a page that fit into a message, at least one, and where the next page begins. */
export function cutToSize(
  nodes: readonly NodeRecord[],
  next: string | undefined,
): { readonly fitting: readonly NodeRecord[]; readonly next: string | undefined } {
  let length = 0;
  for (const [i, node] of nodes.entries()) {
    length += 100 + node.id.length + node.agentVersion.length;
    for (const { type, value } of node.selectors) length += type.length + value.length + 8;
    if (i > 0 && length > MAX_PAGE_LENGTH) {
      return { fitting: nodes.slice(0, i), next: nodes[i - 1]?.id };
    }
  }
  return { fitting: nodes, next };
}

/** The token of the page after the agent `id`. */
export function formatPageToken(id: string): string {
  return Buffer.from(id).toString("base64url");
}

/** The inverse; an empty token is the first page. @throws PAGE_TOKEN_INVALID */
export function parsePageToken(token: string): string | undefined {
  if (token === "") return undefined;
  const id = token.length > 4096 ? "" : Buffer.from(token, "base64url").toString("utf8");
  if (!id.startsWith("spiffe://")) {
    throw serverError("PAGE_TOKEN_INVALID", "the page token is not one of this server", {
      hint: "start again from the first page",
    });
  }
  return id;
}
