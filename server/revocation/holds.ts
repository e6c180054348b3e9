// From whom new documents are held back, in memory: by the revocations in the store, and by those that
// are on their way into it. Asked for every document that is issued, before it is signed and before it
// leaves (server/ledger/record-issued.ts).
import type { IdentityError } from "../../pki/errors.ts";
import { serverError } from "../errors.ts";
import type { HeldBack } from "../ledger/record-issued.ts";
import type { RevocationRecord } from "../store/revocation-record.ts";
import type { RevocationStore } from "../store/revocations.ts";

/** Who a revocation that is under way is going to hold back: whoever is all that is said. */
export interface Announced {
  readonly spiffeId?: string;
  readonly agentId?: string;
}

export interface HoldsOptions {
  readonly revocations: Pick<RevocationStore, "values" | "onChange">;
  readonly nodes: { get(id: string): { readonly banned: boolean } | undefined };
}

/** What stands in the way of one SPIFFE ID. */
interface Held {
  /** IDs of revocations, by the agent they are about; "" is about all. */
  readonly byAgent: Map<string, Set<string>>;
}

export class Holds implements HeldBack {
  readonly #options: HoldsOptions;
  readonly #held = new Map<string, Held>();
  /** By SPIFFE ID, per revocation: tokens issued then or before are void. */
  readonly #tokens = new Map<string, Map<string, number>>();
  readonly #announced = new Set<Announced>();
  readonly #unsubscribe: () => void;

  constructor(options: HoldsOptions) {
    this.#options = options;
    for (const record of options.revocations.values()) this.#add(record);
    this.#unsubscribe = options.revocations.onChange((changes) => {
      for (const { before, after } of changes) {
        if (before !== undefined) this.#remove(before);
        if (after !== undefined) this.#add(after);
      }
    });
  }

  /** How many SPIFFE IDs are held back. */
  get size(): number {
    return this.#held.size;
  }

  refusal(spiffeId: string, agentId: string): IdentityError | undefined {
    for (const { spiffeId: id = spiffeId, agentId: agent = agentId } of this.#announced) {
      if (id === spiffeId && agent === agentId) return underWay(spiffeId);
    }
    if (agentId !== "" && this.#options.nodes.get(agentId)?.banned === true) {
      return serverError("AGENT_BANNED", `agent "${agentId}" is banned`);
    }
    if (this.#held.size === 0) return undefined;
    const byAgent = this.#held.get(spiffeId)?.byAgent;
    const everywhere = byAgent?.get("");
    const here = agentId === "" ? undefined : byAgent?.get(agentId);
    const [id] = [...(everywhere ?? []), ...(here ?? [])];
    if (id === undefined) return undefined;
    const where = everywhere === undefined ? " through this node agent" : "";
    return serverError(
      "SVID_HELD",
      `no SVIDs for "${spiffeId}"${where}: they are held back since the revocation ${id}`,
      { hint: `let it have new ones with 'signet svid release --id ${id}'` },
    );
  }

  tokenRefusal(spiffeId: string, issuedAtUnixSeconds: number): IdentityError | undefined {
    if (this.#tokens.size === 0) return undefined;
    const untils = this.#tokens.get(spiffeId);
    if (untils === undefined) return undefined;
    const until = Math.max(...untils.values());
    if (issuedAtUnixSeconds > until) return undefined;
    return serverError(
      "SVID_HELD",
      `no tokens for "${spiffeId}" yet: those issued until ${new Date(until * 1000).toISOString()} are revoked`,
      { hint: "try again in a second; if this lasts, the server's clock was set back" },
    );
  }

  /**
   * Holds somebody back while a revocation is on its way into the store; returns the function that ends
   * this, to be called once it is there or has failed.
   */
  announce(announced: Announced): () => void {
    const own = { ...announced };
    this.#announced.add(own);
    return () => void this.#announced.delete(own);
  }

  stop(): void {
    this.#unsubscribe();
  }

  #add({ id, hold, tokensOf }: RevocationRecord): void {
    if (hold !== undefined && hold.releasedAtUnixSeconds === undefined) {
      const held = this.#held.get(hold.spiffeId) ?? { byAgent: new Map() };
      this.#held.set(hold.spiffeId, held);
      const agent = hold.agentId ?? "";
      const ids = held.byAgent.get(agent) ?? new Set();
      held.byAgent.set(agent, ids.add(id));
    }
    if (tokensOf !== undefined) {
      const untils = this.#tokens.get(tokensOf.spiffeId) ?? new Map<string, number>();
      this.#tokens.set(tokensOf.spiffeId, untils.set(id, tokensOf.issuedUntilUnixSeconds));
    }
  }

  #remove({ id, hold, tokensOf }: RevocationRecord): void {
    const held = hold && this.#held.get(hold.spiffeId);
    const ids = held?.byAgent.get(hold?.agentId ?? "");
    if (held !== undefined && hold !== undefined && ids?.delete(id) && ids.size === 0) {
      held.byAgent.delete(hold.agentId ?? "");
      if (held.byAgent.size === 0) this.#held.delete(hold.spiffeId);
    }
    const untils = tokensOf && this.#tokens.get(tokensOf.spiffeId);
    if (untils?.delete(id) && untils.size === 0) this.#tokens.delete(tokensOf?.spiffeId ?? "");
  }
}

function underWay(spiffeId: string): IdentityError {
  return serverError("SVID_HELD", `no SVIDs for "${spiffeId}": a revocation is under way`, {
    hint: "see 'signet svid revocations'",
  });
}
