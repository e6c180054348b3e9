// The settings of the audit log (`audit`): where its signed checkpoints go, besides the folder of the log.
import { resolve } from "node:path";
import { section, z } from "../../runtime/config.ts";
import { isLoopback, type Report } from "./documents.ts";
import { path } from "./values.ts";

const MAX_URL_LENGTH = 2048;

export interface AuditConfig {
  /** Absolute: a second place for the newest checkpoint of the audit log. */
  readonly checkpointFile: string | undefined;
  /** Where each checkpoint is sent. */
  readonly checkpointWebhook: string | undefined;
  /** Absolute: authorities that may vouch for it, besides those that this host trusts. */
  readonly checkpointWebhookCaFile: string | undefined;
}

/** The section `audit`, as it stands in the file. */
export interface AuditFile {
  readonly checkpoint_file?: string | undefined;
  readonly checkpoint_webhook?: string | undefined;
  readonly checkpoint_webhook_ca_file?: string | undefined;
}

export const auditSection: z.ZodType<AuditFile> = section({
  checkpoint_file: path.optional(),
  checkpoint_webhook: z.string().min(1).max(MAX_URL_LENGTH).optional(),
  checkpoint_webhook_ca_file: path.optional(),
});

/** Checks what must fit together. */
export function auditConfig(from: AuditFile, dataDir: string, report: Report): AuditConfig {
  const absolute = (file: string | undefined) =>
    file === undefined ? file : resolve(dataDir, file);
  const { checkpoint_webhook: webhook, checkpoint_webhook_ca_file: caFile } = from;
  if (webhook !== undefined && !isWebhook(webhook)) {
    report(
      ["audit", "checkpoint_webhook"],
      "expected an https URL without user name, password and fragment (or http to this machine, such as http://127.0.0.1:8000/): on the way nobody may put another checkpoint in its place",
    );
  }
  if (caFile !== undefined && webhook?.startsWith("https:") !== true) {
    report(
      ["audit", "checkpoint_webhook_ca_file"],
      "expected checkpoint_webhook with it, an https URL",
    );
  }
  return {
    checkpointFile: absolute(from.checkpoint_file),
    checkpointWebhook: webhook,
    checkpointWebhookCaFile: absolute(caFile),
  };
}

function isWebhook(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "" || url.hash !== "") return false;
  if (url.protocol === "https:") return true;
  return url.protocol === "http:" && isLoopback(url.hostname.replace(/^\[|\]$/g, ""));
}
