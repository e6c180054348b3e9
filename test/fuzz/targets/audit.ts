// Audit logs and proofs of their events, as `signet audit` reads them, with files that anybody may have changed. A
// log that was signed is whole exactly when every byte of it is what was written; a proof proves a line of it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatProofFile, verifyProofFile } from "../../../cli/audit-proof-file.ts";
import { formatCheckpoint } from "../../../pki/merkle/checkpoint.ts";
import { Frontier } from "../../../pki/merkle/frontier.ts";
import { leafHash } from "../../../pki/merkle/hash.ts";
import { signNote, verifierKeyOf } from "../../../pki/merkle/note.ts";
import { consistencyRanges, inclusionRanges, type LeafRange } from "../../../pki/merkle/proof.ts";
import { type AuditStream, checkEvent, lineParts } from "../../../server/audit/event.ts";
import { QueryReader } from "../../../server/audit/query.ts";
import { fileName, NO_HASH } from "../../../server/audit/stream-files.ts";
import { verifyLog } from "../../../server/audit/verify.ts";
import { doneOrRefused, fixedEd25519 } from "../signed-token.ts";
import { bytesOf, type FuzzTarget, holds, textOf } from "../target.ts";

const OBSERVER = "spiffe://north.test/spire/server";
const AGENT = "spiffe://north.test/agent/researcher";
const TASK = `${AGENT}/task/01JD0000000000000000000000`;
const ORIGIN = "north.test/audit";
const STREAMS = ["task", "decision"] as const satisfies AuditStream[];
const pair = fixedEd25519("log");
const key = verifierKeyOf(ORIGIN, pair.publicKey);

/** Lines of two streams in turn, numbered and chained as server/audit/log.ts does it. */
function lines(): { readonly stream: AuditStream; readonly line: Buffer }[] {
  const ends = new Map<AuditStream, { seq: number; hash: string }>();
  return Array.from({ length: 6 }, (_, index) => {
    const stream = STREAMS[index % 2] ?? "task";
    const type = ["task.opened", "task.changed", "audit.gap"][index >> 1] ?? "";
    const detail = index === 5 ? { found: "9", signed: "9" } : { step: String(index) };
    const event = { stream, type, outcome: "ok", agent: AGENT, task: TASK, detail } as const;
    checkEvent(event);
    const id = `01JD00000000000000000000${index}0`;
    const [head, tail] = lineParts(event, id, "2030-01-01T00:00:00.000Z", OBSERVER);
    const { seq, hash } = ends.get(stream) ?? { seq: 0, hash: NO_HASH };
    const chain = `,"seq":${seq + 1},"index":${index},"prev_hash":"${hash}"`;
    const line = Buffer.from(head + chain + tail);
    ends.set(stream, { seq: seq + 1, hash: leafHash(line).toString("hex") });
    return { stream, line };
  });
}

const written = lines();
const leaves = written.map(({ line }) => leafHash(line));
const textsOf = (all: readonly { stream: AuditStream; line: Buffer }[]): string[] =>
  STREAMS.map((stream) =>
    all
      .filter((one) => one.stream === stream)
      .map(({ line }) => `${line}\n`)
      .join(""),
  );
const whole = textsOf(written);
/** Between the files of the streams in an input. */
const SEPARATOR = "\f";

function rootOf(range: LeafRange): Buffer {
  const tree = new Frontier();
  for (const leaf of leaves.slice(range.start, range.end)) tree.append(leaf);
  return tree.root();
}

function signed(size: number): string {
  const text = formatCheckpoint({ origin: ORIGIN, size, root: rootOf({ start: 0, end: size }) });
  return signNote(text, key, pair.privateKey);
}

const notes = [{ source: "kept", note: signed(leaves.length) }];

/** Runs in a folder of its own, which is gone afterwards. */
async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "signet-fuzz-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const auditLog: FuzzTarget = {
  name: "audit-log",
  reads: "the files of an audit log",
  maxBytes: 4096,
  maxKept: 20,
  seeds: () => [
    bytesOf(whole.join(SEPARATOR)),
    bytesOf(textsOf(written.slice(0, 5)).join(SEPARATOR)),
    bytesOf(`${written[0]?.line}\n`),
    bytesOf(textsOf(written.filter((_, i) => i !== 2)).join(SEPARATOR)),
    bytesOf(whole.join(SEPARATOR).replace('"step":"2"', '"step":"9"')),
    bytesOf(`${whole[0]}${whole[0]}${SEPARATOR}${whole[1]}`),
  ],
  run: (data) =>
    inFolder(async (folder) => {
      const latin1 = Buffer.from(data).toString("latin1");
      const at = latin1.indexOf(SEPARATOR);
      const files = at < 0 ? [latin1] : [latin1.slice(0, at), latin1.slice(at + 1)];
      for (const [i, text] of files.entries()) {
        writeFileSync(join(folder, fileName(STREAMS[i] ?? "task", 1)), text, "latin1");
      }
      const verified = await doneOrRefused(verifyLog({ folder, keys: [key], notes }));
      holds(verified !== undefined, "a log that can be read is not verified");
      const isWhole = whole.every((text, i) => (files[i] ?? "").startsWith(text));
      if (!isWhole) holds(verified.damages.length > 0, "a log that was changed is whole");
      if (whole.every((text, i) => files[i] === text)) {
        holds(
          verified.damages.length === 0 && verified.size === leaves.length,
          "damage in nothing",
        );
      }
      const query = { streams: STREAMS, task: TASK, tree: true };
      const reader = new QueryReader(folder, query);
      for await (const line of reader.read()) holds(line.bytes.length > 0, "an empty line");
      await reader.close();
    }),
};

const base = (ranges: readonly LeafRange[]) => ranges.map(rootOf);
const size = leaves.length;

function proofOf(index: number, old: number | undefined): string {
  const response = {
    event: { index, line: written[index]?.line ?? new Uint8Array() },
    note: signed(size),
    inclusion: base(inclusionRanges(index, size)),
    consistency: old === undefined ? [] : base(consistencyRanges(old, size)),
  };
  return formatProofFile(
    response as unknown as Parameters<typeof formatProofFile>[0],
    old === undefined ? undefined : signed(old),
  );
}

export const auditProof: FuzzTarget = {
  name: "audit-proof",
  reads: "files that prove an event of an audit log",
  maxBytes: 4096,
  seeds: () => [proofOf(0, undefined), proofOf(3, 4), proofOf(5, 6), proofOf(2, 0)].map(bytesOf),
  run: (data) =>
    inFolder(async (folder) => {
      const path = join(folder, "proof.json");
      writeFileSync(path, data);
      const proved = await doneOrRefused(verifyProofFile(path, [key.text]));
      if (proved === undefined) return;
      const { line } = written[proved.index] ?? {};
      holds(line?.equals(Buffer.from(proved.line)) === true, "a line that does not stand there");
      holds(proved.size === size && proved.origin === ORIGIN, "a log of another size, or another");
      const read = JSON.parse(textOf(readFileSync(path))) as { old_checkpoint?: unknown };
      holds((read.old_checkpoint === undefined) === (proved.oldSize === undefined), "what grew?");
      holds((proved.oldSize ?? 0) <= size, "a log that was larger before");
    }),
};
