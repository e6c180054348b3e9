// Signed notes, C2SP signed-note: a text, an empty line, and lines with signatures of named keys. Ed25519
// alone. A line of a key that is not known is left alone: others, such as witnesses, may add theirs.
import { createPublicKey, hash, type KeyObject, sign, verify } from "node:crypto";
import { pkiError } from "../errors.ts";

const ED25519 = 0x01;
const KEY_BYTES = 32;
const KEY_HASH_BYTES = 4;
const SIGNATURE_BYTES = 64;
const MAX_NOTE_LENGTH = 64 * 1024;
const MAX_SIGNATURES = 100;
/** SubjectPublicKeyInfo of an Ed25519 key, up to the key (RFC 8410 s4). */
const SPKI_PREFIX: Buffer = Buffer.from("302a300506032b6570032100", "hex");
const NAME = /^[^\s+]{1,255}$/u;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const DASH = "\u2014";
// And what stands for bytes that were no UTF-8.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0009\u000b-\u001f\ufffd]/;

/** A key that notes are verified with. */
export interface VerifierKey {
  readonly name: string;
  /** The first four bytes of a hash of the name and the key. */
  readonly hash: Buffer;
  readonly publicKey: KeyObject;
  /** As text: name, hash and key. */
  readonly text: string;
}

/** The verifier key of an Ed25519 key. The name has no space and no "+". */
export function verifierKeyOf(name: string, publicKey: KeyObject): VerifierKey {
  if (!NAME.test(name)) throw new TypeError(`no name of a key: ${JSON.stringify(name)}`);
  if (publicKey.asymmetricKeyType !== "ed25519") throw new TypeError("a note is signed by Ed25519");
  const spki = publicKey.export({ type: "spki", format: "der" });
  const typed = Buffer.concat([Buffer.of(ED25519), spki.subarray(SPKI_PREFIX.length)]);
  const keyHash = keyHashOf(name, typed);
  const text = `${name}+${keyHash.toString("hex")}+${typed.toString("base64")}`;
  return { name, hash: keyHash, publicKey, text };
}

/** Reads a verifier key. @throws NOTE_KEY_INVALID */
export function parseVerifierKey(text: string): VerifierKey {
  const [, name, digits = "", key = ""] =
    /^([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text) ?? [];
  const typed = Buffer.from(key, "base64");
  if (
    name === undefined ||
    !BASE64.test(key) ||
    typed.length !== 1 + KEY_BYTES ||
    typed[0] !== ED25519
  ) {
    throw keyInvalid(text, "it is not a name, eight digits and an Ed25519 key");
  }
  const keyHash = keyHashOf(name, typed);
  if (keyHash.toString("hex") !== digits)
    throw keyInvalid(text, "its digits are not those of its key");
  const der = Buffer.concat([SPKI_PREFIX, typed.subarray(1)]);
  return {
    name,
    hash: keyHash,
    publicKey: createPublicKey({ key: der, format: "der", type: "spki" }),
    text,
  };
}

function keyHashOf(name: string, typed: Uint8Array): Buffer {
  const bytes = Buffer.concat([Buffer.from(`${name}\n`), typed]);
  return hash("sha256", bytes, "buffer").subarray(0, KEY_HASH_BYTES);
}

/** Signs a text, which ends with a line end. */
export function signNote(text: string, key: VerifierKey, privateKey: KeyObject): string {
  if (!isText(text)) throw new TypeError("the text of a note ends with a line end");
  const signature = sign(null, Buffer.from(text), privateKey);
  return `${text}\n${DASH} ${key.name} ${Buffer.concat([key.hash, signature]).toString("base64")}\n`;
}

/**
 * The text of a note that at least one of these keys has signed.
 * @throws NOTE_INVALID; NOTE_UNVERIFIED when none of them has, or what one of them is said to have signed is wrong
 */
export function openNote(
  note: string,
  keys: readonly VerifierKey[],
): { readonly text: string; readonly keys: readonly VerifierKey[] } {
  const { text, signatures } = splitNote(note);
  const verified: VerifierKey[] = [];
  const bytes = Buffer.from(text);
  for (const { name, keyHash, signature } of signatures) {
    const key = keys.find((one) => one.name === name && one.hash.equals(keyHash));
    if (key === undefined || verified.includes(key)) continue;
    if (signature.length !== SIGNATURE_BYTES || !verify(null, bytes, key.publicKey, signature)) {
      throw pkiError("NOTE_UNVERIFIED", `the signature of "${name}" on a note is wrong`);
    }
    verified.push(key);
  }
  if (verified.length === 0) {
    throw pkiError("NOTE_UNVERIFIED", "no key that is trusted has signed the note", {
      hint: "give the verifier key of the log that the note is of",
    });
  }
  return { text, keys: verified };
}

interface Signature {
  readonly name: string;
  readonly keyHash: Buffer;
  readonly signature: Buffer;
}

/** The parts of a note, nothing of it verified. @throws NOTE_INVALID */
export function splitNote(note: string): {
  readonly text: string;
  readonly signatures: readonly Signature[];
} {
  const split = note.lastIndexOf("\n\n");
  const text = note.slice(0, split + 1);
  const lines = note.slice(split + 2).split("\n");
  if (note.length > MAX_NOTE_LENGTH) throw invalid("it is too long");
  if (split < 0 || !isText(text) || lines.pop() !== "")
    throw invalid("it is not a text and signatures");
  if (lines.length === 0 || lines.length > MAX_SIGNATURES)
    throw invalid("it has no signature, or too many");
  const signatures = lines.map((line) => {
    const [, name, data = ""] = /^\u2014 ([^\s+]{1,255}) (\S+)$/u.exec(line) ?? [];
    const bytes = Buffer.from(data, "base64");
    if (name === undefined || !BASE64.test(data) || bytes.length <= KEY_HASH_BYTES) {
      throw invalid("a line is no signature");
    }
    const keyHash = bytes.subarray(0, KEY_HASH_BYTES);
    return { name, keyHash, signature: bytes.subarray(KEY_HASH_BYTES) };
  });
  return { text, signatures };
}

function isText(text: string): boolean {
  return text.endsWith("\n") && text.isWellFormed() && !CONTROL.test(text);
}

function invalid(why: string): Error {
  return pkiError("NOTE_INVALID", `the signed note cannot be read: ${why}`);
}

function keyInvalid(text: string, why: string): Error {
  return pkiError(
    "NOTE_KEY_INVALID",
    `${JSON.stringify(text.slice(0, 120))} is no verifier key: ${why}`,
    {
      hint: "it looks like example.org/audit+1a2b3c4d+AbCd...",
    },
  );
}
