// SHA-256 of the program that a process executes, read through /proc/PID/exe, so that it is the file
// that runs and not whatever stands at its path. Kept by the file's identity.

import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { agentError } from "../errors.ts";
import { type Executable, identifyFile, isContentForgeable, type Peer } from "../peer/index.ts";

const CHUNK_BYTES = 1024 * 1024;
const MAX_KEPT = 1024;
// A file changed within the last tick of the file system's clock can change again without a new time.
const SETTLED_NS = 2_000_000_000n;

export interface ContentHashOptions {
  /** Larger programs get no hash; 0: no limit, negative: never hash. */
  readonly limitBytes: number;
  /** Nanoseconds since 1970: to tell whether a file has been left alone for a while. */
  readonly nowNs: () => bigint;
}

/** Hashes programs; one for an agent. */
export class ContentHash {
  readonly #options: ContentHashOptions;
  readonly #kept = new Map<string, string>();
  readonly #running = new Map<string, Promise<string>>();
  // One user's programs wait for each other, so that nobody can keep all of Node's file threads busy.
  readonly #queues = new Map<number, Promise<unknown>>();

  constructor(options: ContentHashOptions) {
    this.#options = options;
  }

  /** The hash in hexadecimal if it is known without reading the file. */
  known(executable: Executable): string | undefined {
    const hash = this.#kept.get(executable.contentKey);
    if (hash === undefined) return undefined;
    this.#kept.delete(executable.contentKey);
    this.#kept.set(executable.contentKey, hash); // the one used last is dropped last
    return hash;
  }

  /**
   * The hash in hexadecimal.
   * @throws ATTESTATION_FAILED when it cannot be had: too large, unreadable, or changed meanwhile
   */
  async of(peer: Peer, executable: Executable): Promise<string> {
    const known = this.known(executable);
    if (known !== undefined) return known;
    this.#refuseUnfit(peer, executable);
    // Under the uid too: a hash that another user's process waits for must not be that user's doing.
    const key = `${peer.uid} ${executable.contentKey}`;
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const before = this.#queues.get(peer.uid) ?? Promise.resolve();
    const hashing = before
      .catch(() => undefined)
      .then(() => this.#hash(peer, executable))
      .finally(() => {
        this.#running.delete(key);
        if (this.#queues.get(peer.uid) === hashing) this.#queues.delete(peer.uid);
      });
    this.#running.set(key, hashing);
    this.#queues.set(peer.uid, hashing);
    return hashing;
  }

  #refuseUnfit(peer: Peer, executable: Executable): void {
    const { limitBytes } = this.#options;
    if (limitBytes < 0) throw unavailable(executable, "hashing is switched off");
    if (limitBytes > 0 && executable.size > BigInt(limitBytes)) {
      throw unavailable(executable, `it is larger than ${limitBytes} bytes`);
    }
    if (isContentForgeable(peer.pid, executable)) {
      throw unavailable(executable, "it lies on a file system that a user's program serves");
    }
  }

  async #hash(peer: Peer, executable: Executable): Promise<string> {
    const known = this.known(executable);
    if (known !== undefined) return known;
    let file: FileHandle;
    try {
      file = await open(`/proc/${peer.pid}/exe`);
    } catch (cause) {
      throw unavailable(executable, "it cannot be opened", cause);
    }
    try {
      const link = `/proc/self/fd/${file.fd}`;
      // What is hashed must be the file that was seen, from its first byte to its last.
      requireSame(link, executable);
      const hash = createHash("sha256");
      const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
      let position = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, position);
        if (bytesRead === 0) break;
        position += bytesRead;
        if (BigInt(position) > executable.size) throw unavailable(executable, "it grew");
        hash.update(buffer.subarray(0, bytesRead));
        if (!peer.isAlive()) throw unavailable(executable, "its process has ended");
      }
      if (BigInt(position) !== executable.size) throw unavailable(executable, "it shrank");
      requireSame(link, executable);
      const digest = hash.digest("hex");
      this.#keep(executable, digest);
      return digest;
    } finally {
      await file.close();
    }
  }

  #keep(executable: Executable, digest: string): void {
    if (this.#options.nowNs() - executable.ctimeNs < SETTLED_NS) return;
    this.#kept.set(executable.contentKey, digest);
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }
}

function requireSame(path: string, executable: Executable): void {
  const file = identifyFile(path);
  const same =
    file.dev === executable.dev &&
    file.ino === executable.ino &&
    file.size === executable.size &&
    file.mtimeNs === executable.mtimeNs &&
    file.ctimeNs === executable.ctimeNs;
  if (!same) throw unavailable(executable, "it changed while it was read");
}

const unavailable = (executable: Executable, why: string, cause?: unknown): Error =>
  agentError("ATTESTATION_FAILED", `no hash of "${executable.path}": ${why}`, { cause });
