// The steps of the start that make documents revocable: the ledger and who is held back, before
// anything is issued; the signed lists and the one who revokes, once there are authorities.
import { join } from "node:path";
import { Crls } from "../ca/crls.ts";
import { Ledger } from "../ledger/ledger.ts";
import type { HeldBack } from "../ledger/record-issued.ts";
import { AiAgentHolds } from "../registry/holds.ts";
import { Holds } from "../revocation/holds.ts";
import { Revoker } from "../revocation/revoke.ts";
import { RevokedSerials } from "../revocation/revoked-serials.ts";
import type { Base } from "./base.ts";
import type { Ca } from "./ca.ts";
import type { Stores } from "./stores.ts";

/** What issuing has to ask and to tell. */
export interface Recording {
  readonly ledger: Ledger;
  /** Whom revocations hold back. */
  readonly holds: Holds;
  /** All who are held back. */
  readonly held: HeldBack;
}

/** Opens the ledger of what was issued. */
export async function openLedger(
  { config, clock, log, lifecycle, metrics }: Base,
  { revocations, nodes, aiAgents }: Stores,
): Promise<Recording> {
  const ledger = await Ledger.open({ folder: join(config.dataDir, "ledger"), clock, log });
  lifecycle.own("ledger", () => ledger.close());
  lifecycle.run("ledger", (signal) => ledger.run(signal));
  const holds = new Holds({ revocations, nodes });
  lifecycle.own("holds", () => holds.stop());
  const held = new AiAgentHolds({ agents: aiAgents, others: holds, clock });
  metrics.gauge({
    name: "ledger_rows",
    help: "Documents that were issued and have not expired, as the ledger has them",
    read: () => ledger.size,
  });
  metrics.gauge({ name: "held_ids", help: "SPIFFE IDs held back", read: () => holds.size });
  return { ledger, holds, held };
}

/** What revokes, and what tells of it. */
export interface Revocation {
  readonly ledger: Ledger;
  readonly revoker: Revoker;
  readonly crls: Crls;
  readonly revoked: RevokedSerials;
}

/** Starts what revokes. */
export async function startRevocation(
  { clock, log, lifecycle, metrics }: Base,
  { revocations, crls: store, nodes }: Stores,
  { authorities, identity }: Ca,
  { ledger, holds }: Recording,
): Promise<Revocation> {
  const crls = new Crls({ authorities, revocations, store, clock, logger: log });
  lifecycle.run("revocation lists", (signal) => crls.run(signal));
  const revoked = new RevokedSerials(revocations);
  lifecycle.own("revoked serial numbers", () => revoked.stop());
  lifecycle.own(
    "own certificate",
    revoked.onRevoked(() => {
      const leaf = identity.svid()?.leaf;
      if (leaf !== undefined && revoked.has(leaf.serialHex)) void identity.renew();
    }),
  );
  const horizon = (kind: "x509" | "token"): Date => authorities.horizon(kind);
  const parts = { ledger, holds, revocations, nodes, crls, horizon, clock, log };
  const revoker = new Revoker(parts);
  lifecycle.run("revocations", (signal) => revoker.run(signal));
  metrics.gauge({
    name: "revocations",
    help: "Revocations of which something has not expired, or that hold somebody back",
    read: () => revocations.size,
  });
  metrics.gauge({
    name: "revoked_serials",
    help: "Serial numbers that are revoked",
    read: () => revoked.size,
  });
  return { ledger, revoker, crls, revoked };
}
