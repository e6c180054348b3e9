// A step of the start: the audit log, before anything is issued or answered, and what signs it.
import { join } from "node:path";
import type { Logger } from "../../runtime/log.ts";
import { Checkpoints, type SignedCheckpoint } from "../audit/checkpoints.ts";
import { openCheckpointKey } from "../audit/key.ts";
import { lastPosition } from "../audit/last-position.ts";
import { AuditLog } from "../audit/log.ts";
import { PassedOn } from "../audit/passed-on.ts";
import { CheckpointWebhook } from "../audit/webhook.ts";
import { WebTrust } from "../federation/web-trust.ts";
import { formatPosition, type StoreEpoch, type StorePosition } from "../store/epoch.ts";
import type { Base } from "./base.ts";
import type { Stores } from "./stores.ts";

/** The log, and its checkpoints. */
export interface Audit {
  readonly log: AuditLog;
  readonly checkpoints: Checkpoints;
  /** Events of nodes and guards; who has to react to them asks to be told. */
  readonly passedOn: PassedOn;
  /** How far the store was, as the log knew before this start. */
  readonly seen: StorePosition | undefined;
}

/** Opens the audit log. */
export async function openAudit(base: Base, { epoch }: Pick<Stores, "epoch">): Promise<Audit> {
  const { config, clock, log, lifecycle, metrics } = base;
  const { trustDomain, dataDir, keyManager } = config;
  const { checkpointFile } = config.audit;
  const webhook = startWebhook(base);
  const folder = join(dataDir, "audit");
  const name = `${trustDomain.name}/audit`;
  const key = await openCheckpointKey({ name, folder, dataDir, keyManager, log });
  const observer = `${trustDomain.id}/spire/server`;
  const seen = await lastPosition(folder);
  const storePosition = (): string => formatPosition(epoch.position);
  const parts = { folder, observer, checkpointFile, clock, log };
  const audit = await AuditLog.open({ ...parts, storePosition });
  lifecycle.own("audit log", () => audit.close());
  lifecycle.run("audit log", (signal) => audit.run(signal));
  const remember = rememberSize(epoch, log);
  const onSigned = (checkpoint: SignedCheckpoint): void => {
    remember(checkpoint);
    webhook?.offer(checkpoint.note);
  };
  const signing = { audit, key, file: checkpointFile, clock, log };
  const checkpoints = new Checkpoints({ ...signing, onSigned });
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
  return { log: audit, checkpoints, passedOn, seen };
}

/** What hands checkpoints on, if that is configured. Stopped after the last one is signed. */
function startWebhook({
  config,
  clock,
  log,
  lifecycle,
  metrics,
}: Base): CheckpointWebhook | undefined {
  const { checkpointWebhook: url, checkpointWebhookCaFile: caFile } = config.audit;
  const posts = metrics.counter({
    name: "audit_checkpoint_posts_total",
    help: "Checkpoints of the audit log that were sent to audit.checkpoint_webhook, by how it ended",
    labels: ["result"],
  });
  if (url === undefined) return undefined;
  const trust = new WebTrust(caFile, "audit.checkpoint_webhook_ca_file");
  const context = () => trust.context();
  const onPosted = (result: "ok" | "failed"): void => posts.inc({ result });
  const webhook = new CheckpointWebhook({ url, context, clock, log, onPosted });
  lifecycle.own("checkpoint webhook", () => webhook.stop());
  lifecycle.run("checkpoint webhook", (signal) => webhook.run(signal));
  return webhook;
}

/** Notes in the store how far the log is: a log that lost its end is told from a store that is a copy. */
function rememberSize(epoch: StoreEpoch, log: Logger): (checkpoint: SignedCheckpoint) => void {
  return ({ size }) => {
    epoch.noteAuditSize(size).catch((error: unknown) => {
      log.debug({ error }, "the store could not be told how far the audit log is");
    });
  };
}
