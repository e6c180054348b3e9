// Signed notes and checkpoints: one that others made is read, ours are read again, and what is wrong
// with one is refused.
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import t from "tap";
import {
  formatCheckpoint,
  parseCheckpoint,
  parseCheckpointInsecurely,
} from "../../../pki/merkle/checkpoint.ts";
import {
  openNote,
  parseVerifierKey,
  signNote,
  splitNote,
  verifierKeyOf,
} from "../../../pki/merkle/note.ts";

// The example that Go's implementation of signed notes is tested with.
const KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const SIGNED =
  "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const key = verifierKeyOf("example.org/audit", publicKey);
const note = signNote(TEXT, key, privateKey);

t.test("reads a key and a note that others have made", async (t) => {
  const theirs = parseVerifierKey(KEY);
  t.equal(theirs.name, "PeterNeumann");
  t.equal(openNote(`${TEXT}\n${SIGNED}`, [theirs]).text, TEXT);
  t.same(verifierKeyOf("PeterNeumann", theirs.publicKey).text, KEY);
  // The checkpoint database of Go modules.
  t.equal(
    parseVerifierKey("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8").name,
    "sum.golang.org",
  );
});

t.test("reads its own, beside signatures of others", async (t) => {
  t.same(parseVerifierKey(key.text).hash, key.hash);
  t.equal(openNote(note, [parseVerifierKey(key.text)]).text, TEXT);
  t.equal(openNote(`${note}${SIGNED}`, [key]).text, TEXT, "with one nobody knows here");
  const both = openNote(`${note}${SIGNED}`, [parseVerifierKey(KEY), key]);
  t.same(
    both.keys.map(({ name }) => name),
    ["example.org/audit", "PeterNeumann"],
  );
});

t.test("refuses what no trusted key has signed, or signed otherwise", async (t) => {
  const other = verifierKeyOf("example.org/audit", generateKeyPairSync("ed25519").publicKey);
  const unverified = { reason: "NOTE_UNVERIFIED", code: 16 };
  t.throws(() => openNote(note, []), unverified);
  t.throws(() => openNote(note, [other]), unverified, "the same name, another key");
  t.throws(() => openNote(note, [verifierKeyOf("example.org/other", publicKey)]), unverified);
  t.throws(() => openNote(note.replace("answer", "question"), [key]), unverified, "another text");
  const forged = signNote(TEXT, key, generateKeyPairSync("ed25519").privateKey);
  t.throws(() => openNote(forged, [key]), unverified, "another key's signature");
  t.throws(
    () =>
      openNote(`${note}${SIGNED.replace("x08go/ZJ", "x08go/ZK")}`, [key, parseVerifierKey(KEY)]),
    unverified,
    "one good, one wrong",
  );
});

t.test("refuses what is no note", async (t) => {
  const bad: readonly (readonly [string, string])[] = [
    ["nothing", ""],
    ["no signature", `${TEXT}\n`],
    ["no empty line", `${TEXT}${SIGNED}`],
    ["no line end", note.slice(0, -1)],
    ["a control character", note.replace("answer", "ans\u0007wer")],
    ["a carriage return", note.replaceAll("\n", "\r\n")],
    ["bytes that were no text", note.replace("answer", "ans\ufffdwer")],
    ["a signature without a name", `${TEXT}\n\u2014 AAAAAAAA\n`],
    ["a signature that is no base64", `${TEXT}\n\u2014 a b!c=\n`],
    ["a signature that is too short", `${TEXT}\n\u2014 a AAAA\n`],
    ["a hyphen in place of the dash", note.replace("\u2014", "-")],
    ["over a hundred signatures", `${TEXT}\n${SIGNED.repeat(101)}`],
    ["too long", `${"x".repeat(70_000)}\n\n${SIGNED}`],
  ];
  for (const [name, text] of bad)
    t.throws(() => splitNote(text), { reason: "NOTE_INVALID", code: 3 }, name);
  for (const [name, text] of [
    ["nothing", ""],
    ["two parts", "a+c74f20a3"],
    ["other digits", KEY.replace("c74f20a3", "c74f20a4")],
    ["another name", KEY.replace("Peter", "Paul")],
    ["another algorithm", "a+00000000+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"],
    ["a short key", "a+00000000+AQID"],
  ] as const) {
    t.throws(() => parseVerifierKey(text), { reason: "NOTE_KEY_INVALID", code: 3 }, name);
  }
  t.throws(() => verifierKeyOf("a b", publicKey), TypeError);
  t.throws(
    () => verifierKeyOf("a", createPublicKey(generateKeyPairSync("x25519").privateKey)),
    TypeError,
  );
  t.throws(() => signNote("no line end", key, privateKey), TypeError);
});

t.test("a checkpoint is an origin, a size and a root", async (t) => {
  const text =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
  const { origin, size, root } = parseCheckpoint(text);
  t.equal(origin, "example.com/behind-the-sofa");
  t.equal(size, 20_852_163);
  t.equal(formatCheckpoint({ origin, size, root }), text);
  t.equal(parseCheckpoint(`${text}more\n`).size, size, "further lines are left alone");
  t.equal(parseCheckpointInsecurely(signNote(text, key, privateKey)).size, size);
  for (const [name, bad] of [
    ["a leading zero", text.replace("2085", "02085")],
    ["a negative size", text.replace("2085", "-2085")],
    ["no size", text.replace("20852163\n", "")],
    ["a size beyond what is counted exactly", text.replace("20852163", "9007199254740993")],
    ["a short root", text.replace("CsUYap", "Cs")],
    ["a root in other letters", text.replace("q2I=", "q2J=")],
    ["an empty line", `${text}\nmore\n`],
    ["no line end", text.trimEnd()],
    ["an empty origin", text.slice(text.indexOf("\n"))],
  ] as const) {
    t.throws(() => parseCheckpoint(bad), { reason: "CHECKPOINT_INVALID", code: 3 }, name);
  }
  t.throws(() => formatCheckpoint({ origin: "a\n9", size, root }), TypeError);
});
