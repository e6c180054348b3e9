// A step of the start: the audit log, before anything is issued or answered, and what signs it.
import { join } from "node:path";
import { Checkpoints } from "../audit/checkpoints.ts";
import { openCheckpointKey } from "../audit/key.ts";
import { AuditLog } from "../audit/log.ts";
import { PassedOn } from "../audit/passed-on.ts";
import type { Base } from "./base.ts";

/** The log, and its checkpoints. */
export interface Audit {
  readonly log: AuditLog;
  readonly checkpoints: Checkpoints;
  /** Events of nodes and guards; who has to react to them asks to be told. */
  readonly passedOn: PassedOn;
}

/** Opens the audit log. */
export async function openAudit({ config, clock, log, lifecycle, metrics }: Base): Promise<Audit> {
  const { trustDomain, dataDir, keyManager } = config;
  const { checkpointFile } = config.audit;
  const folder = join(dataDir, "audit");
  const name = `${trustDomain.name}/audit`;
  const key = await openCheckpointKey({ name, folder, dataDir, keyManager, log });
  const observer = `${trustDomain.id}/spire/server`;
  const audit = await AuditLog.open({ folder, observer, checkpointFile, clock, log });
  lifecycle.own("audit log", () => audit.close());
  lifecycle.run("audit log", (signal) => audit.run(signal));
  const checkpoints = new Checkpoints({ audit, key, file: checkpointFile, clock, log });
  lifecycle.own("last checkpoint", () => checkpoints.stop());
  lifecycle.run("checkpoints", (signal) => checkpoints.run(signal));
  const passedOn = await PassedOn.start({ audit, clock, log });
  metrics.gauge({
    name: "audit_events",
    help: "Events in the audit log",
    read: () => audit.size,
  });
  metrics.gauge({
    name: "audit_signed_events",
    help: "Events of the audit log that the newest checkpoint covers",
    read: () => checkpoints.newest?.size ?? 0,
  });
  return { log: audit, checkpoints, passedOn };
}
