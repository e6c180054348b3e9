// Whether the audit log of a server that was killed is whole, and has what was answered for.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseVerifierKey } from "../../pki/merkle/note.ts";
import { splitNotes } from "../../server/audit/checkpoint-files.ts";
import { VERIFIER_KEYS_FILE } from "../../server/audit/key.ts";
import { verifyLog } from "../../server/audit/verify.ts";
import type { Ledger } from "./ledger.ts";

/**
 * What is wrong with the log in a folder; `events` is how many it has. `tag` begins the IDs of the entries
 * of this round: of others that were found nobody knows any more whether they were answered for.
 */
export async function checkAudit(
  folder: string,
  { entries }: Ledger,
  tag: string,
): Promise<{ readonly events: number; readonly problems: readonly string[] }> {
  const keys = readFileSync(join(folder, VERIFIER_KEYS_FILE), "utf8").trim().split("\n");
  const path = join(folder, "checkpoints");
  const notes = existsSync(path) ? splitNotes(readFileSync(path, "utf8")) : [];
  const { damages, size } = await verifyLog({
    folder,
    keys: keys.map(parseVerifierKey),
    notes: notes.map((note) => ({ source: "checkpoints", note })),
  });
  const admin = readdirSync(folder)
    .filter((name) => name.startsWith("admin-"))
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("");
  const missing = [...entries].flatMap(([id, outcome]) =>
    outcome === "acknowledged" && id.startsWith(tag) && !admin.includes(id)
      ? [`no event of entry ${id}`]
      : [],
  );
  return { events: size, problems: [...damages.map(({ message }) => message), ...missing] };
}
