// Looks for secrets where none may be: in the files of an audit log, in logs. What a test has made (tokens,
// keys, join tokens) is told with `add`; what looks like a secret is found without.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Shorter texts are found anywhere. */
const MIN_LENGTH = 8;
const PATTERNS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["a JWS", /\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*/],
  ["PEM", /-----BEGIN [A-Z0-9 ]+-----/],
  ["a private JWK", /"d"\s*:\s*"[\w-]{16,}"/],
  ["a bearer token", /\bBearer\s+[\w.~+/-]{16,}/],
];

/** Something that must not stand where it does. */
export interface Leak {
  readonly file: string;
  readonly what: string;
}

export class Secrets {
  readonly #secrets = new Map<string, string>();

  /** Remembers a secret, as text, or bytes that would be written in hexadecimal or base64. */
  add(what: string, secret: string | Uint8Array): void {
    if (typeof secret === "string") {
      this.#remember(what, secret);
      // The parts of a token are secret in themselves: what is left of a signature makes it valid.
      const signature = /^eyJ[\w-]+\.[\w-]+\.([\w-]+)$/.exec(secret)?.[1];
      if (signature !== undefined) this.#remember(`the signature of ${what}`, signature);
      for (const body of secret.matchAll(
        /-----BEGIN ([A-Z0-9 ]+)-----\n([A-Za-z0-9+/=\n]+)-----END/g,
      )) {
        for (const line of (body[2] ?? "").split("\n").slice(1))
          this.#remember(`PEM of ${what}`, line);
      }
      return;
    }
    const bytes = Buffer.from(secret);
    for (const encoding of ["hex", "base64", "base64url"] as const) {
      this.#remember(what, bytes.toString(encoding).replace(/=+$/, ""));
    }
  }

  get size(): number {
    return this.#secrets.size;
  }

  /** Where something secret stands in a text. */
  findIn(text: string, file: string): Leak[] {
    const leaks: Leak[] = [];
    for (const [secret, what] of this.#secrets)
      if (text.includes(secret)) leaks.push({ file, what });
    for (const [what, pattern] of PATTERNS) if (pattern.test(text)) leaks.push({ file, what });
    return leaks;
  }

  /** Where something secret stands in the files of a folder, and of those below it. Sealed files are left out. */
  findBelow(folder: string): Leak[] {
    return readdirSync(folder, { recursive: true }).flatMap((name) => {
      const path = join(folder, String(name));
      if (!statSync(path).isFile() || path.endsWith(".sealed")) return [];
      return this.findIn(readFileSync(path, "latin1"), path);
    });
  }

  #remember(what: string, text: string): void {
    if (text.length >= MIN_LENGTH) this.#secrets.set(text, what);
  }
}
