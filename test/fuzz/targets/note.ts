// Signed notes and the checkpoints in them. A second, strict reader, which goes through the bytes line by line, must
// take what ours takes; nothing but the text that was signed comes out.
import { verify } from "node:crypto";
import {
  formatCheckpoint,
  parseCheckpoint,
  parseCheckpointInsecurely,
} from "../../../pki/merkle/checkpoint.ts";
import { openNote, parseVerifierKey, signNote, verifierKeyOf } from "../../../pki/merkle/note.ts";
import { splitNotes } from "../../../server/audit/checkpoint-files.ts";
import { openCheckpoints } from "../../../server/audit/signed.ts";
import { fixedEd25519 } from "../signed-token.ts";
import { bytesOf, type FuzzTarget, holds, parsedOrRefused, textOf } from "../target.ts";

const ORIGIN = "north.test/audit";
const pair = fixedEd25519("log");
const witness = fixedEd25519("witness");
const key = verifierKeyOf(ORIGIN, pair.publicKey);
const witnessKey = verifierKeyOf("witness.test", witness.publicKey);
const root = Buffer.alloc(32, 7);
const text = formatCheckpoint({ origin: ORIGIN, size: 12, root });
const note = signNote(text, key, pair.privateKey);
const witnessed = note + signNote(text, witnessKey, witness.privateKey).slice(text.length + 1);

export const signedNote: FuzzTarget = {
  name: "signed-note",
  reads: "signed checkpoints of audit logs, one after the other, and verifier keys",
  maxBytes: 2048,
  seeds: () => [
    ...[note, witnessed, `${note}\n${note}\n`, key.text, text].map(bytesOf),
    bytesOf(signNote(`${text}more\n`, key, pair.privateKey)),
  ],
  run(data) {
    const input = textOf(data);
    for (const one of [input, ...splitNotes(input)]) checkNote(one);
    const parsed = parsedOrRefused(() => parseVerifierKey(input));
    if (parsed !== undefined) {
      const again = verifierKeyOf(parsed.name, parsed.publicKey).text;
      holds(again === input, "a verifier key with two spellings");
    }
    const checkpoint = parsedOrRefused(() => parseCheckpoint(input));
    if (checkpoint !== undefined) {
      holds(input.startsWith(formatCheckpoint(checkpoint)), "a checkpoint with two spellings");
    }
    parsedOrRefused(() => parseCheckpointInsecurely(input));
    const { checkpoints, forged } = openCheckpoints([{ source: "it", note: input }], [key]);
    holds(checkpoints.length + forged.length === 1, "neither believed nor not");
    for (const { origin, size } of checkpoints) {
      holds(origin === ORIGIN && size === 12, "a checkpoint that was not signed");
    }
    // What is signed here is anything: it is read as what it is.
    const signable = input.endsWith("\n") ? input : `${input}\n`;
    let signed: string;
    try {
      signed = signNote(signable, key, pair.privateKey);
    } catch (error) {
      // No text of a note: what signs refuses its own mistakes by TypeError.
      if (error instanceof TypeError) return;
      throw error;
    }
    const opened = parsedOrRefused(() => openNote(signed, [key]));
    holds(opened === undefined || opened.text === signable, "another text than was signed");
    parsedOrRefused(() => parseCheckpoint(signable));
  },
};

function checkNote(one: string): void {
  const opened = parsedOrRefused(() => openNote(one, [key, witnessKey]));
  const names = opened?.keys.map(({ name }) => name) ?? [];
  holds(new Set(names).size === names.length, "a key counts twice");
  if (opened === undefined) return;
  const lines = one.split("\n");
  holds(lines.pop() === "", "a note without its end");
  const empty = lines.lastIndexOf("");
  holds(`${lines.slice(0, empty).join("\n")}\n` === opened.text, "another text");
  const signatures = lines.slice(empty + 1).map((line) => line.split(" "));
  for (const [dash, name, base64, ...more] of signatures) {
    holds(dash === "\u2014" && more.length === 0, "a line that is no signature");
    const known = [key, witnessKey].find((candidate) => candidate.name === name);
    const bytes = Buffer.from(base64 ?? "", "base64");
    if (known === undefined || !known.hash.equals(bytes.subarray(0, 4))) continue;
    const isSigned = verify(null, bytesOf(opened.text), known.publicKey, bytes.subarray(4));
    holds(isSigned, "a wrong signature of a key that is trusted");
  }
  holds(opened.text === text || opened.text === `${text}more\n`, "a text that nobody signed");
}
