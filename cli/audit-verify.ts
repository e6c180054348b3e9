// `signet audit verify`: verifies an audit log from its files, or a proof of one event, offline.
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { VerifierKey } from "../pki/merkle/note.ts";
import { type Damage, type Verified, verifyLog } from "../server/audit/verify.ts";
import { auditFolder, checkpointsFrom, DIR, KEY, verifierKeys } from "./audit-files.ts";
import { formatProof, verifyProofFile } from "./audit-proof-file.ts";
import type { Command, Input } from "./command.ts";
import { misuse } from "./flags.ts";
import { formatCount, formatRecord, type Output, visible } from "./output.ts";

export const command: Command = {
  description:
    "Verifies the audit log: every chain, the tree over all events, and every signed checkpoint; also while the server writes it. Needs no server. Ends with 1 when something was changed, deleted, reordered or cut off, and says what.",
  flags: [
    DIR,
    KEY,
    {
      name: "checkpoint",
      value: "<file>",
      description: "a signed checkpoint, or several in a file, that was kept elsewhere",
      isRepeated: true,
    },
    {
      name: "proof",
      value: "<file>",
      description: "verify this proof of one event instead; needs --key, and no log",
    },
  ],
  examples: [
    ["signet audit verify", "everything, by the keys beside the log"],
    [
      "signet audit verify --key example.org/audit+1a2b3c4d+AbCd --checkpoint /mnt/elsewhere/checkpoint",
      "against what was kept elsewhere: shows that the end was cut off",
    ],
    ["signet audit verify --proof event.proof.json --key ...", "one event that somebody was given"],
  ],
  async run(input, output) {
    if (input.has("proof")) return verifyProof(input, output);
    const folder = auditFolder(input);
    const keys = await verifierKeys(input, folder);
    const files = input.list("checkpoint").map((path) => resolve(path));
    const second = await ownCheckpoints(folder);
    const notes = await checkpointsFrom([...second, ...files]);
    if (notes.length === 0) output.note("there is no signed checkpoint: only chains are verified");
    if (!input.has("key")) {
      output.note("keys are those beside the log: give --key to verify against one you noted");
    }
    const verified = await verifyLog({
      folder,
      keys,
      notes,
      onProgress: (events) => output.note(`${events} events so far`),
    });
    output.show(toJson(verified, keys), () => format(verified));
    return verified.damages.length === 0 ? 0 : 1;
  },
};

async function verifyProof(input: Input, output: Output): Promise<number> {
  const keys = input.list("key");
  if (keys.length === 0) {
    throw misuse("--proof needs --key: a proof is worth as much as the key it is verified with", {
      hint: "ask the log's operator for it: 'signet audit key' prints it",
    });
  }
  const proof = await verifyProofFile(input.text("proof") ?? "", keys);
  output.show({ verified: true, ...proof, event: JSON.parse(proof.line) }, () =>
    formatProof(proof),
  );
  return 0;
}

/** The checkpoints beside the log. */
async function ownCheckpoints(folder: string): Promise<string[]> {
  const paths = ["checkpoints", "checkpoint"].map((name) => join(folder, name));
  const there = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)));
  return paths.filter((_, i) => there[i] !== undefined);
}

function toJson(verified: Verified, keys: readonly VerifierKey[]): unknown {
  const { damages, size, root, streams, checkpoints, signedSize, remarks } = verified;
  return {
    verified: damages.length === 0,
    events: size,
    root: root.toString("base64"),
    streams: Object.fromEntries(streams),
    checkpoints,
    signed_events: signedSize,
    keys: keys.map(({ text }) => text),
    damages,
    remarks,
  };
}

function format(verified: Verified): string {
  const { damages, size, root, streams, checkpoints, signedSize, remarks } = verified;
  const rows: (readonly [string, string])[] = [
    ["Events", String(size)],
    ["Root", root.toString("base64")],
    ["Streams", [...streams].map(([name, count]) => `${name} ${count}`).join("\n") || "none"],
    ["Checkpoints", `${checkpoints}, the largest of ${formatCount(signedSize, "event", "events")}`],
  ];
  if (damages.length > 0) rows.push(["Damage", damages.map(formatDamage).join("\n")]);
  if (remarks.length > 0) rows.push(["Remarks", remarks.join("\n")]);
  return `${verdict(verified)}\n\n${formatRecord(rows)}`;
}

/** Damage at a place of the log, after which other lines stand. */
const INSIDE: readonly string[] = ["changed", "deleted", "reordered"];

/** What somebody wants to know who reads no further. */
function verdict({ damages, size, checkpoints, signedSize }: Verified): string {
  const [first] = damages;
  if (first !== undefined) {
    const more = damages.length === 1 ? "" : `, and ${damages.length - 1} more`;
    const isInside = INSIDE.includes(first.kind);
    const rest = isInside ? "\nNothing behind it in the log can be believed." : "";
    return `NOT verified: ${visible(first.message)}${more}.${rest}`;
  }
  const events = formatCount(size, "event", "events");
  if (checkpoints === 0) {
    return `Verified: ${events}, none changed alone.\nNo signed checkpoint covers them: a log that was written anew, or cut off, looks the same.`;
  }
  if (signedSize >= size) {
    return `Verified: ${events}, none changed, deleted, reordered or cut off.\nA signed checkpoint covers all of them.`;
  }
  return `Verified: ${events}, none changed, deleted or reordered.\nA signed checkpoint covers ${signedSize} of them; the others are not signed yet.`;
}

function formatDamage({ kind, message, id, file, offset }: Damage): string {
  const where = offset === undefined ? "" : ` (${file}, byte ${offset})`;
  return `${kind}: ${message}${id === undefined ? "" : `, ID ${id}`}${where}`;
}
